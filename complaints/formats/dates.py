"""Dates as mails write them: RFC 5322 section 3.3, its obsolete zone names, and what the field adds.

Everything here answers an aware datetime in UTC, or None for what is no date. A date without a zone is taken as UTC
unless the caller knows better, and bears ZONELESS instead of UTC: it may be half a day off, and that must not be lost
on the way to the complaint. A bare day bears DAY. What tells when the mail was written, and not when the deed was done,
bears MAIL_TIME.
One whose day and month could be exchanged (03/04/2026) is no date. A zone of several meanings (IST) is as good as none.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import lru_cache
from itertools import islice
from typing import Final

NO_OFFSET = timedelta()
# Equal to UTC, and told apart by `is`.
ZONELESS: Final = timezone(NO_OFFSET, "UTC, as no zone is stated")
MAIL_TIME: Final = timezone(NO_OFFSET, "UTC, and the deed was before")
DAY: Final = timezone(NO_OFFSET, "UTC, and only the day is stated")
MONTHS = {
    name: number
    for number, names in enumerate(
        [
            "jan ene gen led", "feb fév fev úno", "mar mär mrz maa mrt bře", "apr avr abr dub kwi",
            "may mai mei mag kvě maj", "jun juin giu čer", "jul juil lug črv", "aug aoû ago srp sie",
            "sep set zář wrz", "oct okt ott říj paź", "nov lis", "dec dez dic déc pro gru",
        ],
        start=1,
    )
    for name in names.split()
}  # fmt: skip

# Hours east of UTC. RFC 5322 section 4.3 defines the American names; the others are what reporters write.
ZONES = {
    "ut": 0, "utc": 0, "gmt": 0, "z": 0, "wet": 0,
    "est": -5, "edt": -4, "cst": -6, "cdt": -5, "mst": -7, "mdt": -6, "pst": -8, "pdt": -7, "akst": -9, "hst": -10,
    "bst": 1, "cet": 1, "cest": 2, "met": 1, "mest": 2, "mez": 1, "mesz": 2, "west": 1, "eet": 2, "eest": 3, "msk": 3,
    "ist": 5.5, "hkt": 8, "sgt": 8, "jst": 9, "kst": 9, "aest": 10, "aedt": 11, "nzst": 12, "nzdt": 13, "brt": -3,
}  # fmt: skip

# India, Israel, Ireland; China, Cuba; Bangladesh; Arabia; Ecuador; Armenia, Amazonas: hours apart, by one name.
AMBIGUOUS: Final = frozenset({"ist", "cst", "bst", "ast", "ect", "amt"})

NUMBER_ZONE = r"(?P<hours>[+-]\d{2}):?(?P<minutes>\d{2})(?!\d)"
NAME_ZONE = r"\(?(?P<zone>[A-Za-z]{1,5}(?:[+-]\d{1,2}(?::?\d{2})?)?)\b"
HALF = r"(?:\s?(?P<half>[AaPp])\.?[Mm]\b\.?)?"
CLOCK = rf"(?P<hour>\d{{1,2}}):(?P<minute>\d{{2}})(?::(?P<second>\d{{2}}))?(?:[.,]\d+)?{HALF}(?:\s?(?:Uhr|hrs?)\b)?"
ZONE = rf"\s*(?:{NUMBER_ZONE}|{NAME_ZONE})?"
WEEKDAY = r"\s*(?:[^\W\d_]{2,10}\.?,?\s*)?"
BETWEEN = r"[\s,]+(?:(?:um|at|u|à|kl|om|-)\.?\s+)?"

# What nearly every mail writes; apart, because feedback reports come by the million.
USUAL_DATE = re.compile(
    r"(?:[A-Z][a-z]{2},\s{1,2})?(\d{1,2})\s([A-Z][a-z]{2})\s(\d{4})\s(\d{2}):(\d{2}):(\d{2})\s([+-])(\d{2})(\d{2})(?!\d)"
)
MAIL_DATE = re.compile(
    rf"{WEEKDAY}(?P<day>\d{{1,2}})[\s-]+(?P<month>[A-Za-z]{{3}})[a-z]*\.?[\s,-]+(?P<year>\d{{4}}|\d{{2}})(?!\d)"
    rf"(?:[\s,]+{CLOCK})?{ZONE}"
)
ISO_DATE = re.compile(
    rf"\s*(?P<year>\d{{4}})[-/.](?P<month>\d{{1,2}})[-/.](?P<day>\d{{1,2}})(?!\d)(?:(?:[T_]|\s+|,\s*){CLOCK})?"
    rf"\s*(?:(?P<hours>[+-]\d{{2}}):?(?P<minutes>\d{{2}})?(?!\d)|{NAME_ZONE})?"
)
C_DATE = re.compile(
    r"\s*[A-Za-z]{3}\s+(?P<month>[A-Za-z]{3})\s+(?P<day>\d{1,2})\s+(?P<hour>\d{1,2}):(?P<minute>\d{2})"
    rf":(?P<second>\d{{2}}){HALF}\s+(?:(?P<zone>[A-Z]{{1,5}})\s+)?(?P<year>\d{{4}})(?!\d)"
    r"(?:\s+(?P<hours>[+-]\d{2}):?(?P<minutes>\d{2})(?!\d))?"
)
LOG_DATE = re.compile(
    r"\s*\[?(?P<day>\d{1,2})/(?P<month>[A-Za-z]{3})/(?P<year>\d{4})[:\s]+(?P<hour>\d{2}):(?P<minute>\d{2})"
    rf":(?P<second>\d{{2}}){HALF}(?:\s*(?P<hours>[+-]\d{{2}})(?P<minutes>\d{{2}})?)?"
)
DOTTED_DATE = re.compile(
    rf"{WEEKDAY}(?P<day>\d{{1,2}})\.\s?(?P<month>\d{{1,2}})\.\s?(?P<year>\d{{4}}|\d{{2}})(?![\d.]\d)"
    rf"(?:{BETWEEN}{CLOCK})?{ZONE}"
)
WORDY_DATE = re.compile(  # 4. März 2026, 4 de marzo de 2026
    rf"{WEEKDAY}(?P<day>\d{{1,2}})\.?\s+(?:de\s+)?(?P<month>[^\W\d_]{{3,9}})\.?,?\s+(?:de\s+)?(?P<year>\d{{4}})(?!\d)"
    rf"(?:{BETWEEN}{CLOCK})?{ZONE}"
)
MONTH_FIRST = re.compile(  # March 4, 2026 at 12:00
    rf"\s*(?:[A-Za-z]{{3,9}},?\s+)?(?P<month>[A-Z][a-z]{{2,8}})\.?\s+(?P<day>\d{{1,2}})(?:st|nd|rd|th)?,?\s+"
    rf"(?P<year>\d{{4}})(?!\d)(?:{BETWEEN}{CLOCK})?{ZONE}"
)
SLASH_DATE = re.compile(
    rf"\s*(?P<one>\d{{1,2}})/(?P<two>\d{{1,2}})/(?P<year>\d{{4}})(?!\d)(?:(?:{BETWEEN}|:){CLOCK})?{ZONE}"
)
YEARLESS = re.compile(  # syslog, RFC 3164 section 4.1.2
    r"(?<![\w/-])(?P<month>[A-Z][a-z]{2})\s{1,2}(?P<day>\d{1,2})\s+(?P<hour>\d{2}):(?P<minute>\d{2}):(?P<second>\d{2})"
    r"(?!\s+(?:[A-Z]{3,4}\s+)?\d{4}\b)"
)
PATTERNS = (MAIL_DATE, ISO_DATE, C_DATE, LOG_DATE, DOTTED_DATE, WORDY_DATE, MONTH_FIRST, SLASH_DATE)
DATE_BEGINS = re.compile(
    r"(?<![\w/.-])(?:\d{1,2}[\s/-](?:[A-Z][a-z]{2})[a-z]{0,6}[\s/,-]+\d{4}|\d{4}-\d{2}-\d{2}(?!\d)"
    r"|\d{4}/\d{2}/\d{2}(?!\d)|\d{1,2}\.\s?\d{1,2}\.\s?\d{4}(?![\d.]\d)|\d{1,2}/\d{1,2}/\d{4}(?!\d)"
    r"|\d{1,2}\.?\s(?:de\s)?[^\W\d_]{3,9}\s(?:de\s)?\d{4}(?!\d)"
    r"|(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)\s[A-Z][a-z]{2}\s+\d{1,2}\s+\d{1,2}:\d{2}"
    r"|[A-Z][a-z]{2,8}\s\d{1,2}(?:st|nd|rd|th)?,?\s\d{4}(?!\d)"
    r"|[A-Z][a-z]{2}\s{1,2}\d{1,2}\s\d{2}:\d{2}:\d{2})"
)
ZONE_NAMES = "|".join(ZONES).upper()
# "Time zone: UTC", "alle Zeiten in MEZ", "timestamps are GMT+1": said once for all dates of a text.
STATED_ZONE = re.compile(
    r"\b(?:time\s?-?zone|tz|zeitzone|times(?:tamps?)?|zeiten|zeitangaben|uhrzeiten|fuseau horaire)\b"
    rf"[^\n\d]{{0,40}}?(?P<zone>\b(?-i:{ZONE_NAMES})\b(?:\s?[+-]\d{{1,2}}(?::?\d{{2}})?)?"
    r"|[+-]\d{2}:?\d{2}\b)",
    re.I,
)
MOST_DATES = 2_000
LONGEST = 200  # characters looked at: no date is longer


def read_mail_date(text: str | None, zone: timedelta = NO_OFFSET, *, zone_known: bool = False) -> datetime | None:
    """Read one date at the beginning of `text`; what follows it is ignored.

    zone: of dates that say none. zone_known: it is no guess, but said elsewhere or fixed by a specification.
    """
    if not text:
        return None
    if usual := USUAL_DATE.match(text):
        return usual_moment(*usual.groups())
    text = text[:LONGEST]
    for pattern in PATTERNS:
        if (found := pattern.match(text)) and (at := moment(found.groupdict(), zone, UTC if zone_known else ZONELESS)):
            return at
    return None


def usual_moment(
    day: str, month: str, year: str, hour: str, minute: str, second: str, sign: str, hours: str, minutes: str
) -> datetime | None:
    try:
        # Second 60 is a leap second; datetime does not know it.
        seconds = min(int(second), 59)
        local = datetime(int(year), MONTHS.get(month.lower(), 0), int(day), int(hour), int(minute), seconds, 0, UTC)
        return local - usual_offset(sign, hours, minutes)
    except (ValueError, OverflowError):
        return None


@lru_cache(maxsize=256)  # there are some forty zones, and making a timedelta costs as much as reading the rest
def usual_offset(sign: str, hours: str, minutes: str) -> timedelta:
    east = timedelta(hours=int(hours), minutes=int(minutes))
    return -east if sign == "-" else east


def dates_in(
    text: str, zone: timedelta = NO_OFFSET, near: datetime | None = None, *, zone_known: bool = False
) -> Iterator[datetime]:
    """Every full date that stands in a text, in order. `zone`, `zone_known`: as for read_mail_date.

    near: when the text was written; then dates without a year (syslog) are read too, as the latest that fits.
    """
    for found in islice(DATE_BEGINS.finditer(text), MOST_DATES):
        written = text[found.start() : found.start() + 60]
        at = read_mail_date(written, zone, zone_known=zone_known)
        if at := at or (near and read_yearless(written, zone, near, UTC if zone_known else ZONELESS)):
            yield at


def read_yearless(text: str, zone: timedelta, near: datetime, mark: tzinfo) -> datetime | None:
    """A day's grace, as the clocks and zones of reporters differ."""
    if not (found := YEARLESS.match(text)):
        return None
    parts: dict[str, str | None] = found.groupdict()
    for year in (near.year + 1, near.year, near.year - 1):
        at = moment(parts | {"year": str(year)}, zone, mark)
        if at and at <= near + timedelta(days=1):
            return at
    return None


def stated_zone(text: str) -> timedelta | None:
    """The zone that a text says its times are in; None where it says none, or one of several meanings."""
    for found in islice(STATED_ZONE.finditer(text), 20):
        written = found["zone"].replace(" ", "")
        if written[0] in "+-":
            return signed_hours(written)
        return None if written.lower() in AMBIGUOUS else named_offset(written) or NO_OFFSET
    return None


def zone_of(text: str | None) -> timedelta:
    """The offset that one date states, zero where it states none."""
    at, local = read_mail_date(text), MAIL_DATE.match(text[:LONGEST]) if text else None
    if at is None or local is None:
        return NO_OFFSET
    return offset(local["hours"], local["minutes"], local["zone"]) or NO_OFFSET


def moment(parts: dict[str, str | None], zone: timedelta, mark: tzinfo) -> datetime | None:
    """`zone` and its `mark` (UTC: known, ZONELESS: a guess) are for a date that states none."""
    get = parts.get
    year, day, month = int(get("year") or 0), get("day"), month_number(get("month"))
    if one := get("one"):
        day, month = day_and_month(int(one), int(get("two") or 0), bool(get("half")))
    if not month or not day:
        return None
    if len(get("year") or "") == 2:  # RFC 5322 section 4.3: two digits below 50 are this century
        year += 2000 if year < 50 else 1900
    hour, minute, second = int(get("hour") or 0), int(get("minute") or 0), int(get("second") or 0)
    if half := get("half"):
        hour = hour % 12 + (12 if half in "pP" else 0)
    try:
        stated = offset(get("hours"), get("minutes"), get("zone"))
        if stated is None:
            east = zone
        else:
            is_guess = not get("hours") and (get("zone") or "").lower() in AMBIGUOUS
            east, mark = stated, ZONELESS if is_guess else UTC
        if not get("hour"):
            mark = DAY
        return datetime(year, month, int(day), hour, minute, min(second, 59), tzinfo=mark) - east
    except (ValueError, OverflowError):
        return None


def month_number(text: str | None) -> int | None:
    if not text:
        return None
    if text.isdigit():
        return int(text)
    name = text.lower()
    return MONTHS.get(name[:4]) or MONTHS.get(name[:3])


def day_and_month(one: int, two: int, is_american: bool) -> tuple[str | None, int | None]:
    """03/04/2026 is the third of April or the fourth of March: only what can be one of them is a date."""
    if one > 12 or one == two:
        return str(one), two
    return (str(two), one) if two > 12 or is_american else (None, None)


def offset(hours: str | None, minutes: str | None, name: str | None) -> timedelta | None:
    """The numeric zone wins; a name nobody knows counts as none (RFC 5322 section 4.3)."""
    if hours:
        sign = -1 if hours[0] == "-" else 1
        return timedelta(minutes=sign * (abs(int(hours)) * 60 + int(minutes or 0)))
    return named_offset(name) if name else None


def named_offset(name: str) -> timedelta | None:
    """CET, and GMT+1 or UTC-0330."""
    place = max(name.find("+"), name.find("-"))
    known = ZONES.get((name if place < 0 else name[:place]).lower())
    if known is None:
        return None
    return timedelta(hours=known) + (signed_hours(name[place:]) if place > 0 else NO_OFFSET)


def signed_hours(written: str) -> timedelta:
    digits = written[1:].replace(":", "")
    hours, minutes = (digits, "0") if len(digits) < 3 else (digits[:-2], digits[-2:])
    size = timedelta(hours=int(hours), minutes=int(minutes))
    return -size if written[0] == "-" else size
