"""The watch over the counters: a row for each sharp rise, which ends when it has been back in its band for hours."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta

from django.db import transaction
from django.db.models import F, QuerySet

from complaints.cases.fluctuation import WEEKS, Band, Sharp, day_band, filled, hour_band, is_rise
from complaints.cases.rise_tasks import end_told, tell_rise
from complaints.cases.tallies import (
    FLOW,
    Kind,
    Metric,
    Span,
    beginning,
    counted_first,
    counted_since,
    days_of,
    hours_of,
)
from complaints.models import Rise, Tally

LOOKS_BACK = timedelta(weeks=WEEKS, days=1)
CALM = timedelta(hours=6)
MOST_CONTRACTS = 2_000  # those with the most, in one look
CHUNK = 200
HOUR = timedelta(hours=1)
# From when a rise is worth a look. A single line swings more than a network does.
SHARP: dict[tuple[str, str], Sharp] = {
    (Kind.ALL, Metric.COMPLAINTS): Sharp(least=30, times=1.4),
    (Kind.PRODUCT, Metric.COMPLAINTS): Sharp(least=20, times=1.6),
    (Kind.CONTRACT, Metric.COMPLAINTS): Sharp(least=10, times=3.0),
    (Kind.CONTRACT, Metric.MESSAGES): Sharp(least=500, times=3.0),
    (Kind.CONTRACT, Metric.QUEUE): Sharp(least=200, times=3.0),
    (Kind.CONTRACT, Metric.FAILED): Sharp(least=100, times=3.0),
    (Kind.CONTRACT, Metric.BYTES): Sharp(least=100_000_000, times=4.0),
}
HOURLY = Sharp(least=20, times=2.5)


@dataclasses.dataclass(frozen=True, slots=True)
class Found:
    """Above its band: a day's or an hour's count so far."""

    kind: str
    ref: int
    metric: str
    at: datetime
    n: int
    band: Band


def watch_rises(*, now: datetime) -> list[int]:
    """Look at today (and, for mail flow, at yesterday, which is told late); ids of the rises that began."""
    found = [*of_network(now), *of_contracts(now)]
    began = [pk for each in found if (pk := note(each, now=now))]
    Rise.objects.filter(ended_at=None, last_at__lt=now - CALM).update(ended_at=now)
    end_told(now=now)
    return began


def of_network(now: datetime) -> Iterator[Found]:
    """The whole network and each product that has enough for a rise, by day and by the last whole hour."""
    for kind, refs in ((Kind.ALL, [0]), (Kind.PRODUCT, full_products(now))):
        days = days_of(kind, refs, Metric.COMPLAINTS, since=now - LOOKS_BACK)
        first = counted_first(kind, refs)
        for ref in refs:
            since, day = first.get(ref), now.astimezone(UTC).date()
            # A product that is counted since yesterday had no noughts before: nobody looked.
            found = today(kind, ref, Metric.COMPLAINTS, days[ref], since=since, day=day) if since else None
            if found := found or last_hour(kind, ref, now):
                yield found


def full_products(now: datetime) -> list[int]:
    """With as many today, or in the last whole hour, as a rise has at least."""
    mine = Tally.objects.filter(kind=Kind.PRODUCT, metric=Metric.COMPLAINTS)
    day, hour = beginning(now, Span.DAY), beginning(now, Span.HOUR) - HOUR
    days = mine.filter(span=Span.DAY, at=day, n__gte=SHARP[Kind.PRODUCT, Metric.COMPLAINTS].least)
    hours = mine.filter(span=Span.HOUR, at=hour, n__gte=HOURLY.least)
    return sorted({*days.values_list("ref", flat=True), *hours.values_list("ref", flat=True)})


def today(
    kind: str, ref: int, metric: str, days: Mapping[date, float], *, since: date | None, day: date
) -> Found | None:
    """since: noughts count from there. None: a day that nobody told is unknown."""
    past = with_noughts(days, since=since, day=day)
    n, expected = days.get(day, 0), day_band(past, day)
    if expected is None or not is_rise(n, expected, SHARP[kind, metric]):
        return None
    return Found(kind, ref, metric, datetime(day.year, day.month, day.day, tzinfo=UTC), int(n), expected)


def with_noughts(days: Mapping[date, float], *, since: date | None, day: date) -> Mapping[date, float]:
    if since is None:
        return days
    return filled(days, since=max(since, day - timedelta(weeks=WEEKS)), until=day)


def last_hour(kind: str, ref: int, now: datetime) -> Found | None:
    hour = beginning(now, Span.HOUR) - HOUR
    hours = hours_of(kind, ref, since=now - LOOKS_BACK)
    if hours.get(hour, 0) < HOURLY.least:
        return None
    first = min(hours)
    past = {at: hours.get(at, 0) for at in (hour - n * HOUR for n in range(1, 24 * 7 * WEEKS + 2)) if at >= first}
    expected = hour_band(past, hour)
    if expected is None or not is_rise(hours[hour], expected, HOURLY):
        return None
    return Found(kind, ref, Metric.COMPLAINTS, hour, int(hours[hour]), expected)


def of_contracts(now: datetime) -> Iterator[Found]:
    """Only those with so many that it could be a rise at all."""
    first_day, whole = counted_since(), beginning(now, Span.DAY)
    for metric in (Metric.COMPLAINTS, *FLOW):
        moments = [whole] if metric == Metric.COMPLAINTS else [whole, whole - timedelta(days=1)]
        rows = Tally.objects.filter(kind=Kind.CONTRACT, metric=metric, span=Span.DAY, at__in=moments)
        many = rows.filter(n__gte=SHARP[Kind.CONTRACT, metric].least).order_by("-n").values_list("ref", "at")
        wanted = list(many[:MOST_CONTRACTS])
        since = first_day if metric == Metric.COMPLAINTS else None
        for start in range(0, len(wanted), CHUNK):
            chunk = wanted[start : start + CHUNK]
            days = days_of(Kind.CONTRACT, [ref for ref, _ in chunk], metric, since=now - LOOKS_BACK)
            for ref, at in chunk:
                day = at.astimezone(UTC).date()
                if found := today(Kind.CONTRACT, ref, metric, days[ref], since=since, day=day):
                    yield found


def note(found: Found, *, now: datetime) -> int | None:
    """Keep it; the id of a rise that began. One that goes on keeps its highest value."""
    what = {"kind": found.kind, "ref": found.ref, "metric": found.metric}
    told = {"value": found.n, "usual": found.band.usual, "most": found.band.most}
    with transaction.atomic():
        running = Rise.objects.filter(**what, ended_at=None)
        if running.update(last_at=now):
            running.filter(value__lt=found.n).update(**told)
            return None
        rise, is_new = Rise.objects.get_or_create(
            **what, ended_at=None, defaults={"began_at": found.at, "last_at": now, **told}
        )
        if not is_new:
            return None
        tell_rise(rise, now=now)
        return rise.pk


def open_rises(kind: str | None = None, ref: int | None = None) -> list[Rise]:
    """Those that go on, the highest above their band first."""
    rows = Rise.objects.filter(ended_at=None)
    if kind is not None and ref is not None:
        return list(rises_of(kind, ref))
    return list(highest_first(rows))


def rises_of(kind: str, ref: int) -> QuerySet[Rise]:
    return highest_first(Rise.objects.filter(ended_at=None, kind=kind, ref=ref))


def highest_first(rows: QuerySet[Rise]) -> QuerySet[Rise]:
    return rows.order_by(-(F("value") / (F("most") + 1.0)), "pk")[:100]
