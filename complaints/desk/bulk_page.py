"""Many cases at once: first what would happen to which, then the deed, and the way to take it back."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_GET, require_POST

from complaints import bulk
from complaints.cases.bulk_rules import HELD_BACK, MOST, UNDO
from complaints.desk import when, words
from complaints.desk.access import among, can, may
from complaints.desk.forms import RESOLUTIONS
from complaints.models import Case, DeskAction, DeskActionCase, User
from complaints.tasks import advance_cases, carry_out_actions, wake, wake_at
from complaints.vocabulary import CaseState

ACTED = "acted-at"  # in the session
KINDS = {
    "assign": ("Assign", "assigned"),
    "close": ("Close", "closed"),
    "note": ("Write a note on", "given the note"),
    "check": ("Check again", "checked again"),
}
# What follows, in words: nobody shall have to guess who hears of it.
FOLLOWS = {
    "close": (
        "Their customers are not written to; their own pages say that the case is closed. A measure on a line ends "
        "with “Fixed”, “Not abuse”, “Not ours” and “Stale”, and stays with the others. Reporters who want it are told."
    ),
    "check": "The addresses are tested under the safety rules; nobody is written to.",
    "assign": "Nobody outside the desk hears of it.",
    "note": "The note stands in the history of each case. Customers and reporters do not see it.",
}


class CloseForm(forms.Form):
    resolution = forms.ChoiceField(
        label="How did they end?",
        choices=[("", "Choose …"), *RESOLUTIONS],
        error_messages={"required": "Say how they ended."},
        widget=forms.Select(attrs={"autofocus": True}),
    )
    reason = forms.CharField(
        label="Why?",
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"required": "Say why: the next person to see these customers will read it."},
    )


class NoteForm(forms.Form):
    text = forms.CharField(
        label="Note",
        max_length=10_000,
        widget=forms.Textarea(attrs={"rows": 4, "autofocus": True}),
        error_messages={"required": "Write the note first."},
    )


class AssignForm(forms.Form):
    to = forms.ChoiceField(label="To whom?", required=False, widget=forms.Select(attrs={"autofocus": True}))

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        others = User.objects.filter(is_active=True).exclude(pk=user.pk).order_by("username")[:200]
        names = [(user.username, f"me ({user.username})"), *((u.username, u.username) for u in others), ("", "nobody")]
        self.fields["to"].choices = names  # type: ignore[attr-defined]


def form_of(kind: str, user: User, data: Any = None) -> forms.Form:
    if kind == "assign":
        return AssignForm(data, user=user)
    return {"close": CloseForm, "note": NoteForm, "check": forms.Form}[kind](data)


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


@may("see_cases", to_post="work_cases")
@require_POST
def undo(request: HttpRequest) -> HttpResponse:
    """Take back the named action, or the last one that can be."""
    user: User = request.user  # type: ignore[assignment]
    now, wanted = timezone.now(), request.POST.get("action", "")
    if wanted.isascii() and wanted.isdigit() and len(wanted) < 19:
        action = DeskAction.objects.filter(pk=int(wanted), user=user).first()
    else:
        action = bulk.last_undoable(user, now)
    if action is None:
        messages.info(request, "There is nothing of the last minute to take back.")
        return back_here(request)
    try:
        count = bulk.undo(action, now=now)
    except bulk.TooLate as exc:
        messages.error(request, str(exc))
    else:
        what = f"{words.count(count, 'case')} {'is' if count == 1 else 'are'} as before"
        messages.success(request, f"Taken back: {what}.")
    return back_here(request)


def back_here(request: HttpRequest) -> HttpResponseRedirect:
    """To the page on which the key was pressed."""
    here = request.POST.get("next", "")
    return redirect(here if url_has_allowed_host_and_scheme(here, allowed_hosts=None) else "desk:queue")


@may("see_cases")
@require_GET
def result_page(request: HttpRequest, pk: int) -> HttpResponse:
    """What became of each case of an action of one's own."""
    action = get_object_or_404(DeskAction.objects.filter(user=request.user), pk=pk)  # type: ignore[misc]
    rows = among(request.user, action.cases.select_related("case").order_by("state", "pk"))
    context = {"nav": "queue", "action": action, "title": KINDS[action.kind][0], "rows": list(rows[:MOST])}
    return render(request, "desk/bulk_result.html", context)


def shown_actions(request: HttpRequest, now: datetime) -> list[dict[str, Any]]:
    """For the line over the queue: what was just done, and how long it can be taken back. Asked only after an act."""
    if now.timestamp() - request.session.get(ACTED, 0.0) > bulk.SHOWN.total_seconds():
        return []
    return [shown(action, now) for action in bulk.recent_actions(request.user, now)]  # type: ignore[arg-type]


def shown(action: DeskAction, now: datetime) -> dict[str, Any]:
    states = [each.state for each in action.cases.all()]
    waiting, done = states.count(DeskActionCase.State.WAITING), states.count(DeskActionCase.State.DONE)
    may_undo = action.state in bulk.undoable_states(action) and now < action.due_at
    return {
        "action": action,
        "text": sentence(action, waiting, done),
        "may_undo": may_undo,
        "left": when.span(action.due_at - now) if may_undo else "",
        "left_out": states.count(DeskActionCase.State.LEFT_OUT),
    }


def sentence(action: DeskAction, waiting: int, done: int) -> str:
    past = KINDS[action.kind][1]
    if action.state == DeskAction.State.UNDONE:
        return f"Taken back: nothing is {past}"
    number = waiting or done
    cases = f"{words.count(number, 'case')} {'is' if number == 1 else 'are'}"
    who = f" to {action.options.get('to') or 'nobody'}" if action.kind == "assign" else ""
    if action.state == DeskAction.State.HELD:
        return f"{cases} about to be {past}"
    return f"{cases} {past}{who}"
