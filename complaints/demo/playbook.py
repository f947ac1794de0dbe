"""The shipped playbook with minutes in place of days, so that a newcomer sees a whole case in one sitting."""

from __future__ import annotations

import copy
from typing import Any

from complaints.playbooks.loading import read_playbook

NOTE = "Demo: minutes instead of days"
# A span that is not in this table stops the seeding: a new timer must not silently last for days.
SHORTER = {"72h": "4m", "48h": "3m", "36h": "2m", "24h": "75s", "15m": "8s"}
# Where a repair that nobody reports is waiting for the newcomer's click, 75 s would be too short to find the button.
SHORTER_BY_STEP = {"look-again": "3m"}


class NoShorterTimer(Exception):
    """The shipped playbook has a span that the demo does not know how to shorten."""


def demo_playbook() -> dict[str, Any]:
    document = copy.deepcopy(read_playbook())
    document["note"] = NOTE
    for step in document["steps"]:
        shorten(step, "after", step)
        shorten(step.get("with", {}), "deadline", step)
    return document


def shorten(fields: dict[str, Any], name: str, step: dict[str, Any]) -> None:
    if name not in fields:
        return
    if fields[name] not in SHORTER:
        raise NoShorterTimer(f"step {step['id']}: {name} {fields[name]!r} is none of {', '.join(SHORTER)}")
    by_step = SHORTER_BY_STEP.get(step["id"]) if name == "after" else None
    fields[name] = by_step or SHORTER[fields[name]]
