"""`manage.py parse FILE… | -`: what the formats read in complaint mails, as JSON, one object a file. No database."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from datetime import datetime
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from complaints.diagnosis import diagnose_complaint
from complaints.formats import read_message
from complaints.vocabulary import Disposition, ParsedComplaint, ParsedMessage

FIELDS = (
    "category", "feedback_type", "source_ip", "source_port", "arrival_date", "reported_domains", "reported_uris",
    "original_mail_from", "original_rcpt_to", "original_message_id", "original_subject", "reporter", "user_agent",
    "version", "auth_failure", "delivery_result",
)  # fmt: skip


class Command(BaseCommand):
    help = "Read complaint mails and print what they say, one JSON object a file. Needs no database."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("files", nargs="+", metavar="FILE", help="a mail; - is the standard input")

    def handle(self, *args: Any, **options: Any) -> None:
        opened = 0
        for name in options["files"]:
            try:
                raw = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
            except OSError as exc:
                found = ParsedMessage(format=None, disposition=Disposition.UNREADABLE, problem=exc.strerror or str(exc))
            else:
                opened += 1
                found = read_message(raw)
            self.stdout.write(json.dumps(as_json(name, found), ensure_ascii=False))
        if not opened:
            raise CommandError("none of the files could be opened")


def as_json(name: str, found: ParsedMessage) -> dict[str, Any]:
    return {
        "file": name,
        "format": found.format,
        "disposition": found.disposition,
        "problem": found.problem,
        "complaints": [complaint_as_json(complaint) for complaint in found.complaints],
    }


def complaint_as_json(complaint: ParsedComplaint) -> dict[str, Any]:
    shown: dict[str, Any] = {name: getattr(complaint, name) for name in FIELDS}
    seen_at: datetime | None = complaint.arrival_date
    shown["arrival_date"] = seen_at.isoformat().replace("+00:00", "Z") if seen_at else None
    guess = diagnose_complaint(complaint)
    # The line that named the address comes first: it is why this contract is meant at all.
    reasons = [complaint.source_reason, *guess.reasons] if complaint.source_reason else list(guess.reasons)
    shown["cause"] = {"guess": guess.cause, "confidence": guess.confidence, "reasons": reasons}
    return shown
