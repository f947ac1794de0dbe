"""A feed that grows: read what is new, remember how far, and begin anew when the system began another file."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from django.utils import timezone

from complaints.attribution.importing.leases.feeds import LONGEST_LINE, READERS, Feed, Tell
from complaints.attribution.importing.leases.horizon import Horizon, feed_name
from complaints.attribution.importing.leases.placing import LeaseSummary
from complaints.models import FeedPosition


class Follower:
    """Reads `path` on from where the database says it was read to; `catch_up` as often as one likes.

    A file that was replaced (another inode, or shorter than what was read) is read to its end if it is still open,
    then the new one from its beginning. A line without its end, and a record without its last line, wait.
    """

    def __init__(self, path: str, *, reader: str, feed: str = "", tell: Tell = lambda _line: None) -> None:
        self.path, self.reader_name, self.tell = os.path.realpath(path), reader, tell
        self.horizon = Horizon(feed or feed_name(self.path), reader)
        self.summary = LeaseSummary(path)
        self.stream: BinaryIO | None = None
        self.feed: Feed | None = None

    def catch_up(self, *, until: Callable[[], bool] = lambda: False) -> int:
        """Read all there is; the number of lines. Stops between two lines when `until` says so."""
        lines = 0
        while not until():
            stream, feed = self.opened()
            lines += self.read_on(stream, feed, until)
            if not self.was_replaced(stream):
                break
            feed.items += feed.reader.finish()
            feed.write(at_end=True)
            self.close()
        return lines

    def opened(self) -> tuple[BinaryIO, Feed]:
        if self.stream is None or self.feed is None:
            self.stream = Path(self.path).open("rb")  # noqa: SIM115 - stays open; close() closes it
            position = self.position(self.stream)
            self.stream.seek(position.offset)
            self.feed = Feed(READERS[self.reader_name](position.state), self.summary, self.tell, self.horizon, position)
        return self.stream, self.feed

    def position(self, stream: BinaryIO) -> FeedPosition:
        found = os.fstat(stream.fileno())
        inode = f"{found.st_dev}:{found.st_ino}"
        position = FeedPosition.objects.filter(path=self.path).first() or FeedPosition(path=self.path)
        if position.inode != inode or position.reader != self.reader_name or position.offset > found.st_size:
            position.offset, position.line, position.state = 0, 0, {}
        position.inode, position.reader, position.read_at = inode, self.reader_name, timezone.now()
        return position

    def read_on(self, stream: BinaryIO, feed: Feed, until: Callable[[], bool]) -> int:
        first, at_end = feed.line, False
        while not until():
            begin = stream.tell()
            raw = stream.readline(LONGEST_LINE)
            if not raw.endswith(b"\n") and len(raw) < LONGEST_LINE:
                stream.seek(begin)
                at_end = True
                break
            feed.take(raw)
        if feed.line > first:
            feed.write(at_end=at_end)
        return feed.line - first

    def was_replaced(self, stream: BinaryIO) -> bool:
        mine = os.fstat(stream.fileno())
        try:
            there = os.stat(self.path)
        except FileNotFoundError:
            return False  # between two files: it will come
        return (there.st_dev, there.st_ino) != (mine.st_dev, mine.st_ino) or there.st_size < stream.tell()

    def close(self) -> None:
        if self.stream is not None:
            self.stream.close()
        self.stream = self.feed = None
