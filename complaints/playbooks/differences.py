"""What differs between two playbook documents, in words. Pure."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from complaints.playbooks.documents import Step
from complaints.playbooks.sentences import audience_words, sentence, state_word


@dataclasses.dataclass(frozen=True, slots=True)
class Difference:
    """kind: added, removed, changed, moved. before and after are sentences; "" where there is none."""

    kind: str
    where: str
    before: str = ""
    after: str = ""


def differences(
    old: Mapping[str, Any], old_steps: Sequence[Step], new: Mapping[str, Any], new_steps: Sequence[Step]
) -> list[Difference]:
    before, after = ({step.id: step for step in steps} for steps in (old_steps, new_steps))
    return [
        *about(old, new),
        *(Difference("removed", place(step), before=sentence(step)) for id, step in before.items() if id not in after),
        *(Difference("added", place(step), after=sentence(step)) for id, step in after.items() if id not in before),
        *(changed(before[id], step) for id, step in after.items() if id in before and before[id] != step),
        *moved(old_steps, new_steps),
    ]


def about(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[Difference]:
    pairs = [(field, old.get(field, ""), new.get(field, "")) for field in ("title", "note")]
    pairs.append(("for", audience_words(old), audience_words(new)))
    return [Difference("changed", field, before, after) for field, before, after in pairs if before != after]


def changed(before: Step, after: Step) -> Difference:
    moved_to = before.in_state is not after.in_state
    was = f"In “{state_word(before.in_state)}”: {sentence(before)}" if moved_to else sentence(before)
    return Difference("changed", place(after), was, sentence(after))


def moved(old: Sequence[Step], new: Sequence[Step]) -> list[Difference]:
    """States in which the order of the steps that both have is another one: the first that is due is done first."""
    found = []
    for state in dict.fromkeys(step.in_state for step in new):
        was, now = ([step.id for step in steps if step.in_state is state] for steps in (old, new))
        common = set(was) & set(now)
        order = [[id for id in ids if id in common] for ids in (was, now)]
        if order[0] != order[1]:
            found.append(Difference("moved", state_word(state), ", ".join(order[0]), ", ".join(order[1])))
    return found


def place(step: Step) -> str:
    return f"{state_word(step.in_state)}, step {step.id}"
