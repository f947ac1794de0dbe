"""An answer as plain data: what `manage.py whose` and the API print, and what history keeps. One shape for all."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any

from complaints.addresses import address_key, address_text
from complaints.attribution.answers import Holding, Question
from complaints.attribution.chain import attribute
from complaints.attribution.lookup import with_last_holder
from complaints.attribution.times import read_time
from complaints.models import Contract
from complaints.vocabulary import Answer

NOW_MEANS = timedelta(minutes=10)  # who asks about now means the newest that a feed of leases has told
SPACE = re.compile(r"(:\d\d(?:\.\d+)?) (\d\d:?\d\d)$")  # a + of an offset that an address of the web lost


def whose(question: Question) -> dict[str, Any]:
    """The answer to one question as JSON values: what the command, the API and the desk's page say."""
    holding = with_last_holder(question, attribute([question])[0])
    contracts = Contract.objects.select_related("customer")
    contract = contracts.get(pk=holding.contract_id) if holding.contract_id else None
    return {
        "address": address_text(question.address),
        "port": question.port,
        "at": iso(question.at),
        **answer_record(holding, contract),
    }


def read_question(address: str, *, port: str | int | None, at: str | None, now: datetime) -> Question:
    """What a person or a program asks in words. Raises ValueError that says what is wrong, and how it is written."""
    key, number = address_key(address.strip()), read_port(port)
    if not at:
        return Question(key, number, now, feeds_lag=NOW_MEANS)
    return Question(key, number, read_time(SPACE.sub(r"\1+\2", at)))


def read_port(given: str | int | None) -> int | None:
    if given is None or given == "":
        return None
    text = str(given)
    if not (text.isascii() and text.isdigit() and 1 <= int(text[:6]) <= 65535):
        raise ValueError(f"{text[:20]!r} is not a port from 1 to 65535")
    return int(text)


def answer_record(holding: Holding, contract: Contract | None) -> dict[str, Any]:
    """`contract`: the holding's, with its customer."""
    return {
        "answer": holding.answer.value,
        "contract": contract.reference if contract else None,
        "customer": contract.customer.reference if contract else None,
        "method": holding.method or None,
        "confidence": holding.confidence,
        "valid_from": iso(holding.valid_from),
        "valid_until": iso(holding.valid_until),
        "candidates": list(holding.candidates),
        "reason": holding.reason,
    }


def holding_from(record: dict[str, Any], contract_id: int | None) -> Holding:
    """The answer that a record of history keeps."""
    return Holding(
        Answer(record["answer"]),
        contract_id=contract_id,
        method=record["method"] or "",
        confidence=record["confidence"],
        valid_from=moment(record["valid_from"]),
        valid_until=moment(record["valid_until"]),
        candidates=tuple(record["candidates"]),
        reason=record["reason"],
    )


def iso(at: datetime | None) -> str | None:
    return at.isoformat() if at else None


def moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
