"""The watch over the counters: a row for each sharp rise, which ends when it has been back in its band for hours."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterator, Mapping, Sequence
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
HOUR, DAY, HALF_A_DAY = timedelta(hours=1), timedelta(days=1), timedelta(hours=12)
TOLD_LATE = timedelta(days=4)  # mail flow that comes once a week, after the week-end
LEAST_PART = 0.25  # of a day: before, a few say nothing of how the day will end
Key = tuple[str, int, str]  # kind, ref, metric
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
    """Look at today (and, for mail flow, at the last day that was told); ids of the rises that began."""
    running = set(Rise.objects.filter(ended_at=None).values_list("kind", "ref", "metric"))
    found = [*of_network(now, running), *of_contracts(now, running)]
    began = [pk for each in found if (pk := note(each, now=now))]
    Rise.objects.filter(ended_at=None, last_at__lt=calm_since(now)).update(ended_at=now)
    end_told(now=now)
    return began


def calm_since(now: datetime) -> datetime:
    """Until noon a new day has too little to say that a rise of the evening before is over: else each night ends it."""
    day = beginning(now, Span.DAY)
    return min(now, day if now - day < HALF_A_DAY else now) - CALM


def of_network(now: datetime, running: Collection[Key]) -> Iterator[Found]:
    """The whole network and each product that has enough for a rise, by day and by the last whole hour."""
    for kind, refs in ((Kind.ALL, [0]), (Kind.PRODUCT, full_products(now) | running_of(Kind.PRODUCT, running))):
        days = days_of(kind, list(refs), Metric.COMPLAINTS, since=now - LOOKS_BACK)
        first = counted_first(kind, list(refs))
        for ref in sorted(refs):
            # A product that is counted since yesterday had no noughts before: nobody looked.
            past = with_noughts(days[ref], since=first.get(ref), day=now.astimezone(UTC).date())
            key = (kind, ref, Metric.COMPLAINTS)
            if found := today(key, past, now, running) or last_hour(kind, ref, now):
                yield found


def running_of(kind: str, running: Collection[Key], metric: str = Metric.COMPLAINTS) -> set[int]:
    return {ref for each, ref, of in running if (each, of) == (kind, metric)}


def today(key: Key, days: Mapping[date, float], now: datetime, running: Collection[Key]) -> Found | None:
    """The present day; what rises already goes on while the day, at the pace it has, would end above the band."""
    day = now.astimezone(UTC).date()
    if found := on_day(key, days, day):
        return found
    part = (now - beginning(now, Span.DAY)) / DAY
    n, expected = days.get(day, 0), day_band(days, day)
    goes_on = key in running and part >= LEAST_PART and expected is not None and n / part > expected.most
    return Found(*key, beginning(now, Span.DAY), int(n), expected) if expected and goes_on else None


def on_day(key: Key, days: Mapping[date, float], day: date) -> Found | None:
    kind, _, metric = key
    n, expected = days.get(day, 0), day_band(days, day)
    if expected is None or not is_rise(n, expected, SHARP[kind, metric]):
        return None
    return Found(*key, datetime(day.year, day.month, day.day, tzinfo=UTC), int(n), expected)


def with_noughts(days: Mapping[date, float], *, since: date | None, day: date) -> Mapping[date, float]:
    """since: noughts count from there. None: a day that nobody told is unknown."""
    if since is None:
        return days
    past = filled(days, since=max(since, day - timedelta(weeks=WEEKS)), until=day)
    return past | {each: n for each, n in days.items() if each == day}


def full_products(now: datetime) -> set[int]:
    """With as many today, or in the last whole hour, as a rise has at least."""
    mine = Tally.objects.filter(kind=Kind.PRODUCT, metric=Metric.COMPLAINTS)
    day, hour = beginning(now, Span.DAY), beginning(now, Span.HOUR) - HOUR
    days = mine.filter(span=Span.DAY, at=day, n__gte=SHARP[Kind.PRODUCT, Metric.COMPLAINTS].least)
    hours = mine.filter(span=Span.HOUR, at=hour, n__gte=HOURLY.least)
    return {*days.values_list("ref", flat=True), *hours.values_list("ref", flat=True)}


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


def of_contracts(now: datetime, running: Collection[Key]) -> Iterator[Found]:
    """Only those with so many that it could be a rise at all, and those that rise already."""
    first_day, day = counted_since(), now.astimezone(UTC).date()
    for metric in (Metric.COMPLAINTS, *FLOW):
        since = first_day if metric == Metric.COMPLAINTS else None
        wanted = full_contracts(metric, now) | running_of(Kind.CONTRACT, running, metric)
        for chunk in chunks(sorted(wanted)):
            counted = days_of(Kind.CONTRACT, chunk, metric, since=now - LOOKS_BACK)
            for ref in chunk:
                key, days = (Kind.CONTRACT, ref, metric), with_noughts(counted[ref], since=since, day=day)
                found = today(key, days, now, running)
                if found := found or (last_told(key, days, day) if metric in FLOW else None):
                    yield found


def full_contracts(metric: str, now: datetime) -> set[int]:
    """With as many as a rise has at least; of mail flow also on a day that may have been told late."""
    whole = beginning(now, Span.DAY)
    since = whole - TOLD_LATE if metric in FLOW else whole
    mine = Tally.objects.filter(kind=Kind.CONTRACT, metric=metric, span=Span.DAY, at__gte=since, at__lte=whole)
    many = mine.filter(n__gte=SHARP[Kind.CONTRACT, metric].least).order_by("-n", "ref")
    return set(many.values_list("ref", flat=True)[:MOST_CONTRACTS])


def last_told(key: Key, days: Mapping[date, float], day: date) -> Found | None:
    """The last whole day that was told, if that is not long ago: a file of Monday tells of the week-end."""
    told = max((each for each in days if each < day), default=None)
    return on_day(key, days, told) if told and day - told <= TOLD_LATE else None


def chunks(refs: Sequence[int]) -> Iterator[Sequence[int]]:
    return (refs[start : start + CHUNK] for start in range(0, len(refs), CHUNK))


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
