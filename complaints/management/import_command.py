"""What the import commands have in common: a file in, a JSON summary out, or the faults and exit 1.

When an import changed who held what, the complaints that it touches are asked about again, and what would move is
proposed on the desk.
"""

from __future__ import annotations

import io
import json
import os
import signal
import sys
import threading
from argparse import ArgumentParser
from collections.abc import Callable
from typing import Any, Protocol

from django.core.management.base import BaseCommand
from django.utils import timezone

from complaints import tasks
from complaints.attribution.importing import ImportRefused
from complaints.attribution.importing.leases.feeds import import_feed
from complaints.attribution.importing.leases.follow import Follower
from complaints.attribution.importing.leases.horizon import feed_name
from complaints.attribution.importing.spans import Spans
from complaints.cases.reattribution import propose_reattributions
from complaints.cases.touched import complaints_touched

FEED = "files of one source of leases have one name (default: the file's, without dates): how far it has told is kept"
NEW_LINES_EVERY_S = 1.0
MOST_TOLD = 50  # faults of a feed on standard error; all are kept


class Summary(Protocol):
    spans: Spans

    def printed(self) -> dict[str, Any]: ...


class ImportCommand(BaseCommand):
    """`load` takes text: the CSV files of the ISP."""

    load: Callable[..., Any]
    file_name = "F.csv"

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", metavar=self.file_name)
        parser.add_argument("--dry-run", action="store_true", help="check everything, change nothing")

    def handle(self, *, file: str, dry_run: bool, **options: Any) -> None:
        try:
            with io.FileIO(file) as raw:
                progress = Progress(self, raw) if sys.stderr.isatty() else None
                summary = self.run_import(raw, name=file, dry_run=dry_run, progress=progress, **options)
        except ImportRefused as exc:
            self.refuse(exc.faults)
        except OSError as exc:
            self.refuse([f"{file}: cannot be read: {exc.strerror}"])
        else:
            self.conclude(summary, file=file, dry_run=dry_run)

    def run_import(
        self, raw: io.FileIO, *, name: str, dry_run: bool, progress: Callable[[int], None] | None, **_options: Any
    ) -> Summary:
        stream = as_text(raw)
        summary: Summary = type(self).load(stream, name=name, dry_run=dry_run, progress=progress)
        return summary

    def conclude(self, summary: Summary, *, file: str, dry_run: bool) -> None:
        printed = summary.printed()
        if not dry_run:
            printed |= ask_again(summary.spans, because=f"{os.path.basename(file)} was imported")
        self.stdout.write(json.dumps(printed))

    def refuse(self, faults: list[str]) -> None:
        for fault in faults:
            self.tell(fault)
        sys.exit(1)

    def tell(self, fault: str) -> None:
        self.stderr.write(fault.encode("utf-8", "backslashreplace").decode())  # a fault quotes what stood there


class FeedCommand(ImportCommand):
    """`reader` names the format: files that other systems write, and go on writing."""

    reader: str
    file_name = "FILE"
    told = 0

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--feed", default="", metavar="NAME", help=FEED)
        parser.add_argument(
            "--follow", action="store_true", help="go on reading what is added, and remember how far after a restart"
        )

    def handle(self, *, file: str, dry_run: bool, **options: Any) -> None:
        if options.pop("follow") and not dry_run:
            return self.follow(file, options["feed"])
        return super().handle(file=file, dry_run=dry_run, **options)

    def run_import(
        self, raw: io.FileIO, *, name: str, dry_run: bool, progress: Callable[[int], None] | None, **options: Any
    ) -> Summary:
        return import_feed(
            io.BufferedReader(raw),
            reader=self.reader,
            name=name,
            feed=options["feed"] or feed_name(os.path.realpath(name)),
            dry_run=dry_run,
            progress=progress,
            tell=self.tell_some,
        )

    def tell_some(self, fault: str) -> None:
        self.told += 1
        if self.told <= MOST_TOLD:
            self.tell(fault)
        elif self.told == MOST_TOLD + 1:
            self.tell("… more cannot be read: all are in the admin under feed faults")

    def follow(self, file: str, feed: str = "") -> None:
        """Until SIGTERM or Ctrl-C, which let it finish the line that it is at."""
        ended = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: ended.set())
        follower = Follower(file, reader=self.reader, feed=feed, tell=self.tell_some)
        while not ended.is_set():
            try:
                lines = follower.catch_up(until=ended.is_set)
            except FileNotFoundError:
                lines = 0  # it will be there
            if lines:
                spans, follower.summary.spans = follower.summary.spans, Spans()
                ask_again(spans, because=f"{os.path.basename(file)} was followed")
            ended.wait(0 if lines else NEW_LINES_EVERY_S)
        self.stdout.write(json.dumps(follower.summary.printed()))


class Progress:
    """A line on the terminal: how much of the file is read. Called with the number of lines."""

    def __init__(self, command: BaseCommand, file: io.FileIO) -> None:
        self.command, self.file = command, file
        self.size = os.fstat(file.fileno()).st_size

    def __call__(self, lines: int) -> None:
        read = os.lseek(self.file.fileno(), 0, os.SEEK_CUR)
        share = f"{read * 100 // self.size} %, " if self.size else ""
        self.command.stderr.write(f"\r{share}{lines:,} lines read \r", ending="")


def as_text(raw: io.RawIOBase) -> io.TextIOWrapper:
    return io.TextIOWrapper(io.BufferedReader(raw), encoding="utf-8-sig", errors="surrogateescape", newline="")


def ask_again(spans: Spans, *, because: str) -> dict[str, dict[str, int]]:
    """What came of asking about the complaints in these spans; nothing when there are none."""
    if not spans:
        return {}
    looked = propose_reattributions(complaints_touched(spans), because=because, now=timezone.now(), actor="import")
    tasks.wake(tasks.advance_cases, looked.cases)
    if not looked.asked:
        return {}
    return {"complaints": {"asked": looked.asked, "filed": looked.filed, "proposed": looked.proposed}}
