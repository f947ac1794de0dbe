"""Close the case and say so to the customer: `with: {resolution, notice, reason}`.

What fell silent, and of which nobody has said that it is fixed, is closed as what it is: see closing.py.
Without `notice` nobody is written to: for who was never told of the case.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q

from complaints.cases.answers import has_claimed
from complaints.cases.transitions import MACHINE, move_case
from complaints.models import Assignment, Case
from complaints.notices.compose import queue_notice
from complaints.playbooks.closing import earned, letter_about
from complaints.playbooks.documents import Step
from complaints.vocabulary import CaseState, CustomerStatus, Resolution

NAME = "close"
A_DAY = timedelta(days=1)


def carry_out(case: Case, step: Step, *, now: datetime) -> None:
    params = step.params
    occurrence = case.stay
    with transaction.atomic():
        wanted = Resolution(params["resolution"])
        resolution = earned(
            wanted,
            claimed=has_claimed(case),
            status=CustomerStatus(case.customer_status),
            has_left=has_left(case, now=now),
        )
        move_case(case, CaseState.CLOSED, actor=MACHINE, reason=params["reason"], resolution=resolution, now=now)
        if params.get("notice"):
            letter = letter_about(params["notice"], wanted=wanted, got=resolution)
            queue_notice(case, letter, occurrence=occurrence, now=now)


def has_left(case: Case, *, now: datetime) -> bool:
    """Its contract had lines, and has had none for a day: a lease may be between two."""
    lines = Assignment.objects.filter(contract=case.contract_id)
    return lines.exists() and not lines.filter(Q(valid_until=None) | Q(valid_until__gt=now - A_DAY)).exists()
