"""The shipped playbooks with minutes in place of days, so that a newcomer sees a whole case in one sitting."""

from __future__ import annotations

from typing import Any

from complaints.playbooks.documents import WORKING, parse_span
from complaints.playbooks.loading import shipped_playbooks

NOTE = "Demo: minutes instead of days"
# One between two of these lasts as long as the longer; one beyond them stops the seeding: no timer may last for days.
SHORTER = {
    "17d": "10m",
    "14d": "9m",
    "10d": "8m",
    "7d": "6m",
    "72h": "4m",
    "48h": "3m",
    "36h": "2m",
    "24h": "75s",
    "12h": "50s",
    "8h": "40s",
    "2h": "20s",
    "30m": "15s",
    "15m": "8s",
}
# Where a repair that nobody reports is waiting for the newcomer's click, 75 s would be too short to find the button.
SHORTER_BY_STEP = {"look-again": "3m"}
TIMERS = ("after", "deadline", "undo")


class NoShorterTimer(Exception):
    """A shipped playbook has a span that the demo does not know how to shorten."""


def demo_playbooks() -> list[dict[str, Any]]:
    return [hurried(document) for document in shipped_playbooks()]


def hurried(document: dict[str, Any]) -> dict[str, Any]:
    document["note"] = NOTE
    for step in document["steps"]:
        step.pop("only_in", None)  # a newcomer may come at night
        for fields in (step, step.get("with", {})):
            shorten(fields, step)
    return document


def shorten(fields: dict[str, Any], step: dict[str, Any]) -> None:
    for name in TIMERS:
        if name in fields:
            by_step = SHORTER_BY_STEP.get(step["id"]) if name == "after" else None
            fields[name] = by_step or shorter(fields[name], f"step {step['id']}: {name}")


def shorter(span: str, where: str) -> str:
    known = sorted(SHORTER, key=parse_span)
    found = next((each for each in known if parse_span(span.removesuffix(WORKING)) <= parse_span(each)), None)
    if found is None:
        raise NoShorterTimer(f"{where} {span!r} is longer than {known[-1]}")
    return SHORTER[found]
