"""How many are usual, and from when it is a rise. Pure; medians, so that last month's flood does not hide the next.

A day is compared with the same weekday of the weeks before: spam falls by a quarter at week-ends and peaks in the
middle of the week, so a Monday after a quiet Sunday is no rise. Where those weeks are not there yet, all days count,
each as the usual shape of a week weighs it. An hour is compared with the same hour of that weekday, and its neighbours.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from statistics import median

WEEKS = 8
FEWEST_WEEKS = 3  # of the same weekday; below it the shape of a usual week helps out
FEWEST_DAYS = 7
SHAPE = (1.0, 1.08, 1.1, 1.08, 1.02, 0.78, 0.76)  # Monday to Sunday, of spam and of the complaints about it
MAD_TO_SIGMA = 1.4826  # of a normal distribution
SIGMAS = 5.0
DAY, HOUR = timedelta(days=1), timedelta(hours=1)


@dataclasses.dataclass(frozen=True, slots=True)
class Band:
    """What would be expected: the middle, and the ends beyond which chance hardly leads."""

    usual: float
    least: float
    most: float


@dataclasses.dataclass(frozen=True, slots=True)
class Sharp:
    """When a rise is worth a look: so many at least, and so many times the usual."""

    least: int
    times: float


def day_band(past: Mapping[date, float], day: date) -> Band | None:
    """past: what each earlier day had; a day that is not there was not counted. None: too little is known."""
    known = {each: n for each, n in past.items() if day - timedelta(weeks=WEEKS) <= each < day}
    if len(known) < FEWEST_DAYS:
        return None
    same = [n for each, n in known.items() if each.weekday() == day.weekday()]
    shaped = [n / SHAPE[each.weekday()] for each, n in known.items()]
    level = median(shaped) * SHAPE[day.weekday()]
    if len(same) < FEWEST_WEEKS:
        return band(level, spread(shaped) * SHAPE[day.weekday()])
    return band(median(same), max(spread(same), pooled(known) * median(same)))


def hour_band(past: Mapping[datetime, float], hour: datetime) -> Band | None:
    """The same hour of the week in the weeks before, with the hour before and the one after."""
    near = (hour - timedelta(weeks=week) + shift for week in range(1, WEEKS + 1) for shift in (-HOUR, 0 * HOUR, HOUR))
    found = [past[each] for each in near if each in past]
    return band(median(found), spread(found)) if len(found) >= 3 * FEWEST_WEEKS else None


def pooled(known: Mapping[date, float]) -> float:
    """How far days stray from the middle of their own weekday, as a share of it: one weekday alone has few values."""
    by_weekday: dict[int, list[float]] = {}
    for day, n in known.items():
        by_weekday.setdefault(day.weekday(), []).append(n)
    middles = {weekday: median(values) for weekday, values in by_weekday.items()}
    shares = [n / middle for day, n in known.items() if (middle := middles[day.weekday()]) > 0]
    return spread(shares) if len(shares) >= FEWEST_DAYS else 0.0


def spread(values: Sequence[float]) -> float:
    middle = median(values)
    return MAD_TO_SIGMA * median(abs(value - middle) for value in values)


def band(usual: float, sigma: float) -> Band:
    """Never narrower than chance alone makes a count stray (Poisson), nor than one."""
    wide = SIGMAS * max(sigma, usual**0.5, 1.0)
    return Band(usual, max(0.0, usual - wide), usual + wide)


def is_rise(n: float, expected: Band | None, sharp: Sharp) -> bool:
    """Unknown is no rise."""
    return expected is not None and n >= sharp.least and n > expected.most and n >= sharp.times * expected.usual


def filled(counted: Mapping[date, float], *, since: date, until: date) -> dict[date, float]:
    """With a nought for each day on which nothing came; since: the first whole day that was counted."""
    days = ((until - since) // DAY) if until > since else 0
    return {day: counted.get(day, 0) for day in (since + number * DAY for number in range(days))}
