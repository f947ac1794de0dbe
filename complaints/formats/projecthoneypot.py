"""Project Honey Pot monitor reports: addresses of a network under headings that say what each did.

    IPs Engaged In Email Spamming On Your Network:

    192.0.2.7 (S)
      - Mon, 2 Mar 2026 10:00AM PDT
        - Subject: …

One address may stand under two headings; that is two accusations.
"""

from __future__ import annotations

import re
from itertools import islice
from typing import Final

from ..vocabulary import Category, ParsedComplaint
from .addresses import canonical
from .arf import read_reporter
from .dates import read_mail_date
from .header_text import readable
from .mail import Mail
from .texts import done_before, text_of

NAME: Final = "projecthoneypot"
RANK: Final = 85

MOST_ENTRIES: Final = 1_000
HEADING = re.compile(
    r"^[> \t]*(?:IPs Engaged In (?P<what>[\w -]{3,60})|Other Potentially Suspicious IPs) On Your Network:?[ \t]*$",
    re.I | re.M,
)
ENTRY = re.compile(r"^[> \t]*(?P<address>[0-9A-Fa-f.:]{3,45})[ \t]+\((?P<letters>[A-Z]{1,6})\)", re.M)
EVENT = re.compile(r"^[> \t]*-[ \t]+(?P<date>[A-Z][a-z]{2},[^\n]{6,60})", re.M)
SUBJECT = re.compile(r"^[> \t]*-[ \t]+Subject:[ \t]*(?P<subject>[^\n]{1,500})", re.M)
KINDS: Final = {
    "harvesting": Category.BOT,  # a program that collects addresses from pages
    "email spamming": Category.SPAM,
    "dictionary attacks": Category.SPAM,  # mail to guessed recipients
    "comment spamming": Category.SPAM,
    "rule breaking": Category.BOT,
}


def recognises(mail: Mail) -> bool:
    found = HEADING.search(text_of(mail))
    return found is not None and ENTRY.search(text_of(mail), found.end()) is not None


def parse(mail: Mail) -> list[ParsedComplaint]:
    text = text_of(mail)
    headings = [*HEADING.finditer(text)]
    entries = [*islice(ENTRY.finditer(text, headings[0].start()), MOST_ENTRIES)]
    ends = [*(entry.start() for entry in entries[1:]), len(text)]
    return [
        complaint
        for entry, end in zip(entries, ends, strict=True)
        if (complaint := read_entry(entry, text[entry.end() : end], heading_above(headings, entry.start()), mail))
    ]


def heading_above(headings: list[re.Match[str]], place: int) -> str:
    above = [heading for heading in headings if heading.end() <= place]
    return (above[-1]["what"] or "").lower() if above else ""


def read_entry(entry: re.Match[str], below: str, what: str, mail: Mail) -> ParsedComplaint | None:
    address = canonical(entry["address"])
    if address is None:
        return None
    events = [date for found in EVENT.finditer(below) if (date := read_mail_date(found["date"]))]
    subject = SUBJECT.search(below)
    return ParsedComplaint(
        category=KINDS.get(what, Category.OTHER),
        source_ip=address,
        arrival_date=max(events, default=None) or done_before(mail),
        original_subject=readable(subject["subject"]) if subject else None,
        reporter=read_reporter(mail),
        source_reason=f"listed under {what}" if what else "listed as suspicious",
    )
