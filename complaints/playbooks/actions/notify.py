"""Decide a mail to the customer, and move the case with it: `with: {notice, move_to, deadline, reason}`.

Notice and move are one transaction: a case never waits for an answer to a mail that was not decided.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import transaction

from complaints.cases.transitions import MACHINE, move_case
from complaints.models import Case
from complaints.notices.compose import queue_notice
from complaints.playbooks.documents import Step, parse_span
from complaints.vocabulary import CaseState

NAME = "notify"


def carry_out(case: Case, step: Step, *, now: datetime, actor: str = MACHINE) -> None:
    params = step.params
    occurrence = case.stay
    with transaction.atomic():
        if "move_to" in params:
            changes: dict[str, Any] = {
                "deadline_at": now + parse_span(params["deadline"]) if "deadline" in params else None
            }
            move_case(case, CaseState(params["move_to"]), actor=actor, reason=params["reason"], now=now, **changes)
        queue_notice(case, params["notice"], occurrence=occurrence, now=now)
