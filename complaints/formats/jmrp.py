"""Microsoft's Junk Mail Reporting Program: the complained-of mail, attached or re-sent, without a report part.

Known by its own header field X-HmXmrOriginalRecipient, or by a Subject that states the address above an attached
message. The Subject is the only place where the address is said; it is the reporter's own sentence.
"""

from __future__ import annotations

import re
from typing import Final

from ..vocabulary import Category, ParsedComplaint
from .accounts import accounts_in_header
from .addresses import addresses_in
from .arf import read_reporter
from .arf_fast import MOST_ORIGINAL_HEADER
from .dates import read_mail_date
from .header_text import Headers, bare_address, bare_addresses, bare_id
from .mail import Mail
from .originals import read_headers_of, received_lines, source_from_received
from .texts import done_before
from .traces import traces_of

NAME: Final = "jmrp"
RANK: Final = 30

MARK = "x-hmxmroriginalrecipient"
SUBJECT = re.compile(r"\bcomplaint about message from\s+\S", re.I)


def recognises(mail: Mail) -> bool:
    if MARK in mail.headers:
        return True
    if mail.content_type != "message/rfc822" and not mail.content_type.startswith("multipart/"):
        return False
    return bool(SUBJECT.search(mail.headers.readable("subject") or "")) and attached_original(mail) is not None


def attached_original(mail: Mail) -> Headers | None:
    for part in mail.parts:
        if part.content_type == "message/rfc822":
            return read_headers_of(part.payload[:MOST_ORIGINAL_HEADER])
    return None


def resent_original(mail: Mail) -> Headers:
    """The old form re-sends the original itself: our own Received lines stand above the mark, the original's below."""
    place = mail.headers.text.lower().find("\n" + MARK)
    return Headers(mail.headers.text[max(place, 0) :].strip().encode("utf-8", "surrogateescape"))


def parse(mail: Mail) -> list[ParsedComplaint]:
    resent = MARK in mail.headers
    original = resent_original(mail) if resent else attached_original(mail)
    if original is None:  # recognises() saw it
        return []
    received = received_lines(original)
    subject = mail.headers.readable("subject") or ""
    stated = None if resent else SUBJECT.search(subject)
    named = next((address for _, address in addresses_in(subject[stated.start() :])), None) if stated else None
    source, reason, hop_time = source_from_received(received, mail.is_ours)
    return [
        ParsedComplaint(
            category=Category.SPAM,
            feedback_type="abuse",
            source_ip=named or source,
            arrival_date=read_mail_date(hop_time) or done_before(mail),
            original_mail_from=bare_address(original.first("return-path")),
            original_rcpt_to=bare_addresses(original.every(MARK)),
            original_message_id=bare_id(original.first("message-id")),
            original_subject=original.readable("subject"),
            reporter=bare_address(mail.headers.first("return-path")) if resent else read_reporter(mail),
            received=received,
            traces=traces_of(original),
            accounts=accounts_in_header(original, mail.account_headers),
            source_reason="Subject of the report" if named else reason,
        )
    ]
