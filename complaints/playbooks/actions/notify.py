"""Decide a mail to the customer, and move the case with it: `with: {notice, move_to, deadline, reason}`.

Notice and move are one transaction: a case never waits for an answer to a mail that was not decided.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import transaction

from complaints.cases.transitions import MACHINE, move_case
from complaints.models import Case
from complaints.notices.compose import queue_notice
from complaints.notices.forwarding import desk_contact, forward_complaints
from complaints.playbooks.documents import Step, parse_span
from complaints.playbooks.outlook import Coming, outlook
from complaints.vocabulary import CaseState

NAME = "notify"
FIRST = "notify"  # the letter in whose place a reseller's own desk gets the complaints themselves


def carry_out(case: Case, step: Step, *, now: datetime, actor: str = MACHINE) -> None:
    params = step.params
    occurrence = case.stay
    coming = outlook(case, now=now, state=CaseState(params.get("move_to", case.state)))
    with transaction.atomic():
        if "move_to" in params:
            changes: dict[str, Any] = {"deadline_at": deadline(params, coming, now=now)}
            if "deadline" in params:  # a new date is a new turn, also for who had used up a part of the last one
                changes |= {"turn": case.stay + 1, "clock_used_s": 0}
            move_case(case, CaseState(params["move_to"]), actor=actor, reason=params["reason"], now=now, **changes)
        if params["notice"] == FIRST and desk_contact(case):
            forward_complaints(case, now=now)
            return
        queue_notice(case, params["notice"], occurrence=occurrence, now=now, extra={"coming": coming})


def deadline(params: Mapping[str, Any], coming: Sequence[Coming], *, now: datetime) -> datetime | None:
    """The promised date; an earlier one where this customer, by the same playbook, has less time."""
    if "deadline" not in params:
        return None
    escalates = [at for at, kind in coming if kind == CaseState.ESCALATED]
    return min([now + parse_span(params["deadline"]), *escalates])
