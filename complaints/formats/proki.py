"""PROKI and other national CSIRTs that hand on events of many feeds as CSV, mostly zipped: IntelMQ's short columns.

    feed_name,time_detected,ip,raw
    Malware-C2,2026-03-04T03:04:05Z,192.0.2.7,"…"

The feed's name says what was seen; where it is a name only, the raw event does.
"""

from __future__ import annotations

from typing import Final

from ..vocabulary import Category, ParsedComplaint
from .addresses import read_address
from .arf import read_port, read_reporter
from .csv_tables import Row, Table, first_of, tables
from .dates import read_mail_date
from .mail import Mail
from .plain_words import category_of
from .texts import done_before

NAME: Final = "proki"
RANK: Final = 47  # before shadowserver, which takes tables of events by fewer columns

NEEDED: Final = ("feed_name", "time_detected", "ip")
PORTS: Final = ("source_port", "port")
FEEDS: Final = (
    ("c2", Category.BOT),
    ("drone", Category.BOT),
    ("sinkhole", Category.BOT),
    ("brute", Category.LOGIN_ATTACK),
)


def recognises(mail: Mail) -> bool:
    return any(is_events(table) for table in tables(mail))


def is_events(table: Table) -> bool:
    return all(name in table.columns for name in NEEDED) and any(row.get("ip") for row in table.rows)


def parse(mail: Mail) -> list[ParsedComplaint]:
    return [
        read_event(row, mail) for table in filter(is_events, tables(mail)) for row in table.rows if any(row.values())
    ]


def read_event(row: Row, mail: Mail) -> ParsedComplaint:
    address = read_address(row.get("ip"))
    return ParsedComplaint(
        category=category_of_feed(row),
        source_ip=address,
        source_port=read_port(first_of(row, PORTS)),
        arrival_date=read_mail_date(row.get("time_detected")) or done_before(mail),
        reporter=read_reporter(mail),
        source_reason="column ip" if address else "column ip holds no address",
    )


def category_of_feed(row: Row) -> Category:
    feed = row.get("feed_name", "").lower()
    known = next((category for word, category in FEEDS if word in feed), None)
    return known or category_of(feed, row.get("raw", "")) or Category.OTHER
