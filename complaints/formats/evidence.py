"""A mail as evidence for people: its header decoded, its texts readable, its attachments named, nothing of it alive.

Pure and bounded: whatever was sent, this answers, with a note for each thing that is left out. Pages become plain lines
with the targets of their links beside them; no part of a mail is ever markup, a link or a request.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import Final

from .errors import MalformedComplaint
from .header_text import Headers, readable
from .mail import Mail
from .mail_parts import Part
from .reporter_words import without_tags

MOST_HEADERS: Final = 200
MOST_TEXTS: Final = 50
MOST_ATTACHMENTS: Final = 200
LONGEST_TEXT: Final = 40_000  # characters of one text
MOST_TEXT: Final = 400_000  # characters of all texts of a mail
DEEPEST: Final = 3  # mails within mails that are opened
MOST_ORIGINALS: Final = 20
TEXT_TYPES: Final = ("text/", "message/feedback-report", "message/delivery-status", "message/disposition-notification")
MAIL_TYPES: Final = ("message/rfc822", "message/global", "message/rfc822-headers", "text/rfc822")
UNNAMED: Final = "(no name)"
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
LINK = re.compile(
    r"<a\b[^<>]{0,2000}?\bhref\s{0,5}=\s{0,5}(?:\"([^\"<>]{0,2000})\"|'([^'<>]{0,2000})'|([^\s<>\"']{1,2000}))[^<>]{0,2000}>",
    re.I,
)


@dataclass(frozen=True, slots=True)
class Text:
    """One readable part. content_type: as the mail says; of a page the text is what is to be seen of it."""

    content_type: str
    name: str | None
    text: str
    size: int  # characters, before anything was left out


@dataclass(frozen=True, slots=True)
class Attachment:
    name: str
    content_type: str
    size: int  # bytes, transfer encoding undone
    sha256: str


@dataclass(frozen=True, slots=True)
class Evidence:
    """originals: mails that lie in this one, opened the same way. notes: what is not shown, in words."""

    headers: tuple[tuple[str, str], ...] = ()
    texts: tuple[Text, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    originals: tuple[Evidence, ...] = ()
    notes: tuple[str, ...] = ()
    size: int = 0
    sha256: str = ""

    @property
    def subject(self) -> str | None:
        return next((value for name, value in self.headers if name.lower() == "subject"), None)


def evidence_of(raw: bytes) -> Evidence:
    """Never raises; of a mail that cannot be taken apart the beginning is shown as it is."""
    return opened(raw, depth=0)


def opened(raw: bytes, *, depth: int) -> Evidence:
    digest = hashlib.sha256(raw).hexdigest()
    try:
        mail = Mail(raw)
    except MalformedComplaint as exc:
        return Evidence(texts=(as_it_is(raw),), notes=(str(exc),), size=len(raw), sha256=digest)
    notes = [mail.limit_note] if mail.limit_note else []
    headers = headers_of(mail.headers, notes)
    try:
        parts = mail.parts
    except MalformedComplaint as exc:
        return Evidence(headers, (as_it_is(mail.body),), notes=(*notes, str(exc)), size=len(raw), sha256=digest)
    mails = [part for part in parts if is_mail(part)]
    readable_parts = [part for part in parts if not is_mail(part) and part.content_type.startswith(TEXT_TYPES)]
    files = [part for part in parts if part not in readable_parts and (part not in mails or depth >= DEEPEST)]
    texts = texts_of(readable_parts, notes)
    named = [part for part in readable_parts if part.filename or part.is_attachment]
    if len(files) + len(named) > MOST_ATTACHMENTS:
        notes.append(f"only the first {MOST_ATTACHMENTS} of {len(files) + len(named)} attachments are listed")
    if len(mails) > MOST_ORIGINALS and depth < DEEPEST:
        notes.append(f"only the first {MOST_ORIGINALS} of {len(mails)} attached mails are opened")
    inside = [] if depth >= DEEPEST else mails[:MOST_ORIGINALS]
    return Evidence(
        headers=headers,
        texts=texts,
        attachments=tuple(attachment(part) for part in [*named, *files][:MOST_ATTACHMENTS]),
        originals=tuple(opened(part.payload, depth=depth + 1) for part in inside),
        notes=tuple(notes),
        size=len(raw),
        sha256=digest,
    )


def is_mail(part: Part) -> bool:
    return part.content_type.startswith(MAIL_TYPES)


def headers_of(headers: Headers, notes: list[str]) -> tuple[tuple[str, str], ...]:
    """In the order in which they stand: the Received lines tell their story only so."""
    found = []
    for line in headers.text.split("\n"):
        name, colon, value = line.partition(":")
        if colon and name.strip() and not re.search(r"\s", name.strip()):
            found.append((inert(name.strip()), inert(readable(value) or "")))
    if len(found) > MOST_HEADERS:
        notes.append(f"only the first {MOST_HEADERS} of {len(found)} header fields are shown")
    return tuple(found[:MOST_HEADERS])


def texts_of(parts: list[Part], notes: list[str]) -> tuple[Text, ...]:
    texts: list[Text] = []
    room = MOST_TEXT
    for part in parts[:MOST_TEXTS]:
        whole = page_as_lines(part.text) if part.content_type == "text/html" else part.text
        shown = inert(whole[: min(LONGEST_TEXT, max(room, 0))])
        room -= len(shown)
        if len(whole) > LONGEST_TEXT or len(shown) < min(len(whole), LONGEST_TEXT) - whole.count("\r"):
            notes.append(f"{part.content_type}: only the first {len(shown)} of {len(whole)} characters are shown")
        texts.append(Text(part.content_type, file_name(part) if part.filename else None, shown, len(whole)))
    if len(parts) > MOST_TEXTS:
        notes.append(f"only the first {MOST_TEXTS} of {len(parts)} texts are shown")
    return tuple(texts)


def page_as_lines(page: str) -> str:
    """What a reader would see, and behind each link where it leads: a phishing page lives by the difference."""
    told = LINK.sub(lambda link: f"{link[0]}[{link[1] or link[2] or link[3] or ''}] ", page)
    lines = (" ".join(line.split()) for line in without_tags(told).split("\n"))
    return "\n".join(line for line in lines if line)


def attachment(part: Part) -> Attachment:
    content = part.payload
    return Attachment(file_name(part), part.content_type, len(content), hashlib.sha256(content).hexdigest())


def file_name(part: Part) -> str:
    """The last piece of the name: a path in it is the sender's wish, not ours."""
    written = inert(readable(part.filename or "") or "").replace("\\", "/")
    return written.rpartition("/")[2].strip(" .")[:200] or UNNAMED


def as_it_is(raw: bytes) -> Text:
    text = raw[: LONGEST_TEXT * 4].decode("utf-8", "replace")
    return Text("text/plain", None, inert(text[:LONGEST_TEXT]), len(raw))


def inert(text: str) -> str:
    """Without characters that move, hide or turn what stands beside them."""
    return CONTROL.sub("\ufffd", text.replace("\r\n", "\n"))
