"""What is due in a case, by its playbook: facts in, steps out. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from complaints.playbooks.conditions import CONDITIONS, NEVER, Facts
from complaints.playbooks.documents import Step


def due_steps(steps: Sequence[Step], facts: Facts) -> list[Step]:
    """What is to be done now, in the playbook's order."""
    return [step for step in steps if applies(step, facts) and moment_of(step, facts) <= facts.now]


def next_due_at(steps: Sequence[Step], facts: Facts) -> datetime | None:
    """When time alone will make a step due; None: only an event can."""
    return min((at for at, _ in what_follows(steps, facts)), default=None)


def what_follows(steps: Sequence[Step], facts: Facts) -> list[tuple[datetime, Step]]:
    """What happens by time alone while nothing else does, the next first: what a customer should know beforehand."""
    moments = [(moment_of(step, facts), step) for step in steps if applies(step, facts)]
    return sorted([(at, step) for at, step in moments if facts.now < at < NEVER], key=lambda pair: pair[0])


def applies(step: Step, facts: Facts) -> bool:
    """In its state, not yet done in this turn, and every condition holds but those that time brings about."""
    if step.in_state is not facts.state or step.id in facts.done:
        return False
    return all(
        CONDITIONS[name].holds(facts, value) for name, value in step.when.items() if CONDITIONS[name].moment is None
    )


def moment_of(step: Step, facts: Facts) -> datetime:
    """When the step is due, its conditions aside; the next opening where it may run in working hours only."""
    began = facts.state_since - facts.used
    at = facts.working.add(began, step.after) if step.working else began + step.after
    if facts.opened_at is not None:
        at = max(at, facts.opened_at + step.case_age)
    for name, value in step.when.items():
        if moment := CONDITIONS[name].moment:
            at = max(at, moment(facts, value))
    if at == NEVER:
        return at
    return facts.working.next_open(max(at, facts.now)) if step.only_in_hours else at
