"""Many cases at once: first what would happen to which, then the deed."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from complaints import bulk
from complaints.cases.bulk_rules import HELD_BACK, MOST, UNDO
from complaints.desk import words
from complaints.desk.access import among, can, may
from complaints.desk.acted import ACTED
from complaints.desk.bulk_forms import FOLLOWS, KINDS, form_of
from complaints.models import Case, User
from complaints.tasks import advance_cases, carry_out_actions, wake, wake_at
from complaints.vocabulary import CaseState


@may("see_cases", to_post="work_cases")
@require_POST
def bulk_page(request: HttpRequest) -> HttpResponse:
    """Without `do` a preview; with it the deed, which leaves out what the preview left out, and what changed since."""
    user: User = request.user  # type: ignore[assignment]
    kind, stays = request.POST.get("kind", ""), picked(request)
    if kind not in KINDS or (kind == "close" and not can(user, "close_cases")):
        messages.error(request, "Choose what to do with the selected cases.")
        return back_to(request)
    if not stays:
        messages.error(request, "No case was selected: tick some, or press x on them, then choose.")
        return back_to(request)
    if len(stays) > MOST:
        messages.error(request, f"{len(stays)} cases are too many at once: {MOST} are allowed.")
        return back_to(request)
    cases = list(among(user, Case.objects.filter(pk__in=stays)).select_related("assignee").order_by("-priority", "id"))
    given: Any = request.POST if "do" in request.POST else None
    if kind == "assign" and request.GET.get("to") == "me":
        given = {"to": user.username}
    form = form_of(kind, user, given)
    is_clear = form.is_bound and form.is_valid()
    options = dict(form.cleaned_data) if is_clear else {}
    looked = bulk.look(kind, cases, stays=stays, options=options)
    if is_clear:
        return deed(request, kind, looked, options, stays)
    return preview(request, kind, looked, form, stays)


def picked(request: HttpRequest) -> dict[int, int]:
    """Case id → stay as the page showed it. Nonsense is left out."""
    found = {}
    for each in request.POST.getlist("case"):
        pk, _, stay = each.partition(".")
        if pk.isascii() and pk.isdigit() and stay.isascii() and stay.isdigit() and len(pk) < 19 and len(stay) < 10:
            found[int(pk)] = int(stay)
    return found


def preview(
    request: HttpRequest, kind: str, looked: list[bulk.Looked], form: forms.Form, stays: dict[int, int]
) -> HttpResponse:
    title, past = KINDS[kind]
    doable = [each.case for each in looked if not each.why_not]
    context = {
        "nav": "queue",
        "kind": kind,
        "title": title,
        "past": past,
        "form": form,
        "follows": FOLLOWS[kind],
        "held": kind in HELD_BACK,
        "seconds": int(UNDO.total_seconds()),
        "doable": [(case, stays[case.pk], words.STATES[CaseState(case.state)]) for case in doable],
        "left_out": [each for each in looked if each.why_not],
        "back": request.POST.get("back", "")[:400],
    }
    return render(request, "desk/bulk.html", context, status=400 if form.is_bound else 200)


def deed(
    request: HttpRequest, kind: str, looked: list[bulk.Looked], options: dict[str, Any], stays: dict[int, int]
) -> HttpResponse:
    user: User = request.user  # type: ignore[assignment]
    doable = [each for each in looked if not each.why_not]
    if not doable:
        reasons = "; ".join(sorted({each.why_not for each in looked}))
        messages.info(request, f"Nothing was done: {reasons}.")
        return back_to(request)
    action = bulk.act(kind, looked, user=user, options=options, stays=stays, now=timezone.now())
    request.session[ACTED] = action.made_at.timestamp()
    wake_at(carry_out_actions, [action.pk], action.due_at)
    wake(advance_cases, [each.case.pk for each in doable] if kind not in HELD_BACK else [])
    return back_to(request)


def back_to(request: HttpRequest) -> HttpResponseRedirect:
    text = request.POST.get("back", "")[:400]
    return redirect(f"{reverse('desk:queue')}?{urlencode({'q': text})}" if text else "desk:queue")
