"""Lease feeds: files that systems write and go on writing. Read in batches, each one a short transaction.

A record that cannot be read is kept (FeedFault) and told with its line and reason, and holds nothing else up. Reading
a file again changes nothing. With a position, what was read and how far is written together, so a reader that was
killed goes on where it was.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, BinaryIO, Protocol

from django.db import transaction
from django.utils import timezone

from complaints.attribution.importing.leases import dhcpd, kea, lease_csv, radius
from complaints.attribution.importing.leases.events import Fault, Item, LeaseEvent
from complaints.attribution.importing.leases.horizon import Horizon, feed_name
from complaints.attribution.importing.leases.owners import look_up_owners, owner_at
from complaints.attribution.importing.leases.placing import LeaseSummary, place_leases
from complaints.attribution.importing.leases.sessions import Sessions
from complaints.attribution.importing.leases.stored import waiting_batches
from complaints.attribution.importing.reading import Progress, Sheet
from complaints.attribution.importing.staging import steps
from complaints.attribution.networks import OwnNetworks
from complaints.models import FeedFault, FeedPosition
from complaints.models.text import storable

ITEMS_A_BATCH = 2_000
LINES_A_BATCH = 50_000
MOST_TEXT = 4_000
LONGEST_LINE = 100_000
Tell = Callable[[str], None]


class Reader(Protocol):
    """Reads a feed line by line. `state` is plain JSON, kept with the position."""

    state: dict[str, Any]

    @property
    def pending(self) -> bool:
        """In the middle of a record."""

    def read(self, source: str, line: str) -> Iterable[Item]: ...

    def finish(self) -> Iterable[Item]:
        """At the end of the file."""


READERS: dict[str, Callable[[dict[str, Any]], Reader]] = {
    radius.NAME: radius.Reader,
    kea.NAME: kea.Reader,
    dhcpd.NAME: dhcpd.Reader,
}


def import_feed(
    stream: BinaryIO,
    *,
    reader: str,
    name: str,
    feed: str = "",
    dry_run: bool = False,
    progress: Progress | None = None,
    tell: Tell = lambda _line: None,
) -> LeaseSummary:
    """Read a whole file of the reader's format. `tell` gets every fault as "file:line: reason".

    feed: name of the LeaseFeed; by default the file's, without dates in it.
    """
    summary = LeaseSummary(name)
    horizon = Horizon(feed or feed_name(name), reader)
    reading = Feed(READERS[reader]({}), summary, tell, horizon)
    if not dry_run:
        reading.read_all(stream, progress)
        return summary
    with transaction.atomic():
        reading.read_all(stream, progress)
        transaction.set_rollback(True)
    return summary


class Feed:
    """position: of a file that is followed. The feed counts as told no further than what was read to the end: a file
    may hold its records in any order.
    """

    def __init__(
        self,
        reader: Reader,
        summary: LeaseSummary,
        tell: Tell,
        horizon: Horizon,
        position: FeedPosition | None = None,
    ) -> None:
        self.reader, self.summary, self.tell, self.position = reader, summary, tell, position
        self.horizon = horizon
        self.ours = OwnNetworks()
        self.line = position.line if position else 0
        self.offset = position.offset if position else 0
        self.items: list[Item] = []

    def read_all(self, stream: BinaryIO, progress: Progress | None = None) -> None:
        for raw in lines_of(stream):
            self.take(raw)
            if progress and self.line % 2_000 == 0:
                progress(self.line)
        self.items += self.reader.finish()
        self.write(at_end=True)

    def take(self, raw: bytes) -> None:
        self.line += 1
        self.offset += len(raw)
        text = raw.decode("utf-8", "replace")
        self.items += self.reader.read(f"{self.summary.file}:{self.line}"[-300:], text)
        if not self.reader.pending:
            self.note_position()
            if len(self.items) >= ITEMS_A_BATCH or self.line % LINES_A_BATCH == 0:
                self.write()

    def note_position(self) -> None:
        """Between two records: here a restart may go on."""
        if self.position:
            self.position.offset, self.position.line = self.offset, self.line

    def write(self, *, at_end: bool = False) -> None:
        items, self.items = self.items, []
        if not items and not self.position and not at_end:
            return
        self.horizon.note(items)
        with transaction.atomic():
            if items:
                write_items(items, self.summary, self.ours, self.tell, self.horizon.id())
            if at_end:
                self.horizon.save()
            if self.position:
                self.position.state, self.position.read_at = self.reader.state, timezone.now()
                self.position.save()


def lines_of(stream: BinaryIO) -> Iterator[bytes]:
    """Lines, of at most LONGEST_LINE octets: a file without any is not read into memory."""
    while raw := stream.readline(LONGEST_LINE):
        yield raw


def write_items(items: list[Item], summary: LeaseSummary, ours: OwnNetworks, tell: Tell, feed: int) -> None:
    faults = [item for item in items if isinstance(item, Fault)]
    sessions = Sessions(items)
    events = [event._replace(feed=feed) for event in sessions.events(items)]
    place_leases(events, summary, ours=ours)
    sessions.save()
    keep_faults(faults)
    summary.records += len(items)
    summary.faults += len(faults)
    for fault in faults:
        tell(f"{fault.source}: {storable(fault.reason, 500)}")


def keep_faults(faults: list[Fault]) -> None:
    """Once each, also when the file is read again."""
    now = timezone.now()
    rows = [
        FeedFault(
            source=fault.source,
            text=storable(fault.text, MOST_TEXT),
            reason=storable(fault.reason, 500),
            seen_at=now,
        )
        for fault in faults
    ]
    FeedFault.objects.bulk_create(rows, ignore_conflicts=True)


def import_leases(
    open_lines: Callable[[], Iterable[str]],
    *,
    name: str,
    feed: str = "",
    dry_run: bool = False,
    progress: Progress | None = None,
) -> LeaseSummary:
    """Read a CSV of leases (lease_csv). `open_lines` begins the file anew: it is read twice. feed: as of import_feed.

    Raises:
        ImportRefused: with every fault; nothing was changed.
    """
    lease_csv.check(open_lines(), name=name)
    summary, ours = LeaseSummary(name), OwnNetworks()
    sheet = Sheet(open_lines(), lease_csv.COLUMNS, name=name, progress=progress)

    horizon = Horizon(feed or feed_name(name), "csv")

    def write(events: Iterator[LeaseEvent]) -> None:
        for some in steps(events, ITEMS_A_BATCH):
            told = [event._replace(feed=horizon.id()) for event in some]
            place_leases(told, summary, ours=ours)
            horizon.note(told)
            summary.records += len(some)
        horizon.save()

    if not dry_run:
        write(lease_csv.read_leases(sheet))
        return summary
    with transaction.atomic():
        write(lease_csv.read_leases(sheet))
        transaction.set_rollback(True)
    return summary


def place_waiting(*, name: str = "waiting leases", **which: str) -> LeaseSummary:
    """Place what waited and whose identifier is known by now. Safe to repeat. which: columns, such as `why`."""
    summary, ours = LeaseSummary(name), OwnNetworks()
    for batch in waiting_batches(ITEMS_A_BATCH, **which):
        owners = look_up_owners({identifier for _, event in batch for identifier in event.identifiers})
        ready = [
            (pk, event) for pk, event in batch if owner_at(event.identifiers, event.start, owners) != event.identifiers
        ]
        if ready:
            place_leases([event for _, event in ready], summary, ours=ours, no_longer_waiting=[pk for pk, _ in ready])
            summary.placed += len(ready)
    summary.placed -= summary.waiting
    return summary
