"""`check relay ADDRESS`: one check now, under the safety rules. Without a check's name: Django's own system checks."""

from __future__ import annotations

import json
import sys
import time
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.core.management.commands.check import Command as SystemCheck
from django.db import close_old_connections
from django.utils import timezone

from complaints.addresses import address_key, address_text
from complaints.checking import order_check, refusal, run_now, settle_arrival
from complaints.models import CheckRun

EXIT_CODES = {"clean": 0, "bad": 1, "unknown": 2}
REFUSED = 3


class Command(SystemCheck):
    help = "Run one check now: check relay|dnsbl ADDRESS. Without arguments: Django's system checks."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--port", type=int, help="port of the mail server (relay)")
        parser.add_argument("--consent", action="store_true", help="the holder of the address asked for this check")
        parser.add_argument("--wait", type=float, default=60, help="seconds to wait for a relay probe to come back")

    def handle(self, *args: Any, **options: Any) -> None:
        if not args or args[0] not in ("relay", "dnsbl"):
            super().handle(*args, **options)
            return
        if len(args) != 2:
            raise CommandError("usage: check relay|dnsbl ADDRESS [--port N]")
        try:
            address = address_key(args[1])
        except ValueError as exc:
            raise CommandError(str(exc)) from exc
        sys.exit(self.run_one(args[0], address, options))

    def run_one(self, check: str, address: bytes, options: dict[str, Any]) -> int:
        started = time.monotonic()
        port, now = options["port"], timezone.now()
        rule = refusal(check, address, now=now, case=None, consent=options["consent"], port=port)
        run = None if rule else order_check(check, address, port=port, now=now)
        if run:
            run_now(run)
            self.wait_for_probe(run, options["wait"])
            run.refresh_from_db()
        found = {
            "check": check,
            "address": address_text(address),
            "port": run.port or None if run else port,
            "verdict": (run.verdict or "unknown") if run else None,
            "reason": rule or (run.reason if run else ""),
            "details": run.details if run else {},
            "seconds": round(time.monotonic() - started, 2),
        }
        self.stdout.write(json.dumps(found))
        return EXIT_CODES[found["verdict"]] if run else REFUSED

    def wait_for_probe(self, run: CheckRun, patience_s: float) -> None:
        """Another process of the desk receives the probe; we look whether its arrival was recorded."""
        give_up = time.monotonic() + patience_s
        while time.monotonic() < give_up:
            run.refresh_from_db()
            if run.state != CheckRun.State.WAITING or settle_arrival(run.pk, now=timezone.now()):
                return
            close_old_connections()
            time.sleep(0.5)
