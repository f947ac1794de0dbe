"""Lift every measure of the case: `with: {reason}`. Closing as fixed does it by itself.

What another case of the contract still needs becomes that case's. What could not be lifted is a person's task already.
"""

from __future__ import annotations

from datetime import datetime

from complaints.cases.transitions import MACHINE
from complaints.interventions import NotAllowed, ask_release, escalated_sibling, hand_over
from complaints.models import Case, Intervention
from complaints.playbooks.documents import Step

NAME = "release"


def carry_out(case: Case, step: Step, *, now: datetime) -> None:
    for measure in case.interventions.filter(state=Intervention.State.IN_FORCE, problem=""):
        if heir := escalated_sibling(measure):
            hand_over(measure, heir, now=now)
            continue
        try:
            ask_release(measure, actor=MACHINE, reason=step.params["reason"], now=now)
        except NotAllowed:
            continue  # somebody was quicker
