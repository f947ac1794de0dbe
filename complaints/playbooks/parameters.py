"""What each action is told by `with`: names, shapes and words, and the check of them. Pure.

The editor draws its fields from this table, and the loader checks documents by it: so both agree.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

from complaints.cases.states import may_move
from complaints.checks import load_checks
from complaints.playbooks.documents import BadPlaybook, Step, one_name, parse_span
from complaints.registry import by_name
from complaints.vocabulary import CaseState, MeasureKind, Resolution

MOST_TEXT = 500


@dataclasses.dataclass(frozen=True, slots=True)
class Parameter:
    name: str
    label: str
    shape: str  # a key of SHAPES
    required: bool = False


REASON = Parameter("reason", "Reason, for the history", "text", required=True)
PARAMETERS: Mapping[str, tuple[Parameter, ...]] = {
    "check": (Parameter("checks", "Checks", "checks", required=True),),
    "notify": (
        Parameter("notice", "Letter", "letter", required=True),
        Parameter("move_to", "Then move the case to", "state"),
        Parameter("deadline", "Time given to the customer", "span"),
        Parameter("reason", "Reason, for the history", "text"),
    ),
    "move": (
        Parameter("to", "Move the case to", "state", required=True),
        REASON,
        Parameter("mark_fixed", "The quiet time begins now, as if the customer had said it is fixed", "bool"),
    ),
    "close": (
        Parameter("resolution", "Closed as", "resolution", required=True),
        Parameter("notice", "Letter, where the customer was told", "letter"),
        REASON,
    ),
    "measure": (
        Parameter("measure", "Measure", "measure", required=True),
        Parameter("undo", "Can be undone for", "span"),
        REASON,
    ),
    "release": (REASON,),
    "task": (
        Parameter("title", "What a person is to do", "text", required=True),
        Parameter("text", "More about it", "text"),
    ),
}


def check_parameters(step: Step) -> None:
    """Raises BadPlaybook naming the step and the parameter. An action that is not in the table checks its own."""
    if step.action not in PARAMETERS:
        return
    known = {parameter.name: parameter for parameter in PARAMETERS[step.action]}
    try:
        if strange := sorted(set(step.params) - set(known)):
            raise BadPlaybook(f"with: {strange} is nothing that the action {step.action} knows: {sorted(known)}")
        for name, parameter in known.items():
            check_parameter(parameter, step.params.get(name))
        check_move(step)
    except BadPlaybook as exc:
        raise BadPlaybook(f"step {step.id}: {exc}") from exc


def check_parameter(parameter: Parameter, value: Any) -> None:
    if value is None or value in ("", []):
        if parameter.required:
            raise BadPlaybook(f"{parameter.name}: is missing")
        return
    SHAPES[parameter.shape](parameter.name, value)


def target_of(step: Step) -> CaseState | None:
    """The state that the case goes to by this step; None: it stays."""
    if step.action == "close":
        return CaseState.CLOSED
    to = step.params.get({"move": "to", "notify": "move_to"}.get(step.action, ""))
    return CaseState(to) if to else None


def check_move(step: Step) -> None:
    to = target_of(step)
    if to is None:
        return
    field = {"move": "to", "notify": "move_to"}.get(step.action, "in_state")
    if step.action != "close" and to is CaseState.CLOSED:
        raise BadPlaybook(f"{field}: only the action close closes a case, for it says how it ended")
    if not may_move(step.in_state, to):
        raise BadPlaybook(f"{field}: no case moves from {step.in_state} to {to}")
    if not step.params.get("reason"):
        raise BadPlaybook("reason: is missing: every move says why")


def suspends(step: Step) -> bool:
    return step.action == "measure" and step.params.get("measure") == MeasureKind.SUSPEND


def text(name: str, value: Any) -> None:
    if not isinstance(value, str) or len(value) > MOST_TEXT:
        raise BadPlaybook(f"{name}: is a text of {MOST_TEXT} characters at most")


def yes_or_no(name: str, value: Any) -> None:
    if not isinstance(value, bool):
        raise BadPlaybook(f"{name}: {value!r} is neither true nor false")


def checks(name: str, value: Any) -> None:
    known = sorted(by_name(load_checks()))
    if not isinstance(value, list) or not all(isinstance(each, str) and each in known for each in value):
        raise BadPlaybook(f"{name}: {value!r} is no list of {known}")


def span(name: str, value: Any) -> None:
    try:
        parse_span(value)
    except BadPlaybook as exc:
        raise BadPlaybook(f"{name}: {exc}") from exc


SHAPES: Mapping[str, Callable[[str, Any], None]] = {
    "text": text,
    "letter": text,  # whether it is written, versions.py asks
    "bool": yes_or_no,
    "checks": checks,
    "span": span,
    "state": lambda name, value: one_name(name, value, CaseState),
    "measure": lambda name, value: one_name(name, value, MeasureKind),
    "resolution": lambda name, value: one_name(name, value, Resolution),
}
