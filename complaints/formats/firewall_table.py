"""Firewall logs that a sensor network collected: one source, and below a line of column names a row for each event.

    Source IP: 192.0.2.7
    Time Zone: UTC
    Event Date Time, Destination IP, IP Protocol, Target Port, Issue Description, Source Port, Event Count

Columns are found by their names: myNetWatchman itself sends two orders of them. A row is an event with its time and
source port, and so an accusation.
"""

from __future__ import annotations

import csv
import re
from typing import Final

from ..vocabulary import Category, ParsedComplaint
from .addresses import canonical
from .arf import read_port, read_reporter
from .dates import NO_OFFSET, read_mail_date, stated_zone
from .mail import Mail
from .plain_words import category_of
from .texts import done_before, text_of

NAME: Final = "firewall-table"
RANK: Final = 88

MOST_ROWS: Final = 500
SOURCE = re.compile(r"^[> \t]*Source IP:[ \t]*\[?(?P<address>[0-9A-Fa-f.:]{3,45})", re.I | re.M)
COLUMNS = re.compile(
    r"^[> \t]*(?=[^\n]{0,300}\bEvent Date Time\b)(?=[^\n]{0,300}\bSource Port\b)[^\n]{10,400}$", re.I | re.M
)


def recognises(mail: Mail) -> bool:
    text = text_of(mail)
    return SOURCE.search(text) is not None and COLUMNS.search(text) is not None and bool(read_rows(text))


def read_rows(text: str) -> list[dict[str, str]]:
    header = COLUMNS.search(text)
    if header is None:
        return []
    names = [name.strip("> \t").lower() for name in header[0].split(",")]
    lines = text[header.end() + 1 :].partition("\n\n")[0].split("\n")[:MOST_ROWS]
    rows = (read_row(line.lstrip("> \t")) for line in lines)
    return [dict(zip(names, row, strict=True)) for row in rows if len(row) == len(names)]


def read_row(line: str) -> list[str]:
    """Line by line, so that an odd quotation mark spoils one row only."""
    return next(csv.reader([line[:1000]], skipinitialspace=True), [])


def parse(mail: Mail) -> list[ParsedComplaint]:
    text = text_of(mail)
    source = SOURCE.search(text)
    address = canonical(source["address"]) if source else None
    zone = stated_zone(text)
    return [
        ParsedComplaint(
            category=category_of("", row.get("issue description", "")) or Category.SCAN,
            source_ip=address,
            source_port=read_port(row.get("source port")),
            arrival_date=read_mail_date(row.get("event date time"), zone or NO_OFFSET, zone_known=zone is not None)
            or done_before(mail),
            reporter=read_reporter(mail),
            source_reason="Source IP above the table",
        )
        for row in read_rows(text)
    ]
