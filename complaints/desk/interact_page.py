"""The panel of a case in which a letter, a note, a deadline, a measure, a move or the end are one submit."""

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
from complaints.desk.case_actions import refuse_stale, tell_asked
from complaints.desk.case_acts import act
from complaints.desk.case_page import show_case
from complaints.desk.forms import RESOLUTIONS
from complaints.desk.interact import DEADLINES, plan_of
from complaints.desk.rights import can
from complaints.desk.words import MEASURES, STATES
from complaints.interacting import MOVES, NothingToDo, Wish, problems_of, stored
from complaints.vocabulary import CaseState, MeasureKind, Resolution

KEPT = "Nothing was done: somebody else moved this case since you opened the page. What you wrote is kept below."


class InteractForm(forms.Form):
    """Every part may be left out. Empty choices leave things as they are."""

    words = forms.CharField(required=False, max_length=5000)
    number = forms.IntegerField(min_value=1, max_value=999_999)
    note = forms.CharField(required=False, max_length=10_000)
    to = forms.TypedChoiceField(
        required=False, empty_value=None, coerce=CaseState,
        choices=[("", ""), *((each.value, "") for each in (*MOVES, CaseState.CLOSED))],
    )  # fmt: skip
    resolution = forms.TypedChoiceField(
        required=False, empty_value=None, coerce=Resolution, choices=[("", ""), *RESOLUTIONS]
    )
    within = forms.TypedChoiceField(
        required=False, empty_value=None, coerce=lambda hours: timedelta(hours=int(hours)),
        choices=[("", ""), *DEADLINES.items()],
    )  # fmt: skip
    measure = forms.TypedChoiceField(
        required=False, empty_value=None, coerce=MeasureKind, choices=[("", ""), *MEASURES.items()]
    )
    reason = forms.CharField(required=False, max_length=2000)

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
    if refused := not_yours(request, wish):
        messages.error(request, f"Nothing was done: {refused}")
        return show_case(request, case, status=403, interact=kept)
    try:
        refuse_stale(request, case)
        if request.POST.get("do") != "send":
            return show_case(request, case, interact=kept | {"plan": plan_of(case, wish, actor=who, now=now)})
        if wish.measure or wish.to is CaseState.ESCALATED:  # there the playbook may cut the line
            confirm_first(request)
        if problems := problems_of(case, wish, actor=who, names=STATES.__getitem__):
            raise NothingToDo(" ".join(problems))
        act(request, case, "interact", stored(wish))
    except StaleCase:
        messages.error(request, KEPT)
        return show_case(request, access_case(request.user, pk), status=409, interact=kept)
    except NothingToDo as exc:
        messages.error(request, f"Nothing was done. {exc}")
        return show_case(request, access_case(request.user, pk), status=409, interact=kept)
    if wish.note:
        tell_asked(request, case, wish.note)
    return redirect("desk:case", pk)


def not_yours(request: HttpRequest, wish: Wish) -> str:
    """What of it is for others to decide, and for whom."""
    if (wish.measure or wish.to is CaseState.ESCALATED) and not can(request.user, "cut_lines"):
        return "measures and escalation are for seniors."
    if wish.to is CaseState.CLOSED and not can(request.user, "close_cases"):
        return "you may not close cases."
    return ""
