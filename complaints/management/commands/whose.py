from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from complaints.attribution.records import read_question, whose


class Command(BaseCommand):
    help = "Whose was ADDRESS at that time and on that port? Prints one JSON object; exit 2 when the question is bad."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("address", metavar="ADDRESS")
        parser.add_argument("--at", metavar="ISO8601", help="with its zone, as 2026-03-10T12:00:00Z; default: now")
        parser.add_argument("--port", metavar="N", help="the source port, 1 to 65535")

    def handle(self, *, address: str, at: str | None, port: str | int | None, **options: Any) -> None:
        try:
            question = read_question(address, port=port, at=at, now=timezone.now())
        except ValueError as exc:
            self.stderr.write(f"whose: {exc}")
            sys.exit(2)
        self.stdout.write(json.dumps(whose(question), indent=2, ensure_ascii=False))
