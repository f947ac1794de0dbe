"""What was just done to many cases: the line over the queue, the way to take it back, and what became of each."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_GET, require_POST

from complaints import bulk
from complaints.cases.bulk_rules import MOST
from complaints.desk import when, words
from complaints.desk.access import among, may
from complaints.desk.bulk_forms import KINDS
from complaints.models import DeskAction, DeskActionCase, User

TOLD = KINDS | {"interact": ("Work on", "worked on")}  # what a case's own page does as well
ACTED = "acted-at"  # in the session


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
    # A bare "?tab=open" is a place to the browser, but a name to Django.
    is_path = here.startswith("/") and url_has_allowed_host_and_scheme(here, allowed_hosts=None)
    return redirect(here if is_path else "desk:queue")


@may("see_cases")
@require_GET
def result_page(request: HttpRequest, pk: int) -> HttpResponse:
    """What became of each case of an action of one's own."""
    action = get_object_or_404(DeskAction.objects.filter(user=request.user), pk=pk)  # type: ignore[misc]
    rows = among(request.user, action.cases.select_related("case").order_by("state", "pk"))
    context = {"nav": "queue", "action": action, "title": TOLD[action.kind][0], "rows": list(rows[:MOST])}
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
    past = TOLD[action.kind][1]
    if action.state == DeskAction.State.UNDONE:
        return f"Taken back: nothing is {past}"
    number = waiting or done
    cases = f"{words.count(number, 'case')} {'is' if number == 1 else 'are'}"
    who = f" to {action.options.get('to') or 'nobody'}" if action.kind == "assign" else ""
    if action.state == DeskAction.State.HELD:
        return f"{cases} about to be {past}"
    return f"{cases} {past}{who}"
