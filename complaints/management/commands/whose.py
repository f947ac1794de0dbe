from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from complaints.addresses import address_key, address_text
from complaints.attribution import Holding, Question, attribute
from complaints.attribution.lookup import with_last_holder
from complaints.attribution.times import read_time
from complaints.models import Contract


class Command(BaseCommand):
    help = "Whose was ADDRESS at that time and on that port? Prints one JSON object; exit 2 when the question is bad."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("address", metavar="ADDRESS")
        parser.add_argument("--at", metavar="ISO8601", help="with its zone, as 2026-03-10T12:00:00Z; default: now")
        parser.add_argument("--port", metavar="N", help="the source port, 1 to 65535")

    def handle(self, *, address: str, at: str | None, port: str | int | None, **options: Any) -> None:
        try:
            question = Question(
                address_key(address), read_port(port), read_time(at) if at is not None else timezone.now()
            )
        except ValueError as exc:
            self.stderr.write(f"whose: {exc}")
            sys.exit(2)
        [holding] = attribute([question])
        holding = with_last_holder(question, holding)
        self.stdout.write(json.dumps(as_json(question, holding), indent=2, ensure_ascii=False))


def read_port(given: str | int | None) -> int | None:
    if given is None:
        return None
    text = str(given)
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= 65535):
        raise ValueError(f"{text!r} is not a port from 1 to 65535")
    return int(text)


def as_json(question: Question, holding: Holding) -> dict[str, Any]:
    owner = Contract.objects.select_related("customer")
    contract = owner.get(pk=holding.contract_id) if holding.contract_id else None
    return {
        "address": address_text(question.address),
        "port": question.port,
        "at": iso(question.at),
        "answer": holding.answer,
        "contract": contract.reference if contract else None,
        "customer": contract.customer.reference if contract else None,
        "method": holding.method or None,
        "confidence": holding.confidence,
        "valid_from": iso(holding.valid_from),
        "valid_until": iso(holding.valid_until),
        "candidates": list(holding.candidates),
        "reason": holding.reason,
    }


def iso(at: datetime | None) -> str | None:
    return at.isoformat() if at else None
