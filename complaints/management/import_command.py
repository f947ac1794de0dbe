"""What the import commands have in common: a file in, a JSON summary out, or the faults and exit 1."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from collections.abc import Callable
from typing import Any

from django.core.management.base import BaseCommand

from complaints.attribution.importing import ImportRefused, Summary


class ImportCommand(BaseCommand):
    load: Callable[..., Summary]

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", metavar="F.csv")
        parser.add_argument("--dry-run", action="store_true", help="check everything, change nothing")

    def handle(self, *, file: str, dry_run: bool, **options: Any) -> None:
        progress = self.show_progress if sys.stderr.isatty() else None
        try:
            with open(file, encoding="utf-8-sig", errors="surrogateescape", newline="") as stream:
                summary = type(self).load(stream, name=file, dry_run=dry_run, progress=progress)
        except ImportRefused as exc:
            self.refuse(exc.faults)
        except OSError as exc:
            self.refuse([f"{file}: cannot be read: {exc.strerror}"])
        else:
            self.stdout.write(json.dumps(summary.printed()))

    def refuse(self, faults: list[str]) -> None:
        for fault in faults:
            self.stderr.write(fault.encode("utf-8", "backslashreplace").decode())  # a fault quotes what stood there
        sys.exit(1)

    def show_progress(self, lines: int) -> None:
        self.stderr.write(f"\r{lines:,} lines read \r", ending="")
