import dataclasses
import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from complaints import tasks
from complaints.blacklists import KINDS, BadZoneFile, import_zone_file
from complaints.models import Blacklist


class Command(BaseCommand):
    help = "Compare all assigned addresses with a downloaded zone file of a blacklist (rbldnsd). Prints a JSON summary."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("list", help="the list's name in the catalogue")
        parser.add_argument("file", type=Path, help="the zone file, packed by gzip or not")
        parser.add_argument("--type", choices=KINDS, default="ip4set", help="type of the dataset (default: ip4set)")
        parser.add_argument("--history-only", action="store_true", help="write the history and open no case")

    def handle(self, **options: Any) -> None:
        blacklist = Blacklist.objects.filter(name=options["list"]).first()
        if blacklist is None:
            names = ", ".join(Blacklist.objects.values_list("name", flat=True)) or "none; load_blacklists makes them"
            raise CommandError(f"no blacklist is called {options['list']!r}. There are: {names}")
        try:
            found = import_zone_file(
                blacklist,
                options["file"],
                kind=options["type"],
                now=timezone.now(),
                history_only=options["history_only"],
            )
        except (BadZoneFile, OSError) as exc:
            raise CommandError(f"{options['file']}: {exc}") from exc
        tasks.wake(tasks.advance_cases, found.cases)
        self.stdout.write(json.dumps({"list": blacklist.name, **dataclasses.asdict(found)}))
