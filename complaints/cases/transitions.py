"""The one way to move a case, and the other one-line verbs on it. Each writes its history line or does nothing."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from complaints.cases.clock import Clock, moved
from complaints.cases.states import may_move
from complaints.models import Case, CaseEvent, User
from complaints.vocabulary import CaseState, CustomerStatus, EventKind, Resolution

MACHINE = "machine"
ANYBODY = -1  # whose a case may be that is assigned
# Ours to keep. Where a playbook plans to look later than that, its runner moves the promise (playbooks/runner.py).
PROMISES = {CaseState.VERIFYING: timedelta(hours=48), CaseState.ANSWERED: timedelta(hours=24)}


class IllegalTransition(Exception):
    """The state table has no such move."""


class StaleCase(Exception):
    """Somebody else moved the case since it was loaded: load it again."""


def move_case(
    case: Case,
    to: CaseState,
    *,
    actor: str,
    reason: str,
    resolution: Resolution | None = None,
    now: datetime | None = None,
    **changes: Any,
) -> CaseEvent:
    """Move `case` to state `to` and write the history line, or do neither. Wakes the playbook (due_at = now).

    `changes`: further columns that change in the same row and transaction, such as deadline_at.

    Raises:
        IllegalTransition: `to` is not reachable from the case's state, or a closing lacks its resolution.
        StaleCase: someone else moved the case since it was loaded.
    """
    was, now = CaseState(case.state), now or timezone.now()
    if not may_move(was, to):
        raise IllegalTransition(f"case {case.number}: {was} -> {to}")
    if (to is CaseState.CLOSED) != (resolution is not None):
        raise IllegalTransition(f"case {case.number}: a resolution belongs to closing, and only there")
    columns: dict[str, Any] = {"state": to, "state_since": now, "stay": case.stay + 1, "due_at": now}
    columns |= clock_columns(case, was, to, now) | changes
    if to is CaseState.CLOSED:
        columns |= {"closed_at": now, "resolution": resolution, "due_at": None, "deadline_at": None}
    data = {"from": was, "to": to, "reason": reason, "playbook": case.playbook_id}
    if resolution:
        data["resolution"] = resolution
    with transaction.atomic():
        if not Case.objects.filter(pk=case.pk, state=was, stay=case.stay).update(**columns):
            raise StaleCase(f"case {case.number} was moved by somebody else since you opened it")
        event = record(case, EventKind.MOVED, actor=actor, now=now, **data)
    for name, value in columns.items():
        setattr(case, name, value)
    return event


def clock_columns(case: Case, was: CaseState, to: CaseState, now: datetime) -> dict[str, Any]:
    """The customer's clock after the move, and the deadline that follows from it."""
    before = clock_of(case)
    after = moved(
        before, was=was, to=to, stay=case.stay + 1, state_since=case.state_since, deadline_at=case.deadline_at, now=now
    )
    columns: dict[str, Any] = {
        "turn": after.turn,
        "clock_used_s": int(after.used.total_seconds()),
        "clock_paused_in": after.paused_in,
        "clock_left_s": None if after.left is None else int(after.left.total_seconds()),
    }
    if to in PROMISES:  # our turn, so our promise: who waits in vain here is shown to the desk
        columns["deadline_at"] = now + PROMISES[to]
    elif before.paused_in == to:  # back to the customer with what was left of their time
        columns["deadline_at"] = None if before.left is None else now + before.left
    return columns


def clock_of(case: Case) -> Clock:
    left = None if case.clock_left_s is None else timedelta(seconds=case.clock_left_s)
    return Clock(case.turn, timedelta(seconds=case.clock_used_s), case.clock_paused_in, left)


def record(case: Case, kind: EventKind, *, actor: str, now: datetime | None = None, **data: Any) -> CaseEvent:
    """Write one history line. Data is for queries and templates, never a sentence to be parsed back."""
    return CaseEvent.objects.create(case=case, at=now or timezone.now(), kind=kind, actor=actor, data=data)


def add_note(case: Case, *, actor: str, text: str) -> CaseEvent:
    return record(case, EventKind.NOTE, actor=actor, text=text.strip()[:10_000])


def assign_case(case: Case, *, to: User | None, actor: str, was: int | None = ANYBODY) -> None:
    """Give it to `to`, or to nobody. was: whose it must still be (a user's id, None for nobody's).

    Raises:
        StaleCase: it is somebody else's now.
    """
    rows = Case.objects.filter(pk=case.pk)
    rows = rows if was == ANYBODY else rows.filter(assignee=was)
    with transaction.atomic():
        if rows.exclude(assignee=to).update(assignee=to):
            record(case, EventKind.ASSIGNED, actor=actor, to=to.username if to else None)
        elif not rows.exists():
            raise StaleCase(f"case {case.number} was given to somebody else")
    case.assignee = to


def set_customer_status(case: Case, status: CustomerStatus) -> None:
    """The customer's own word, kept beside the desk's state."""
    Case.objects.filter(pk=case.pk).update(customer_status=status)
    case.customer_status = status
