"""A playbook document: read, and every field checked, with an error that names the step. Pure.

{"name", "title", "for": {"category": […], "cause": […], "contract": […]}, "steps": [{"id", "in_state", "action",
 "after", "case_age", "only_in", "when", "with"}, …]}

after: a span since the case entered its state, "36h", "1d 12h", or "16h working": then only working hours count.
case_age: not before the case is that old. only_in: "working hours". when: conditions of conditions.py. with: handed
to the action. A step runs at most once a turn. `for` says which cases it is meant for; see choosing.py.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Collection, Mapping
from datetime import timedelta
from enum import StrEnum
from typing import Any

from complaints.playbooks.conditions import CONDITIONS
from complaints.vocabulary import CaseState, Category, Cause, ContractKind, CustomerStatus, MeasureKind, Verdict

SPAN = re.compile(r"(\d{1,6})\s*([smhd])")
SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
LONGEST = timedelta(days=366)  # beyond, the calendar of working hours may have no such day
WORKING = " working"
WORKING_HOURS = "working hours"
STEP_ID = re.compile(r"[a-z][a-z0-9-]{0,39}")
STEP_FIELDS = frozenset({"id", "in_state", "action", "after", "case_age", "only_in", "when", "with"})
DOCUMENT_FIELDS = frozenset({"name", "title", "note", "for", "steps"})
MOST_STEPS = 200


class BadPlaybook(Exception):
    """The document cannot be used; the text says which step and what."""


@dataclasses.dataclass(frozen=True, slots=True)
class Step:
    id: str
    in_state: CaseState
    action: str
    after: timedelta = timedelta(0)
    working: bool = False  # `after` counts working hours only
    case_age: timedelta = timedelta(0)
    only_in_hours: bool = False
    when: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    params: Mapping[str, Any] = dataclasses.field(default_factory=dict)


AUDIENCE: Mapping[str, type[StrEnum]] = {"category": Category, "cause": Cause, "contract": ContractKind}


def parse_span(text: str) -> timedelta:
    """A span such as "90s", "36h" or "1d 12h". Raises BadPlaybook."""
    parts = SPAN.findall(text) if isinstance(text, str) else []
    if not parts or SPAN.sub("", text).strip():
        raise BadPlaybook(f"{text!r} is no span of time: write 20s, 15m, 36h, 3d")
    span = timedelta(seconds=sum(int(number) * SECONDS[unit] for number, unit in parts[:20]))
    if span > LONGEST:
        raise BadPlaybook(f"{text!r} is longer than {LONGEST.days} days")
    return span


def parse_steps(document: Mapping[str, Any], actions: Collection[str]) -> list[Step]:
    """The steps of a playbook document, each field checked. Raises BadPlaybook."""
    rows = document.get("steps", [])
    if not isinstance(rows, list) or not rows:
        raise BadPlaybook("a playbook needs steps")
    if len(rows) > MOST_STEPS:
        raise BadPlaybook(f"{len(rows)} steps are more than {MOST_STEPS}")
    steps = [parse_step(row, actions) for row in rows]
    ids = [step.id for step in steps]
    if len(set(ids)) != len(ids):
        raise BadPlaybook(f"two steps share an id: {sorted({i for i in ids if ids.count(i) > 1})}")
    for step in steps:
        check_mentions(step, set(ids))
    return steps


def check_document(document: Mapping[str, Any]) -> None:
    """Everything beside the steps. Raises BadPlaybook."""
    if not isinstance(document, Mapping):
        raise BadPlaybook(f"a playbook is a mapping with a name and steps, not {type(document).__name__}")
    if strange := set(document) - DOCUMENT_FIELDS:
        raise BadPlaybook(f"{sorted(strange)} are no fields of a playbook: {sorted(DOCUMENT_FIELDS)}")
    name = document.get("name")
    if not isinstance(name, str) or not 1 <= len(name) <= 100:
        raise BadPlaybook(f"name: {name!r} is no name of 1 to 100 characters")
    audience = document.get("for", {})
    if not isinstance(audience, Mapping) or set(audience) - set(AUDIENCE):
        raise BadPlaybook(f"for: may name {', '.join(AUDIENCE)}, each with a list")
    for field, names in audience.items():
        names_of(f"for: {field}", names, AUDIENCE[field])


def parse_step(row: Mapping[str, Any], actions: Collection[str]) -> Step:
    if not isinstance(row, Mapping):
        raise BadPlaybook(f"a step is a mapping with id, in_state and action, not {row!r}")
    name = row.get("id", "(no id)")
    if set(row) - STEP_FIELDS or not {"id", "in_state", "action"} <= set(row):
        optional = "after, case_age, only_in, when, with"
        raise BadPlaybook(f"step {name}: has {sorted(row)}; needs id, in_state, action; may have {optional}")
    try:
        return checked_step(row, actions)
    except BadPlaybook as exc:
        raise BadPlaybook(f"step {name}: {exc}") from exc


def checked_step(row: Mapping[str, Any], actions: Collection[str]) -> Step:
    if not isinstance(row["id"], str) or not STEP_ID.fullmatch(row["id"]):
        raise BadPlaybook("an id is of small letters, digits and hyphens, 40 at most")
    if row["in_state"] not in list(CaseState):
        raise BadPlaybook(f"in_state {row['in_state']!r} is none of {[s.value for s in CaseState]}")
    if row["action"] not in actions:
        raise BadPlaybook(f"action {row['action']!r} is none of {sorted(actions)}")
    if row.get("only_in", WORKING_HOURS) != WORKING_HOURS:
        raise BadPlaybook(f"only_in {row['only_in']!r}: it may only be {WORKING_HOURS!r}")
    after = str(row.get("after", "0s"))
    return Step(
        id=row["id"],
        in_state=CaseState(row["in_state"]),
        action=row["action"],
        after=parse_span(after.removesuffix(WORKING)),
        working=after.endswith(WORKING),
        case_age=parse_span(row.get("case_age", "0s")),
        only_in_hours="only_in" in row,
        when=checked_when(row.get("when", {})),
        params=checked_params(row.get("with", {})),
    )


def checked_when(when: Any) -> Mapping[str, Any]:
    if not isinstance(when, Mapping) or set(when) - set(CONDITIONS):
        strange = sorted(set(when) - set(CONDITIONS)) if isinstance(when, Mapping) else when
        raise BadPlaybook(f"conditions {strange} are none of {sorted(CONDITIONS)}")
    for name, value in when.items():
        SHAPES[CONDITIONS[name].shape](name, value)
    return when


def checked_params(params: Any) -> Mapping[str, Any]:
    if not isinstance(params, Mapping):
        raise BadPlaybook(f"with: is a mapping, not {params!r}")
    for name in ("deadline", "undo"):
        if name in params:
            parse_span(params[name])
    if "measure" in params:
        one_name("measure", params["measure"], MeasureKind)
    return params


def check_mentions(step: Step, ids: Collection[str]) -> None:
    """Conditions name steps of this playbook: one that is misspelt would never come true."""
    mentioned = {
        *step.when.get("verdict", {}),
        *(step.when[name] for name in ("finished", "refused") if name in step.when),
    }
    if missing := mentioned - set(ids):
        raise BadPlaybook(f"step {step.id}: waits for {sorted(missing)}, which are no steps of this playbook")


def one_name(name: str, value: Any, kind: type[StrEnum]) -> None:
    if value not in list(kind):
        raise BadPlaybook(f"{name}: {value!r} is none of {[member.value for member in kind]}")


def names_of(name: str, values: Any, kind: type[StrEnum]) -> None:
    if not isinstance(values, list) or not values:
        raise BadPlaybook(f"{name}: is a list of {[member.value for member in kind]}, not {values!r}")
    for value in values:
        one_name(name, value, kind)


def verdicts_of(name: str, value: Any) -> None:
    if not isinstance(value, Mapping) or not value:
        raise BadPlaybook(f"{name}: is step: verdict, not {value!r}")
    for verdict in value.values():
        one_name(name, verdict, Verdict)


def one_of(name: str, value: Any, allowed: tuple[Any, ...]) -> None:
    if not any(value is each for each in allowed):
        raise BadPlaybook(f"{name}: {value!r} is none of {allowed}")


def number(name: str, value: Any) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
        raise BadPlaybook(f"{name}: {value!r} is no number from 0 on")


def step_name(name: str, value: Any) -> None:
    if not isinstance(value, str):
        raise BadPlaybook(f"{name}: {value!r} is no step")


SHAPES: Mapping[str, Callable[[str, Any], None]] = {
    "step": step_name,
    "verdicts": verdicts_of,
    "bool": lambda name, value: one_of(name, value, (True, False)),
    "tristate": lambda name, value: one_of(name, value, (True, False, None)),
    "number": number,
    "categories": lambda name, value: names_of(name, value, Category),
    "causes": lambda name, value: names_of(name, value, Cause),
    "contracts": lambda name, value: names_of(name, value, ContractKind),
    "answers": lambda name, value: names_of(name, value, CustomerStatus),
    "measure": lambda name, value: one_name(name, value, MeasureKind),
}
