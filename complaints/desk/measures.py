"""What a person may do to the measures of a case, and the kill switch."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from complaints.cases.holds import begin_hold, end_hold
from complaints.desk import when
from complaints.desk.access import access_case, confirmed, desk_page, may
from complaints.desk.approvals_page import lasts
from complaints.desk.case_actions import case_action_of, refuse_stale
from complaints.desk.forms import HoldForm, MeasureForm
from complaints.interventions import NotAllowed, ask_release, decide_measure, withdraw_measure
from complaints.interventions.carrying_out import confirm_by_hand
from complaints.interventions.proposals import agree, refuse
from complaints.models import Case, Hold, Intervention
from complaints.tasks import advance_cases, carry_out_measures, wake

State = Intervention.State
BY_HAND = "by-hand"
SHOWN = 20


@case_action_of("cut_lines")
@confirmed
def decide(request: HttpRequest, case: Case) -> None:
    refuse_stale(request, case)
    form = MeasureForm(request.POST)
    if not form.is_valid():
        messages.error(request, " ".join(str(each[0]) for each in form.errors.values()))
        return
    now, who = timezone.now(), request.user.get_username()
    step = f"{BY_HAND}-{case.interventions.count() + 1}"
    undo = timedelta(seconds=settings.MEASURE_UNDO)
    try:
        measure = decide_measure(
            case,
            form.cleaned_data["kind"],
            step=step,
            occurrence=case.stay,
            actor=who,
            reason=form.cleaned_data["reason"],
            now=now,
            undo=undo,
        )
    except NotAllowed as exc:
        messages.error(request, f"Nothing was decided: {exc}.")
        return
    if measure.state == State.PROPOSED:
        messages.info(request, "Proposed. It begins only when a second person agrees.")
    else:
        messages.success(request, f"Decided. It begins {when.until(measure.due_at, now)}; until then it can be undone.")
    wake(advance_cases, [case.pk])


# What a button does, by its name: the verb, and what is said when it is done.
VERBS = {
    "second": (
        lambda measure, who, now, _: agree(
            measure, actor=who, now=now, undo=timedelta(seconds=settings.MEASURE_UNDO), lasts=lasts()
        ),
        "You agreed. The measure begins after the undo time.",
    ),
    "refuse": (
        lambda measure, who, now, reason: refuse(measure, actor=who, reason=reason, now=now),
        "Refused. The line was not touched, and the case says why.",
    ),
    "undo": (
        lambda measure, who, now, _: withdraw_measure(measure, actor=who, reason="Undone at the desk", now=now),
        "Undone. The line was not touched.",
    ),
    "release": (
        lambda measure, who, now, _: ask_release(measure, actor=who, reason="Released at the desk", now=now),
        "The line is being freed.",
    ),
    "confirm": (
        lambda measure, who, now, _: confirm_by_hand(measure, actor=who, now=now),
        "Noted as done.",
    ),
}


@may("see_cases", to_post="cut_lines")
@require_POST
@confirmed
def change(request: HttpRequest, pk: int, verb: str) -> HttpResponse:
    """Back to where the button stood: the case, the tasks or the approvals."""
    if verb not in VERBS:
        raise Http404(f"no such act: {verb}")
    measure = get_object_or_404(Intervention.objects.select_related("case"), pk=pk)
    case = access_case(request.user, measure.case_id)
    act, said = VERBS[verb]
    try:
        act(measure, request.user.get_username(), timezone.now(), request.POST.get("reason", ""))
    except NotAllowed as exc:
        messages.error(request, f"Nothing was changed: {exc}.")
    else:
        messages.success(request, said)
        wake(carry_out_measures, [measure.pk])
        wake(advance_cases, [case.pk])
    came_from = request.POST.get("from")
    return redirect(f"desk:{came_from}") if came_from in ("tasks", "approvals") else redirect("desk:case", case.pk)


@desk_page
@require_GET
def holds_page(request: HttpRequest) -> HttpResponse:
    return render(request, "desk/holds.html", holds_shown(HoldForm()))


def holds_shown(form: HoldForm) -> dict[str, Any]:
    now = timezone.now()
    standing = {hold.what: hold for hold in Hold.objects.filter(ended_at=None)}
    return {
        "nav": "holds",
        "switches": [
            {
                "what": what,
                "name": name,
                "hold": standing.get(what),
                "age": when.age(standing[what].began_at, now) if what in standing else "",
            }
            for what, name in Hold.What.choices
        ],
        "past": Hold.objects.exclude(ended_at=None).order_by("-pk")[:SHOWN],
        "form": form,
    }


def kind_of(what: str) -> Hold.What:
    if what not in Hold.What.values:
        raise Http404(f"no such switch: {what}")
    return Hold.What(what)


@desk_page
@require_POST
def hold(request: HttpRequest, what: str) -> HttpResponse:
    """Anybody may press the switch: a mistake costs minutes. Letting go on is a supervisor's."""
    kind = kind_of(what)
    form = HoldForm(request.POST)
    if not form.is_valid():
        return render(request, "desk/holds.html", holds_shown(form), status=400)
    held = begin_hold(kind, actor=request.user.get_username(), reason=form.cleaned_data["reason"], now=timezone.now())
    messages.warning(request, f"Held: {held.get_what_display()}. What waits is not lost.")
    return redirect("desk:holds")


@may("see_network", to_post="let_go_on")
@require_POST
@confirmed
def go_on(request: HttpRequest, what: str) -> HttpResponse:
    """All mail or all measures that waited go at once."""
    kind = kind_of(what)
    if end_hold(kind, actor=request.user.get_username(), now=timezone.now()):
        messages.success(request, "It goes on. What waited is on its way within seconds.")
    else:
        messages.info(request, "Nothing was held any more.")
    return redirect(reverse("desk:holds"))
