from __future__ import annotations

from typing import Any

import pytest

from complaints.cases.bulk_rules import HELD_BACK, RULES, Seen, left_out
from complaints.vocabulary import CaseState, Resolution, Verdict

CLEAN = frozenset({Verdict.CLEAN})
UNCLEAR = CLEAN | {Verdict.UNKNOWN}
VERIFIED = Resolution.FIXED_VERIFIED


@pytest.mark.parametrize(
    ("kind", "seen", "why"),
    [
        ("close", {}, ""),
        ("close", {"state": CaseState.CLOSED}, "closed already"),
        ("close", {"moved_on": True}, "it has moved on since you saw it"),
        ("close", {"waits_for": "carla"}, "carla is acting on it at this moment"),
        ("close", {"resolution": VERIFIED}, "no clean check proves the fix"),
        (
            "close",
            {"resolution": VERIFIED, "last_verdicts": UNCLEAR},
            "no clean check proves the fix",
        ),
        ("close", {"resolution": VERIFIED, "last_verdicts": CLEAN}, ""),
        ("close", {"resolution": Resolution.NOT_ABUSE}, ""),
        ("assign", {"to": "ada"}, ""),
        ("assign", {"to": "ada", "assignee": "ada"}, "ada has it already"),
        ("assign", {"to": "ada", "assignee": "carla"}, ""),
        ("assign", {"to": ""}, "nobody has it already"),
        ("assign", {}, ""),
        ("assign", {"state": CaseState.CLOSED, "to": "ada"}, "closed already"),
        ("assign", {"moved_on": True, "to": "ada"}, ""),
        ("note", {"state": CaseState.CLOSED}, ""),
        ("note", {"moved_on": True}, ""),
        ("note", {"waits_for": "ada"}, ""),
        ("interact", {}, ""),
        ("interact", {"waits_for": "ada"}, "ada is acting on it at this moment"),
        ("interact", {"moved_on": True}, "it has moved on since you saw it"),
        ("interact", {"state": CaseState.CLOSED}, "closed already"),
        ("check", {}, ""),
        ("check", {"has_address": False}, "it names no address to check"),
        ("check", {"state": CaseState.CLOSED}, "closed already"),
    ],
)
def test_a_case_is_left_out_for(kind: str, seen: dict[str, Any], why: str) -> None:
    assert left_out(kind, Seen(**({"state": CaseState.TRIAGE} | seen))) == why


def test_all_that_cannot_be_taken_back_is_held_back() -> None:
    assert set(RULES) - HELD_BACK == {"assign"}
