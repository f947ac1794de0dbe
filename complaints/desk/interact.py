"""One act of a person on a case, of up to four parts: a letter, a move, a deadline, a measure. All of it or nothing."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from complaints.cases.states import may_move
from complaints.cases.transitions import IllegalTransition, StaleCase, add_note, move_case
from complaints.desk import when, words
from complaints.interventions import NotAllowed, decide_measure
from complaints.interventions.decisions import needs_two, refuse_unsafe
from complaints.models import Case, Intervention, Notice
from complaints.notices.by_hand import Preview, preview, write_to_customer
from complaints.notices.compose import address_problem
from complaints.playbooks.outlook import outlook
from complaints.vocabulary import CaseState, CustomerStatus, MeasureKind

S = CaseState
# Where a person may put a case by hand, and how that is said. Closing is asked for by itself.
MOVES = {
    S.NOTIFIED: "It is the customer's turn",
    S.VERIFYING: "Have the fix verified",
    S.INVESTIGATING: "Let the machine look again from the start",
    S.TRIAGE: "Keep it with the desk",
    S.ESCALATED: "Escalate: the playbook's measures follow",
}
DEADLINES = {"24": "1 day", "48": "2 days", "72": "3 days", "168": "7 days", "336": "14 days"}  # hours
BY_HAND = "by-hand"


class NothingToDo(Exception):
    """What was asked for cannot be done; the text says what and why."""


@dataclasses.dataclass(frozen=True, slots=True)
class Wish:
    """What a person wants done; an empty part is left as it is. `number`: of the letter, so that it goes once."""

    words: str = ""
    number: int = 1
    to: CaseState | None = None
    within: timedelta | None = None
    measure: MeasureKind | None = None
    reason: str = ""

    @property
    def is_empty(self) -> bool:
        return not (self.words or self.to or self.within or self.measure)


@dataclasses.dataclass(frozen=True, slots=True)
class Plan:
    """What will happen, a sentence each; `problems` say why it will not."""

    lines: Sequence[str]
    problems: Sequence[str]
    letter: Preview | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class Done:
    notice: Notice | None
    measure: Intervention | None


def moves_of(case: Case) -> dict[str, str]:
    return {to.value: text for to, text in MOVES.items() if may_move(CaseState(case.state), to)}


def plan_of(case: Case, wish: Wish, *, actor: str, now: datetime) -> Plan:
    problems = problems_of(case, wish, actor=actor)
    lines = [text for text in (letter_line(case, wish), move_line(case, wish), *measure_lines(case, wish)) if text]
    deadline, cut = deadline_of(case, wish, now=now)
    if deadline:
        lines.append(f"The deadline is {shown(deadline)}" + (", when the playbook escalates" if cut else "") + ".")
    lines += next_lines(case, wish.to or CaseState(case.state), now=now)
    return Plan(lines, problems, preview(case, wish.words) if wish.words else None)


def problems_of(case: Case, wish: Wish, *, actor: str) -> list[str]:
    found = []
    if wish.is_empty:
        found.append("Nothing is asked for: write, move, set a deadline or choose a measure.")
    if case.state == S.CLOSED:
        found.append("The case is closed. New evidence opens a new one.")
    if wish.words and (problem := address_problem(str(case.owner.get("contact_email") or ""))):
        found.append(f"No letter can go: {problem}.")
    if wish.to and not may_move(CaseState(case.state), wish.to):
        found.append(f"The case cannot go from “{words.STATES[CaseState(case.state)]}” to “{words.STATES[wish.to]}”.")
    if wish.to is S.NOTIFIED and not wish.words and case.customer_status == CustomerStatus.NONE:
        found.append("The customer was never told, so it cannot be their turn: write to them.")
    if wish.measure and not wish.reason:
        found.append("Say why the measure is needed: the next person reads it.")
    if wish.measure and case.state != S.CLOSED:
        try:
            refuse_unsafe(case, wish.measure, actor)
        except NotAllowed as exc:
            found.append(f"No measure: {exc}.")
    return found


def letter_line(case: Case, wish: Wish) -> str:
    return f"A letter goes to {case.owner.get('contact_email')}." if wish.words else ""


def move_line(case: Case, wish: Wish) -> str:
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
    return [f"If nothing changes after that: {coming_word(kind)}, {shown(at)}." for at, kind in coming]


def coming_word(kind: str) -> str:
    return {"escalated": "the case escalates", "person": "a person is asked"}.get(kind) or words.MEASURES[
        MeasureKind(kind)
    ]


def deadline_of(case: Case, wish: Wish, *, now: datetime) -> tuple[datetime | None, bool]:
    """The new deadline, and whether the playbook made it an earlier one: a promise that it breaks is none."""
    if wish.within is None:
        return None, False
    wanted = now + wish.within
    coming = outlook(case, now=now, state=wish.to or CaseState(case.state))
    escalates = [at for at, kind in coming if kind == S.ESCALATED]
    return (min(escalates), True) if escalates and min(escalates) < wanted else (wanted, False)


def shown(at: datetime) -> str:
    at = timezone.localtime(at)
    return f"{at:%-d %b %Y, %H:%M} {at.tzname()}"


def carry_out(case: Case, wish: Wish, *, actor: str, now: datetime) -> Done:
    """Do all parts in one transaction.

    Raises:
        NothingToDo: a part cannot be done, and so nothing was.
        StaleCase: somebody moved the case meanwhile.
    """
    if problems := problems_of(case, wish, actor=actor):
        raise NothingToDo(" ".join(problems))
    deadline, _ = deadline_of(case, wish, now=now)
    try:
        with transaction.atomic():
            return Done(send(case, wish, actor=actor, now=now), change(case, wish, deadline, actor=actor, now=now))
    except (NotAllowed, IllegalTransition) as exc:
        raise NothingToDo(f"{exc}.") from exc


def send(case: Case, wish: Wish, *, actor: str, now: datetime) -> Notice | None:
    if not wish.words:
        return None
    notice = write_to_customer(case, wish.words, number=wish.number, actor=actor, now=now)
    if notice is None:
        raise NotAllowed("no letter can be written to this customer")
    return notice


def change(case: Case, wish: Wish, deadline: datetime | None, *, actor: str, now: datetime) -> Intervention | None:
    measure = None
    if wish.measure:
        step = f"{BY_HAND}-{case.interventions.count() + 1}"
        undo = timedelta(seconds=settings.MEASURE_UNDO)
        measure = decide_measure(
            case, wish.measure, step=step, occurrence=case.stay, actor=actor, reason=wish.reason, now=now, undo=undo
        )
    columns: dict[str, Any] = {"deadline_at": deadline} if deadline else {}
    if wish.to:
        columns |= {"fixed_claimed_at": now} if wish.to is S.VERIFYING else {}  # as when the customer says so
        move_case(case, wish.to, actor=actor, reason=wish.reason or MOVES[wish.to], now=now, **columns)
    elif columns:
        if not Case.objects.filter(pk=case.pk, stay=case.stay).update(**columns):
            raise StaleCase(f"case {case.number} was moved by somebody else")
        add_note(case, actor=actor, text=f"Deadline set: {shown(columns['deadline_at'])}. {wish.reason}")
    elif not Case.objects.filter(pk=case.pk, stay=case.stay).exists():
        raise StaleCase(f"case {case.number} was moved by somebody else")
    return measure
