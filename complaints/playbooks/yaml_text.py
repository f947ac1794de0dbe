"""A playbook as YAML text that a stranger may have written: bounded, and each error with its line. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import yaml

from complaints.playbooks.documents import BadPlaybook

MOST_BYTES = 200_000
MOST_DEPTH = 12
NAMED_STEP = re.compile(r"^step ([a-z][a-z0-9-]{0,39}):")


def read_yaml(raw: bytes, checked: Callable[[Any], dict[str, Any]]) -> dict[str, Any]:
    """The document in `raw`, as `checked` returns it. Raises BadPlaybook with the line, where there is one."""
    if len(raw) > MOST_BYTES:
        raise BadPlaybook(f"{len(raw):,} bytes are more than {MOST_BYTES:,}: this is no playbook")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as exc:
        raise BadPlaybook(f"byte {exc.start}: this is no UTF-8 text") from None
    document = load(text)
    try:
        return checked(document)
    except BadPlaybook as exc:
        raise BadPlaybook(f"{line_of(text, str(exc))}{exc}") from exc


DOCUMENT_ORDER = ("name", "title", "note", "for", "steps")
STEP_ORDER = ("id", "in_state", "action", "after", "case_age", "only_in", "when", "with")


def write_yaml(document: Mapping[str, Any]) -> str:
    """Fields in the order in which one reads them: PostgreSQL does not keep the order of a JSON object."""
    ordered = in_order(document, DOCUMENT_ORDER)
    if isinstance(ordered.get("steps"), list):
        ordered["steps"] = [in_order(step, STEP_ORDER) for step in ordered["steps"]]
    return yaml.safe_dump(ordered, sort_keys=False, allow_unicode=True, width=120)


def in_order(fields: Mapping[str, Any], order: Sequence[str]) -> dict[str, Any]:
    """Also inside of them, by the alphabet; what is not in `order` comes last."""
    names = sorted(fields, key=lambda name: (order.index(name) if name in order else len(order), name))
    return {name: in_order(value, ()) if isinstance(value := fields[name], Mapping) else value for name in names}


def load(text: str) -> Any:
    try:
        refuse_bombs(text)
        document = yaml.safe_load(text)
    except yaml.MarkedYAMLError as exc:
        where = f"line {exc.problem_mark.line + 1}: " if exc.problem_mark else ""
        raise BadPlaybook(f"{where}{exc.problem or exc.context}") from None
    except (yaml.YAMLError, ValueError) as exc:
        raise BadPlaybook(f"this is no YAML: {' '.join(str(exc).split())[:300]}") from None
    storable(document)
    return document


def refuse_bombs(text: str) -> None:
    """A few lines of aliases may stand for gigabytes, and a long row of brackets breaks the reader."""
    depth = 0
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        if isinstance(event, yaml.AliasEvent):
            raise BadPlaybook(f"line {line_number(event)}: aliases (*name) are not read in playbooks")
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > MOST_DEPTH:
            raise BadPlaybook(f"line {line_number(event)}: nested more than {MOST_DEPTH} deep")


def line_number(event: yaml.Event) -> int | str:
    return event.start_mark.line + 1 if event.start_mark else "?"


def storable(document: Any) -> None:
    """Only what JSON and both databases can hold: no dates, no infinity, no NUL, and names for keys."""
    try:
        text = json.dumps(document, allow_nan=False)
    except (TypeError, ValueError) as exc:
        raise BadPlaybook(f"a value can be no text, number, list or mapping: {exc}; put it in quotes") from None
    if "\\u0000" in text or "\\ud8" in text:
        raise BadPlaybook("it holds a character that cannot be stored")


def line_of(text: str, problem: str) -> str:
    """ "line 12: " of the step that the problem names, else nothing."""
    found = NAMED_STEP.match(problem)
    if not found:
        return ""
    pattern = re.compile(rf"\bid:\s*[\"']?{re.escape(found[1])}[\"']?\s*(?=[,}}\s]|$)")
    for number, line in enumerate(text.splitlines(), start=1):
        if pattern.search(line):
            return f"line {number}: "
    return ""
