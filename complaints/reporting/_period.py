"""The period of a report, as people write it. Pure."""

from __future__ import annotations

import dataclasses
from datetime import date, datetime, time, timedelta, tzinfo
from typing import TypeVar

DEFAULT_DAYS = 90


class BadPeriod(ValueError):
    """A time that cannot be read, or an end before the beginning."""


@dataclasses.dataclass(frozen=True, slots=True)
class Period:
    """From `since` until before `until`, both aware."""

    since: datetime
    until: datetime


def read_period(since: str | None, until: str | None, *, now: datetime, zone: tzinfo) -> Period:
    """ISO 8601 days or times; a day as `until` is included to its end. Default: 90 days. Raises BadPeriod."""
    end = read_moment(until, zone, end_of_day=True, name="until") if until else now
    start = read_moment(since, zone, end_of_day=False, name="since") if since else end - timedelta(days=DEFAULT_DAYS)
    if start >= end:
        raise BadPeriod(f"since {start:%Y-%m-%d} does not lie before until {end:%Y-%m-%d}")
    return Period(start, end)


D = TypeVar("D", date, datetime)


def sane(moment: D) -> D:
    """Raises ValueError for a year that databases and time zones cannot calculate with."""
    if not 1970 <= moment.year <= 2999:
        raise ValueError("the year is out of range")
    return moment


def read_moment(text: str, zone: tzinfo, *, end_of_day: bool, name: str) -> datetime:
    text = text.strip()
    try:
        if len(text) == len("2026-01-01"):
            day = sane(date.fromisoformat(text)) + timedelta(days=1 if end_of_day else 0)
            return datetime.combine(day, time.min, zone)
        found = sane(datetime.fromisoformat(text))
    except (ValueError, OverflowError) as exc:
        raise BadPeriod(f"{name} {text!r} is no day as 2026-11-21 and no time as 2026-11-21T09:00:00+01:00") from exc
    return found if found.tzinfo else found.replace(tzinfo=zone)
