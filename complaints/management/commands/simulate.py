from __future__ import annotations

import argparse
import json
import os
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from complaints.demo.simulation.process import BrokeOff, simulate
from complaints.demo.simulation.summary import as_text

MOST_CUSTOMERS = 25_000


class Command(BaseCommand):
    help = (
        "Plays days of a simulated ISP through the whole product in minutes, and holds what it did against the truth. "
        "Uses a database of its own; the desk's own data is not touched. The same seed gives the same scorecard."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--days", type=between(1, 365), default=30)
        parser.add_argument("--seed", type=int, default=1)
        parser.add_argument("--customers", type=between(200, MOST_CUSTOMERS), default=20_000)
        parser.add_argument("--sources", type=between(10, 20_000), default=2_000, help="who complains")
        parser.add_argument("--json", action="store_true", help="the scorecard as one JSON object")
        parser.add_argument("--explain", action="store_true", help="also the worst cases, with the truth")

    def handle(self, *args: Any, **options: Any) -> None:
        numbers = [f"--{name}={options[name]}" for name in ("days", "seed", "customers", "sources")]
        url = os.environ.get("DATABASE_URL", "")
        on_server = url if url.startswith("postgres") else None
        try:
            card = simulate(numbers + ["--explain"] * options["explain"], database_url=on_server)
        except BrokeOff as exc:
            raise CommandError(str(exc)) from exc
        self.stdout.write(json.dumps(card) if options["json"] else as_text(card))


def between(low: int, high: int) -> Any:
    def read(text: str) -> int:
        if not text.isdecimal() or not low <= int(text) <= high:
            raise argparse.ArgumentTypeError(f"{text!r}: a whole number from {low} to {high} is wanted")
        return int(text)

    return read
