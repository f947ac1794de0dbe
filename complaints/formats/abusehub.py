"""AbuseHub CSV 1.0.0 (Dutch Abuse Information Exchange): one event a row, with the notifier behind it and a port.

Beside the table lies the notifier's own file; it says the same events again and is not counted twice. Date and time
stand in two columns and are local; the zone is in the text of the mail, and in the name of the file.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any, Final

from ..vocabulary import Category, ParsedComplaint
from .addresses import read_address
from .arf import read_reporter
from .csv_tables import Row, Table, first_of, named, tables
from .dates import read_mail_date
from .errors import MalformedComplaint
from .json_documents import port_of, sorted_out
from .mail import Mail
from .shadowserver import CATEGORIES

NAME: Final = "abusehub"
RANK: Final = 46  # before shadowserver: its columns would do for that, too

NEEDED: Final = ("reliable_notifier", "report_type", "event_date", "src_ip")
ZONE_IN_TEXT = re.compile(r"event time \d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2} ?([+-]\d{2}:\d{2})")
ZONE_IN_NAME = re.compile(r"T\d{2}:?\d{2}:?\d{2}([+-]\d{2}:?\d{2})")
MOST_TEXT = 16 * 2**10
V4_NAMES: Final = {
    "infection_type": "malware_family",
    "protocol": "protocol",
    "dst_ip": "destination_ip",
    "dst_port": "destination_port",
}
TAKEN: Final = ("event_date", "event_time", "src_ip", "src_port", "src_url", "original_hotmail_recipient")


def recognises(mail: Mail) -> bool:
    return any(is_hub_table(table) for table in tables(mail))


def is_hub_table(table: Table) -> bool:
    return all(name in table.columns for name in NEEDED)


def parse(mail: Mail) -> list[ParsedComplaint]:
    reporter = read_reporter(mail)
    found: list[ParsedComplaint] = []
    for table in filter(is_hub_table, tables(mail)):
        zone = zone_of(table, mail)
        found += named(table, mail, [read_row(row, zone, reporter) for row in table.rows])
    if not found:
        raise MalformedComplaint("; ".join(mail.problems[:3]) or "AbuseHub CSV: a header line and no rows")
    return found


def zone_of(table: Table, mail: Mail) -> str:
    for part in mail.parts[:3]:
        if part.content_type == "text/plain" and (stated := ZONE_IN_TEXT.search(part.text[:MOST_TEXT])):
            return stated[1]
    named = ZONE_IN_NAME.search(table.name[-200:])
    return named[1] if named else ""


def read_row(row: Row, zone: str, reporter: str | None) -> ParsedComplaint | None:
    url = first_of(row, ("src_url",))
    uris = (url,) if "://" in url else ()
    address = read_address(row.get("src_ip"))
    if address is None and not uris:
        return None
    return ParsedComplaint(
        category=read_category(row),
        source_ip=address,
        source_port=port_of(row.get("src_port")),
        arrival_date=read_time(row, zone),
        reported_uris=uris,
        original_rcpt_to=tuple(filter(None, [first_of(row, ("original_hotmail_recipient",))])),
        reporter=reporter,
        source_reason="column src_ip" if address else "no column names an address",
        extra=read_extra(row),
    )


def read_time(row: Row, zone: str) -> datetime | None:
    date, time = first_of(row, ("event_date",)), first_of(row, ("event_time",))
    return read_mail_date(f"{date} {time}{zone}" if time else date)


def read_category(row: Row) -> Category:
    words = f"{row.get('report_type', '')} {row.get('infection_type', '')}".lower().replace(" ", "_")
    if first_of(row, ("original_hotmail_recipient", "src_email")):
        return Category.SPAM
    for pattern, category in CATEGORIES:
        if pattern.search(words):
            return category
    return Category.BOT if first_of(row, ("infection_type",)) else Category.OTHER


def read_extra(row: Row) -> dict[str, Any]:
    return sorted_out({name: value for name, value in row.items() if name not in TAKEN}, V4_NAMES, NAME)
