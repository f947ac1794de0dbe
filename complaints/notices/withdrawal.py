"""The wrong contract was told: one letter says so, or an analyst decides that none is needed. Each only once."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from complaints.cases.corrections import settle_told
from complaints.cases.moving import TOLD, WITHDRAWN
from complaints.models import Case, Notice, Reattribution
from complaints.notices.compose import DEFAULT_LANGUAGE, language_of, letter_for, queue_notice
from complaints.notices.moments import moment

Told = Reattribution.Told


def withdraw(case: Case, *, actor: str, now: datetime) -> Notice | None:
    """Decide the letter of correction. None when nobody can be written to: then the task stays open.

    Its case, and with it the letter's recipient, is as it was when the wrong letter went. Safe to repeat.
    """
    language = language_of(
        letter_for(WITHDRAWN, cause=case.cause, category=case.category, language=owner_language(case))
    )
    first = case.notices.filter(state__in=TOLD, sent_at__isnull=False).order_by("sent_at").first()
    told = moment(first.sent_at, language) if first and first.sent_at else None
    with transaction.atomic():
        notice = queue_notice(case, WITHDRAWN, occurrence=1, now=now, extra={"told": told})
        if notice is not None:
            settle_told([case.pk], Told.WITHDRAWN, actor=actor, now=now)
    return notice


def leave_untold(case: Case, *, actor: str, now: datetime) -> None:
    """No letter is needed: they were called, or it would only confuse."""
    with transaction.atomic():
        settle_told([case.pk], Told.LEFT, actor=actor, now=now)


def owner_language(case: Case) -> str:
    return str(case.owner.get("language") or DEFAULT_LANGUAGE)
