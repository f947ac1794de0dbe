"""What the customers do when a mail of the desk reaches them, in hours; world.py carries it out. Pure."""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Iterator

ALL = ("notify", "remind", "still_open", "escalated")
LATER = "Our technician is ill until Thursday."


@dataclasses.dataclass(frozen=True, slots=True)
class Reaction:
    """Hours after the mail, the middle of what is usual; None: never. repair: whole, half or none."""

    reads: float | None = None
    repairs: float | None = None
    answers: float | None = None
    repair: str = "whole"
    answer: str = "fixed"
    text: str = ""


FIXES = Reaction(reads=3, repairs=9, answers=10, text="Found and removed.")
SILENTLY = Reaction(reads=6, repairs=20)
HELP = "Our technician is on holiday. Could somebody of yours look at it with me?"
FOUND_NOTHING = Reaction(
    reads=2, answers=8, answer="found_nothing", text="We have looked at every machine, and nobody here sent this."
)
DENIES = Reaction(reads=2, answers=8, answer="not_me", text="We have compared the address, and it is not ours.")
UNMOVED = Reaction(reads=20)
# Whoever denies it: two in three say that they have looked.
DENIALS = (FOUND_NOTHING, FOUND_NOTHING, DENIES)
Reactions = Reaction | tuple[Reaction, ...]
# Habit → step of the mail → reaction, or one of several. A step that is not named leaves them cold.
HABITS: dict[str, dict[str, Reactions]] = {
    "fixes": dict.fromkeys(ALL, FIXES),
    "fixes_silently": dict.fromkeys(ALL, SILENTLY),
    "half_fixes": {
        **dict.fromkeys(("notify", "remind"), dataclasses.replace(FIXES, repair="half")),
        **dict.fromkeys(("still_open", "escalated"), FIXES),
    },
    "claims_falsely": {
        "notify": Reaction(reads=2, answers=4, text="Restarted everything, should be fine now."),
        "remind": FIXES,
        "still_open": FIXES,
        "escalated": FIXES,
    },
    "ignores": {},
    "wakes_late": {
        "notify": Reaction(reads=40),
        "escalated": Reaction(reads=10, repairs=30, answers=32, text="Your mails lay in our spam folder."),
        "still_open": FIXES,
    },
    "relapses": dict.fromkeys(ALL, FIXES),
    "disputes": {
        "notify": DENIALS,
        "look_again": (FIXES, FIXES, FOUND_NOTHING, UNMOVED),  # for half of them, times and places are enough
        "still_open": FIXES,
        "escalated": FIXES,
    },
    "asks_help": {
        "notify": Reaction(reads=2, answers=7, answer="needs_help", text=HELP),
        "still_open": FIXES,
        "escalated": FIXES,
    },
    "asks_time": {
        "notify": Reaction(reads=2, answers=7, answer="needs_time", text=LATER),
        "more_time": Reaction(reads=2, repairs=45, answers=47, text="Done at last."),  # for some that is too late again
        "still_open": FIXES,
        "escalated": FIXES,
    },
}
# Who has nothing to repair says so, or thinks that it is no business of theirs.
INNOCENT: dict[str, Reactions] = {
    "notify": (*DENIALS, UNMOVED, UNMOVED, UNMOVED),
    "look_again": (FOUND_NOTHING, UNMOVED, UNMOVED, UNMOVED),
}
MENDED = Reaction(reads=3, answers=10, text="We had found that ourselves, and cleaned it.")  # before the mail came
SPEAKS_UP = ("fixes", "half_fixes", "claims_falsely", "relapses", "asks_help", "asks_time", "wakes_late")
Act = tuple[float, str, dict[str, str]]


def react(habit: str, step: str, *, has_trouble: bool, had_trouble: bool, dice: random.Random) -> Iterator[Act]:
    """(hours from now, verb of world.py, its arguments): what the reader of a mail of this step will do.
    had_trouble: lately, and it is over."""
    reaction: Reactions | None
    if has_trouble:
        reaction = HABITS[habit].get(step)
    elif step not in ("notify", "look_again", "still_open", "escalated"):
        reaction = None
    elif had_trouble and habit != "disputes":
        reaction = MENDED if habit in SPEAKS_UP else None
    else:
        reaction = INNOCENT.get(step)
    if isinstance(reaction, tuple):
        reaction = dice.choice(reaction)
    if reaction is None:
        return
    haste = dice.lognormvariate(0, 0.7)
    if reaction.repairs is not None:
        yield reaction.repairs * haste, "repair", {"how": reaction.repair}
    if reaction.answers is not None:
        yield reaction.answers * haste, "answer", {"answer": reaction.answer, "text": reaction.text}
    elif reaction.reads is not None:
        yield reaction.reads * haste, "read", {}
