"""What is asked on the page "who had this address", read from its address and written back into it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from django.http import QueryDict

from complaints.attribution.holders import Place, read_place
from complaints.attribution.records import SPACE, read_port
from complaints.attribution.times import read_time

SPANS = {
    "day": ("Day", timedelta(days=1)),
    "week": ("Week", timedelta(days=7)),
    "month": ("Month", timedelta(days=30)),
    "year": ("Year", timedelta(days=365)),
    "decade": ("10 years", timedelta(days=3653)),
}
YEARS = range(1970, 2200)  # of times that can be shown with a period around them
LONGEST = 100


@dataclasses.dataclass(frozen=True, slots=True)
class Wanted:
    """since and until: the period shown. before: where the older holders go on."""

    place: Place
    port: int | None
    at: datetime
    span: str
    since: datetime
    until: datetime
    before: tuple[datetime, int] | None


def read_wanted(given: QueryDict, now: datetime) -> tuple[Wanted | None, dict[str, str]]:
    """What is asked, or by field a sentence for each that cannot be read."""
    problems: dict[str, str] = {}
    found: dict[str, Any] = {}
    readers: dict[str, Callable[[str], Any]] = {
        "address": read_place,
        "port": read_port,
        "at": lambda text: read_shown(text) if text else now,
    }
    for name, read in readers.items():
        try:
            found[name] = read(given.get(name, "").strip()[:LONGEST])
        except ValueError as exc:
            problems[name] = f"{str(exc)[:1].upper()}{str(exc)[1:]}."
    if problems:
        return None, problems
    span = given.get("span", "") if given.get("span") in SPANS else "month"
    since, until = period(found["at"], SPANS[span][1], given.get("until", ""), now)
    before = read_cursor(given.get("before", ""))
    return Wanted(found["address"], found["port"], found["at"], span, since, until, before), {}


def read_shown(text: str) -> datetime:
    """A time with its zone, near enough to now. Raises ValueError."""
    at = read_time(SPACE.sub(r"\1+\2", text))
    if at.year not in YEARS:
        raise ValueError(f"{text!r} is not in the years {YEARS.start} to {YEARS.stop - 1}")
    return at


def period(at: datetime, span: timedelta, until: str, now: datetime) -> tuple[datetime, datetime]:
    """Around the moment asked about, and not much further than now; or up to `until`, where one went to."""
    end = min(at + span / 2, max(now, at + span / 50))
    with suppress(ValueError):
        end = read_shown(until)
    return end - span, end


def read_cursor(text: str) -> tuple[datetime, int] | None:
    at, _, pk = text.rpartition("_")
    with suppress(ValueError):
        if pk.isascii() and pk.isdigit() and len(pk) < 19:
            return read_shown(at), int(pk)
    return None


def query(
    wanted: Wanted, *, span: str = "", until: datetime | None = None, before: tuple[datetime, int] | None = None
) -> str:
    """The address of the page with another period, or another portion of the same one."""
    parts = {"address": wanted.place.text, "at": wanted.at.isoformat(), "span": span or wanted.span}
    if wanted.port:
        parts["port"] = str(wanted.port)
    if not span:
        parts["until"] = (until or wanted.until).isoformat()
    if before:
        parts["before"] = f"{before[0].isoformat()}_{before[1]}"
    return "?" + urlencode(parts)
