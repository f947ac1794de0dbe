"""Which cases an action on many leaves out, and why; what is held back, and for how long. Pure."""

from __future__ import annotations

import dataclasses
from datetime import timedelta

from complaints.vocabulary import CaseState, Resolution, Verdict

UNDO = timedelta(seconds=60)
MOST = 500  # cases in one action; a form holds a thousand fields
# What happens cannot be taken back, so it waits for the time in which one may think better of it: a closed case never
# moves again, a history line is never changed, a probe that was sent was sent. Assigning is done at once, and undone.
HELD_BACK = frozenset({"close", "note", "check", "interact"})


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What is known of a case when somebody acts on it, or when it is carried out."""

    state: CaseState
    moved_on: bool = False  # since the person saw it
    waits_for: str = ""  # another action on many that has not happened yet: who gave it
    has_address: bool = True
    assignee: str = ""
    last_verdicts: frozenset[Verdict] = frozenset()  # the last of each check and address
    resolution: Resolution | None = None  # the wanted one
    to: str | None = None  # the wanted assignee; "" for nobody, None as long as nobody was chosen


def left_out(kind: str, seen: Seen) -> str:
    """Why this case is left out; "" when it is not."""
    if seen.waits_for and kind != "note":
        return f"{seen.waits_for} is acting on it at this moment"
    if seen.state is CaseState.CLOSED and kind != "note":
        return "closed already"
    return RULES[kind](seen)


def left_out_of_closing(seen: Seen) -> str:
    if seen.moved_on:
        return "it has moved on since you saw it"
    if seen.resolution is Resolution.FIXED_VERIFIED and seen.last_verdicts != {Verdict.CLEAN}:
        return "no clean check proves the fix"
    return ""


RULES = {
    "close": left_out_of_closing,
    "assign": lambda seen: f"{seen.to or 'nobody'} has it already" if seen.assignee == seen.to else "",
    "check": lambda seen: "" if seen.has_address else "it names no address to check",
    "note": lambda seen: "",
    "interact": lambda seen: "it has moved on since you saw it" if seen.moved_on else "",
}
