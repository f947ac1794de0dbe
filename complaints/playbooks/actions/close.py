"""Close the case and say so to the customer: `with: {resolution, notice, reason}`.

Without `notice` nobody is written to: for who was never told of the case.
"""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from complaints.cases.transitions import MACHINE, move_case
from complaints.models import Case
from complaints.notices.compose import queue_notice
from complaints.playbooks.documents import Step
from complaints.vocabulary import CaseState, Resolution

NAME = "close"


def carry_out(case: Case, step: Step, *, now: datetime) -> None:
    params = step.params
    occurrence = case.stay
    with transaction.atomic():
        resolution = Resolution(params["resolution"])
        move_case(case, CaseState.CLOSED, actor=MACHINE, reason=params["reason"], resolution=resolution, now=now)
        if params.get("notice"):
            queue_notice(case, params["notice"], occurrence=occurrence, now=now)
