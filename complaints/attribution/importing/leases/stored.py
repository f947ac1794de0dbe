"""Assignments and waiting leases of some prefixes as rows to merge with, and back what changed of them."""

from __future__ import annotations

import dataclasses
from collections.abc import Hashable, Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from django.db import connection
from django.db.models import Max, Q, QuerySet

from complaints.attribution.importing.leases.events import LeaseEvent
from complaints.attribution.importing.leases.merging import Held
from complaints.attribution.statements import LONGEST_SHORT
from complaints.models import Assignment, WaitingLease
from complaints.models.bulk import insert_rows, update_rows

if TYPE_CHECKING:
    from complaints.attribution.importing.leases.placing import LeaseSummary

KEYS_A_QUERY = 1_000
ASSIGNED = ("contract_id", "key", "kind", "valid_from", "valid_until", "port_first", "port_last", "said_at", "feed_id")
WAITING = (
    "kind", "value", "others", "key", "method", "valid_from", "valid_until", "port_first", "port_last", "said_at",
    "renews", "why", "source", "feed_id",
)  # fmt: skip


class Was(NamedTuple):
    since: datetime
    until: datetime | None
    said_at: datetime
    feed: int | None


class Rows:
    """Of one prefix: what is held, and how the stored ones were."""

    def __init__(self) -> None:
        self.held: list[Held] = []
        self.before: dict[Held, Was] = {}

    def add(self, row: Held) -> None:
        self.held.append(row)
        self.before[row] = Was(row.since, row.until, row.said_at, row.feed)


def load_rows(by_key: dict[bytes, Rows], keys: list[bytes], *, since: datetime) -> None:
    """What ends after `since`; the rest of the history no news can change."""
    still = Q(valid_until=None) | Q(valid_until__gte=since)
    for start in range(0, len(keys), KEYS_A_QUERY):
        some = keys[start : start + KEYS_A_QUERY]
        recent = Assignment.objects.filter(still, key__in=some, valid_from__gte=since - LONGEST_SHORT)
        for pk, contract, key, kind, begin, end, first, last, said_at, feed in (
            *recent.order_by().values_list("pk", *ASSIGNED),
            *long_ones(some, since).values_list("pk", *ASSIGNED),
        ):
            fixed = said_at is None
            by_key[bytes(key)].add(
                Held(contract, begin, end, first, last, said_at or begin, fixed, pk, kind, None, feed)
            )
        waiting = WaitingLease.objects.filter(still, key__in=some).order_by()
        for pk, *columns in waiting.values_list("pk", *WAITING):
            event = event_of(columns)
            is_unknown = columns[WAITING.index("why")] == WaitingLease.Why.UNKNOWN
            holder: Hashable = event.identifiers if is_unknown else ("held", event.identifiers)
            ports = (event.port_first, event.port_last)
            by_key[event.key].add(
                Held(holder, event.start, event.stop, *ports, event.said_at, False, pk, event.method, event, event.feed)
            )


def long_ones(keys: list[bytes], since: datetime) -> QuerySet[Assignment]:
    """What began more than a day before `since` and did not end before it; by the index assignment_long, whose
    condition must stand here word by word (migration 0013): so of ten thousand leases a handful is read.
    """
    if connection.vendor == "postgresql":
        end, is_long = "'infinity'::timestamptz", "valid_until - valid_from > interval '25 hours'"
    else:
        end = "'9999-12-31 23:59:59.999999'"
        is_long = "julianday(valid_until) - julianday(valid_from) > 25 / 24.0"
    where = [f"coalesce(valid_until, {end}) >= %s", f"(valid_until IS NULL OR {is_long})"]
    until = connection.ops.adapt_datetimefield_value(since)
    began = Assignment.objects.filter(key__in=keys, valid_from__lt=since - LONGEST_SHORT).order_by()
    return began.extra(where=where, params=[until])  # noqa: S610 - no word of it comes from outside


def event_of(columns: list[Any]) -> LeaseEvent:
    """A waiting lease (its WAITING columns) as the event it was made of."""
    kind, value, others, key, method, since, until, first, last, said_at, renews, _why, source, feed = columns
    identifiers = ((kind, value), *((kind, value) for kind, value in others))
    return LeaseEvent(identifiers, bytes(key), since, until, said_at, renews, source, method, first, last, feed)


def store_rows(by_key: Mapping[bytes, Rows], summary: LeaseSummary) -> None:
    """Deletes, then what becomes less, then what becomes more, then what is new: so no moment has two holders."""
    new: list[tuple[bytes, Held]] = []
    gone: list[Held] = []
    changed: list[tuple[Held, Was]] = []
    for key, rows in by_key.items():
        for row in rows.held:
            before = rows.before.get(row)
            if before is None:
                if not row.is_empty:
                    new.append((key, row))
            elif row.is_empty:
                gone.append(row)
            elif has_nothing_in_common(row, before):
                gone.append(dataclasses.replace(row))
                new.append((key, row))
            elif before != (row.since, row.until, row.said_at, row.feed):
                changed.append((row, before))
            note_span(summary, key, row, before)
    for model, is_known in ((Assignment, True), (WaitingLease, False)):
        remove = [row.pk for row in gone if row.pk and isinstance(row.holder, int) is is_known]
        if remove:
            model._default_manager.filter(pk__in=remove).delete()
        write_changes(model, [pair for pair in changed if isinstance(pair[0].holder, int) is is_known])
    known = [(key, row) for key, row in new if isinstance(row.holder, int)]
    waiting = [(key, row) for key, row in new if not isinstance(row.holder, int)]
    insert_rows(Assignment, ASSIGNED, [assigned_columns(key, row) for key, row in known])
    insert_rows(WaitingLease, WAITING, [waiting_columns(key, row) for key, row in waiting])
    summary.created += len(known)
    summary.waiting += len(waiting)
    summary.updated += sum(isinstance(row.holder, int) and moved(row, before) for row, before in changed)
    summary.removed += sum(isinstance(row.holder, int) for row in gone)


def has_nothing_in_common(row: Held, before: Was) -> bool:
    since, until = common(row, before)
    return until is not None and until <= since


def moved(row: Held, before: Was) -> bool:
    return (row.since, row.until) != before[:2]


def note_span(summary: LeaseSummary, key: bytes, row: Held, before: Was | None) -> None:
    if not isinstance(row.holder, int):
        return
    if before is None:
        if not row.is_empty:
            summary.spans.add(key, row.since, row.until)
    elif moved(row, before):
        first_end = min((end for end in (row.until, before.until) if end is not None), default=row.since)
        since = first_end if row.since == before.since else min(row.since, before.since)
        open_end = row.until is None or before.until is None
        summary.spans.add(key, since, None if open_end else max(row.until, before.until))  # type: ignore[type-var]


def write_changes(model: type[Any], changed: list[tuple[Held, Was]]) -> None:
    columns = ("valid_from", "valid_until", "said_at", "feed_id")
    if connection.vendor == "sqlite":  # its triggers look row by row; PostgreSQL's look when the statement is done
        less = [(row, *common(row, before), row.said_at, row.feed) for row, before in changed]
        update_rows(model, "id", columns, [(row.pk, *rest) for row, *rest in less])
        changed = [
            pair for pair, (_, since, until, *_) in zip(changed, less, strict=True)
            if (since, until) != (pair[0].since, pair[0].until)
        ]  # fmt: skip
    update_rows(model, "id", columns, [(row.pk, row.since, row.until, row.said_at, row.feed) for row, _ in changed])


def common(row: Held, before: Was) -> tuple[datetime, datetime | None]:
    """The time that a row had and keeps."""
    ends = [end for end in (row.until, before.until) if end is not None]
    return max(row.since, before.since), min(ends, default=None)


def assigned_columns(key: bytes, row: Held) -> tuple[Any, ...]:
    return row.holder, key, row.method, row.since, row.until, row.port_first, row.port_last, row.said_at, row.feed


def waiting_columns(key: bytes, row: Held) -> tuple[Any, ...]:
    event = row.event
    assert event is not None  # only rows of events wait
    (kind, value), *others = event.identifiers
    why = WaitingLease.Why.UNKNOWN if row.holder == event.identifiers else WaitingLease.Why.HELD
    return (
        kind, value, others, key, event.method, row.since, row.until, row.port_first, row.port_last, row.said_at,
        event.renews, why, event.source, row.feed,
    )  # fmt: skip


def waiting_batches(size: int, **which: str) -> Iterator[list[tuple[int, LeaseEvent]]]:
    """All leases that wait now, by id, a batch a query; not those that wait again meanwhile, with new ids."""
    newest = WaitingLease.objects.aggregate(newest=Max("pk"))["newest"] or 0
    last = 0
    while True:
        waiting = WaitingLease.objects.filter(pk__gt=last, pk__lte=newest, **which).order_by("pk")
        rows = waiting.values_list("pk", *WAITING)[:size]
        batch = [(pk, event_of(columns)) for pk, *columns in rows]
        if not batch:
            return
        yield batch
        last = batch[-1][0]
