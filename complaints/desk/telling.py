"""Writing to the customer because an analyst says so: the same step a playbook would do, signed by the analyst."""

from __future__ import annotations

from datetime import datetime

from complaints.cases.corrections import is_in_question
from complaints.models import Case, Notice
from complaints.notices.compose import address_problem, queue_notice
from complaints.playbooks.actions import notify
from complaints.playbooks.documents import Step
from complaints.playbooks.outlook import outlook
from complaints.vocabulary import CaseState, CustomerStatus

DEADLINE = "72h"  # where the case's playbook names none


class NobodyToTell(Exception):
    """No letter can go: no usable address, or it is in question whose line it was. The text says which."""


def tell_customer(case: Case, *, actor: str, now: datetime) -> bool:
    """Queue the letter that fits, and hand the case to the customer. While it is theirs already: one reminder a stay.

    Returns False when that reminder was decided before.

    Raises:
        NobodyToTell: the case's contact has no usable mail address.
        StaleCase: the case moved meanwhile.
        IllegalTransition: a closed case.
    """
    if problem := address_problem(str(case.owner.get("contact_email") or "")):
        raise NobodyToTell(f"Nobody can be written to: {problem}. Add a contact to the contract, or call the customer.")
    if is_in_question(case):
        raise NobodyToTell("It is in question whose line this was. Decide the correction first, then tell them.")
    if case.state == CaseState.NOTIFIED:
        return remind(case, now=now)
    first = case.customer_status == CustomerStatus.NONE
    params = {
        "notice": "notify" if first else "still_open",
        "move_to": CaseState.NOTIFIED,
        "deadline": deadline_of(case, first=first),
        "reason": "An analyst decided to tell the customer",
    }
    step = Step(id="desk", in_state=CaseState(case.state), action="notify", params=params)
    notify.carry_out(case, step, now=now, actor=actor)
    return True


def remind(case: Case, *, now: datetime) -> bool:
    if Notice.objects.filter(case=case, step="remind", occurrence=case.stay).exists():
        return False
    queue_notice(case, "remind", occurrence=case.stay, now=now, extra={"coming": outlook(case, now=now)})
    return True


def deadline_of(case: Case, *, first: bool) -> str:
    """What the case's own playbook gives the customer at this point."""
    wanted = CaseState.INVESTIGATING if first else CaseState.VERIFYING
    for step in (case.playbook.document if case.playbook else {}).get("steps", []):
        given = step.get("with", {})
        if step["in_state"] == wanted and step["action"] == "notify" and "deadline" in given:
            return str(given["deadline"])
    return DEADLINE
