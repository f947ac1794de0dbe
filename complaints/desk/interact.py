"""What an act on a case would do, in sentences, before it is done (complaints/interacting.py does it)."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.conf import settings

from complaints.cases.states import may_move
from complaints.desk import when, words
from complaints.interacting import MOVES, Wish, deadline_of, moment, problems_of
from complaints.interventions.decisions import needs_two
from complaints.models import Case
from complaints.notices.by_hand import Preview, preview
from complaints.playbooks.outlook import outlook
from complaints.vocabulary import CaseState, MeasureKind

DEADLINES = {"24": "1 day", "48": "2 days", "72": "3 days", "168": "7 days", "336": "14 days"}  # hours


@dataclasses.dataclass(frozen=True, slots=True)
class Plan:
    """What will happen, a sentence each; `problems` say why it will not."""

    lines: Sequence[str]
    problems: Sequence[str]
    letter: Preview | None = None


def moves_of(case: Case) -> dict[str, str]:
    return {to.value: text for to, text in MOVES.items() if may_move(CaseState(case.state), to)}


def plan_of(case: Case, wish: Wish, *, actor: str, now: datetime) -> Plan:
    problems = problems_of(case, wish, actor=actor, names=words.STATES.__getitem__)
    parts = (letter_line(case, wish), note_line(wish), move_line(case, wish), *measure_lines(case, wish))
    lines = [text for text in parts if text]
    deadline, cut = deadline_of(case, wish, now=now)
    if deadline:
        lines.append(f"The deadline is {moment(deadline)}" + (", when the playbook escalates" if cut else "") + ".")
    if wish.to is not CaseState.CLOSED:
        lines += next_lines(case, wish.to or CaseState(case.state), now=now)
    return Plan(lines, problems, preview(case, wish.words) if wish.words else None)


def letter_line(case: Case, wish: Wish) -> str:
    return f"A letter goes to {case.owner.get('contact_email')}." if wish.words else ""


def note_line(wish: Wish) -> str:
    return "The note is written into the history. The customer never sees it." if wish.note else ""


def move_line(case: Case, wish: Wish) -> str:
    if wish.to is CaseState.CLOSED:
        ended = words.RESOLUTIONS[wish.resolution] if wish.resolution else "?"
        return f"The case is closed: {ended.lower()}. It never opens again; new evidence opens a linked one."
    if not wish.to:
        return ""
    return f"The case goes from “{words.STATES[CaseState(case.state)]}” to “{words.STATES[wish.to]}”."


def measure_lines(case: Case, wish: Wish) -> list[str]:
    if not wish.measure:
        return []
    name = words.MEASURES[wish.measure]
    if needs_two(case, wish.measure):
        return [f"{name}: proposed. It begins only when a second person agrees."]
    minutes = when.span(timedelta(seconds=settings.MEASURE_UNDO))
    return [f"{name}: begins in {minutes}, and can be undone until then."]


def next_lines(case: Case, state: CaseState, *, now: datetime) -> list[str]:
    """The next grave thing that time alone brings then, by the playbook."""
    coming = outlook(case, now=now, state=state)[:1]
    return [f"If nothing changes after that: {coming_word(kind)}, {moment(at)}." for at, kind in coming]


def coming_word(kind: str) -> str:
    return {"escalated": "the case escalates", "person": "a person is asked"}.get(kind) or words.MEASURES[
        MeasureKind(kind)
    ]
