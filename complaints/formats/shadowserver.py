"""Shadowserver reports, and CSV of the same kind: one event a row, its columns named by the header line.

A table is one of ours when it has a column for the time and one for the address. Reports drift: `ip` became `src_ip` in
the event4 family, columns come and go, names of reports change; so the header decides everything, and the category
follows from the report's name, or where that is new, from what its columns speak of. Shadowserver's times are UTC.
"""

from __future__ import annotations

import re
from typing import Any, Final

from ..vocabulary import Category, ParsedComplaint
from .addresses import read_address
from .arf import read_reporter
from .csv_tables import Row, Table, first_of, named, tables
from .dates import read_mail_date
from .errors import MalformedComplaint
from .json_documents import port_of, sorted_out
from .mail import Mail
from .plain_words import category_of as words_of_mail
from .xarf4 import address_of_url, is_domain

NAME: Final = "shadowserver"
RANK: Final = 48

UTC_TIME: Final = "timestamp"  # Shadowserver's own column, "in UTC+0" as each of its report pages says
TIMES: Final = (UTC_TIME, "event_time", "time", "date", "datetime", "first_seen", "time.source", "event_date")
ADDRESSES: Final = ("src_ip", "source_ip", "ip", "ip_address", "source.ip", "attacker_ip", "srcip", "address")
PORTS: Final = ("src_port", "source_port", "port", "source.port", "srcport")
URLS: Final = ("url", "malware_url", "phishing_url", "source.url")
DOMAINS: Final = ("domain", "http_host", "source.fqdn")
REPORT_NAME = re.compile(r"^(?:\d{4}-\d{2}-\d{2}[-_])?(.+?)(?:[-.].*)?$")
V4_NAMES: Final = {
    "dst_ip": "destination_ip", "dst_port": "destination_port", "cc_ip": "destination_ip", "cc": "destination_ip",
    "cc_port": "destination_port", "protocol": "protocol", "infection": "malware_family", "family": "malware_family",
}  # fmt: skip

# By the report's name; the first that fits. Names of all years stand together.
CATEGORIES: Final = tuple(
    (re.compile(words), category)
    for words, category in (
        (r"brute_?force", Category.LOGIN_ATTACK),
        (r"ddos|dos_|amplification", Category.DDOS),
        (r"darknet|honeypot.*scan|port_?scan|http_scan", Category.SCAN),
        (r"sinkhole|drone|botnet|infected|microsoft_sinkhole", Category.BOT),
        (r"spam", Category.SPAM),
        (r"phish", Category.PHISHING),
        (r"compromised|malware|malicious|webshell|sandbox|defacement", Category.MALWARE),
        (
            r"^scan|^scan6|open_?|resolver|vulnerable|accessible|exposed|proxy|ssl_|netis|cwmp|population|device_id",
            Category.VULNERABLE,
        ),
    )
)
BY_COLUMN: Final = (("infection", Category.BOT), ("tag", Category.VULNERABLE), ("dns_version", Category.VULNERABLE))


def recognises(mail: Mail) -> bool:
    return any(is_events(table) for table in tables(mail))


def is_events(table: Table) -> bool:
    return any(name in table.columns for name in TIMES) and any(name in table.columns for name in ADDRESSES)


def parse(mail: Mail) -> list[ParsedComplaint]:
    reporter = read_reporter(mail)
    found: list[ParsedComplaint] = []
    for table in filter(is_events, tables(mail)):
        kind = report_name(table)
        category = category_of(kind, table, mail)
        found += named(table, mail, [read_row(row, category, kind, reporter) for row in table.rows])
    if not found:
        raise MalformedComplaint("; ".join(mail.problems[:3]) or "CSV: a header line and no rows")
    return found


def report_name(table: Table) -> str:
    """2019-10-15-scan_dns-some_network-asn.csv → scan_dns"""
    found = REPORT_NAME.match(table.name[-200:].rpartition("/")[2].lower())
    return found[1][:80] if found else ""


def category_of(kind: str, table: Table, mail: Mail) -> Category:
    for pattern, category in CATEGORIES:
        if pattern.search(kind):
            return category
    for column, category in BY_COLUMN:
        if column in table.columns:
            return category
    return words_of_mail(mail.headers.readable("subject") or "", mail.parts[0].text) or Category.OTHER


def read_row(row: Row, category: Category, kind: str, reporter: str | None) -> ParsedComplaint | None:
    url, domain = first_of(row, URLS), first_of(row, DOMAINS).lower()
    uris = (url,) if "://" in url else ()
    column = next((name for name in ADDRESSES if read_address(row.get(name))), "")
    address = read_address(row.get(column)) or (address_of_url(url) if uris else None)
    if address is None and not uris and not is_domain(domain):
        return None
    return ParsedComplaint(
        category=category,
        source_ip=address,
        source_port=port_of(first_of(row, PORTS)),
        arrival_date=read_mail_date(first_of(row, TIMES), zone_known=bool(first_of(row, (UTC_TIME,)))),
        reported_domains=(domain,) if is_domain(domain) else (),
        reported_uris=uris,
        reporter=reporter,
        source_reason=f"column {column}"
        if column
        else "host of the reported URL"
        if address
        else "no column names an address",
        extra=read_extra(row, kind),
    )


def read_extra(row: Row, kind: str) -> dict[str, Any]:
    taken = (*TIMES, *ADDRESSES, *PORTS, *URLS)
    said = {name: value for name, value in row.items() if value != "-" and name not in taken}
    extra = sorted_out({"report_name": kind, **said}, V4_NAMES, NAME)
    service = said.get("tag") or kind.removeprefix("scan_")
    return {"service": service, **extra} if service else extra
