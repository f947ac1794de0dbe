import io
from collections.abc import Callable
from typing import Any

from django.utils import timezone

from complaints.cases.flow_files import import_mail_flow
from complaints.management.import_command import ImportCommand, Summary, as_text


class Command(ImportCommand):
    help = (
        "Keep what contracts' mail did, by day (contract,day,messages,queue,failed,bytes). All of the file or nothing."
    )

    def run_import(
        self, raw: io.FileIO, *, name: str, dry_run: bool, progress: Callable[[int], None] | None, **_options: Any
    ) -> Summary:
        return import_mail_flow(as_text(raw), name=name, now=timezone.now(), dry_run=dry_run, progress=progress)
