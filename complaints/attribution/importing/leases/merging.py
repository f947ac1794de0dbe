"""One more thing that is said about a prefix, fitted into what was said before. Pure.

The order in which news come must not matter, nor that they come twice: `said_at` is the time of the event that
said when a lease ends, and older news do not change it. A lease whose end nobody said lasts until somebody else
has the prefix. Who is unknown counts as somebody: else the one before would be accused of what a stranger did.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Hashable
from datetime import datetime, timedelta
from enum import Enum

from complaints.attribution.importing.leases.events import LeaseEvent

# Starts that are computed from Acct-Session-Time miss the Start record by the seconds that packets travel.
SAME_START = timedelta(seconds=60)


@dataclasses.dataclass(slots=True, eq=False)
class Held:
    """A row on a prefix: an assignment, or a lease that waits for its identifier.

    holder: the contract's id, or the identifiers of an unknown one.
    fixed: not made by a feed, so no feed changes it. pk: None while it is not stored.
    """

    holder: Hashable
    since: datetime
    until: datetime | None
    port_first: int
    port_last: int
    said_at: datetime
    fixed: bool = False
    pk: int | None = None
    method: str = "lease"
    event: LeaseEvent | None = None  # what a waiting one is made of
    feed: int | None = None  # id of the LeaseFeed that said it

    def covers(self, at: datetime) -> bool:
        return self.since <= at and (self.until is None or at < self.until)

    def shares_ports(self, other: LeaseEvent | Held) -> bool:
        return self.port_first <= other.port_last and other.port_first <= self.port_last

    @property
    def is_empty(self) -> bool:
        return self.until is not None and self.until <= self.since


class Placed(Enum):
    DONE = "done"
    OLD = "old"  # known already, or overtaken by newer news
    BLOCKED = "blocked"  # somebody holds it who is not in a feed
    CONTRADICTED = "contradicted"  # another one had the same from the same moment


def holder_of(rows: list[Held], event: LeaseEvent) -> Held | None:
    """Who holds it at the event's start without a feed."""
    return next((row for row in rows if row.fixed and row.shares_ports(event) and row.covers(event.start)), None)


def place(rows: list[Held], event: LeaseEvent, holder: Hashable) -> Placed:
    """Fit the event into `rows` (all of its prefix, in any order), which changes and grows. Empty rows stay in it."""
    near = [row for row in rows if row.shares_ports(event) and not row.is_empty]
    is_known = isinstance(holder, int)
    if is_known and any(r.fixed and r.holder != holder and r.covers(event.start) for r in near):
        return Placed.BLOCKED
    for waiting in near:  # of the same line, from before it was known
        same_line = waiting.event is not None and waiting.event.identifiers == event.identifiers
        if is_known and same_line and not isinstance(waiting.holder, int) and waiting.since == event.start:
            waiting.until = waiting.since
    near = [row for row in near if not row.is_empty]
    row = the_same(near, event, holder)
    if event.ends_only and (row is None or not runs_beyond(row, event.stop)):
        return Placed.OLD
    if row is not None:
        if event.said_at < row.said_at and not (event.renews and event.start < row.since):
            return Placed.OLD
        update(row, event)
        if event.renews:
            join(row, near, event)
    elif tells_nothing(near, event, holder):
        return Placed.OLD
    elif any(not r.fixed and r.since == event.start and r.holder != holder for r in near):
        return Placed.CONTRADICTED
    else:
        ports = (event.port_first, event.port_last)
        row = Held(holder, event.start, event.stop, *ports, event.said_at, method=event.method, event=event)
        row.feed = event.feed
        rows.append(row)
    cut_around(rows, near, row, alone=not event.renews, is_known=is_known)
    return Placed.DONE


def the_same(near: list[Held], event: LeaseEvent, holder: Hashable) -> Held | None:
    """The row that this event is news about."""
    same = [
        row
        for row in near
        if row.holder == holder
        and not row.fixed
        and (row.port_first, row.port_last) == (event.port_first, event.port_last)
    ]
    for row in same:
        if row.since == event.start:
            return row
    for row in same:
        if event.renews:
            if row.since <= event.start and (row.until is None or event.start <= row.until):
                return row
            reaches = event.start < row.since and (event.stop is None or row.since <= event.stop)
            if reaches and not parted(near, holder, event.start, row.since):
                return row
        elif event.said_at > event.start and abs(row.since - event.start) <= SAME_START:
            return row
    return None


def tells_nothing(near: list[Held], event: LeaseEvent, holder: Hashable) -> bool:
    """It lasted no time, or it is a session within one of the same holder that was seen later."""
    if event.stop is not None and event.stop <= event.start:
        return True
    own = [row for row in near if row.holder == holder and not row.fixed and not event.renews]
    if event.seen and any(row.since <= event.start and row.until == row.said_at >= event.start for row in own):
        return True  # a record that came late, or twice, after the Stop
    return any(row.covers(event.start) and row.said_at >= event.said_at for row in own)


def runs_beyond(row: Held, stop: datetime | None) -> bool:
    return row.until is None or (stop is not None and row.until > stop)


def update(row: Held, event: LeaseEvent) -> None:
    if event.said_at >= row.said_at:
        row.until, row.said_at, row.feed = event.stop, event.said_at, event.feed
    if event.renews and event.start < row.since:
        row.since = event.start


def join(row: Held, near: list[Held], event: LeaseEvent) -> None:
    """One lease, of which news from the middle came last: the parts that it touches are one row again."""
    ports = (row.port_first, row.port_last)
    for other in sorted(near, key=lambda each: each.since):
        same = other.holder == row.holder and not other.fixed and (other.port_first, other.port_last) == ports
        if same and other is not row and touch(other, event) and not parted(near, row.holder, row.since, other.since):
            row.since = min(row.since, other.since)
            if other.said_at > row.said_at:
                row.until, row.said_at, row.feed = other.until, other.said_at, other.feed
            other.until = other.since


def parted(near: list[Held], holder: Hashable, one: datetime, other: datetime) -> bool:
    """Whether somebody else began in between."""
    first, last = min(one, other), max(one, other)
    return any(row.holder != holder and first < row.since < last and not row.is_empty for row in near)


def touch(row: Held, event: LeaseEvent) -> bool:
    return (row.until is None or event.start <= row.until) and (event.stop is None or row.since <= event.stop)


def cut_around(rows: list[Held], near: list[Held], row: Held, *, alone: bool, is_known: bool) -> None:
    """End what runs into `row`, and `row` where the next one begins. What stands fixed is nobody's business
    but of a known holder's: it ends there.
    """
    others = [o for o in near if o is not row and not o.is_empty and (is_known or not o.fixed)]
    for other in [other for other in others if not other.fixed and (alone or other.holder != row.holder)]:
        if other.since < row.since and (other.until is None or other.until > row.since):
            others += later_part(other, row)
            other.until = row.since
    rows += [other for other in others if other not in near]
    begins = [
        other.since
        for other in others
        if other.since > row.since and (other.holder != row.holder or (alone and not other.fixed))
    ]
    if begins and (row.until is None or row.until > min(begins)):
        row.until = min(begins)


def later_part(other: Held, row: Held) -> list[Held]:
    """Somebody else is put in between, but `other` was seen later still: from then on it is theirs again."""
    goes_on = other.until is None or other.until > other.said_at
    if other.holder == row.holder or other.said_at <= row.since or not goes_on:
        return []
    return [dataclasses.replace(other, since=other.said_at, pk=None)]
