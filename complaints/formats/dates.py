"""Dates as mails write them: RFC 5322 section 3.3, its obsolete zone names, and what the field adds.

Everything here answers an aware datetime in UTC, or None for what is no date. A date without a zone
is taken as UTC: reporters who leave the zone out write log times, and logs of mail systems are in UTC.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice

MONTHS = {
    name: number
    for number, name in enumerate(
        ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"], start=1
    )
} | {"mrz": 3, "mai": 5, "okt": 10, "dez": 12}

# Hours east of UTC. RFC 5322 section 4.3 defines the American names; the others are what reporters write.
ZONES = {
    "ut": 0, "utc": 0, "gmt": 0, "z": 0, "wet": 0,
    "est": -5, "edt": -4, "cst": -6, "cdt": -5, "mst": -7, "mdt": -6, "pst": -8, "pdt": -7, "akst": -9, "hst": -10,
    "bst": 1, "cet": 1, "cest": 2, "met": 1, "mest": 2, "mez": 1, "mesz": 2, "west": 1, "eet": 2, "eest": 3, "msk": 3,
    "ist": 5.5, "hkt": 8, "sgt": 8, "jst": 9, "kst": 9, "aest": 10, "aedt": 11, "nzst": 12, "nzdt": 13, "brt": -3,
}  # fmt: skip

MAIL_DATE = re.compile(
    r"\s*(?:[A-Za-z]{2,9}\.?,?\s*)?(\d{1,2})[\s-]+([A-Za-z]{3})[a-z]*\.?[\s,-]+(\d{4}|\d{2})(?!\d)"
    r"(?:[\s,]+(\d{1,2}):(\d{2})(?::(\d{2}))?(?:\.\d+)?)?\s*(?:([+-]\d{2}):?(\d{2})(?!\d)|\(?([A-Za-z]{1,5})\b)?"
)
C_DATE = re.compile(
    r"\s*[A-Za-z]{3}\s+([A-Za-z]{3})\s+(\d{1,2})\s+(\d{1,2}):(\d{2}):(\d{2})\s+(?:([A-Z]{1,5})\s+)?(\d{4})(?!\d)"
)
ISO_DATE = re.compile(
    r"\s*(\d{4})[-/](\d{1,2})[-/](\d{1,2})(?:[T\s_]+(\d{1,2}):(\d{2})(?::(\d{2}))?(?:[.,]\d+)?)?"
    r"\s*(?:([+-]\d{2}):?(\d{2})?(?!\d)|\(?([A-Za-z]{1,5})\b)?"
)
LOG_DATE = re.compile(r"\s*\[?(\d{1,2})/([A-Za-z]{3})/(\d{4})[:\s]+(\d{2}):(\d{2}):(\d{2})\s*([+-]\d{2})?(\d{2})?")
DATE_BEGINS = re.compile(
    r"(?<![\w/.-])(?:\d{1,2}[\s/-](?:[A-Z][a-z]{2})[a-z]{0,6}[\s/,-]+\d{4}|\d{4}-\d{2}-\d{2}(?!\d)"
    r"|(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)\s[A-Z][a-z]{2}\s+\d{1,2}\s+\d{1,2}:\d{2})"
)
MOST_DATES = 2_000
LONGEST = 200  # characters looked at: no date is longer


def read_mail_date(text: str | None) -> datetime | None:
    """Read one date at the beginning of `text`; what follows it is ignored."""
    if not text:
        return None
    text = text[:LONGEST]
    if found := MAIL_DATE.match(text):
        day, month, year, hour, minute, second, zone_hours, zone_minutes, zone = found.groups()
        return moment(year, MONTHS.get(month.lower()), day, (hour, minute, second), (zone_hours, zone_minutes, zone))
    if found := ISO_DATE.match(text):
        year, iso_month, day, hour, minute, second, zone_hours, zone_minutes, zone = found.groups()
        return moment(year, int(iso_month), day, (hour, minute, second), (zone_hours, zone_minutes, zone))
    if found := C_DATE.match(text):
        month, day, hour, minute, second, zone, year = found.groups()
        return moment(year, MONTHS.get(month.lower()), day, (hour, minute, second), (None, None, zone))
    if found := LOG_DATE.match(text):
        day, month, year, hour, minute, second, zone_hours, zone_minutes = found.groups()
        return moment(year, MONTHS.get(month.lower()), day, (hour, minute, second), (zone_hours, zone_minutes, None))
    return None


def dates_in(text: str) -> Iterator[datetime]:
    """Every full date (day, month name or ISO, year) that stands in a text, in order."""
    for found in islice(DATE_BEGINS.finditer(text), MOST_DATES):
        if at := read_mail_date(text[found.start() : found.start() + 60]):
            yield at


def moment(
    year: str,
    month: int | None,
    day: str,
    clock: tuple[str | None, str | None, str | None],
    zone: tuple[str | None, str | None, str | None],
) -> datetime | None:
    if month is None:
        return None
    number = int(year)
    if len(year) == 2:  # RFC 5322 section 4.3: two digits below 50 are this century
        number += 2000 if number < 50 else 1900
    hour, minute, second = (int(part) if part else 0 for part in clock)
    try:
        # Second 60 is a leap second; datetime does not know it.
        local = datetime(number, month, int(day), hour, minute, min(second, 59), tzinfo=UTC)
        return local - offset(*zone)
    except (ValueError, OverflowError):
        return None


def offset(hours: str | None, minutes: str | None, name: str | None) -> timedelta:
    """The numeric zone wins; a name nobody knows counts as UTC (RFC 5322 section 4.3 says so)."""
    if hours:
        sign = -1 if hours[0] == "-" else 1
        return timedelta(minutes=sign * (abs(int(hours)) * 60 + int(minutes or 0)))
    return timedelta(hours=ZONES.get(name.lower(), 0)) if name else timedelta()
