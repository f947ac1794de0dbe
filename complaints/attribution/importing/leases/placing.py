"""The verb behind every lease feed: events in, assignments and waiting leases out, in one short transaction."""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Hashable, Iterable, Sequence
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from complaints.addresses import family_of, prefix_text
from complaints.attribution.importing.leases.events import LeaseEvent
from complaints.attribution.importing.leases.merging import SAME_START, Placed, place
from complaints.attribution.importing.leases.owners import by_owner, look_up_owners
from complaints.attribution.importing.leases.stored import Rows, load_rows, store_rows
from complaints.attribution.importing.spans import Spans
from complaints.attribution.importing.upsert import keep_other_writers_out
from complaints.attribution.networks import OwnNetworks
from complaints.attribution.times import utc_text
from complaints.models import Assignment, FeedFault, PrefixLength, WaitingLease

WHY = WaitingLease.Why


@dataclasses.dataclass
class LeaseSummary:
    """What a lease feed did. created, updated and removed count assignments.

    waiting: leases put aside because nobody knows their identifier, or because somebody holds the prefix without
    a lease; outside: records of addresses that are not in our networks; faults: records that could not be read.
    """

    file: str
    records: int = 0
    created: int = 0
    updated: int = 0
    removed: int = 0
    waiting: int = 0
    placed: int = 0  # of those that waited
    outside: int = 0
    faults: int = 0
    spans: Spans = dataclasses.field(default_factory=Spans)

    def printed(self) -> dict[str, object]:
        return {field.name: getattr(self, field.name) for field in dataclasses.fields(self) if field.name != "spans"}


def place_leases(
    events: Sequence[LeaseEvent], summary: LeaseSummary, *, ours: OwnNetworks, no_longer_waiting: Iterable[int] = ()
) -> None:
    """Fit the events into what is stored and write what changed. Safe to repeat, in any order.

    no_longer_waiting: ids of waiting leases that `events` are made of; they are placed again or wait again.
    """
    inside = [event for event in events if ours.hold_prefix(event.key)]
    summary.outside += len(events) - len(inside)
    owners = look_up_owners({identifier for event in inside for identifier in event.identifiers})
    with transaction.atomic():
        keep_other_writers_out(Assignment, WaitingLease)
        gone = list(no_longer_waiting)
        if gone:
            WaitingLease.objects.filter(pk__in=gone).delete()
        if inside:
            note_prefix_lengths(inside)
            by_key = stored_around(inside)
            lost = [
                lost
                for event in inside
                for piece, holder in by_owner(event, owners)
                if (lost := place_one(by_key[piece.key], piece, holder))
            ]
            store_rows(by_key, summary)
            keep_faults(lost, summary)


def stored_around(events: Sequence[LeaseEvent]) -> dict[bytes, Rows]:
    earliest: dict[bytes, datetime] = {}
    for event in events:
        known = earliest.get(event.key)
        earliest[event.key] = event.start if known is None else min(known, event.start)
    by_key: dict[bytes, Rows] = defaultdict(Rows)
    load_rows(by_key, list(earliest), since=min(earliest.values()) - SAME_START)
    return by_key


def place_one(rows: Rows, event: LeaseEvent, holder: Hashable) -> FeedFault | None:
    """What could not be stored anywhere, else None."""
    placed = place(rows.held, event, holder)
    if placed is Placed.BLOCKED:  # kept beside the holder, in case the plan is wrong
        placed = place(rows.held, event, ("held", event.identifiers))
    if placed is not Placed.CONTRADICTED:
        return None
    until = utc_text(event.stop) if event.stop else "now"
    text = f"{prefix_text(event.key)} {event.identifiers} {utc_text(event.start)} until {until}"
    return FeedFault(source=event.source, text=text, reason="another one had it from the same moment on")


def keep_faults(faults: list[FeedFault], summary: LeaseSummary) -> None:
    """Once each, also when the file is read again."""
    now = timezone.now()
    for fault in faults:
        fault.seen_at = now
    FeedFault.objects.bulk_create(faults, ignore_conflicts=True)
    summary.faults += len(faults)


def note_prefix_lengths(events: Iterable[LeaseEvent]) -> None:
    lengths = {(family_of(event.key), event.key[0]) for event in events}
    rows = [PrefixLength(family=family, length=length) for family, length in sorted(lengths)]
    PrefixLength.objects.bulk_create(rows, ignore_conflicts=True)
