"""Desk tasks: what a human must do beside the cases' own turns. One open task of a kind and key."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction

from complaints.cases.transitions import record
from complaints.models import Case, DeskTask, User
from complaints.vocabulary import EventKind


def open_task(
    kind: str,
    key: str,
    *,
    title: str,
    actor: str,
    now: datetime,
    text: str = "",
    url: str = "",
    case: Case | None = None,
    due_at: datetime | None = None,
    to: User | None = None,
) -> DeskTask:
    """Ask for it, once: while a task of this kind and key is open, that one is returned. to: of one person alone."""
    columns: dict[str, Any] = {"title": title[:300], "text": text, "url": url, "case": case, "to": to}
    columns |= {"opened_at": now, "opened_by": actor}
    try:
        with transaction.atomic():
            task = DeskTask.objects.create(kind=kind, key=key, due_at=due_at, **columns)
            if case is not None:
                record(case, EventKind.TASK, actor=actor, now=now, task=task.pk, title=title[:300])
    except IntegrityError:
        return DeskTask.objects.get(kind=kind, key=key, done_at=None)
    return task


def end_task(kind: str, key: str, *, actor: str, now: datetime) -> bool:
    """Mark it done; False when no such task is open. Its case looks at once what follows."""
    with transaction.atomic():
        task = DeskTask.objects.filter(kind=kind, key=key, done_at=None).select_related("case").first()
        if task is None or not DeskTask.objects.filter(pk=task.pk, done_at=None).update(done_at=now, done_by=actor):
            return False
        if task.case is not None:
            record(task.case, EventKind.TASK, actor=actor, now=now, task=task.pk, title=task.title, done=True)
            Case.objects.active().filter(pk=task.case.pk).update(due_at=now)
    return True
