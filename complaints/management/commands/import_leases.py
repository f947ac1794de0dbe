import io
import os
from argparse import ArgumentParser
from collections.abc import Callable
from typing import Any

from complaints.attribution.importing.leases.feeds import import_leases
from complaints.attribution.importing.leases.horizon import feed_name
from complaints.management.import_command import FEED, ImportCommand, Summary, as_text


class Command(ImportCommand):
    help = "Read leases as CSV (docs/imports.md). A fault anywhere refuses the whole file; unknown identifiers wait."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--feed", default="", metavar="NAME", help=FEED)

    def run_import(
        self, raw: io.FileIO, *, name: str, dry_run: bool, progress: Callable[[int], None] | None, **options: Any
    ) -> Summary:
        def open_lines() -> io.TextIOWrapper:
            raw.seek(0)
            return as_text(io.FileIO(raw.fileno(), closefd=False))

        feed = options["feed"] or feed_name(os.path.realpath(name))
        return import_leases(open_lines, name=name, feed=feed, dry_run=dry_run, progress=progress)
