import io
import json
from argparse import ArgumentParser
from collections.abc import Callable
from typing import Any

from complaints.attribution.importing import correct_assignments, import_assignments, place_waiting
from complaints.management.import_command import ImportCommand, Summary, as_text
from complaints.models import WaitingLease


class Command(ImportCommand):
    help = "Read which contract holds which prefix, from when until when. All of the file or nothing of it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--correct",
            action="store_true",
            help="the file is right: what is stored for its prefixes, ports and times gives way, and history keeps it; "
            "with --dry-run every change is printed as a line of JSON",
        )

    def run_import(
        self, raw: io.FileIO, *, name: str, dry_run: bool, progress: Callable[[int], None] | None, **options: Any
    ) -> Summary:
        if options["correct"]:
            show = self.show if dry_run else lambda _change: None
            summary = correct_assignments(as_text(raw), name=name, dry_run=dry_run, progress=progress, show=show)
        else:
            summary = import_assignments(as_text(raw), name=name, dry_run=dry_run, progress=progress)
        if not dry_run:  # what stood in the way of a lease may have ended
            freed = place_waiting(why=WaitingLease.Why.HELD)
            summary.placed = freed.placed or None
            for span in freed.spans:
                summary.spans.add(*span)
        return summary

    def show(self, change: dict[str, Any]) -> None:
        shown = {name: change[name] for name in ("action", "why", "prefix", "before", "after")}
        self.stdout.write(json.dumps(shown, ensure_ascii=False))
