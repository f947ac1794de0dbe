"""What a case's priority is made from, looked up once; complaints/cases/priority.py says what it is worth."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from complaints.cases.priority import Weight, prioritise
from complaints.models import Case, CheckRun, Complaint
from complaints.vocabulary import CaseState, Category, Verdict


@dataclasses.dataclass(frozen=True, slots=True)
class Weighed:
    """reporters: how many different ones. columns: what the case's row keeps of it."""

    reporters: int
    columns: dict[str, Any]


def weigh(case: Case, complaints: Sequence[Complaint], runs: Sequence[CheckRun], *, now: datetime) -> Weighed:
    """`complaints`: the youngest of the case. `runs`: the last finished one of each check and address."""
    reporters = case.complaints.exclude(reporter=None).values("reporter").distinct().count()
    points, lines = prioritise(weight_of(case, reporters, runs, now))
    columns = {
        "reporter_count": reporters,
        "priority": points,
        "priority_reasons": [list(line) for line in lines],
    }
    return Weighed(reporters, columns)


def weight_of(case: Case, reporters: int, runs: Sequence[CheckRun], now: datetime) -> Weight:
    listed = [row for run in runs for row in run.details.get("lists", []) if row.get("status") == "listed"]
    return Weight(
        category=Category(case.category),
        state=CaseState(case.state),
        complaints=case.complaint_count,
        reporters=reporters,
        blacklists=len({row.get("list") for row in listed}),
        proven=any(run.check_name == "relay" and run.verdict == Verdict.BAD for run in runs),
        ladder=case.ladder,
        overdue=case.deadline_at is not None and case.deadline_at < now,
    )
