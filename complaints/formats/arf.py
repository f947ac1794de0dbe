"""ARF feedback reports, RFC 5965, with auth-failure (RFC 6591) and not-spam (RFC 6430): what feedback loops send.

One report is about one message, so it yields one complaint. Trust goes to the machine-readable part first and to the
original's Received lines next (section 2g); the text for humans never decides.
"""

from __future__ import annotations

import re
from typing import Final

from ..vocabulary import Category, ParsedComplaint
from . import arf_fast
from .accounts import accounts_in_header
from .addresses import addresses_in, read_address
from .arf_fast import MOST_ORIGINAL_HEADER, ArfParts
from .dates import read_mail_date
from .errors import MalformedComplaint, NotThisFormat
from .header_text import Headers, bare_address, bare_addresses, bare_id, readable
from .mail import Mail
from .mail_parts import Part
from .originals import read_headers_of, received_lines, source_from_received
from .texts import done_before
from .traces import traces_of

NAME: Final = "arf"
RANK: Final = 20

# Section 7.3's registry, RFC 6430 and RFC 6591; "opt-out" and "dkim" are of the drafts and still sent.
# Whatever is not listed is set aside for a human (RFC 6650 section 4.5), never taken for spam.
CATEGORIES = {
    "abuse": Category.SPAM,
    "fraud": Category.PHISHING,
    "virus": Category.MALWARE,
    "other": Category.OTHER,
    "not-spam": Category.NOT_SPAM,
    "auth-failure": Category.AUTH_FAILURE,
    "dkim": Category.AUTH_FAILURE,
    "opt-out": Category.OPT_OUT,
    "opt-out-list": Category.OPT_OUT,
}
REPORT_TYPE = "message/feedback-report"
ORIGINAL_TYPES = ("message/rfc822", "message/rfc822-headers", "message/rfc822-header", "message/global",
                  "text/rfc822-headers", "text/rfc822-header", "text/rfc822", "text/rfc822-headers-only")  # fmt: skip
CFBL_ID: Final = "cfbl-feedback-id"  # RFC 9477 section 5.2: by it alone the sender knows which mail is meant
NOTHING_ELSE: Final[dict[str, str]] = {}
MARK = re.compile(rb"message/feedback-report", re.I)
# Subjects that the reporter composed himself; a copied Subject of the spam may say anything.
OWN_SUBJECT = re.compile(
    r"(?:complaint about message from|feedback report (?:for|from)(?: ip)?|abuse report\b.{0,40}?\bfrom"
    r"|message from ip)\s",
    re.I,
)


def recognises(mail: Mail) -> bool:
    if mail.report_type == "feedback-report":
        return True
    return mail.content_type.startswith(("multipart/", "message/")) and holds_report(mail)


def holds_report(mail: Mail) -> bool:
    """A report part, here or in a report that somebody forwarded as an attachment; not inside a bounce."""
    if not MARK.search(mail.data) or mail.report_type:
        return False
    return any(part.content_type == REPORT_TYPE for part in mail.parts) or forwarded_report(mail) is not None


def forwarded_report(mail: Mail) -> Mail | None:
    for part in mail.parts:
        if part.content_type == "message/rfc822" and MARK.search(part.payload):
            inner = mail.opened(part)
            if inner is not None and recognises(inner):
                return inner
    return None


def parse(mail: Mail) -> list[ParsedComplaint]:
    found = arf_fast.find_parts(mail) or find_parts(mail)
    if found is None:
        inner = forwarded_report(mail)
        if inner is None:
            raise MalformedComplaint(f"{REPORT_TYPE}: this part is missing")
        return parse(inner)
    if found.fields.first("feedback-type") == "xarf" and (b"json" in mail.data or b"JSON" in mail.data):
        raise NotThisFormat  # RFC 9477 section 3.5.1: the report is the JSON beside it
    return [read_complaint(found, mail)]


def find_parts(mail: Mail) -> ArfParts | None:
    """The same by way of the standard library's parser, with what the field does to part types and encodings."""
    report: Headers | None = None
    original: Headers | None = None
    for part in mail.parts:
        if part.content_type == REPORT_TYPE:
            report = report or read_fields(part)
        elif part.content_type in ORIGINAL_TYPES and original is None:
            original = read_headers_of(part.payload[:MOST_ORIGINAL_HEADER])
    return ArfParts(report, original) if report is not None else None


def read_fields(part: Part) -> Headers:
    """The block with the fields; flanker-like senders put a second block of MIME fields before it."""
    blocks = [Headers(block) for block in part.payload[:MOST_ORIGINAL_HEADER].split(b"\n\n")[:4] if block.strip()]
    for fields in blocks:
        if "feedback-type" in fields:
            return fields
    raise MalformedComplaint(f"{REPORT_TYPE}: no Feedback-Type field")


def read_complaint(found: ArfParts, mail: Mail) -> ParsedComplaint:
    fields, original = found
    feedback_type = (readable(fields.first("feedback-type") or "") or "").lower()
    if not feedback_type:
        raise MalformedComplaint(f"{REPORT_TYPE}: Feedback-Type is empty")
    received = received_lines(original)
    source, reason, hop_time = read_source(fields, original, received, mail)
    stated = fields.first("arrival-date") or fields.first("received-date")  # the draft's name, still sent
    if not stated and not hop_time:
        hop_time = time_of_hop(source, received, mail)
    return ParsedComplaint(
        category=CATEGORIES.get(feedback_type, Category.OTHER),
        feedback_type=feedback_type,
        source_ip=source,
        source_port=read_port(fields.first("source-port")),
        arrival_date=read_mail_date(stated) or read_mail_date(hop_time) or done_before(mail),
        reported_domains=tuple(value.lower() for value in fields.every("reported-domain") if value),
        reported_uris=tuple(value.strip("<>") for value in fields.every("reported-uri") if value),
        original_mail_from=bare_address(fields.first("original-mail-from")),
        original_rcpt_to=bare_addresses(fields.every("original-rcpt-to")),
        original_message_id=bare_id((original and original.first("message-id")) or fields.first("original-message-id")),
        original_subject=original.readable("subject") if original else None,
        reporter=read_reporter(mail),
        user_agent=fields.readable("user-agent"),
        version=fields.readable("version"),
        auth_failure=fields.readable("auth-failure"),
        delivery_result=fields.readable("delivery-result"),
        received=received,
        traces=traces_of(original),
        accounts=accounts_in_header(original, mail.account_headers),
        source_reason=reason,
        extra=NOTHING_ELSE if original is None or CFBL_ID not in original else {CFBL_ID: original.first(CFBL_ID)},
    )


def read_source(
    fields: Headers, original: Headers | None, received: tuple[str, ...], mail: Mail
) -> tuple[str | None, str, str | None]:
    """→ (address, which field or line named it, the time of that line if it was a Received line)."""
    for value in fields.every("source-ip"):
        if address := read_address(value):
            return address, "Source-IP field", None
    subject = mail.headers.readable("subject") or ""
    if address := address_of_own_subject(subject, original):
        return address, "Subject of the report", None
    return source_from_received(received, mail.is_ours)


def time_of_hop(source: str | None, received: tuple[str, ...], mail: Mail) -> str | None:
    """Of the reporter's own Received line, if it bears the address that is named elsewhere.

    Arrival-Date is optional (section 3.2), and a reader may complain days after the mail came.
    """
    address, _, time = source_from_received(received, mail.is_ours)
    return time if address == source else None


def address_of_own_subject(subject: str, original: Headers | None) -> str | None:
    found = OWN_SUBJECT.search(subject)
    copied = (original.readable("subject") if original else None) or ""
    if not found or (copied and OWN_SUBJECT.search(copied)):
        return None
    return next((address for _, address in addresses_in(subject[found.start() :])), None)


def read_port(value: str | None) -> int | None:
    """Source-Port, RFC 6692 section 3."""
    return (
        int(value)
        if value and value.isascii() and value.isdigit() and 0 < len(value) < 6 and 0 < int(value) < 65536
        else None
    )


def read_reporter(mail: Mail) -> str | None:
    """The outer From; where a ticket system passed the report on, the one whose mail it was."""
    sender = mail.headers.first("from")
    if sender and " via " in sender and (originator := bare_address(mail.headers.first("x-rt-originator"))):
        return originator
    return bare_address(sender)
