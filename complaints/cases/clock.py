"""The customer's clock: it stands still while a person reads their answer; each new turn starts it anew. Pure."""

from __future__ import annotations

import dataclasses
from datetime import datetime, timedelta

from complaints.vocabulary import CaseState

# From these a customer's answer leads to `answered`; going back there from it is the same turn.
TICKING = frozenset({CaseState.NOTIFIED, CaseState.ESCALATED})


@dataclasses.dataclass(frozen=True, slots=True)
class Clock:
    """How far a turn has come.

    turn: the stay it began with: what was done since then is done. used: of the turn, before this stay.
    paused_in: the state it was stopped in, "" while it runs. left: until the deadline, when it was stopped.
    """

    turn: int = 1
    used: timedelta = timedelta(0)
    paused_in: str = ""
    left: timedelta | None = None


def moved(
    clock: Clock,
    *,
    was: CaseState,
    to: CaseState,
    stay: int,
    state_since: datetime,
    deadline_at: datetime | None,
    now: datetime,
) -> Clock:
    """The clock after a move; `stay` is the new stay, `deadline_at` the old promise."""
    if was in TICKING and to is CaseState.ANSWERED:
        left = max(deadline_at - now, timedelta(0)) if deadline_at else None
        return Clock(clock.turn, clock.used + (now - state_since), was, left)
    if was is CaseState.ANSWERED and to == clock.paused_in:
        return Clock(clock.turn, clock.used)
    return Clock(turn=stay)
