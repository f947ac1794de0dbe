"""The wrong contract was told: one letter says so, or an analyst decides that none is needed. Each only once."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from complaints.cases.corrections import settle_told
from complaints.cases.moving import TOLD, WITHDRAWN
from complaints.models import Case, Notice, Reattribution
from complaints.notices.compose import queue_notice

Told = Reattribution.Told


def withdraw(case: Case, *, actor: str, now: datetime) -> Notice | None:
    """Decide the letter of correction. None when nobody can be written to: then the task stays open.

    Its case, and with it the letter's recipient, is as it was when the wrong letter went. Safe to repeat.
    """
    first = case.notices.filter(state__in=TOLD, sent_at__isnull=False).order_by("sent_at").first()
    extra = {"told_at": first.sent_at} if first and first.sent_at else {}
    with transaction.atomic():
        notice = queue_notice(case, WITHDRAWN, occurrence=1, now=now, extra=extra)
        if notice is not None:
            settle_told([case.pk], Told.WITHDRAWN, actor=actor, now=now)
    return notice


def leave_untold(case: Case, *, actor: str, now: datetime) -> None:
    """No letter is needed: they were called, or it would only confuse."""
    with transaction.atomic():
        settle_told([case.pk], Told.LEFT, actor=actor, now=now)
