"""An answer as plain data: what `manage.py whose` and the API print, and what history keeps. One shape for all."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from complaints.addresses import address_text
from complaints.attribution.answers import Holding, Question
from complaints.attribution.chain import attribute
from complaints.models import Contract
from complaints.vocabulary import Answer


def whose(question: Question) -> dict[str, Any]:
    """The answer to one question as JSON values: DESIGN section 8."""
    [holding] = attribute([question])
    contracts = Contract.objects.select_related("customer")
    contract = contracts.get(pk=holding.contract_id) if holding.contract_id else None
    return {
        "address": address_text(question.address),
        "port": question.port,
        "at": iso(question.at),
        **answer_record(holding, contract),
    }


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
