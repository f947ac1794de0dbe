"""What a text says, and where the reporter's own words end and the pasted original begins.

A spam pasted below the complaint is the spammer's text: an address in it accuses nobody, its Received lines are read
from their trusted end instead.
"""

from __future__ import annotations

import html
import re
from dataclasses import dataclass, field

from .errors import MalformedComplaint
from .header_text import Headers
from .mail import Mail
from .mail_parts import MOST_TEXT
from .originals import read_headers_of

MOST_PARTS_READ = 20
MOST_TEXT_READ = 512 * 2**10
TEXT_TYPES = ("text/plain", "text/csv", "text/xml", "application/json", "text/x-yaml", "application/xml", "text/x-log")

# A pasted header: a field that only mail servers write, followed by another field or its own continuation.
PASTED = re.compile(
    r"^[> \t|]*(?:Received:[ \t]+(?:from|by)\b|Return-Path:[ \t]*<|Delivered-To:|X-Apparently-To:|Received-SPF:)",
    re.I | re.M,
)
QUOTE = re.compile(r"^[ \t]{0,8}(?:[>|][ \t]?)+", re.M)
LINE_TAG = re.compile(r"<(?:br|/p|/div|/tr|/li|hr)\b[^<>]*>", re.I)
ANY_TAG = re.compile(r"<[A-Za-z/!][^<>]*>")
INVISIBLE = ("script", "style")


@dataclass(slots=True)
class Reading:
    """words: the reporter's own. originals: headers of attached or pasted mails, the first is the one complained of."""

    words: str = ""
    originals: list[Headers] = field(default_factory=list)


def read_words(mail: Mail) -> Reading:
    reading = Reading()
    texts: list[str] = []
    pages: list[str] = []
    for part in mail.parts[:MOST_PARTS_READ]:
        if sum(map(len, texts)) > MOST_TEXT_READ:
            break
        if part.content_type in TEXT_TYPES:
            texts.append(split_pasted(part.text, reading))
        elif part.content_type == "text/html":
            pages.append(part.text)
        elif part.content_type in ("text/rfc822-headers", "message/rfc822-headers"):
            reading.originals.append(read_headers_of(part.payload[:MOST_TEXT]))
        elif part.content_type == "message/rfc822":
            reading.originals.append(read_headers_of(part.payload[:MOST_TEXT]))
            texts.append(words_of_forwarded(mail, part_index=mail.parts.index(part), reading=reading))
    if not any(text.strip() for text in texts):
        texts += [split_pasted(without_tags(page), reading) for page in pages]
    reading.words = "\n".join(texts)
    return reading


def words_of_forwarded(mail: Mail, part_index: int, reading: Reading) -> str:
    """Who forwards somebody's complaint may write nothing himself: then the attached mail is read in his place."""
    if any(part.content_type.startswith("text/") and part.text.strip() for part in mail.parts):
        return ""
    try:
        inner = mail.opened(mail.parts[part_index])
        return read_words(inner).words if inner is not None else ""
    except MalformedComplaint:
        return ""


def split_pasted(text: str, reading: Reading) -> str:
    """Take a pasted original off; what stands before it is the reporter's."""
    text = text.replace("\r\n", "\n").replace("\xa0", " ")
    found = PASTED.search(text)
    if found is None:
        return text
    pasted = QUOTE.sub("", text[found.start() :]) if text[found.start()] in "> \t|" else text[found.start() :]
    reading.originals.append(Headers(pasted.partition("\n\n")[0].encode("utf-8", "replace")))
    return text[: found.start()]


def without_tags(page: str) -> str:
    """HTML as plain lines; nothing is fetched and nothing runs."""
    for name in INVISIBLE:
        page = without_element(page, name)
    return html.unescape(ANY_TAG.sub(" ", LINE_TAG.sub("\n", page)))


def without_element(page: str, name: str) -> str:
    """Plain searching, as a pattern over hostile HTML takes time in its square; one left open goes to the end."""
    kept, at, lower = [], 0, page.lower()
    while (opened := lower.find("<" + name, at)) >= 0:
        kept.append(page[at:opened])
        closed = lower.find(f"</{name}", opened)
        if closed < 0:
            return " ".join(kept)
        at = closed + len(name) + 3
    return " ".join([*kept, page[at:]])
