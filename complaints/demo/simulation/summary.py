"""The scorecard as text for people. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

GOALS = {
    "complaints_lost": "0",
    "attributions.wrong": "0",
    "causes.right_share": "at least 0.95",
    "notices.wrong_customer": "0",
    "cases.closed_while_broken": "0",
    "cases.missed_share": "at most 0.01",
    "untouched_share": "at least 0.9",
    "human_items_per_1000": "at most 10",
}


def as_text(card: Mapping[str, Any]) -> str:
    lines = [line(name, value) for name, value in flat({k: v for k, v in card.items() if k != "worst"})]
    for kind, rows in card.get("worst", {}).items():
        lines += ["", kind.replace("_", " ")]
        lines += ["  " + ", ".join(f"{name}: {value}" for name, value in row.items()) for row in rows]
    return "\n".join(lines)


def flat(values: Mapping[str, Any], front: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from flat(value, f"{front}{name}.")
        else:
            yield front + name, value


def line(name: str, value: Any) -> str:
    goal = f"   (goal: {GOALS[name]})" if name in GOALS else ""
    return f"{name:<60} {value}{goal}"
