"""Reporters' answers that a machine could not read for sure: a person reads them, with the question beside."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from complaints.attribution.times import read_time
from complaints.cases.transitions import MACHINE
from complaints.desk import when
from complaints.desk.access import desk_page
from complaints.desk.lists import page_below
from complaints.models import ReporterAnswer
from complaints.notices.reporter_answers import settle_answer, waiting_complaints
from complaints.notices.told import Asked, Told
from complaints.tasks import advance_cases, wake

MOST_SHOWN = 20  # complaints of one question
PAGE = 20
Waiting = list[tuple[int, Asked]]


@desk_page
@require_GET
def answers_page(request: HttpRequest) -> HttpResponse:
    unclear = ReporterAnswer.objects.filter(state=ReporterAnswer.State.UNCLEAR).select_related("mail__reporter")
    answers, more = page_below(unclear, "id", request.GET.get("below"), page=PAGE)
    now = timezone.now()
    context = {
        "nav": "unattributed",
        "tab": "answers",
        "rows": [
            (answer, when.age(answer.at, now), waiting_complaints(answer.mail)[:MOST_SHOWN]) for answer in answers
        ],
        "put_away": ReporterAnswer.objects.filter(read_by=MACHINE)
        .select_related("mail__reporter")
        .order_by("-pk")[:MOST_SHOWN],
        "is_first": "below" not in request.GET,
        "next": f"?below={answers[-1].pk}" if more else "",
    }
    return render(request, "desk/answers.html", context)


@desk_page
@require_POST
def settle(request: HttpRequest, pk: int) -> HttpResponse:
    """What the analyst read from it, as port-ID and at-ID by complaint; all empty: there is nothing in it."""
    answer = get_object_or_404(ReporterAnswer.objects.select_related("mail"), pk=pk)
    waiting = waiting_complaints(answer.mail)[:MOST_SHOWN]
    try:
        told = {pk: told_in(request.POST, pk, asked) for pk, asked in waiting}
    except ValueError as exc:
        messages.error(request, f"Nothing was changed: {exc}")
        return redirect("desk:answers")
    if answer.state != ReporterAnswer.State.UNCLEAR:
        messages.info(request, "Nothing was changed: somebody has read this answer already.")
        return redirect("desk:answers")
    cases = settle_answer(answer, told, by=request.user.get_username(), now=timezone.now())
    wake(advance_cases, cases)
    messages.success(request, said_of(told, cases))
    return redirect("desk:answers")


def said_of(told: Mapping[int, Told], cases: set[int]) -> str:
    if not any(each != Told() for each in told.values()):
        return "The answer is put aside; what it was asked about goes on waiting."
    return "Asked again: the complaint has its case now." if cases else "Asked again, and it opened no case."


def told_in(given: Mapping[str, Any], pk: int, asked: Asked) -> Told:
    """Raises ValueError for what is no port or no time with a zone."""
    port, at = str(given.get(f"port-{pk}", "")).strip(), str(given.get(f"at-{pk}", "")).strip()
    if port and not (port.isascii() and port.isdigit() and len(port) < 6 and 0 < int(port) < 65536):
        raise ValueError(f"{port[:20]!r} is no port: a number from 1 to 65535 is one.")
    return Told(int(port) if port else None, read_time(at[:60]) if at else None)
