"""A customer's answer to one of our notices: it names the notice's Message-ID, or bears our case number in its Subject.

Notices go out as <case-2026-00017.notify-2.0123456789abcdef@our.domain> with "(case 2026-00017)" at the end of the
Subject (complaints/notices/compose.py). Whoever knows such an id has had the mail; the Subject may have been typed.
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


def recognises(mail: Mail) -> bool:
    return case_number(mail) is not None


def case_number(mail: Mail) -> str | None:
    """The number of the case that the mail answers, as Case.number writes it; None where it answers none."""
    for name in ("in-reply-to", "references"):
        for value in mail.headers.every(name):
            # The youngest id of a thread stands last.
            if found := NOTICE_ID.findall(value[-LONGEST_VALUE:]):
                return str(found[-1])
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
