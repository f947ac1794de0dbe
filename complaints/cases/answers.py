"""What the customer says on their page, and what follows. Repeating an answer changes nothing twice."""

from __future__ import annotations

import dataclasses
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from django.db import transaction
from django.utils import timezone

from complaints.cases.transitions import move_case, record, set_customer_status
from complaints.models import Case, PortalLink
from complaints.vocabulary import CaseState, CustomerStatus, EventKind

CUSTOMER = "customer"


class AnswerKind(StrEnum):
    FIXED = "fixed"
    NEEDS_HELP = "needs_help"
    NEEDS_TIME = "needs_time"
    FOUND_NOTHING = "found_nothing"
    NOT_ME = "not_me"


@dataclasses.dataclass(frozen=True)
class Consequence:
    status: CustomerStatus
    to: CaseState
    reason: str


CONSEQUENCES = {
    AnswerKind.FIXED: Consequence(CustomerStatus.CLAIMS_FIXED, CaseState.VERIFYING, "The customer says it is fixed"),
    AnswerKind.NEEDS_HELP: Consequence(
        CustomerStatus.ASKS_HELP, CaseState.ANSWERED, "The customer asks for help or time"
    ),
    AnswerKind.NEEDS_TIME: Consequence(CustomerStatus.ASKS_TIME, CaseState.ANSWERED, "The customer asks for more time"),
    AnswerKind.FOUND_NOTHING: Consequence(
        CustomerStatus.FOUND_NOTHING, CaseState.ANSWERED, "The customer has looked and found nothing"
    ),
    AnswerKind.NOT_ME: Consequence(
        CustomerStatus.DISPUTES, CaseState.ANSWERED, "The customer says this is not their line"
    ),
}
OPEN_FOR_ANSWERS = frozenset({CaseState.NOTIFIED, CaseState.ESCALATED, CaseState.ANSWERED, CaseState.VERIFYING})


class NoAnswerNow(Exception):
    """The case is closed, or the desk has not written to the customer yet."""


def record_answer(
    case: Case, kind: AnswerKind, *, text: str = "", actor: str = CUSTOMER, now: datetime | None = None
) -> bool:
    """Write the answer into the history and move the case to whose turn it is now.

    Returns False when nothing had to move: the case is already where the answer leads.

    Raises:
        NoAnswerNow: the case takes no answers in its state.
        StaleCase: the case moved meanwhile; load it again.
    """
    now = now or timezone.now()
    if case.state not in OPEN_FOR_ANSWERS:
        raise NoAnswerNow(f"case {case.number} is {case.state}")
    follows = CONSEQUENCES[kind]
    if kind is AnswerKind.FIXED and case.state == follows.to and has_claimed(case):
        return False  # pressed twice; the check is already running
    with transaction.atomic():
        record(case, EventKind.CUSTOMER_ANSWERED, actor=actor, now=now, answer=kind, text=text.strip()[:5000])
        if case.state == follows.to:
            set_customer_status(case, follows.status)
            return False
        changes: dict[str, Any] = {"customer_status": follows.status}
        if kind is AnswerKind.FIXED:
            changes["fixed_claimed_at"] = now
        move_case(case, follows.to, actor=actor, reason=follows.reason, now=now, **changes)
    return True


def has_claimed(case: Case) -> bool:
    """Whether somebody has said that it is fixed, since it is taken to be: quiet alone says so of itself."""
    if case.fixed_claimed_at is None:
        return False
    since = case.fixed_claimed_at - timedelta(seconds=1)  # the answer that began it bears the same time
    said = case.events.filter(kind=EventKind.CUSTOMER_ANSWERED, data__answer=AnswerKind.FIXED)
    return said.filter(at__gte=since).exists()


def record_seen(link: PortalLink, *, actor: str = CUSTOMER, now: datetime | None = None) -> None:
    """The customer opened their page: once in the history, however often they come back."""
    now = now or timezone.now()
    with transaction.atomic():
        if not PortalLink.objects.filter(pk=link.pk, seen_at=None).update(seen_at=now):
            return
        if link.case.customer_status == CustomerStatus.NOTIFIED:
            set_customer_status(link.case, CustomerStatus.SEEN)
        record(link.case, EventKind.CUSTOMER_SAW, actor=actor, now=now)
