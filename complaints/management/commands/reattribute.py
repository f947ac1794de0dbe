"""By hand: ask about all complaints of a period again, as after an import that corrected the past."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from complaints import tasks
from complaints.attribution.lookup import names_of
from complaints.attribution.records import iso
from complaints.attribution.times import read_time
from complaints.cases.asking import Asked
from complaints.cases.reattribution import preview, propose_reattributions
from complaints.cases.touched import BEGIN, complaints_between


class Command(BaseCommand):
    help = (
        "Ask again whose the addresses of stored complaints were. Complaints without a case that have an owner now "
        "are filed; others are only proposed to be moved, on the page Corrections. Prints a JSON summary."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--since", metavar="ISO8601", help="received at or after, with its zone; default: all")
        parser.add_argument("--until", metavar="ISO8601", help="received before, with its zone; default: now")
        parser.add_argument("--because", default="asked by hand", help="shown with each proposal")
        parser.add_argument(
            "--dry-run", action="store_true", help="change nothing; print a line of JSON for each that would change"
        )

    def handle(self, *, since: str | None, until: str | None, because: str, dry_run: bool, **_options: Any) -> None:
        now = timezone.now()
        found = complaints_between(read(since, BEGIN), read(until, now))
        if dry_run:
            for asked in preview(found):
                self.stdout.write(json.dumps(as_line(asked), ensure_ascii=False))
            return
        looked = propose_reattributions(found, because=because, now=now, actor="reattribute")
        tasks.wake(tasks.advance_cases, looked.cases)
        shown = {"asked": looked.asked, "filed": looked.filed, "proposed": looked.proposed}
        self.stdout.write(json.dumps(shown | {"cases": len(looked.cases)}))


def read(text: str | None, default: datetime) -> datetime:
    if text is None:
        return default
    try:
        return read_time(text)
    except ValueError as exc:
        raise CommandError(str(exc)) from exc


def as_line(asked: Asked) -> dict[str, Any]:
    complaint, holding = asked.complaint, asked.holding
    reference = names_of([holding.contract_id])[holding.contract_id] if holding.contract_id else None
    return {
        "complaint": complaint.pk,
        "address": complaint.address_text,
        "seen_at": iso(complaint.seen_at),
        "case": complaint.case_id,
        "was": {"answer": complaint.answer, "contract": complaint.contract.reference if complaint.contract else None},
        "is": {"answer": holding.answer.value, "contract": reference, "reason": holding.reason},
    }
