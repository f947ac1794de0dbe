"""What XARF v4's own JSON schema finds wrong with a report, in sentences.

The schemas come with the package `xarf`; only its schema check is used (docs/dependencies.md says why). Hostile reports
are cut down to a sketch first: its time grows with the report, and its messages quote what they complain about.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from xarf.schema_validator import SchemaValidator

LONGEST_TEXT = 1_100  # more than any maxLength of the schema
MOST_ITEMS = 60  # more than any maxItems of the schema
MOST_KEYS = 200
MOST_DEPTH = 6
LONGEST_MESSAGE = 160
MOST_MESSAGES = 20


@cache
def validator() -> SchemaValidator:
    """Imported at the first report: it takes a fifth of a second and 28 MB, which no other format should pay."""
    from xarf.schema_validator import schema_validator

    return schema_validator


def schema_problems(report: Mapping[str, Any]) -> list[str]:
    """Each as `field: what is wrong`; empty when the report is valid."""
    found: dict[str, None] = {}
    for error in validator().validate(sketch(report))[:MOST_MESSAGES]:
        if error.message.startswith("{"):  # "{the whole report} is not valid under any of the given schemas"
            kind = f"{report.get('category')}/{report.get('type')}"[:80]
            found[f"{error.field or 'type'}: the schema knows no {kind}, or not with these fields"] = None
        else:
            found[f"{error.field or 'report'}: {shortened(error.message)}"] = None
    return list(found)


def shortened(message: str) -> str:
    return message if len(message) <= LONGEST_MESSAGE else message[: LONGEST_MESSAGE - 1] + "…"


def sketch(value: Any, depth: int = 0) -> Any:
    if isinstance(value, str):
        return value[:LONGEST_TEXT]
    if isinstance(value, Mapping):
        items = list(value.items())[:MOST_KEYS] if depth < MOST_DEPTH else []
        return {key[:LONGEST_TEXT]: sketch(item, depth + 1) for key, item in items}
    if isinstance(value, list):
        return [sketch(item, depth + 1) for item in value[:MOST_ITEMS]] if depth < MOST_DEPTH else []
    return value
