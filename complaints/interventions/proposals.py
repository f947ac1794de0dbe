"""Measures that wait for a second person: agreed to while the reason still holds, refused with a word, or run out."""

from __future__ import annotations

from datetime import datetime, timedelta

from complaints.interventions.decisions import (
    NotAllowed,
    attempt,
    change,
    refuse_unsafe,
    second_measure,
    withdraw_measure,
)
from complaints.models import Intervention
from complaints.vocabulary import MeasureKind

State = Intervention.State


def ends_at(measure: Intervention, lasts: timedelta) -> datetime:
    """When a proposal ends by itself: what was right three days ago must be looked at anew."""
    return measure.decided_at + lasts


def agree(measure: Intervention, *, actor: str, now: datetime, undo: timedelta, lasts: timedelta) -> None:
    """As second_measure, and only while the proposal lasts and the rules that let it be proposed still hold.

    Raises:
        NotAllowed: the same person, too late, the case is closed, or it is in question whose line it is.
    """
    if now >= ends_at(measure, lasts):
        raise NotAllowed("nobody agreed in time, so it has ended: propose it anew if it is still needed")
    refuse_unsafe(measure.case, MeasureKind(measure.kind), actor)
    second_measure(measure, actor=actor, now=now, undo=undo)


def refuse(measure: Intervention, *, actor: str, reason: str, now: datetime) -> None:
    """A second person says no, and why. Raises NotAllowed for who proposed it, without a reason, or too late."""
    if actor == measure.decided_by:
        raise NotAllowed("you proposed it yourself: take it back instead")
    if not reason.strip():
        raise NotAllowed("say why, for the person who proposed it")
    reason = f"Refused by a second person: {reason.strip()}"[:500]
    change(measure, (State.PROPOSED,), State.WITHDRAWN, now=now, actor=actor, because=reason)


def end_old(*, now: datetime, lasts: timedelta, limit: int = 500) -> int:
    """Withdraw proposals to which nobody agreed in time; how many. Safe to repeat."""
    old = Intervention.objects.filter(state=State.PROPOSED, decided_at__lte=now - lasts).select_related("case")
    hours = int(lasts.total_seconds() // 3600)
    reason = f"Nobody agreed within {hours} hours"
    return sum(attempt(withdraw_measure, measure, reason=reason, now=now) for measure in old.order_by("pk")[:limit])
