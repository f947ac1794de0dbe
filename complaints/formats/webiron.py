"""WebIron: web requests of bots and break-in tools, a block of lines for each address.

Offending/Source IP:  192.0.2.7
   - Issue:  Client software hosts (IE: botnets).
   - Time:  2026-03-04 22:14:33-07:00
   - Port: 80                          the attacked one
   - Report ID:  c141a958-…
"""

from __future__ import annotations

import re
from itertools import islice
from typing import Final

from ..vocabulary import Category, ParsedComplaint
from .addresses import read_address
from .arf import read_reporter
from .dates import read_mail_date
from .mail import Mail
from .plain_words import category_of
from .texts import done_before, text_of

NAME: Final = "webiron"
RANK: Final = 84

MOST_BLOCKS: Final = 500
LONGEST_BLOCK: Final = 4_000
SOURCE = re.compile(r"^[> \t]*Offending/Source IP:[ \t]+\[?(?P<address>[0-9A-Fa-f.:\[\]]{3,60})", re.I | re.M)
FIELD = re.compile(r"^[> \t]*-[ \t]+(?P<name>[A-Z][\w/ -]{1,40}?)[ \t]*:[ \t]*(?P<value>[^\n]{1,2000})", re.M)


def recognises(mail: Mail) -> bool:
    found = SOURCE.search(text_of(mail))
    return found is not None and "report id" in fields_below(text_of(mail), found.end(), None)


def parse(mail: Mail) -> list[ParsedComplaint]:
    text = text_of(mail)
    places = [*islice(SOURCE.finditer(text), MOST_BLOCKS)]
    ends: list[int | None] = [*(found.start() for found in places[1:]), None]
    return [
        read_attack(found["address"], fields_below(text, found.end(), end), mail)
        for found, end in zip(places, ends, strict=True)
    ]


def fields_below(text: str, start: int, end: int | None) -> dict[str, str]:
    block = text[start:end][:LONGEST_BLOCK].partition("\n\n")[0]
    return {found["name"].lower(): found["value"].strip() for found in FIELD.finditer(block)}


def read_attack(address: str, fields: dict[str, str], mail: Mail) -> ParsedComplaint:
    said = " ".join(fields.get(name, "") for name in ("issue", "block type", "targeted url"))
    return ParsedComplaint(
        category=category_of("", said) or Category.SCAN,
        source_ip=read_address(address.replace("[.]", ".")),
        arrival_date=read_mail_date(fields.get("time")) or done_before(mail),
        reporter=read_reporter(mail),
        source_reason=f"report {fields['report id']}" if "report id" in fields else "named as the source in the text",
        extra={"report_id": fields["report id"]} if "report id" in fields else {},
    )
