"""Times as people say them. Pure: `now` is given."""

from __future__ import annotations

import dataclasses
from datetime import datetime, timedelta

UNITS = ((86400, "d"), (3600, "h"), (60, "min"))


def span(delta: timedelta, *, days_from: int = 1) -> str:
    """One unit is enough to decide by: "3 d", "2 h", "5 min"; below a minute "20 s".

    days_from: fewer days than these are said in hours, where half a day counts.
    """
    seconds = abs(delta.total_seconds())
    for size, unit in UNITS:
        if seconds >= (size * days_from if unit == "d" else size):
            return f"{seconds // size:.0f} {unit}"
    return f"{seconds:.0f} s"


def age(at: datetime, now: datetime) -> str:
    """For what lies behind: coarser below a minute, so that a live page does not flicker."""
    return "just now" if now - at < timedelta(minutes=1) else f"{span(now - at)} ago"


def until(at: datetime, now: datetime, *, days_from: int = 1) -> str:
    if at < now:
        return f"{span(now - at)} ago"
    return "in less than a minute" if at - now < timedelta(minutes=1) else f"in {span(at - now, days_from=days_from)}"


def day_and_time(at: datetime, now: datetime) -> str:
    """Both in the reader's zone: "today 10:41", "yesterday 08:00", "14 Nov 10:41", with the year when it is another."""
    names = {0: "today", 1: "yesterday"}
    day = names.get((now.date() - at.date()).days) or f"{at:%-d %b}" + (f" {at:%Y}" if at.year != now.year else "")
    return f"{day} {at:%H:%M}"


@dataclasses.dataclass(frozen=True, slots=True)
class Promise:
    """How a case stands against its deadline. `late` is also said in the text: colour alone tells nobody."""

    text: str
    late: bool = False
    hint: str = ""


def promise(deadline: datetime | None, now: datetime, *, whose: str) -> Promise:
    if deadline is None:
        return Promise("none")
    hint = f"{whose}: {deadline:%-d %b %Y, %H:%M} {deadline.tzname()}"
    if deadline < now:
        over = span(now - deadline) if now - deadline >= timedelta(minutes=1) else "just"
        return Promise(f"{over} over", late=True, hint=hint)
    return Promise(until(deadline, now).replace("less than a minute", "< 1 min"), hint=hint)
