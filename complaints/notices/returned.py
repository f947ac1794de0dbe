"""What a mail that came back says: final or only delayed, by which code, and which mail it was. Pure and bounded.

A delivery status notification (RFC 3464) has fields for it; older servers write a text with the reply's code in it.
Which mail: the Message-ID of the returned original is proof, for it was drawn by lot. A case's number and a recipient
are none: anybody can count and guess.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator

from complaints.formats.errors import MalformedComplaint
from complaints.formats.header_text import Headers, bare_address
from complaints.formats.mail import Mail
from complaints.formats.mail_parts import Part

MOST_BYTES = 128 * 2**10  # the report stands before the original; who sends more of it is not read to its end
MOST_GROUPS = 20  # recipients of one report; a mail of ours has one
MOST_REASON = 500
OUR_ID = re.compile(r"<(?:case|reporter)-[^<>\s]{1,190}>", re.I)
ID_LINE = re.compile(
    r"^[ \t>]{0,8}message-id:[ \t]{0,8}\n?[ \t>]{0,8}(<(?:case|reporter)-[^<>\s]{1,190}>)", re.I | re.M
)
STATUS = re.compile(r"\b([245])\.(\d{1,3})\.(\d{1,3})\b")  # RFC 3463
REPLY = re.compile(r"(?<![\d.])5[0-5]\d(?=[ -]|$)")
DELAYED = re.compile(r"delay|warning|still being|not yet been", re.I)
ORIGINALS = (
    "message/rfc822",
    "text/rfc822-headers",
    "message/rfc822-headers",
    "message/global",
    "message/global-headers",
)
REPORTS = ("message/delivery-status", "message/global-delivery-status")


@dataclasses.dataclass(frozen=True, slots=True)
class Returned:
    """final: nobody tries it again. status: RFC 3463, as "5.1.1", or "" where no code is given.

    ids: Message-IDs of ours, in angle brackets. numbers and recipients: what else points to a case; no proof.
    """

    final: bool
    status: str
    reason: str
    ids: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()
    recipients: tuple[str, ...] = ()
    sent_to: tuple[str, ...] = ()  # where the bounce went, by its own header


def read_returned(raw: bytes) -> Returned | None:
    """None when it says neither that a mail failed nor that it is late: receipts, relayed mail, anything else."""
    try:
        mail = Mail(raw[:MOST_BYTES])
        parts = mail.parts
    except MalformedComplaint:
        return None
    groups = list(groups_of(parts))[:MOST_GROUPS]
    said = from_report(groups) if groups else from_text(mail, parts)
    if said is None:
        return None
    final, status, reason = said
    originals = [Headers(part.payload.split(b"\n\n", 1)[0]) for part in parts if part.content_type in ORIGINALS][:3]
    named = [value for each in (mail.headers, *originals) for value in each.every("x-abuse-case")]
    return Returned(
        final,
        status,
        " ".join(reason.split())[:MOST_REASON],
        ids=tuple(dict.fromkeys(ids_in(mail, originals))),
        numbers=tuple(number.strip()[:30] for value in named[:3] for number in value[:2_000].split(",")[:50]),
        recipients=tuple(dict.fromkeys(recipients_in(mail, groups))),
        sent_to=tuple(v for n in ("to", "delivered-to", "x-original-to") for v in addresses_in(mail.headers.every(n))),
    )


def groups_of(parts: list[Part]) -> Iterator[Headers]:
    """RFC 3464 section 2.1: groups of fields, one for each recipient after the first, which is about the mail."""
    for part in parts:
        if part.content_type in REPORTS:
            for group in part.payload.replace(b"\r\n", b"\n").split(b"\n\n"):
                if group.strip():
                    yield Headers(group)


def from_report(groups: list[Headers]) -> tuple[bool, str, str] | None:
    """Of several recipients the one that failed; an action that is no word of RFC 3464 is read from its status."""
    late = None
    for fields in groups:
        action = (fields.first("action") or "").strip().lower()
        status = status_in(fields.first("status") or "") or status_in(fields.first("diagnostic-code") or "")
        reason = fields.readable("diagnostic-code") or fields.readable("status") or "no reason given"
        if action == "failed" or (action not in ACTIONS and status.startswith("5")):
            return True, status, reason
        if action == "delayed" or (action not in ACTIONS and status.startswith("4")):
            late = (False, status, reason)
    return late


ACTIONS = ("failed", "delayed", "delivered", "relayed", "expanded")


def from_text(mail: Mail, parts: list[Part]) -> tuple[bool, str, str] | None:
    """Without fields: Exim names who failed in its header, qmail and others quote the server's reply."""
    text = next((part.text[:8_000] for part in parts if part.content_type == "text/plain"), "")
    subject = mail.headers.readable("subject") or ""
    if DELAYED.search(subject):
        return False, status_in(text), subject
    told = next((line for line in text.split("\n") if REPLY.search(line) or status_in(line).startswith("5")), None)
    if told is not None:
        return True, status_in(told), told
    if "x-failed-recipients" in mail.headers:
        return True, "", subject or "returned to us"
    return None


def status_in(text: str) -> str:
    found = STATUS.search(text[:2_000])
    return found[0] if found else ""


def ids_in(mail: Mail, originals: list[Headers]) -> Iterator[str]:
    """Not what stands in References: those are earlier letters of the thread, which may well have arrived."""
    for value in mail.headers.every("in-reply-to")[:3]:
        yield from OUR_ID.findall(value)[:1]
    for headers in originals:
        for value in headers.every("message-id")[:1]:
            yield from OUR_ID.findall(value)[:1]
    if not originals:
        yield from ID_LINE.findall(mail.body.decode("latin-1"))[:3]


def recipients_in(mail: Mail, groups: list[Headers]) -> Iterator[str]:
    """Original-Recipient before Final-Recipient: the customer may have the mail forwarded to another address."""
    for fields in groups:
        for name in ("original-recipient", "final-recipient"):
            for value in fields.every(name)[:1]:
                found = bare_address(value.partition(";")[2] or value)
                if found:
                    yield found.lower()[:254]
    yield from addresses_in(mail.headers.every("x-failed-recipients"))


def addresses_in(values: list[str]) -> Iterator[str]:
    for value in values[:3]:
        for piece in value[:2_000].split(",")[:10]:
            if found := bare_address(piece):
                yield found.lower()[:320]


# RFC 3463: these speak of the mail, of our server's name, or of a full disk: the address may be right.
NOT_THE_ADDRESS = re.compile(r"5\.(?:7\.\d+|6\.\d+|3\.\d+|4\.[3-7]|5\.\d+|2\.3)")


def is_about_address(status: str) -> bool:
    """Whether the address itself is known to be bad: a final code that is not about the mail or its sender."""
    return not status.startswith("4") and not NOT_THE_ADDRESS.fullmatch(status)
