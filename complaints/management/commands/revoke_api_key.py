from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from complaints.api.keys import revoke_key


class Command(BaseCommand):
    help = "Revoke the key of a program that uses the API, at once."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", metavar="NAME", help="as it was named when it was made")

    def handle(self, *, name: str, **_options: Any) -> None:
        if not revoke_key(name, now=timezone.now()):
            raise CommandError(f"no key in use is named {name!r}")
        self.stdout.write(f"The key {name!r} is revoked.")
