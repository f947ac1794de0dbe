"""A customer's answer to one of our notices: it names the notice's Message-ID, goes to the address that the notice came
from (its envelope sender), or bears our case number in its Subject.

Notices go out as <case-2026-00017.notify-2.0123456789abcdef@our.domain> with "(case 2026-00017)" at the end of the
Subject (complaints/notices/compose.py). Whoever knows such an id has had the mail; the Subject may have been typed.
Some subjects bear the number with a few keyed characters, "[2026-00017-0123456789]", which only a mail of ours tells.
"""

from __future__ import annotations

import re
from typing import Final

from ..vocabulary import Disposition, ParsedComplaint
from .errors import MalformedComplaint
from .header_text import LONGEST_VALUE
from .mail import Mail
from .texts import subject_of

NAME: Final = "customer-reply"
RANK: Final = 75  # after bounces and automatic replies, which name our mails too
DISPOSITION: Final = Disposition.CUSTOMER_REPLY

NOTICE_ID = re.compile(
    r"<case-(?P<number>\d{4}-\d{5,12})\.[a-z][a-z0-9_]{0,60}-\d{1,9}\.[0-9a-f]{16}@[^\s<>@]{1,253}>", re.I
)
# Letters are translated: "(case 2026-00017)", "(Fall 2026-00017)".
CASE_IN_SUBJECT = re.compile(r"\([^\W\d_]{2,20}[ :#]{1,3}(?P<number>\d{4}-\d{5,12})\)")
MARK_IN_SUBJECT = re.compile(r"\[(?P<number>\d{4}-\d{5,12})-(?P<mark>[0-9a-f]{10})\]", re.I)
# complaints/notices/verp.py; some programs answer to where a mail came from, not to its Reply-To.
RETURN_ADDRESS = re.compile(r"\bbounce\+\d{1,18}-[0-9a-f]{10}@[a-z0-9.-]{1,253}", re.I)
RECIPIENT_FIELDS = ("to", "cc", "delivered-to", "x-original-to", "envelope-to")
MACHINES = re.compile(r"(?:mailer-daemon|postmaster|double-bounce|no-?reply)@", re.I)


def recognises(mail: Mail) -> bool:
    if case_number(mail) is not None:
        return True
    return bool(return_addresses(mail)) and not is_from_machine(mail)


def return_addresses(mail: Mail) -> list[str]:
    """Envelope senders of our notices among the recipients, as they are written there."""
    fields = (value for name in RECIPIENT_FIELDS for value in mail.headers.every(name))
    return [found for value in fields for found in RETURN_ADDRESS.findall(value[:LONGEST_VALUE])]


def is_from_machine(mail: Mail) -> bool:
    """A bounce in a form that nobody knows goes to the same address."""
    null_sender = (mail.headers.first("return-path") or "-").replace(" ", "") == "<>"
    return null_sender or bool(MACHINES.search(mail.headers.first("from") or "mailer-daemon@"))


def marks_in_subject(mail: Mail) -> tuple[str, str] | None:
    """Case number and keyed characters, where the Subject bears them."""
    found = MARK_IN_SUBJECT.search(subject_of(mail))
    return (found["number"], found["mark"].lower()) if found else None


def case_number(mail: Mail) -> str | None:
    """The number of the case that the mail answers, as Case.number writes it; None where it answers none."""
    for name in ("in-reply-to", "references"):
        for value in mail.headers.every(name):
            # The youngest id of a thread stands last.
            if found := NOTICE_ID.findall(value[-LONGEST_VALUE:]):
                return str(found[-1])
    if marked := marks_in_subject(mail):
        return marked[0]
    found_in_subject = CASE_IN_SUBJECT.search(subject_of(mail))
    return found_in_subject["number"] if found_in_subject else None


def answered_case(raw: bytes) -> str | None:
    """The same from the stored bytes, for who files the answer."""
    try:
        return case_number(Mail(raw))
    except MalformedComplaint:
        return None


def parse(mail: Mail) -> list[ParsedComplaint]:
    return []
