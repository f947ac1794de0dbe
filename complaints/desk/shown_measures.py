"""How the measures on a case's line stand, in words, and which buttons each has."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from complaints.cases.protection import is_protected_by
from complaints.desk import when, words
from complaints.models import Case, Intervention, Product
from complaints.vocabulary import CaseState

State = Intervention.State
SHOWN = 20
WAITS_FOR_PERSON = words.Word("waits for a colleague", "warn")


def looks(case: Case) -> dict[str, QuerySet[Any]]:
    name = str(case.owner.get("product") or "")
    products = Product.objects.filter(name=name) if name else Product.objects.none()
    return {"measures": case.interventions.order_by("-pk")[:SHOWN], "products": products}


def measures_of(
    case: Case, measures: Sequence[Intervention], products: Sequence[Product], now: datetime
) -> dict[str, Any]:
    """For the case page: the measures, the newest first, each with what may be done to it."""
    return {
        "measures": [measure_row(measure, now) for measure in measures],
        "may_measure": case.state != CaseState.CLOSED,
        "is_protected": is_protected_by(case, products[0] if products else None),
    }


def offered(case: Case) -> dict[str, Any]:
    """For the panel of actions: what may be decided."""
    return {
        "may_measure": case.state != CaseState.CLOSED,
        "measure_kinds": list(words.MEASURES.items()),
    }


def measure_row(measure: Intervention, now: datetime) -> dict[str, Any]:
    waits_for_person = measure.state in (State.APPLYING, State.RELEASING) and not measure.claim
    return {
        "measure": measure,
        "what": words.MEASURES[measure.kind],
        "word": words.Word("waits for a colleague", "warn")
        if waits_for_person
        else words.MEASURE_STATES[measure.state],
        "left": when.until(measure.due_at, now) if measure.state == State.DECIDED and measure.due_at > now else "",
        "may_undo": measure.state in (State.PROPOSED, State.DECIDED),
        "may_second": measure.state == State.PROPOSED,
        "may_release": measure.state == State.IN_FORCE,
        "may_confirm": waits_for_person,
    }
