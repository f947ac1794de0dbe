"""What a playbook has in store for the customer while nothing is fixed: told to them before it happens."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from complaints.models import Case
from complaints.playbooks.conditions import Facts
from complaints.playbooks.documents import Step, parse_span
from complaints.playbooks.schedule import applies, moment_of
from complaints.vocabulary import CaseState

Coming = tuple[datetime, str]  # when, and: "escalated", "person", or the kind of a measure


def coming(steps: Sequence[Step], facts: Facts) -> list[Coming]:
    """The consequential steps by time alone, from `facts` on, the next first. Pure: that the abuse goes on is assumed,
    and nothing else."""
    facts = replace(facts, pending=(), last_seen=None)
    if facts.state is CaseState.ESCALATED:
        return consequences(steps, facts)
    if facts.state is not CaseState.NOTIFIED:
        return []
    moments = [max(moment_of(step, facts), facts.now) for step in steps if escalates(step) and applies(step, facts)]
    if not moments:
        return []
    at = min(moments)
    begun = replace(facts, state=CaseState.ESCALATED, state_since=at, now=at, used=timedelta(0), done=(), verdicts={})
    return [(at, "escalated"), *consequences(steps, begun)]


def escalates(step: Step) -> bool:
    return CaseState.ESCALATED in (step.params.get("move_to"), step.params.get("to"))


def consequences(steps: Sequence[Step], facts: Facts) -> list[Coming]:
    """Measures, each with its undo window behind it, and the first thing that a person decides."""
    found: list[Coming] = []
    for step in steps:
        if step.action in ("measure", "task") and applies(step, facts):
            at = max(moment_of(step, facts), facts.now)
            if step.action == "measure":
                found.append((at + parse_span(step.params.get("undo", "10m")), step.params["measure"]))
            else:
                found.append((at, "person"))
    persons = sorted(pair for pair in found if pair[1] == "person")[:1]
    return sorted([*(pair for pair in found if pair[1] != "person"), *persons])


def outlook(case: Case, *, now: datetime, state: CaseState | None = None) -> list[Coming]:
    """Of a case as it stands, or as it will stand after a move to `state` now."""
    from complaints.playbooks.facts import facts_of, this_turn
    from complaints.playbooks.runner import steps_of

    facts = facts_of(case, this_turn(list(case.checks.all()), case.turn), now)
    if state is not None and state != facts.state:
        facts = replace(facts, state=state, state_since=now, used=timedelta(0), done=(), verdicts={})
    return coming(steps_of(case), facts)
