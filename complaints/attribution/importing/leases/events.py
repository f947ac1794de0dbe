"""What the readers of lease feeds say, whatever the feed looks like. Pure."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

Identifier = tuple[str, str]  # kind and value, as LineIdentifier has them
ALL_PORTS = (0, 65535)


class LeaseEvent(NamedTuple):
    """Somebody had `key` from `start` until before `stop` (None: nobody knows yet), as was true at `said_at`.

    identifiers: whose it was, the surest first; the first one that is known decides.
    renews: the feed writes a new start when a lease goes on (DHCP), so a start inside a lease continues it;
    else every start is a session of its own (RADIUS).
    feed: id of the LeaseFeed that says it.
    seen: a word from the middle of a session, of which nobody said when it began: no news behind its Stop.
    ends_only: all sessions of an access server end; what had ended before did so then.
    """

    identifiers: tuple[Identifier, ...]
    key: bytes
    start: datetime
    stop: datetime | None
    said_at: datetime
    renews: bool
    source: str  # file and line
    method: str = "lease"
    port_first: int = ALL_PORTS[0]
    port_last: int = ALL_PORTS[1]
    feed: int | None = None
    seen: bool = False
    ends_only: bool = False


class Session(NamedTuple):
    """A RADIUS accounting record. `start`: as far as this record itself tells; `keys`: may be missing in a Stop."""

    nas: str
    session: str
    identifiers: tuple[Identifier, ...]
    keys: tuple[bytes, ...]
    start: datetime | None
    at: datetime
    stopped: bool
    source: str
    begins: bool = False  # it is the Start itself


class Restart(NamedTuple):
    """The access server lost all its sessions that began before `at` (Accounting-On and Accounting-Off)."""

    nas: str
    at: datetime
    source: str


class Fault(NamedTuple):
    """A record that cannot be read; it is kept."""

    source: str
    text: str
    reason: str


Item = LeaseEvent | Session | Restart | Fault
