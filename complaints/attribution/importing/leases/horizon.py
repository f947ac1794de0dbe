"""How far a feed has told, noted with what it told: complaints/attribution/feeds.py asks for it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime

from django.utils import timezone

from complaints.attribution.importing.leases.events import Item, LeaseEvent, Restart, Session
from complaints.models import LeaseFeed

MOST_NAME = 300
LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)  # nothing was told yet
# Of a rotated file's name: dates, with or without a time, and the number of a log that was put aside.
DATED = re.compile(r"20\d\d[-_.]?[01]\d[-_.]?[0-3]\d(?:[-_.T]?[0-2]\d(?:[-_.:]?[0-5]\d){0,2})?|\.\d{1,3}$")


class Horizon:
    """The newest event read of one feed, kept in the row of that feed by `save`."""

    def __init__(self, name: str, reader: str) -> None:
        self.name, self.reader = name[-MOST_NAME:], reader
        self.newest: datetime | None = None
        self.row: LeaseFeed | None = None

    def id(self) -> int:
        """Of the feed's row, which is made on first use and has told nothing before `save`."""
        if self.row is None:
            began = {"reader": self.reader, "told_until": LONG_AGO, "heard_at": timezone.now()}
            self.row, _ = LeaseFeed.objects.get_or_create(name=self.name, defaults=began)
        return self.row.pk

    def note(self, items: Iterable[Item]) -> None:
        for item in items:
            at = moment_of(item)
            if at and (self.newest is None or at > self.newest):
                self.newest = at

    def save(self) -> None:
        """All that was noted is stored, or is being stored in this transaction. Never back, and never the future:
        one clock that is ahead would vouch for what nobody has told.
        """
        if self.newest is None:
            return
        now = timezone.now()
        told = min(self.newest, now)
        LeaseFeed.objects.filter(pk=self.id(), told_until__lt=told).update(told_until=told, heard_at=now)


def moment_of(item: Item) -> datetime | None:
    if isinstance(item, LeaseEvent):
        return item.said_at
    return item.at if isinstance(item, Session | Restart) else None


def feed_name(path: str) -> str:
    """One name for all files of a log that is begun anew every day."""
    return DATED.sub("*", path)[-MOST_NAME:]
