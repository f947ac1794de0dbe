import io
from collections.abc import Callable
from typing import Any

from complaints.attribution.importing.leases.feeds import import_leases
from complaints.management.import_command import ImportCommand, Summary, as_text


class Command(ImportCommand):
    help = "Read leases as CSV (docs/imports.md). A fault anywhere refuses the whole file; unknown identifiers wait."

    def run_import(
        self, raw: io.FileIO, *, name: str, dry_run: bool, progress: Callable[[int], None] | None, **_options: Any
    ) -> Summary:
        def open_lines() -> io.TextIOWrapper:
            raw.seek(0)
            return as_text(io.FileIO(raw.fileno(), closefd=False))

        return import_leases(open_lines, name=name, dry_run=dry_run, progress=progress)
