"""A desk's working hours and holidays, and spans of time that count only them. Pure.

WorkingTime.parse("mon-thu 09:00-17:00, fri 09:00-15:00", zone=ZoneInfo("Europe/Paris"), holidays={date(2026, 5, 1)})
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Collection, Mapping
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
HOURS = re.compile(r"(?P<first>[a-z]{3})(?:-(?P<last>[a-z]{3}))? (?P<opens>\d\d:\d\d)-(?P<closes>\d\d:\d\d)")
MOST_DAYS = 3660  # looked ahead: a calendar of nothing but holidays must not turn into an endless search


class BadHours(ValueError):
    """The text says no working hours; the message says which part."""


@dataclasses.dataclass(frozen=True)
class WorkingTime:
    """hours: opening and closing time by weekday (Monday is 0), in `zone`; a day that is missing is closed."""

    zone: ZoneInfo
    hours: Mapping[int, tuple[time, time]]
    holidays: Collection[date] = frozenset()

    @classmethod
    def parse(cls, text: str, *, zone: ZoneInfo, holidays: Collection[date] = frozenset()) -> WorkingTime:
        """Hours as "mon-fri 09:00-17:00, sat 10:00-12:00". Raises BadHours."""
        hours: dict[int, tuple[time, time]] = {}
        for part in (part.strip().lower() for part in text.split(",")):
            found = HOURS.fullmatch(part)
            if not found:
                raise BadHours(f"{part!r} is no working time: write mon-fri 09:00-17:00")
            hours |= dict.fromkeys(days_of(part, found["first"], found["last"]), hours_of(part, found))
        return cls(zone, hours, holidays)

    def is_open(self, at: datetime) -> bool:
        opens, closes = self.day(at.astimezone(self.zone).date()) or (at, at)
        return opens <= at < closes

    def next_open(self, at: datetime) -> datetime:
        """`at` itself while it is open, else when it opens next."""
        return self.add(at, timedelta(0))

    def add(self, at: datetime, span: timedelta) -> datetime:
        """When `span` of open time has passed since `at`; a moment of open time. Raises BadHours if there is none."""
        day = at.astimezone(self.zone).date()
        for number in range(MOST_DAYS):
            opens, closes = self.day(day + timedelta(days=number)) or (at, at)
            start = max(at, opens)
            if start < closes and span < closes - start:
                return start + span
            span -= max(closes - start, timedelta(0))
        raise BadHours(f"the calendar has no such span of working time within {MOST_DAYS} days")

    def day(self, day: date) -> tuple[datetime, datetime] | None:
        """When it opens and closes on that day, in UTC; None: not at all."""
        if day in self.holidays or day.weekday() not in self.hours:
            return None
        opens, closes = self.hours[day.weekday()]
        return tuple(datetime.combine(day, hour, self.zone).astimezone(UTC) for hour in (opens, closes))  # type: ignore[return-value]


ALWAYS = WorkingTime(ZoneInfo("UTC"), dict.fromkeys(range(7), (time.min, time.max)))


def days_of(part: str, first: str, last: str | None) -> range:
    for name in (first, last or first):
        if name not in DAYS:
            raise BadHours(f"{name!r} in {part!r} is no day: write {', '.join(DAYS)}")
    begin, end = DAYS.index(first), DAYS.index(last or first)
    if end < begin:
        raise BadHours(f"{part!r} goes backwards: write the days from Monday on")
    return range(begin, end + 1)


def hours_of(part: str, found: re.Match[str]) -> tuple[time, time]:
    try:
        opens, closes = time.fromisoformat(found["opens"]), time.fromisoformat(found["closes"])
    except ValueError:
        raise BadHours(f"{part!r} holds no time of day: write 09:00-17:00") from None
    if closes <= opens:
        raise BadHours(f"{part!r} closes before it opens")
    return opens, closes
