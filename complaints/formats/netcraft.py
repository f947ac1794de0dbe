"""Netcraft takedown requests: one attack at one page; the address of the host stands in the prose alone.

    Issue 1234567: Phishing attack at http://…
    We have discovered a phishing attack located on your network:
    http://… [192.0.2.7]

Old ones carry an X-ARF block whose Source is the page. Upstream providers get "located at IP address 192.0.2.7" above
a traceroute, of which no address is meant.
"""

from __future__ import annotations

import dataclasses
import re
from typing import Final

from ..vocabulary import Category, ParsedComplaint
from .addresses import read_address
from .arf import read_reporter
from .mail import Mail
from .report_block import complaint_of, host_of, read_block
from .texts import done_before, subject_of, text_of

NAME: Final = "netcraft"
RANK: Final = 31

SUBJECT = re.compile(
    r"\bissue \d{4,12}: .{0,80}?\b(?P<kind>[\w-]{2,30}(?: [\w-]{2,30})?)"
    r"(?: (?:attack|site|page|content|server|shop)s?)? (?:at|on) (?P<place>h(?:tt|xx)ps?(?:://|\[:\]//)\S+|[\w.\[\]:-]+)",
    re.I,
)
PAGE_AND_HOST = re.compile(r"(?<![^\s(<\"'])(h(?:tt|xx)ps?\[?:\]?//\S{1,2000})\s{1,4}\[([0-9a-f:.]{3,45})\]", re.I)
LOCATED_AT = re.compile(
    r"\b(?:located|registered|geregistreerd|hosted|resolv\w{1,5})\s+(?:at|under|onder|on|to)\s+(?:the\s+)?"
    r"IP(?:[ -]?(?:address|adres))?:?\s+\[?([0-9a-f:.]{3,45})",
    re.I,
)
KINDS: Final = (
    ("phish", Category.PHISHING), ("malware", Category.MALWARE), ("shell", Category.MALWARE),
    ("skimmer", Category.MALWARE), ("drop", Category.PHISHING), ("c2", Category.BOT), ("fake", Category.FRAUD),
    ("scam", Category.FRAUD), ("fraud", Category.FRAUD),
)  # fmt: skip


def recognises(mail: Mail) -> bool:
    if not SUBJECT.search(subject_of(mail)) or any(part.content_type == "application/json" for part in mail.parts):
        return False  # a newer one: its XARF says all of it, exactly
    return read_block(mail) is not None or PAGE_AND_HOST.search(text_of(mail)) is not None or located(mail) is not None


def parse(mail: Mail) -> list[ParsedComplaint]:
    named = [(plain_uri(page), address) for page, address in PAGE_AND_HOST.findall(text_of(mail))]
    hosts = [(page, address) for page, written in named if (address := read_address(written))]
    address = hosts[0][1] if hosts else located(mail)
    if fields := read_block(mail):
        complaint = complaint_of(fields, mail, address=address, reason="the text names the host of the page")
        return [with_category(complaint, subject_of(mail))]
    found = SUBJECT.search(subject_of(mail))
    pages: list[tuple[str, str | None]] = [*hosts] or [(plain_uri(found["place"]) if found else "", address)]
    return [
        ParsedComplaint(
            category=category_of_subject(subject_of(mail)),
            source_ip=address,
            arrival_date=done_before(mail),
            reported_domains=tuple(filter(None, [host_of(page)])),
            reported_uris=(page,) if "://" in page else (),
            reporter=read_reporter(mail),
            source_reason="the text names the host of the page",
        )
        for page, address in dict.fromkeys(pages)
    ]


def located(mail: Mail) -> str | None:
    found = LOCATED_AT.search(text_of(mail))
    return read_address(found[1].rstrip(".:")) if found else None


def with_category(complaint: ParsedComplaint, subject: str) -> ParsedComplaint:
    if complaint.category is not Category.OTHER:
        return complaint
    return dataclasses.replace(complaint, category=category_of_subject(subject))


def category_of_subject(subject: str) -> Category:
    found = SUBJECT.search(subject)
    kind = found["kind"].lower() if found else ""
    return next((category for word, category in KINDS if word in kind), Category.PHISHING)


def plain_uri(uri: str) -> str:
    """hxxps[:]//host[.]example as it is meant."""
    plain = re.sub(r"^hxxp", "http", uri, flags=re.I).replace("[:]", ":").replace("[.]", ".")
    return plain.rstrip(".,;)")
