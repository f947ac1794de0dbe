"""The simulation in a process of its own: `manage.py simulate` sets its environment up and starts it (command.py)."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from datetime import UTC, datetime

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "abusedesk.settings")
START = datetime(2026, 3, 2, tzinfo=UTC)  # a Monday


def main() -> None:
    django.setup()
    from django.conf import settings

    from complaints.demo.simulation.database import fresh_database
    from complaints.demo.simulation.play import play
    from complaints.demo.simulation.scorecard import judge
    from complaints.demo.simulation.world import Plan

    read = argparse.ArgumentParser()
    for name in ("days", "seed", "customers", "sources"):
        read.add_argument(f"--{name}", type=int, required=True)
    read.add_argument("--explain", action="store_true")
    given = read.parse_args()
    plan = Plan(
        given.seed, given.days, given.customers, given.sources, START, settings.BASE_URL, settings.DESK_EMAIL,
        folder=settings.DATA_DIR,
    )  # fmt: skip
    began = time.monotonic()

    def progress(now: datetime) -> None:
        if now.hour == 0 and now.minute == 0:
            took = time.monotonic() - began
            print(f"{now:%Y-%m-%d}: day {(now - START).days} of {plan.days}, {took:.0f} s", file=sys.stderr, flush=True)

    with fresh_database():
        card = judge(play(plan, progress=progress))
    print(json.dumps(card.numbers | ({"worst": card.worst} if given.explain else {}), indent=2))


if __name__ == "__main__":
    main()
