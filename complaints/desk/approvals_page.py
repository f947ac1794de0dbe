"""What waits for a second person: who asked for it, why, what will happen, and how long there is left."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from complaints.desk import when, words
from complaints.desk.access import may, visible
from complaints.desk.rights import can
from complaints.interventions.proposals import ends_at
from complaints.models import Intervention, PlaybookVersion
from complaints.playbooks.parameters import suspends
from complaints.playbooks.versions import authors, steps_of_version
from complaints.vocabulary import MeasureKind

PAGE = 50
MOST_BEGINNING = 50
State = Intervention.State
HAPPENS = {
    MeasureKind.LIMIT_25: "Mail from the line reaches only our own relay (tcp/25 is blocked). Everything else goes on.",
    MeasureKind.LOCK_ACCOUNT: "The mail account can receive but not send.",
    MeasureKind.QUARANTINE: "The line sees only our help pages until the customer has put it right.",
    MeasureKind.SUSPEND: "The line is cut off altogether: no internet, no telephone over it.",
}


def lasts() -> timedelta:
    return timedelta(hours=settings.APPROVAL_HOURS)


@may("see_approvals")
@require_GET
def approvals_page(request: HttpRequest) -> HttpResponse:
    now, after = timezone.now(), request.GET.get("after", "")
    first = int(after) if after.isascii() and after.isdigit() and len(after) < 19 else 0
    measures = visible(request.user, Intervention).select_related("case", "contract__customer")
    waiting = list(measures.filter(state=State.PROPOSED, pk__gt=first).order_by("pk")[: PAGE + 1])
    beginning = measures.filter(state=State.DECIDED, due_at__gt=now).order_by("due_at")[:MOST_BEGINNING]
    context = {
        "nav": "approvals",
        "rows": [row_of(each, request, now) for each in waiting[:PAGE]],
        "beginning": [row_of(each, request, now) for each in beginning],
        "playbooks": playbooks_of(request) if can(request.user, "see_playbooks") else [],
        "next": waiting[PAGE - 1].pk if len(waiting) > PAGE else None,
        "is_first": not first,
        "undo_minutes": settings.MEASURE_UNDO // 60,
        "hours": settings.APPROVAL_HOURS,
    }
    return render(request, "desk/approvals.html", context)


def row_of(measure: Intervention, request: HttpRequest, now: datetime) -> dict[str, Any]:
    return {
        "measure": measure,
        "what": words.MEASURES[measure.kind],
        "happens": HAPPENS[MeasureKind(measure.kind)],
        "case": measure.case,
        "age": when.age(measure.decided_at, now),
        "ends": when.until(ends_at(measure, lasts()), now, days_from=3),
        "begins": when.until(measure.due_at, now),
        "is_yours": measure.decided_by == request.user.get_username(),
    }


def playbooks_of(request: HttpRequest) -> list[dict[str, Any]]:
    """Versions that suspend customers and that nobody but their authors has read."""
    live = (PlaybookVersion.State.DRAFT, PlaybookVersion.State.ACTIVE)
    found = PlaybookVersion.objects.filter(seconded_by="", state__in=live).order_by("name", "number")
    return [
        {
            "version": version,
            "is_yours": request.user.get_username() in authors(version),
            "by": sorted(authors(version)),
        }
        for version in found
        if any(suspends(step) for step in steps_of_version(version))
    ]
