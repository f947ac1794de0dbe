"""Decide a measure, second it, undo it, release it. Each verb writes its row and its history line, or does nothing."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction

from complaints.cases.corrections import is_in_question
from complaints.cases.protection import is_protected
from complaints.cases.transitions import MACHINE, record
from complaints.models import Case, Intervention
from complaints.vocabulary import CaseState, EventKind, MeasureKind, Resolution

State = Intervention.State
SURE_OWNER = 0.8
# What ends without a fix keeps its measure until a person lifts it.
FREES = (
    Resolution.FIXED_VERIFIED,
    Resolution.FIXED_NOT_VERIFIABLE,
    Resolution.NOT_ABUSE,
    Resolution.NOT_OURS,
    Resolution.STALE,
    Resolution.MERGED,
)
OPEN = (State.PROPOSED, State.DECIDED)  # has not touched the line yet
ENDED = (State.RELEASED, State.WITHDRAWN, State.FAILED)


class NotAllowed(Exception):
    """A safety rule forbids it; the text says which, for the person who asked."""


def decide_measure(
    case: Case,
    kind: MeasureKind,
    *,
    step: str,
    occurrence: int,
    actor: str,
    reason: str,
    now: datetime,
    undo: timedelta,
    seconded_by: str = "",
) -> Intervention:
    """Decide a measure of one step, once: a repeat returns the first one. It begins when `undo` has passed.

    Suspension, and anything on a protected line, waits for a second person (`seconded_by`, or second_measure).

    Raises:
        NotAllowed: a safety rule forbids it, or the line is under the same measure already.
    """
    known = Intervention.objects.filter(case=case, step=step, occurrence=occurrence, kind=kind).first()
    if known:
        return known
    refuse_unsafe(case, kind, actor)
    alone = needs_two(case, kind) and seconded_by in ("", actor)
    row = {
        "state": State.PROPOSED if alone else State.DECIDED,
        "reason": reason[:500],
        "decided_by": actor,
        "decided_at": now,
        "seconded_by": "" if alone else seconded_by,
        "due_at": now + undo,
    }
    try:
        with transaction.atomic():
            measure = Intervention.objects.create(
                case=case, contract_id=case.contract_id, kind=kind, step=step, occurrence=occurrence, **row
            )
            tell(measure, now=now, actor=actor, reason=reason, begins=(now + undo).isoformat())
    except IntegrityError:
        known = Intervention.objects.filter(case=case, step=step, occurrence=occurrence, kind=kind).first()
        if known:  # another worker decided the same at the same moment
            return known
        raise NotAllowed(f"the line is under the measure {kind} already") from None
    return measure


def refuse_unsafe(case: Case, kind: MeasureKind, actor: str) -> None:
    """The rules that hold for everybody, and those that bind the machine alone."""
    if case.state == CaseState.CLOSED:
        raise NotAllowed("the case is closed: a measure belongs to an open case")
    if is_in_question(case):
        raise NotAllowed("it is in question whose line this is: decide the correction first")
    if actor != MACHINE:
        return
    if case.confidence < SURE_OWNER:
        raise NotAllowed("not sure enough whose line it is")
    if is_protected(case):
        raise NotAllowed("the line is protected: no machine may cut it")
    if kind is MeasureKind.SUSPEND and case.playbook is not None and not case.playbook.seconded_by:
        raise NotAllowed("a playbook that one person activated alone may not suspend")


def needs_two(case: Case, kind: MeasureKind) -> bool:
    return kind is MeasureKind.SUSPEND or is_protected(case)


def second_measure(measure: Intervention, *, actor: str, now: datetime, undo: timedelta) -> None:
    """A second person agrees; the undo window begins now. Raises NotAllowed for the same person, or too late."""
    if actor == measure.decided_by:
        raise NotAllowed("it needs a second person: you proposed it yourself")
    change(measure, (State.PROPOSED,), State.DECIDED, now=now, actor=actor, seconded_by=actor, due_at=now + undo)


def withdraw_measure(measure: Intervention, *, actor: str, reason: str, now: datetime) -> None:
    """Undo before it touched the line. Raises NotAllowed when it is too late: then release it."""
    change(measure, OPEN, State.WITHDRAWN, now=now, actor=actor, because=reason)


def ask_release(measure: Intervention, *, actor: str, reason: str, now: datetime) -> None:
    """Lift a measure that is in force, or one that failed half-way. Raises NotAllowed when there is nothing to lift."""
    changes: dict[str, Any] = {"due_at": now, "release_by": actor, "release_reason": reason[:500], "tries": 0}
    change(measure, (State.IN_FORCE,), State.RELEASE_DUE, now=now, actor=actor, because=reason, **changes)


def change(
    measure: Intervention,
    was: tuple[str, ...],
    to: str,
    *,
    now: datetime,
    actor: str,
    because: str = "",
    **columns: Any,
) -> None:
    """One conditional UPDATE and its history line. Raises NotAllowed when the row is not in one of `was` any more."""
    with transaction.atomic():
        if not Intervention.objects.filter(pk=measure.pk, state__in=was).update(state=to, **columns):
            measure.refresh_from_db()
            raise NotAllowed(f"too late: the measure is {measure.get_state_display().lower()} by now")
        measure.refresh_from_db()
        tell(measure, now=now, actor=actor, reason=because or measure.reason)


def tell(measure: Intervention, *, now: datetime, actor: str, reason: str, **data: Any) -> None:
    told = {"measure": measure.kind, "state": measure.state, "id": measure.pk, "reason": reason, **data}
    record(measure.case, EventKind.MEASURE, actor=actor, now=now, **told)


def release_closed(*, now: datetime, limit: int = 500) -> list[int]:
    """Lift what is in force for cases that are closed as fixed, and withdraw what has not begun; ids that are due now.

    A line that another open case of the contract has escalated stays under the measure: it is that case's from now on.
    """
    held = Intervention.objects.filter(case__state=CaseState.CLOSED, case__resolution__in=FREES)
    for measure in held.filter(state__in=OPEN).select_related("case")[:limit]:
        attempt(withdraw_measure, measure, reason="The case is closed", now=now)
    found = []
    for measure in held.filter(state=State.IN_FORCE).select_related("case")[:limit]:
        if heir := escalated_sibling(measure):
            hand_over(measure, heir, now=now)
        elif attempt(ask_release, measure, reason="The fix is proven", now=now):
            found.append(measure.pk)
    return found


def attempt(verb: Any, measure: Intervention, *, reason: str, now: datetime) -> bool:
    try:
        verb(measure, actor=MACHINE, reason=reason, now=now)
    except NotAllowed:
        return False  # somebody was quicker
    return True


def escalated_sibling(measure: Intervention) -> Case | None:
    others = Case.objects.filter(contract=measure.contract_id, state=CaseState.ESCALATED).exclude(pk=measure.case_id)
    return others.order_by("pk").first()


def hand_over(measure: Intervention, heir: Case, *, now: datetime) -> None:
    with transaction.atomic():
        if Intervention.objects.filter(pk=measure.pk, state=State.IN_FORCE, case=measure.case_id).update(case=heir):
            reason = f"Case {heir.number} of the same contract still needs it"
            tell(measure, now=now, actor=MACHINE, reason=reason)
            measure.case = heir
            tell(measure, now=now, actor=MACHINE, reason=reason)
