"""A customer: contracts, lines, contacts, cases, measures and letters on one page."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime
from typing import Any

from django.db.models import F, Q, QuerySet, Window
from django.db.models.functions import RowNumber
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET

from complaints.addresses import prefix_text
from complaints.cases.ladder import PastCase, points_of
from complaints.desk import when, words
from complaints.desk.access import part_page, visible
from complaints.desk.case_page import case_word
from complaints.models import Assignment, Case, Contract, Customer, Intervention, Notice, User
from complaints.models.assignments import ALL_PORTS
from complaints.vocabulary import Category, MeasureKind, Resolution

MOST_CONTRACTS, MOST_LINES, MOST_CASES, MOST_LETTERS = 50, 12, 30, 15
LIVE = (
    Intervention.State.PROPOSED, Intervention.State.DECIDED, Intervention.State.APPLYING, Intervention.State.IN_FORCE,
    Intervention.State.RELEASE_DUE, Intervention.State.RELEASING, Intervention.State.FAILED,
)  # fmt: skip


@part_page
@require_GET
def customer_page(request: HttpRequest, pk: int) -> HttpResponse:
    user: User = request.user  # type: ignore[assignment]
    customer, now = get_object_or_404(visible(user, Customer), pk=pk), timezone.now()
    theirs = visible(user, Contract).filter(customer=customer).prefetch_related("contacts")
    contracts = list(theirs.order_by("reference")[: MOST_CONTRACTS + 1])
    shown = contracts[:MOST_CONTRACTS]
    ids = [contract.pk for contract in shown]
    cases = list(
        visible(user, Case).filter(contract__in=ids).select_related("contract").order_by("-opened_at")[: MOST_CASES + 1]
    )
    measures = visible(user, Intervention).filter(contract__in=ids, state__in=LIVE).select_related("case", "contract")
    letters = Notice.objects.filter(case__in=[case.pk for case in cases]).select_related("case")
    lines = lines_of(visible(user, Assignment).filter(contract__in=ids), now)
    past = past_of(visible(user, Case).filter(contract__in=ids))
    context = {
        "nav": "customers",
        "customer": customer,
        "contracts": [contract_row(each, lines.get(each.pk, []), past.get(each.pk, []), now) for each in shown],
        "more_contracts": len(contracts) > MOST_CONTRACTS,
        "cases": [case_row(case, now) for case in cases[:MOST_CASES]],
        "more_cases": len(cases) > MOST_CASES,
        "measures": [measure_row(each) for each in measures.order_by("-pk")[:MOST_CASES]],
        "letters": [
            {"letter": each, "title": words.NOTICES.get(each.step, each.step.replace("_", " ").capitalize())}
            for each in letters.defer("text", "html").order_by("-pk")[:MOST_LETTERS]
        ],
    }
    return render(request, "desk/customer.html", context)


@part_page
@require_GET
def contract_page(request: HttpRequest, pk: int) -> HttpResponse:
    contract = get_object_or_404(visible(request.user, Contract), pk=pk)
    response = redirect("desk:customer", contract.customer_id)
    response["Location"] += f"#contract-{contract.pk}"
    return response


def contract_row(contract: Contract, lines: list[Assignment], past: list[PastCase], now: datetime) -> dict[str, Any]:
    return {
        "contract": contract,
        "in_charge": contract.person_in_charge(),
        "lines": [line_row(line) for line in lines[:MOST_LINES]],
        "more_lines": len(lines) > MOST_LINES,
        "points": points_of(past, now=now),
    }


def lines_of(lines: QuerySet[Assignment], now: datetime) -> dict[int, list[Assignment]]:
    """What each holds now, one more than is shown."""
    nth = Window(RowNumber(), partition_by=[F("contract")], order_by=["key", "port_first"])
    held = lines.filter(Q(valid_until=None) | Q(valid_until__gt=now))
    found: dict[int, list[Assignment]] = defaultdict(list)
    for line in held.filter(valid_from__lte=now).annotate(nth=nth).filter(nth__lte=MOST_LINES + 1):
        found[line.contract_id].append(line)
    return found


def line_row(line: Assignment) -> dict[str, Any]:
    prefix = prefix_text(bytes(line.key))
    ports = "" if (line.port_first, line.port_last) == ALL_PORTS else f"{line.port_first} to {line.port_last}"
    return {"line": line, "prefix": prefix, "address": prefix.partition("/")[0], "ports": ports}


def past_of(cases: QuerySet[Case]) -> dict[int, list[PastCase]]:
    found: dict[int, list[PastCase]] = defaultdict(list)
    closed = cases.filter(closed_at__isnull=False)
    for contract, category, resolution, at in closed.values_list("contract", "category", "resolution", "closed_at"):
        if at is not None:
            found[contract].append(PastCase(Category(category), Resolution(resolution), at))
    return found


def case_row(case: Case, now: datetime) -> dict[str, Any]:
    return {"case": case, "word": case_word(case), "age": when.age(case.opened_at, now)}


def measure_row(measure: Intervention) -> dict[str, Any]:
    return {
        "measure": measure,
        "what": words.MEASURES[MeasureKind(measure.kind)],
        "word": words.MEASURE_STATES[measure.state],
    }
