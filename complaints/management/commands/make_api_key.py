from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from complaints.api.keys import SCOPES, KeyRefused, make_key
from complaints.api.signed import signing_secret


class Command(BaseCommand):
    help = "Make a key for a program that uses the API. Prints the key: it is shown once and stored nowhere."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", metavar="NAME", help="whose program it is")
        scopes = "; ".join(f"{name}: {text}" for name, text in SCOPES.items())
        parser.add_argument(
            "--scope", action="append", required=True, metavar="SCOPE", help=f"may be repeated. {scopes}"
        )

    def handle(self, *, name: str, scope: list[str], **_options: Any) -> None:
        try:
            key, secret = make_key(name, scopes=scope, actor="make_api_key", now=timezone.now())
        except KeyRefused as exc:
            raise CommandError(str(exc)) from exc
        self.stdout.write(secret)
        if "mail-flow" in scope:  # its calls are signed
            self.stdout.write(f"key {key.pk}, signing secret {signing_secret(key)}")
