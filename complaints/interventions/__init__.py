"""Measures on a line: decided as a row, undone while there is time, carried out by a worker, released when it is fixed.

decisions.py decides, seconds, withdraws and releases; carrying_out.py claims what is due and asks the adapter;
holds.py is the kill switch.
"""

from complaints.interventions.carrying_out import carry_out_due, due_interventions, release_dead
from complaints.interventions.decisions import (
    NotAllowed,
    ask_release,
    decide_measure,
    escalated_sibling,
    hand_over,
    release_closed,
    second_measure,
    withdraw_measure,
)

__all__ = [
    "NotAllowed",
    "ask_release",
    "carry_out_due",
    "decide_measure",
    "due_interventions",
    "escalated_sibling",
    "hand_over",
    "release_closed",
    "release_dead",
    "second_measure",
    "withdraw_measure",
]
