"""RADIUS sessions: what accounting records mean once it is known which sessions are open. Runs in a transaction."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta

from complaints.attribution.importing.leases.events import Identifier, Item, LeaseEvent, Restart, Session
from complaints.attribution.times import EARLIEST
from complaints.models import OpenSession

Name = tuple[str, str]  # access server and session
Open = dict[bytes, tuple[tuple[Identifier, ...], datetime]]  # by prefix: whose, and since when
NAMES_A_QUERY = 500
WAITED_FOR = timedelta(days=30)  # the Start of a session whose Stop was read first
NO_KEY = b""


class Sessions:
    """The sessions of a batch as they are after each of its records; `save` writes what changed."""

    def __init__(self, items: Sequence[Item]) -> None:
        self.open: dict[Name, Open] = {}
        self.stopped: dict[Name, datetime] = {}  # whose Stop came before all else
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
                if row.stopped_at is not None:
                    self.stopped[row.nas, row.session] = row.stopped_at
                    continue
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
        name = item.nas, item.session
        known = self.open.setdefault(name, {})
        if item.stopped and not known and not (item.start and item.keys):
            self.stopped.setdefault(name, item.at)
            return
        if (stop := self.stopped.get(name)) is not None:
            if item.at <= stop and not item.stopped:
                yield from ended(item, stop)
                return
            del self.stopped[name]  # the access server uses the name for another session
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
        rows = OpenSession.objects.filter(nas=item.nas, started_at__lt=item.at, stopped_at=None)
        self.remember(rows.iterator())
        for (nas, _), known in self.open.items():
            if nas == item.nas:
                for key, (identifiers, start) in list(known.items()):
                    if start < item.at:
                        del known[key]
                        yield LeaseEvent(identifiers, key, start, item.at, item.at, False, item.source, ends_only=True)

    def save(self) -> None:
        now: dict[tuple[str, str, bytes], tuple[tuple[Identifier, ...], datetime, datetime | None]] = {
            (*name, key): (*of, None) for name, known in self.open.items() for key, of in known.items()
        }
        now |= {(*name, NO_KEY): ((), at, at) for name, at in self.stopped.items()}
        gone = [pk for name, pk in self.stored.items() if name not in now]
        for start in range(0, len(gone), NAMES_A_QUERY):
            OpenSession.objects.filter(pk__in=gone[start : start + NAMES_A_QUERY]).delete()
        OpenSession.objects.bulk_create(
            OpenSession(nas=nas, session=session, key=key, identifiers=identifiers, started_at=start, stopped_at=stop)
            for (nas, session, key), (identifiers, start, stop) in now.items()
            if (nas, session, key) not in self.stored
        )


def ended(item: Session, stop: datetime) -> Iterator[LeaseEvent]:
    """A record of a session of which it is known when it stopped."""
    for key in item.keys:
        yield LeaseEvent(item.identifiers, key, item.start or item.at, stop, stop, False, item.source)


def forget_stops(*, now: datetime) -> int:
    """Once a night: Stops whose Start nobody has told for a month."""
    return OpenSession.objects.filter(stopped_at__lt=now - WAITED_FOR).delete()[0]


def in_time(item: Item) -> tuple[datetime, bool]:
    """A Stop that says neither since when nor where means nothing before its Start. Leases and faults stay in order."""
    if isinstance(item, Session | Restart):
        return item.at, isinstance(item, Session) and item.stopped
    return EARLIEST, False
