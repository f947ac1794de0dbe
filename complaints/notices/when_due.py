"""The facts for timing.py: what the settings say, and what the customer did last."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import Max

from complaints.cases.answers import CUSTOMER
from complaints.models import Case, CaseEvent
from complaints.notices.timing import JUST_NOW, QuietHours, Rules, first_due, goes_at_once
from complaints.vocabulary import EventKind


def rules() -> Rules:
    return Rules(
        zone=ZoneInfo(settings.DISPLAY_TIME_ZONE),
        undo=timedelta(seconds=settings.MAIL_UNDO),
        quiet=QuietHours.parse(settings.QUIET_HOURS),
        a_day=settings.CUSTOMER_MAILS_A_DAY,
    )


def letter_due(case: Case, step: str, *, now: datetime) -> datetime:
    """When a letter that is decided now becomes due."""
    answered = answered_lately([case.pk], now=now)
    return first_due(now, at_once=is_urgent(case, step, answered, now=now), rules=rules())


def is_urgent(case: Case, step: str, answered: dict[int, datetime], *, now: datetime) -> bool:
    last = answered.get(case.pk)
    return goes_at_once(step=step, category=case.category, since_answer=now - last if last else None)


def answered_lately(cases: Iterable[int], *, now: datetime) -> dict[int, datetime]:
    """When the customers of these cases last did something, where that was just now."""
    events = CaseEvent.objects.filter(
        case__in=list(cases), kind=EventKind.CUSTOMER_ANSWERED, actor=CUSTOMER, at__gte=now - JUST_NOW
    )
    return dict(events.order_by().values_list("case").annotate(last=Max("at")))
