"""RADIUS sessions: what accounting records mean once it is known which sessions are open. Runs in a transaction."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from complaints.attribution.importing.leases.events import Identifier, Item, LeaseEvent, Restart, Session
from complaints.attribution.times import EARLIEST
from complaints.models import OpenSession

Name = tuple[str, str]  # access server and session
Open = dict[bytes, tuple[tuple[Identifier, ...], datetime]]  # by prefix: whose, and since when
NAMES_A_QUERY = 500


class Sessions:
    """The sessions of a batch as they are after each of its records; `save` writes what changed."""

    def __init__(self, items: Sequence[Item]) -> None:
        self.open: dict[Name, Open] = {}
        self.stored: dict[tuple[str, str, bytes], int] = {}
        self.load({(item.nas, item.session) for item in items if isinstance(item, Session)})

    def load(self, names: Iterable[Name]) -> None:
        by_server: dict[str, list[str]] = {}
        for nas, session in sorted(names):
            by_server.setdefault(nas, []).append(session)
        for nas, sessions in by_server.items():
            for start in range(0, len(sessions), NAMES_A_QUERY):
                some = sessions[start : start + NAMES_A_QUERY]
                self.remember(OpenSession.objects.filter(nas=nas, session__in=some))

    def remember(self, rows: Iterable[OpenSession]) -> None:
        for row in rows:
            key = bytes(row.key)
            if (row.nas, row.session, key) not in self.stored:
                self.stored[row.nas, row.session, key] = row.pk
                identifiers = tuple((kind, value) for kind, value in row.identifiers)
                self.open.setdefault((row.nas, row.session), {})[key] = (identifiers, row.started_at)

    def events(self, items: Iterable[Item]) -> Iterator[LeaseEvent]:
        for item in sorted(items, key=in_time):
            if isinstance(item, LeaseEvent):
                yield item
            elif isinstance(item, Session):
                yield from self.of_record(item)
            elif isinstance(item, Restart):
                yield from self.of_restart(item)

    def of_record(self, item: Session) -> Iterator[LeaseEvent]:
        known = self.open.setdefault((item.nas, item.session), {})
        for key in item.keys or tuple(known):
            began = item.start or item.at
            is_seen = key not in known and item.start is None and not (item.begins or item.stopped)
            identifiers, start = known.get(key, (item.identifiers, began))
            if began < start:  # the Start comes after a record from the middle that did not tell since when
                yield LeaseEvent(identifiers, key, began, start, began, True, item.source)
                start = began
            known[key] = (identifiers, start)
            stop = item.at if item.stopped else None
            yield LeaseEvent(
                identifiers, key, start, stop, item.at, False, item.source, seen=is_seen and not item.begins
            )
        if item.stopped:
            known.clear()

    def of_restart(self, item: Restart) -> Iterator[LeaseEvent]:
        self.remember(OpenSession.objects.filter(nas=item.nas, started_at__lt=item.at).iterator())
        for (nas, _), known in self.open.items():
            if nas == item.nas:
                for key, (identifiers, start) in list(known.items()):
                    if start < item.at:
                        del known[key]
                        yield LeaseEvent(identifiers, key, start, item.at, item.at, False, item.source, ends_only=True)

    def save(self) -> None:
        now = {(*name, key): of for name, known in self.open.items() for key, of in known.items()}
        gone = [pk for name, pk in self.stored.items() if name not in now]
        for start in range(0, len(gone), NAMES_A_QUERY):
            OpenSession.objects.filter(pk__in=gone[start : start + NAMES_A_QUERY]).delete()
        OpenSession.objects.bulk_create(
            OpenSession(nas=nas, session=session, key=key, identifiers=identifiers, started_at=start)
            for (nas, session, key), (identifiers, start) in now.items()
            if (nas, session, key) not in self.stored
        )


def in_time(item: Item) -> tuple[datetime, bool]:
    """A Stop that says neither since when nor where means nothing before its Start. Leases and faults stay in order."""
    if isinstance(item, Session | Restart):
        return item.at, isinstance(item, Session) and item.stopped
    return EARLIEST, False
