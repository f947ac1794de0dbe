"""One act of a person on a case, of several parts: letter, note, measure, deadline, move, end. All or nothing."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import transaction

from complaints.cases.mentions import ask_mentioned
from complaints.cases.states import may_move
from complaints.cases.transitions import IllegalTransition, StaleCase, add_note, move_case
from complaints.interventions import NotAllowed, decide_measure
from complaints.interventions.decisions import refuse_unsafe
from complaints.models import Case, CheckRun, Intervention, Notice
from complaints.notices.by_hand import write_to_customer
from complaints.notices.compose import address_problem
from complaints.playbooks.outlook import outlook
from complaints.vocabulary import CaseState, CustomerStatus, MeasureKind, Resolution, Verdict

S = CaseState
# Where a person may put a case by hand, and how that is said.
MOVES = {
    S.NOTIFIED: "It is the customer's turn",
    S.VERIFYING: "Have the fix verified",
    S.INVESTIGATING: "Let the machine look again from the start",
    S.TRIAGE: "Keep it with the desk",
    S.ESCALATED: "Escalate: the playbook's measures follow",
}
BY_HAND = "by-hand"
NOT_PROVEN = (
    "“Fixed and verified” needs a check that came out clean as the last one: check again, or choose “Fixed, cannot be "
    "verified”."
)


class NothingToDo(Exception):
    """What was asked for cannot be done; the text says what and why."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What a person wants done; an empty part is left as it is. `number`: of the letter, so that it goes once."""

    words: str = ""
    number: int = 1
    note: str = ""
    to: CaseState | None = None
    resolution: Resolution | None = None
    within: timedelta | None = None
    measure: MeasureKind | None = None
    reason: str = ""

    @property
    def is_empty(self) -> bool:
        return not (self.words or self.note or self.to or self.within or self.measure)


@dataclasses.dataclass(frozen=True, slots=True)
class Done:
    notice: Notice | None
    measure: Intervention | None


def stored(wish: Wish) -> dict[str, Any]:
    """As JSON can hold it."""
    hours = int(wish.within.total_seconds() // 3600) if wish.within else None
    return dataclasses.asdict(wish) | {"within": hours}


def from_stored(options: Mapping[str, Any]) -> Wish:
    """The same wish again."""
    read: dict[str, Callable[[Any], Any]] = {
        "to": CaseState,
        "resolution": Resolution,
        "measure": MeasureKind,
        "within": lambda hours: timedelta(hours=hours),
    }
    return Wish(**{name: read[name](value) if name in read and value else value for name, value in options.items()})


def problems_of(
    case: Case, wish: Wish, *, actor: str, names: Callable[[CaseState], str] = lambda state: state.value
) -> list[str]:
    """Why it cannot be done, in sentences. `names`: what a state is called."""
    found = []
    if wish.is_empty:
        found.append("Nothing is asked for: write, move, set a deadline or choose a measure.")
    if case.state == S.CLOSED:
        found.append("The case is closed. New evidence opens a new one.")
    if wish.words and (problem := address_problem(str(case.owner.get("contact_email") or ""))):
        found.append(f"No letter can go: {problem}.")
    if wish.to and not may_move(CaseState(case.state), wish.to):
        found.append(f"The case cannot go from “{names(CaseState(case.state))}” to “{names(wish.to)}”.")
    if wish.to is S.NOTIFIED and not wish.words and case.customer_status == CustomerStatus.NONE:
        found.append("The customer was never told, so it cannot be their turn: write to them.")
    if wish.measure and not wish.reason:
        found.append("Say why the measure is needed: the next person reads it.")
    if wish.measure and case.state != S.CLOSED:
        try:
            refuse_unsafe(case, wish.measure, actor)
        except NotAllowed as exc:
            found.append(f"No measure: {exc}.")
    return found + problems_of_ending(case, wish)


def problems_of_ending(case: Case, wish: Wish) -> list[str]:
    if wish.to is not S.CLOSED:
        return ["How it ended belongs to closing: choose to close it, or leave that out."] if wish.resolution else []
    found = []
    if wish.resolution is None:
        found.append("Say how the case ended.")
    if not wish.reason:
        found.append("Say why it is closed: the next person to see this customer reads it.")
    if wish.within or wish.measure:
        found.append("A closed case has neither a deadline nor a new measure.")
    if wish.resolution is Resolution.FIXED_VERIFIED and not last_check_is_clean(case):
        found.append(NOT_PROVEN)
    return found


def last_check_is_clean(case: Case) -> bool:
    """The last finished run of every check was clean, and there was one."""
    runs = case.checks.filter(state=CheckRun.State.DONE).order_by("finished_at", "id")
    last = {
        (name, bytes(address)): verdict
        for name, address, verdict in runs.values_list("check_name", "address", "verdict")
    }
    return bool(last) and set(last.values()) == {Verdict.CLEAN}


def deadline_of(case: Case, wish: Wish, *, now: datetime) -> tuple[datetime | None, bool]:
    """The new deadline, and whether the playbook made it an earlier one: a promise that it breaks is none."""
    if wish.within is None:
        return None, False
    wanted = now + wish.within
    coming = outlook(case, now=now, state=wish.to or CaseState(case.state))
    escalates = [at for at, kind in coming if kind == S.ESCALATED]
    return (min(escalates), True) if escalates and min(escalates) < wanted else (wanted, False)


def carry_out(case: Case, wish: Wish, *, actor: str, now: datetime, asked_at: datetime | None = None) -> Done:
    """Do all parts in one transaction. asked_at: when the person asked for it, from which a deadline counts.

    Raises:
        NothingToDo: a part cannot be done, and so nothing was.
        StaleCase: somebody moved the case meanwhile.
    """
    if problems := problems_of(case, wish, actor=actor):
        raise NothingToDo(" ".join(problems))
    deadline, _ = deadline_of(case, wish, now=asked_at or now)
    try:
        with transaction.atomic():
            done = Done(send(case, wish, actor=actor, now=now), decide(case, wish, actor=actor, now=now))
            if wish.note:
                ask_mentioned(case, add_note(case, actor=actor, text=wish.note), actor=actor, now=now)
            change(case, wish, deadline, actor=actor, now=now)
    except (NotAllowed, IllegalTransition) as exc:
        raise NothingToDo(f"{exc}.") from exc
    return done


def send(case: Case, wish: Wish, *, actor: str, now: datetime) -> Notice | None:
    if not wish.words:
        return None
    notice = write_to_customer(case, wish.words, number=wish.number, actor=actor, now=now)
    if notice is None:
        raise NotAllowed("no letter can be written to this customer")
    return notice


def decide(case: Case, wish: Wish, *, actor: str, now: datetime) -> Intervention | None:
    if not wish.measure:
        return None
    step = f"{BY_HAND}-{case.interventions.count() + 1}"
    undo = timedelta(seconds=settings.MEASURE_UNDO)
    return decide_measure(
        case, wish.measure, step=step, occurrence=case.stay, actor=actor, reason=wish.reason, now=now, undo=undo
    )


def change(case: Case, wish: Wish, deadline: datetime | None, *, actor: str, now: datetime) -> None:
    """Raises StaleCase when the case is no longer as it was loaded, whatever the wish is."""
    columns: dict[str, Any] = {"deadline_at": deadline} if deadline else {}
    if wish.to:
        columns |= {"fixed_claimed_at": now} if wish.to is S.VERIFYING else {}  # as when the customer says so
        reason = wish.reason or MOVES[wish.to]
        move_case(case, wish.to, actor=actor, reason=reason, resolution=wish.resolution, now=now, **columns)
    elif columns:
        if not Case.objects.filter(pk=case.pk, stay=case.stay).update(**columns):
            raise StaleCase(f"case {case.number} was moved by somebody else")
        add_note(case, actor=actor, text=f"Deadline set: {moment(columns['deadline_at'])}. {wish.reason}")
    elif not Case.objects.filter(pk=case.pk, stay=case.stay).exists():
        raise StaleCase(f"case {case.number} was moved by somebody else")


def moment(at: datetime) -> str:
    """In the desk's own zone, which it names."""
    at = at.astimezone(ZoneInfo(settings.DISPLAY_TIME_ZONE))
    return f"{at:%-d %b %Y, %H:%M} {at.tzname()}"
