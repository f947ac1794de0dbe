"""A playbook reads like plain instructions."""

from typing import Any

import pytest

from complaints.playbooks.actions import load_actions
from complaints.playbooks.condition_words import CONDITION_WORDS, condition_words
from complaints.playbooks.conditions import CONDITIONS
from complaints.playbooks.documents import parse_steps
from complaints.playbooks.loading import shipped_playbooks
from complaints.playbooks.sentences import audience_words, sentence
from complaints.registry import by_name
from complaints.vocabulary import Category, Cause, ContractKind, CustomerStatus, MeasureKind

ACTIONS = by_name(load_actions())
CHECK = {"action": "check", "with": {"checks": ["relay"]}}


TOLD = {"notice": "notify", "move_to": "notified", "deadline": "72h", "reason": "Sure"}


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (CHECK, "At once: test for an open relay."),
        ({**CHECK, "after": "36h"}, "After 36 hours: test for an open relay."),
        ({**CHECK, "after": "16h working"}, "After 16 working hours: test for an open relay."),
        ({**CHECK, "only_in": "working hours"}, "In working hours: test for an open relay."),
        ({**CHECK, "case_age": "4d"}, "Not before the case is 4 days old: test for an open relay."),
        (
            {**CHECK, "after": "1h", "when": {"settled": True, "ladder_below": 1}},
            "After 1 hour, if no check is still running and it is the first time: test for an open relay.",
        ),
        (
            {**CHECK, "when": {"verdict": {"a": "clean", "b": "unknown"}, "quiet": None}},
            "If “a” came out clean, “b” gave no clear answer and a complaint came after the fix that does not say when"
            " it happened: test for an open relay.",
        ),
        (
            {"action": "notify", "with": TOLD},
            "At once: send the first notice and give the customer 72 hours. Reason: Sure.",
        ),
        (
            {"action": "notify", "with": {"notice": "escalated", "move_to": "escalated", "reason": "Silence"}},
            "At once: send the escalation notice and escalate the case. Reason: Silence.",
        ),
        ({"action": "notify", "with": {"notice": "remind"}}, "At once: send the reminder."),
        (
            {"action": "move", "with": {"to": "verifying", "reason": "Clean", "mark_fixed": True}},
            "At once: begin to verify the fix, as if the customer had said so now. Reason: Clean.",
        ),
        (
            {"action": "close", "with": {"resolution": "fixed_verified", "notice": "solved", "reason": "Quiet"}},
            "At once: close the case as “fixed and verified” and send the letter “solved”. Reason: Quiet.",
        ),
        (
            {"action": "measure", "with": {"measure": "limit_25", "undo": "1d 2h", "reason": "Open"}},
            "At once: block outgoing tcp/25; for 1 day 2 hours a person can still stop it. Reason: Open.",
        ),
        ({"action": "release", "with": {"reason": "Mended"}}, "At once: lift every measure. Reason: Mended."),
        ({"action": "task", "with": {"title": "Is it worth a call?"}}, "At once: ask a person: Is it worth a call?"),
    ],
)  # fmt: skip
def test_a_step_is_one_sentence(row: dict[str, Any], said: str) -> None:
    checks = [{"id": name, "in_state": "triage", **CHECK} for name in "ab"]
    *_, step = parse_steps({"steps": [*checks, {"id": "c", "in_state": "notified", **row}]}, ACTIONS)
    assert sentence(step) == said


@pytest.mark.parametrize(
    ("when", "said"),
    [
        ({"may_notify": False}, "we are not sure enough to write to the customer"),
        ({"told": False, "taken_up": False}, "the customer was never written to and nobody has taken the case up"),
        ({"claims_failed_below": 2}, "a fix was claimed wrongly less than twice"),
        ({"claims_failed_from": 3}, "a fix was claimed wrongly 3 times or more"),
        ({"ladder_from": 1}, "it is a relapse"),
        ({"ladder_from": 2}, "it has come back twice or more"),
        ({"cause_not_in": ["open_relay", "bot"]}, "the cause is not an open relay or an infected machine"),
        ({"category_in": ["phishing", "login_attack"]}, "it is about phishing or log-in attempts"),
        ({"answer_in": ["disputes"]}, "the customer says that it is not their line"),
        ({"in_force": "quarantine"}, "the line is in quarantine"),
        ({"may_have_time": True}, "the customer asks for more time, in time and for the first time"),
        ({"held_here": False}, "no measure of this case holds the line"),
        ({"let_go": "limit_25"}, "outgoing tcp/25 was let go to look"),
        ({"not_in_force": "suspend"}, "the line is not suspended"),
        ({"delisted": None}, "nobody can say whether a blacklist still names the address"),
    ],
)  # fmt: skip
def test_a_condition_is_part_of_a_sentence(when: dict[str, Any], said: str) -> None:
    assert condition_words(when) == said


VALUES = {
    "bool": [True, False],
    "tristate": [True, False, None],
    "number": [0, 1, 2, 7],
    "step": ["look"],
    "verdicts": [{"look": verdict} for verdict in ("clean", "bad", "unknown")],
    "categories": [[each] for each in Category],
    "causes": [[each] for each in Cause],
    "contracts": [[each] for each in ContractKind],
    "answers": [[each] for each in CustomerStatus],
    "measure": list(MeasureKind),
}


def test_every_condition_says_something_else_for_every_value() -> None:
    assert set(CONDITION_WORDS) == set(CONDITIONS)
    for name, condition in CONDITIONS.items():
        said = [condition_words({name: value}) for value in VALUES[condition.shape]]
        assert len(set(said)) == len(said), said
        assert all(text and "_" not in text and "{" not in text for text in said), said


def test_whom_a_playbook_is_for_is_said_as_well() -> None:
    said = {document["name"]: audience_words(document) for document in shipped_playbooks()}
    assert said["open relay"] == "Cases where the cause is an open relay"
    assert said["attack"] == "Cases where it is about log-in attempts, scans or floods"
    assert said["mail abuse"] == "Every case that no other playbook is closer to"
