"""SpamCop: a full report of one mail or page, a summary of a week in a table, an alert of addresses that hit its traps.

Full, known by its banner "[ SpamCop V5.1.0 ]" (of old "- SpamCop V1.3.3 -"), which stands above one such line:

    Email from 192.0.2.7 / Wed, 4 Mar 2026 07:20:28 +0000
    Unsolicited bounce from: 192.0.2.7
    http://shop.example/ is 192.0.2.7; Wed, 4 Mar 2026 07:20:28 GMT        (a page that the spam advertises)

SpamCop may also send ARF; arf.py reads that.
"""

from __future__ import annotations

import dataclasses
import re
from datetime import datetime, timedelta
from itertools import islice
from typing import Final

from ..vocabulary import Category, ParsedComplaint
from .accounts import accounts_in_header
from .addresses import canonical, read_address
from .arf import read_reporter
from .dates import month_number, read_mail_date
from .header_text import bare_address, bare_id
from .mail import Mail
from .originals import read_headers_of, received_lines, source_from_received
from .report_block import host_of
from .reporter_words import QUOTE
from .texts import done_before, sent_at, subject_of, text_of
from .traces import traces_of

NAME: Final = "spamcop"
RANK: Final = 80

MOST_ROWS: Final = 500
BANNER = re.compile(r"^[> \t]{0,10}[\[-] SpamCop V[\d.]{1,20} [\]-][ \t]*$", re.M)
ORIGINAL = re.compile(r"^(?:\[ Offending message \]|Offending message:)[ \t]*\n", re.M)
SENDER = re.compile(
    r"^(?:Email from|Unsolicited bounce from|Bounce from|Open proxy|Open relay|Relay|Third party interested in email "
    r"source)[ \t]*:?[ \t]+\[?(?P<address>[0-9A-Fa-f.:]{3,45})\]?(?:[ \t]*/[ \t]*(?P<date>[^\n]{6,60}))?",
    re.I | re.M,
)
PAGE = re.compile(
    r"^(?P<page>https?://\S{1,2000}) is (?P<address>[0-9A-Fa-f.:]{3,45})(?:[;,][ \t]*(?P<date>[^\n]{6,60}))?",
    re.I | re.M,
)
SUBJECT = re.compile(r"\[SpamCop:? ?\((?P<what>[^)\s]{1,500})\)[ ,]*id:\d+\]", re.I)
SUMMARY = re.compile(
    r"^[ \t]*IP_?Address[ \t]+Start/Length[ \t]+(?P<columns>(?:\w+[ \t]+){1,8}?)Comments\b", re.I | re.M
)
ROW = re.compile(
    r"^[ \t]*(?P<address>[0-9A-Fa-f.:]{3,45})[ \t]+(?P<month>[A-Z][a-z]{2})[ \t]+(?P<day>\d{1,2})[ \t]+"
    r"(?P<hour>\d{1,2})h/(?P<days>\d{1,3})(?P<counts>(?:[ \t]+\d{1,9}){1,8})[ \t]*(?P<comment>[^\n]{0,200})$",
    re.M,
)
ALERT = re.compile(r"^\W*SpamCop\W{1,3}Alert\b", re.I)
ALERTED = re.compile(
    r"^[ \t*>-]{0,10}(?P<address>[0-9A-Fa-f]{1,4}[.:][0-9A-Fa-f.:]{2,44})(?=[\s,;(]|$)(?P<rest>[^\n]{0,200})", re.M
)


def recognises(mail: Mail) -> bool:
    text = text_of(mail)
    if BANNER.search(text) and (
        SENDER.search(unquoted(text)) or PAGE.search(unquoted(text)) or SUBJECT.search(subject_of(mail))
    ):
        return True
    if SUMMARY.search(text):
        return True
    return bool(ALERT.search(subject_of(mail)) and ALERTED.search(text))


def parse(mail: Mail) -> list[ParsedComplaint]:
    text = text_of(mail)
    if SUMMARY.search(text):
        return read_summary(text, mail)
    if BANNER.search(text):
        return [read_full(unquoted(text), mail)]
    return read_alert(text, mail)


def unquoted(text: str) -> str:
    """Somebody who sends a report on may quote all of it."""
    banner = BANNER.search(text)
    return QUOTE.sub("", text) if banner and ">" in banner[0] else text


def read_full(text: str, mail: Mail) -> ParsedComplaint:
    said, _, offending = split_at(ORIGINAL, text)
    original = read_headers_of(offending.encode("utf-8", "replace"))
    received = received_lines(original)
    found = PAGE.search(said) or SENDER.search(said)
    page = found["page"] if found and "page" in found.groupdict() else None
    source, reason, hop_time = read_source(found, received, mail)
    return ParsedComplaint(
        category=Category.SPAM,
        source_ip=source,
        arrival_date=read_mail_date(found and found["date"]) or read_mail_date(hop_time) or done_before(mail),
        reported_domains=tuple(host.lower() for host in [host_of(page)] if host) if page else (),
        reported_uris=(page,) if page else (),
        original_mail_from=bare_address(original.first("return-path")),
        original_message_id=bare_id(original.first("message-id")),
        original_subject=original.readable("subject"),
        reporter=read_reporter(mail),
        received=received,
        traces=traces_of(original),
        accounts=accounts_in_header(original, mail.account_headers),
        source_reason=reason,
    )


def read_source(
    found: re.Match[str] | None, received: tuple[str, ...], mail: Mail
) -> tuple[str | None, str, str | None]:
    """→ (address, which line named it, the time of that line if it was a Received line)."""
    if found and (address := read_address(found["address"])):
        return address, f"line of SpamCop: {found[0][:80]}", None
    subject = SUBJECT.search(subject_of(mail))
    if subject and (address := read_address(subject["what"])):
        return address, "Subject of the report", None
    return source_from_received(received, mail.is_ours)


def split_at(mark: re.Pattern[str], text: str) -> tuple[str, str, str]:
    found = mark.search(text)
    return (text[: found.start()], found[0], text[found.end() :]) if found else (text, "", "")


def read_summary(text: str, mail: Mail) -> list[ParsedComplaint]:
    """The table names neither year nor zone: the year is the last that fits, the zone that of SpamCop's clock, UTC."""
    header = SUMMARY.search(text)
    names = header["columns"].split() if header else []
    made: list[ParsedComplaint] = []
    for row in islice(ROW.finditer(text), MOST_ROWS):
        address = canonical(row["address"])
        if address is None:
            continue
        counts = dict(zip(names, map(int, row["counts"].split()), strict=False))
        said = ", ".join(f"{name} {count}" for name, count in counts.items())
        complaint = ParsedComplaint(
            category=Category.SPAM,
            source_ip=address,
            arrival_date=began(row, sent_at(mail)),
            reporter=read_reporter(mail),
            source_reason=f"row of the summary: {said}; {row['comment'].strip()}".rstrip("; "),
            extra={"days": int(row["days"]), "reports": counts},
        )
        made.append(complaint)
    return made


def began(row: re.Match[str], sent: datetime | None) -> datetime | None:
    month = month_number(row["month"])
    if sent is None or month is None:
        return None
    written = f"{{}}-{month:02}-{int(row['day']):02} {int(row['hour']):02}:00"
    dates = (
        read_mail_date(written.format(year), zone_known=True) for year in (sent.year + 1, sent.year, sent.year - 1)
    )
    return next((date for date in dates if date and date <= sent + timedelta(days=1)), None)


def read_alert(text: str, mail: Mail) -> list[ParsedComplaint]:
    """A trap was hit, and SpamCop shows nothing of the mail, so that the trap is not known by it."""
    base = ParsedComplaint(
        category=Category.SPAM, reporter=read_reporter(mail), source_reason="address in SpamCop's alert of its traps"
    )
    found: dict[str, ParsedComplaint] = {}
    for line in islice(ALERTED.finditer(text), MOST_ROWS):
        if address := canonical(line["address"]):
            date = read_mail_date(line["rest"].lstrip(" \t:,;-/")) or done_before(mail)
            found.setdefault(address, dataclasses.replace(base, source_ip=address, arrival_date=date))
    return list(found.values())
