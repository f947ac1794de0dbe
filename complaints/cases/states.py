"""The states of a case, whose turn each is, and the only moves there are. Pure (DESIGN section 5)."""

from __future__ import annotations

from enum import StrEnum

from complaints.vocabulary import CaseState as S


class Turn(StrEnum):
    """Who has to act while a case is in a state."""

    MACHINE = "machine"
    NETWORK = "network"  # a measure is in force, or asked for; what a person must do then is a desk task
    ANALYST = "analyst"
    CUSTOMER = "customer"
    NOBODY = "nobody"


TURNS: dict[S, Turn] = {
    S.INVESTIGATING: Turn.MACHINE,
    S.TRIAGE: Turn.ANALYST,
    S.NOTIFIED: Turn.CUSTOMER,
    S.ANSWERED: Turn.ANALYST,
    S.VERIFYING: Turn.MACHINE,
    S.ESCALATED: Turn.NETWORK,
    S.CLOSED: Turn.NOBODY,
}

# A closed case never moves again: new evidence opens a linked one.
MOVES: dict[S, frozenset[S]] = {
    S.INVESTIGATING: frozenset({S.NOTIFIED, S.TRIAGE, S.CLOSED}),
    S.TRIAGE: frozenset({S.INVESTIGATING, S.NOTIFIED, S.ESCALATED, S.CLOSED}),
    S.NOTIFIED: frozenset({S.ANSWERED, S.VERIFYING, S.ESCALATED, S.TRIAGE, S.CLOSED}),
    S.ANSWERED: frozenset({S.NOTIFIED, S.VERIFYING, S.ESCALATED, S.TRIAGE, S.CLOSED}),
    S.VERIFYING: frozenset({S.NOTIFIED, S.ANSWERED, S.TRIAGE, S.ESCALATED, S.CLOSED}),
    S.ESCALATED: frozenset({S.NOTIFIED, S.ANSWERED, S.VERIFYING, S.TRIAGE, S.CLOSED}),
    S.CLOSED: frozenset(),
}


def may_move(was: S, to: S) -> bool:
    return to in MOVES[was]


def turn_of(state: S) -> Turn:
    return TURNS[state]
