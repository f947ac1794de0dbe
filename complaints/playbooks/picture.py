"""The picture of a playbook: states as boxes from top to bottom, each step a line, moves as arrows. Pure.

Every arrow leaves its step to the right, goes along the lane of the state it leads to, and enters that state's box
above its steps: so no arrow crosses a text, however many there are. The template only draws what stands here.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from complaints.playbooks.documents import Step
from complaints.playbooks.parameters import target_of
from complaints.playbooks.sentences import action_words, lead, sentence, state_word
from complaints.vocabulary import CaseState

WIDTH, BOX, ROW, ENTRY, GAP, LANE = 1040, 150, 24, 22, 14, 20
LETTERS = 98  # of a line's text, at 12 px a line of 98 has room beside the lanes
ORDER = tuple(CaseState)
SHORT = {
    "check": "Check", "notify": "Letter", "move": "Move", "close": "Close", "measure": "Measure",
    "release": "Release", "task": "Person",
}  # fmt: skip


@dataclasses.dataclass(frozen=True, slots=True)
class Line:
    """One step. path: of its arrow, "" where the case stays."""

    y: int
    kind: str
    text: str
    whole: str
    path: str
    to: str


@dataclasses.dataclass(frozen=True, slots=True)
class Box:
    y: int
    height: int
    state: str
    title: str
    lines: Sequence[Line]
    entry: str  # the end of the arrows that lead here, with its head; "": none do


@dataclasses.dataclass(frozen=True, slots=True)
class Picture:
    width: int
    height: int
    boxes: Sequence[Box]
    words: str


def draw(steps: Sequence[Step]) -> Picture:
    shown = [state for state in ORDER if any(state in (step.in_state, target_of(step)) for step in steps)]
    targets = [state for state in shown if any(target_of(step) is state for step in steps)]
    tops, y = {}, 0
    for state in shown:
        tops[state] = y
        y += height_of(state, steps) + GAP
    boxes = [box(state, steps, tops, targets) for state in shown]
    return Picture(WIDTH, max(y - GAP, 1), boxes, in_words(steps, shown))


def height_of(state: CaseState, steps: Sequence[Step]) -> int:
    return ENTRY + max(1, sum(step.in_state is state for step in steps)) * ROW + 6


def box(state: CaseState, steps: Sequence[Step], tops: dict[CaseState, int], targets: list[CaseState]) -> Box:
    top = tops[state]
    own = [step for step in steps if step.in_state is state]
    lines = [line(step, top + ENTRY + number * ROW + ROW // 2, tops, targets) for number, step in enumerate(own)]
    entry = f"M{lane(state, targets)} {top + ENTRY // 2} H{BOX + 4}" if state in targets else ""
    return Box(top, height_of(state, steps), state.value, state_word(state), lines, entry)


def line(step: Step, y: int, tops: dict[CaseState, int], targets: list[CaseState]) -> Line:
    to = target_of(step)
    path = ""
    if to is not None:
        path = f"M{WIDTH - LANE * (len(targets) + 1)} {y} H{lane(to, targets)} V{tops[to] + ENTRY // 2}"
    return Line(y, SHORT.get(step.action, step.action), cut(short_words(step)), sentence(step), path, to or "")


def lane(state: CaseState, targets: list[CaseState]) -> int:
    return WIDTH - LANE * (len(targets) - targets.index(state))


def short_words(step: Step) -> str:
    return f"{lead(step)}: {action_words(step)}"


def cut(text: str) -> str:
    return text if len(text) <= LETTERS else f"{text[: LETTERS - 1].rstrip()}…"


def in_words(steps: Sequence[Step], shown: Sequence[CaseState]) -> str:
    """What the arrows say, for who cannot see them; the steps themselves are sentences on the page."""
    found = []
    for state in shown:
        leads = dict.fromkeys(state_word(to) for step in steps if step.in_state is state and (to := target_of(step)))
        found.append(
            f"{state_word(state)} leads to {', '.join(leads)}" if leads else f"{state_word(state)} leads nowhere"
        )
    return ". ".join(found) + "."
