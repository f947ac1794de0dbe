"""CleanMX: an X-ARF block about one attack, or a table of pages in a network.

    |date                   |id   |virusname     |ip        |domain       |Url|
    |2026-03-04 06:27:24 CET|12345|cleanmx_phish |192.0.2.7 |shop.example |http://shop.example/login|

The table's columns are found by their names. A row whose address is none is left out of nothing: it is a complaint
without an address.
"""

from __future__ import annotations

import re
from itertools import islice
from typing import Final

from ..vocabulary import Category, ParsedComplaint
from .addresses import read_address
from .arf import read_reporter
from .dates import read_mail_date
from .header_text import Headers
from .mail import Mail
from .report_block import complaint_of, read_block
from .texts import done_before, subject_of, text_of

NAME: Final = "cleanmx"
RANK: Final = 32

MOST_ROWS: Final = 500
HEADER = re.compile(r"^[> \t]*\|(?=[^\n]{0,200}\|[ \t]*ip[ \t]*\|)(?=[^\n]{0,200}\|[ \t]*url[ \t]*\|?[ \t]*$)[^\n]*$",
                    re.I | re.M)  # fmt: skip
SUBJECT = re.compile(r"clean-?mx-(\w+)", re.I)
ATTACKED = re.compile(r"\bIP:\s{1,4}([0-9a-f:.]{3,45})\s{1,4}has attacked one of our servers? on the service", re.I)
KINDS: Final = (
    ("phish", Category.PHISHING), ("spamver", Category.SPAM), ("virus", Category.MALWARE), ("worm", Category.MALWARE),
    ("trojan", Category.MALWARE), ("rfi", Category.MALWARE), ("defaced", Category.MALWARE),
    ("unknown_html", Category.MALWARE),
)  # fmt: skip


def recognises(mail: Mail) -> bool:
    if "x-arf" in mail.headers or "x-xarf" in mail.headers:
        fields = read_block(mail)
        return fields is not None and is_cleanmx(fields, mail)
    return HEADER.search(text_of(mail)) is not None if SUBJECT.search(subject_of(mail)) else False


def is_cleanmx(fields: Headers, mail: Mail) -> bool:
    """Its program names itself in the block; its sentence stands above it."""
    return "clean-mx" in (fields.first("user-agent") or "").lower() or ATTACKED.search(text_of(mail)) is not None


def parse(mail: Mail) -> list[ParsedComplaint]:
    if fields := read_block(mail):
        found = ATTACKED.search(text_of(mail))
        address = read_address(found[1]) if found else None
        return [complaint_of(fields, mail, address=address, reason="the text names the attacker")]
    return read_table(mail)


def read_table(mail: Mail) -> list[ParsedComplaint]:
    text, header = text_of(mail), HEADER.search(text_of(mail))
    if header is None:
        return []
    names = [name.lower() for name in cells(header[0])]
    lines = (line for line in text[header.end() :].split("\n") if line.lstrip("> \t").startswith("|"))
    rows = [dict(zip(names, cells(line), strict=False)) for line in islice(lines, MOST_ROWS)]
    return [complaint_of_row(row, mail) for row in rows if row.get("ip") or row.get("url")]


def cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip("> \t|").split("|")]


def complaint_of_row(row: dict[str, str], mail: Mail) -> ParsedComplaint:
    kind = SUBJECT.search(subject_of(mail))
    named = f"{row.get('virusname', '')} {kind[1] if kind else ''}".lower()
    return ParsedComplaint(
        category=next((category for word, category in KINDS if word in named), Category.MALWARE),
        source_ip=read_address(row.get("ip")),
        arrival_date=read_mail_date(row.get("date")) or done_before(mail),
        reported_domains=(row["domain"].lower(),) if row.get("domain") else (),
        reported_uris=(row["url"],) if row.get("url") else (),
        reporter=read_reporter(mail),
        source_reason=f"row {row.get('id') or 'without a number'} of the table",
    )
