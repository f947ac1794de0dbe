"""Decide a measure on the line: `with: {measure: limit_25, undo: 10m, reason}`. A case closed as fixed releases it."""

from __future__ import annotations

from datetime import datetime

from complaints.cases.tasks import open_task
from complaints.cases.transitions import MACHINE
from complaints.interventions import NotAllowed, decide_measure
from complaints.models import Case
from complaints.playbooks.documents import Step, parse_span
from complaints.playbooks.facts import PLAYBOOK_TASK, task_key
from complaints.vocabulary import MeasureKind

NAME = "measure"


def carry_out(case: Case, step: Step, *, now: datetime) -> None:
    """What a safety rule forbids the machine becomes a person's task."""
    kind, reason = MeasureKind(step.params["measure"]), step.params["reason"]
    seconded_by = case.playbook.seconded_by if case.playbook else ""
    try:
        decide_measure(
            case,
            kind,
            step=step.id,
            occurrence=case.stay,
            actor=MACHINE,
            reason=reason,
            now=now,
            undo=parse_span(step.params.get("undo", "10m")),
            seconded_by=seconded_by,
        )
    except NotAllowed as exc:
        title = f"Decide on the measure {kind.replace('_', ' ')}: {exc}"
        key = task_key(case, step.id)
        open_task(
            PLAYBOOK_TASK, key, title=title, text=reason, case=case, url=f"/case/{case.pk}", actor=MACHINE, now=now
        )
