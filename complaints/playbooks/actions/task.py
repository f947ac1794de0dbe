"""Ask a person for something while the case stays where it is: `with: {title, text}`."""

from __future__ import annotations

from datetime import datetime

from complaints.cases.tasks import open_task
from complaints.cases.transitions import MACHINE
from complaints.models import Case
from complaints.playbooks.documents import Step
from complaints.playbooks.facts import PLAYBOOK_TASK, task_key

NAME = "task"


def carry_out(case: Case, step: Step, *, now: datetime) -> None:
    key, words = task_key(case, step.id), step.params
    where = f"/case/{case.pk}"
    open_task(
        PLAYBOOK_TASK,
        key,
        title=words["title"],
        text=words.get("text", ""),
        case=case,
        url=where,
        actor=MACHINE,
        now=now,
    )
