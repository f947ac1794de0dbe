"""Who else has a case open: one small row for each reader, kept alive by the page as it renews itself."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import OperationalError
from django.db.models import QuerySet

from complaints.desk import when
from complaints.desk.rights import can
from complaints.models import Case, CaseViewer, User

HERE = timedelta(seconds=40)  # a page asks every three seconds while it is looked at
RENEWED = timedelta(seconds=15)  # and is written down this often at most
FORGOTTEN = timedelta(hours=1)
MOST = 20


def looks(case: Case, now: datetime) -> dict[str, QuerySet[CaseViewer]]:
    return {"viewers": case.viewers.filter(seen_at__gt=now - HERE).order_by("since", "pk")[:MOST]}


def others_here(viewers: Sequence[CaseViewer], user: Any, now: datetime) -> list[dict[str, str]]:
    """The others by name, who came first first; no statement where nobody else is."""
    others = [each for each in viewers if each.user_id != user.pk]
    names = User.objects.in_bulk([each.user_id for each in others]) if others else {}
    return [
        {"name": name_of(names[each.user_id]), "since": since_words(now - each.since)}
        for each in others
        if each.user_id in names
    ]


def name_of(user: User) -> str:
    return user.get_full_name() or user.username


def since_words(span: timedelta) -> str:
    return (
        "has just opened this case" if span < timedelta(minutes=1) else f"has had this case open for {when.span(span)}"
    )


def note_viewer(case: int, user: Any, mine: tuple[datetime, datetime] | None, now: datetime) -> None:
    """That `user` looks at the case; those who only look on are not announced. Safe to repeat, and mostly free.

    mine: since when they have it open, and when that was last noted.
    """
    if (mine and mine[1] > now - RENEWED) or not can(user, "work_cases"):
        return
    row = CaseViewer(case_id=case, user=user, since=mine[0] if mine else now, seen_at=now)
    try:
        CaseViewer.objects.bulk_create(
            [row], update_conflicts=True, unique_fields=["case", "user"], update_fields=["since", "seen_at"]
        )
        if mine is None:
            CaseViewer.objects.filter(user=user, seen_at__lt=now - FORGOTTEN).delete()
    except OperationalError:
        return  # a long import may hold SQLite's write lock: the next look, in seconds, tries again
