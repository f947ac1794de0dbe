"""The repeat offenders of the usual periods, counted beforehand: a page that shows them reads some hundred rows.

Each counting is made from the cases and complaints themselves, so there is no counter that could go astray. It is made
anew after a minute, or after as long as keeps the work for it at a fiftieth of the time; the page says when it was.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta, tzinfo
from heapq import nsmallest
from typing import Any

from django.db import transaction

from complaints.models import Contract, Offender, OffenderCount
from complaints.reporting.offenders import COLUMNS, Tally, rows_of, tally, worst_first

SPANS = (7, 30, 90, 365)  # days
MOST = 200  # shown of each column
ASKED_AT_ONCE = 2_000  # contracts: most of them are never complained about
FRESH = timedelta(minutes=1)
SHARE = 50  # times as long as a counting takes it is good
TOO_OLD = timedelta(hours=6)  # then nobody counts, and whoever asks does it
FIELDS = tuple(field.name for field in dataclasses.fields(Tally))


def midnight(now: datetime, days: int, zone: tzinfo) -> datetime:
    """When the period of so many days began: with a day, so that a page shows whole ones."""
    day = (now.astimezone(zone) - timedelta(days=days)).date()
    return datetime(day.year, day.month, day.day, tzinfo=zone)


def count_due(*, now: datetime, zone: tzinfo) -> list[int]:
    """Count the periods whose counting is missing or old; those counted. Safe to repeat, also at the same time."""
    kept = {each.days: each for each in OffenderCount.objects.all()}
    due = [days for days in SPANS if is_due(kept.get(days), now=now, since=midnight(now, days, zone))]
    for days in due:
        count_period(days, now=now, since=midnight(now, days, zone))
    return due


def is_due(kept: OffenderCount | None, *, now: datetime, since: datetime) -> bool:
    if kept is None or kept.since != since:
        return True
    return now - kept.counted_at >= max(FRESH, SHARE * timedelta(seconds=kept.took_s))


def count_period(days: int, *, now: datetime, since: datetime) -> None:
    began = time.monotonic()
    tallies = tally(since, now)
    rows = [
        Offender(count_id=days, contract_id=contract, **{name: getattr(tallies[contract], name) for name in FIELDS})
        for contract in sorted(worth_keeping(tallies))
    ]
    took_s = time.monotonic() - began
    with transaction.atomic():
        columns = {"since": since, "counted_at": now, "took_s": took_s}
        OffenderCount.objects.update_or_create(days=days, defaults=columns)
        Offender.objects.filter(count=days).delete()
        Offender.objects.bulk_create(rows, batch_size=500)


def worth_keeping(tallies: Mapping[int, Tally]) -> set[int]:
    """The first of each column."""
    if len(tallies) <= MOST:
        return set(tallies)
    found: set[int] = set()
    for column in COLUMNS:
        if column.number:
            found.update(nsmallest(MOST, tallies, key=worst_first(tallies, column.name)))
    for names in by_name(tallies):
        found.update(contract for _, contract in nsmallest(MOST, names))
    return found


def by_name(tallies: Mapping[int, Tally]) -> Sequence[list[tuple[tuple[str, str], int]]]:
    """For each column of names: what it is sorted by, and the contract."""
    found: tuple[list[Any], list[Any], list[Any]] = ([], [], [])
    columns = Contract.objects.values_list("pk", "reference", "customer__name", "customer__reference")
    wanted = sorted(tallies)
    for start in range(0, len(wanted), ASKED_AT_ONCE):
        for pk, reference, *customer in columns.filter(pk__in=wanted[start : start + ASKED_AT_ONCE]):
            for names, text in zip(found, (*customer, reference), strict=True):
                names.append(((text.casefold(), reference), pk))
    return found


def kept_count(days: int, *, now: datetime, zone: tzinfo) -> OffenderCount | None:
    """None while there is none of this day, or nobody counts any more."""
    kept = OffenderCount.objects.filter(days=days, since=midnight(now, days, zone)).first()
    return kept if kept and now - kept.counted_at < TOO_OLD else None


def kept_rows(kept: OffenderCount, *, sort: str) -> Iterator[dict[str, Any]]:
    """What offenders.rows would have given at that time, MOST of it at most."""
    columns = Offender.objects.filter(count=kept).values_list("contract", *FIELDS)
    return rows_of({contract: Tally(*numbers) for contract, *numbers in columns}, sort=sort, most=MOST)
