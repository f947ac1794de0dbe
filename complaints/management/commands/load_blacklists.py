import dataclasses
import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from complaints.blacklists import load_catalogue
from complaints.checks import BadCatalogue


class Command(BaseCommand):
    help = "Bring the shipped blacklists into the catalogue. What this site has changed stays. Prints a JSON summary."

    def handle(self, **_options: Any) -> None:
        try:
            loaded = load_catalogue()
        except BadCatalogue as exc:
            raise CommandError(str(exc)) from exc
        self.stdout.write(json.dumps(dataclasses.asdict(loaded)))
