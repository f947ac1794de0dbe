"""What a human must do that is no case's turn: oldest first, each with where it is done, or with a button."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.models import AnonymousUser
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from complaints.cases import mentions, rise_tasks
from complaints.cases.tasks import end_task
from complaints.desk import when
from complaints.desk.access import may, visible
from complaints.desk.rights import can
from complaints.desk.roles import Can, lowest
from complaints.models import DeskTask, User
from complaints.notices.bounces import PERHAPS
from complaints.notices.next_contact import UNREACHED

PAGE = 50
# These end when a person says so. The others end by themselves, when what they are about is mended.
BY_WORD = frozenset({"rule", "playbook", "measure", rise_tasks.TASK, mentions.KIND, UNREACHED, PERHAPS})
MEASURE = "measure"
# Who may end these where they are done (desk/roles.py); all others take a person who works on cases.
NEEDS = {MEASURE: Can.CUT_LINES, "blacklist-held": Can.LET_GO_ON}


def tasks_for(user: User | AnonymousUser) -> QuerySet[DeskTask]:
    """What this reader can do of what is open: asked of whoever comes first, or of them by name."""
    if not can(user, Can.WORK_CASES):
        return DeskTask.objects.none()
    theirs = visible(user, DeskTask).filter(Q(to=None) | Q(to=user.pk), done_at=None)
    return theirs.exclude(kind__in=[kind for kind, needed in NEEDS.items() if not can(user, needed)])


@may("see_cases")
@require_GET
def tasks_page(request: HttpRequest) -> HttpResponse:
    tasks, after = visible(request.user, DeskTask), request.GET.get("after", "")
    first = int(after) if after.isascii() and after.isdigit() and len(after) < 19 else 0
    found = tasks.filter(done_at=None, to=None, pk__gt=first).select_related("case").order_by("pk")
    yours = tasks.filter(done_at=None, to=request.user.pk).select_related("case").order_by("pk")
    rows = list(found[: PAGE + 1])
    now = timezone.now()
    context = {
        "nav": "tasks",
        "yours": [task_row(task, now) for task in yours[:PAGE]],
        "rows": [task_row(task, now) for task in rows[:PAGE]],
        "next": rows[PAGE - 1].pk if len(rows) > PAGE else None,
        "is_first": not first,
        "done": tasks.exclude(done_at=None).select_related("case").order_by("-done_at")[:10],
    }
    return render(request, "desk/tasks.html", context)


def task_row(task: DeskTask, now: Any) -> dict[str, Any]:
    by_hand = task.kind == MEASURE and task.key.isdigit()  # a colleague was asked to do it at the line
    return {
        "task": task,
        "age": when.age(task.opened_at, now),
        "confirms": int(task.key) if by_hand else None,
        "may_end": task.kind in BY_WORD and not by_hand,
        "late": bool(task.due_at and task.due_at < now),
        "needs": NEEDS.get(task.kind, ""),
        "who": f"for {lowest(NEEDS[task.kind])}s" if task.kind in NEEDS else "",
    }


@may("see_cases", to_post="work_cases")
@require_POST
def done(request: HttpRequest, pk: int) -> HttpResponse:
    task = get_object_or_404(visible(request.user, DeskTask), pk=pk, kind__in=BY_WORD)
    if end_task(task.kind, task.key, actor=request.user.get_username(), now=timezone.now()):
        messages.success(request, f"Done: {task.title}")
    else:
        messages.info(request, "Somebody else has done it meanwhile.")
    return redirect("desk:case", task.case_id) if task.case_id and request.POST.get("from") else redirect("desk:tasks")
