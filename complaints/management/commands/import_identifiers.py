from typing import Any

from complaints.attribution.importing import Summary, import_identifiers, place_waiting
from complaints.management.import_command import ImportCommand


class Command(ImportCommand):
    help = (
        "Read users, hardware addresses and other identifiers of contracts. All of the file or nothing of it; then "
        "leases that waited for them are placed."
    )
    load = import_identifiers

    def run_import(self, *args: Any, **options: Any) -> Summary:
        summary = super().run_import(*args, **options)
        assert isinstance(summary, Summary)
        if not options["dry_run"]:
            placed = place_waiting()
            summary.placed, summary.spans = placed.placed, placed.spans
        return summary
