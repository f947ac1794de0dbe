"""Move the case: `with: {to, reason}`; `mark_fixed: true` starts the quiet time now, as if the customer had said so."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from complaints.cases.transitions import MACHINE, move_case
from complaints.models import Case
from complaints.playbooks.documents import Step
from complaints.vocabulary import CaseState

NAME = "move"


def carry_out(case: Case, step: Step, *, now: datetime) -> None:
    changes: dict[str, Any] = {"fixed_claimed_at": now} if step.params.get("mark_fixed") else {}
    move_case(case, CaseState(step.params["to"]), actor=MACHINE, reason=step.params["reason"], now=now, **changes)
