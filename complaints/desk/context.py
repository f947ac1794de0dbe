"""What every page may show: the desk's name, whether this is the demo, and what the visitor may open."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.conf import settings
from django.db.models import QuerySet
from django.http import HttpRequest

from complaints.cases.corrections import proposed
from complaints.desk.access import supervises
from complaints.models import DeskTask, ReporterAnswer

LIST_TASKS = ("blacklist", "blacklist-held")


def site(request: HttpRequest) -> dict[str, Any]:
    found: dict[str, Any] = {"desk_name": settings.DESK_NAME, "demo": settings.DEMO}
    if user := getattr(request, "user", None):
        # Asked by the pages that show them, free on the others.
        found["supervises"] = partial(supervises, user)
        found["corrections_waiting"] = corrections_waiting
        found["answers_to_read"] = answers_to_read
        found["lists_to_look_at"] = lists_to_look_at
    return found


def corrections_waiting() -> str:
    """How many wait, counted to 99 at most: one look at an index of those alone."""
    return counted(proposed())


def answers_to_read() -> str:
    """Reporters' answers that wait for a person, counted the same way."""
    return counted(ReporterAnswer.objects.filter(state=ReporterAnswer.State.UNCLEAR))


def lists_to_look_at() -> str:
    """Blacklists that are parked, or kept back because they suddenly name very many of us."""
    return counted(DeskTask.objects.filter(kind__in=LIST_TASKS, done_at__isnull=True))


def counted(rows: QuerySet[Any]) -> str:
    found = len(rows.order_by().values_list("pk")[:100])
    return "99+" if found == 100 else str(found or "")
