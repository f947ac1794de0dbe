"""The panel of a case in which a letter, a move, a deadline and a measure are one submit, with a look before it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_POST

from complaints.cases.transitions import StaleCase
from complaints.desk.access import access_case, confirm_first, may
from complaints.desk.case_actions import refuse_stale
from complaints.desk.case_page import show_case
from complaints.desk.interact import DEADLINES, MOVES, Done, NothingToDo, Wish, carry_out, plan_of
from complaints.desk.rights import can
from complaints.desk.words import MEASURES, STATES
from complaints.models import Intervention
from complaints.tasks import advance_cases, deliver_notices, wake
from complaints.vocabulary import CaseState, MeasureKind

KEPT = "Nothing was done: somebody else moved this case since you opened the page. What you wrote is kept below."


class InteractForm(forms.Form):
    """Every part may be left out. Empty choices leave things as they are."""

    words = forms.CharField(required=False, max_length=5000)
    number = forms.IntegerField(min_value=1, max_value=999_999)
    to = forms.TypedChoiceField(
        required=False, empty_value=None, coerce=CaseState, choices=[("", ""), *((each.value, "") for each in MOVES)]
    )
    within = forms.TypedChoiceField(
        required=False, empty_value=None, coerce=lambda hours: timedelta(hours=int(hours)),
        choices=[("", ""), *DEADLINES.items()],
    )  # fmt: skip
    measure = forms.TypedChoiceField(
        required=False, empty_value=None, coerce=MeasureKind, choices=[("", ""), *MEASURES.items()]
    )
    reason = forms.CharField(required=False, max_length=500)

    def wish(self) -> Wish:
        return Wish(**self.cleaned_data)


@may("see_cases", to_post="work_cases")
@require_POST
def interact(request: HttpRequest, pk: int) -> HttpResponse:
    """Without do=send a look at what would happen: the page comes back with all that was typed."""
    case = access_case(request.user, pk)
    form = InteractForm(request.POST)
    kept: dict[str, Any] = {"typed": request.POST}
    if not form.is_valid():
        messages.error(request, "Nothing was done: " + " ".join(str(each[0]) for each in form.errors.values()))
        return show_case(request, case, status=400, interact=kept)
    wish, now, who = form.wish(), timezone.now(), request.user.get_username()
    if (wish.measure or wish.to is CaseState.ESCALATED) and not can(request.user, "cut_lines"):
        messages.error(request, "Nothing was done: measures and escalation are for seniors.")
        return show_case(request, case, status=403, interact=kept)
    try:
        refuse_stale(request, case)
        if request.POST.get("do") != "send":
            return show_case(request, case, interact=kept | {"plan": plan_of(case, wish, actor=who, now=now)})
        if wish.measure or wish.to is CaseState.ESCALATED:  # there the playbook may cut the line
            confirm_first(request)
        done = carry_out(case, wish, actor=who, now=now)
    except StaleCase:
        messages.error(request, KEPT)
        return show_case(request, access_case(request.user, pk), status=409, interact=kept)
    except NothingToDo as exc:
        messages.error(request, f"Nothing was done. {exc}")
        return show_case(request, access_case(request.user, pk), status=409, interact=kept)
    wake(advance_cases, [pk])
    messages.success(request, said(wish, done))
    return redirect("desk:case", pk)


def said(wish: Wish, done: Done) -> str:
    parts = []
    if done.notice:
        wake(deliver_notices, [done.notice.pk])
        parts.append(f"A letter to {done.notice.to_email} is on its way.")
    if wish.to:
        parts.append(f"The case is now: {STATES[wish.to]}.")
    if wish.within and not wish.to:
        parts.append("The deadline is set.")
    if done.measure:
        alone = done.measure.state == Intervention.State.PROPOSED
        parts.append("The measure waits for a second person." if alone else "The measure is decided.")
    return " ".join(parts)
