"""Each word that a playbook may ask with, on both sides of its edge; and what due_steps makes of state, age, answers,
verdicts and versions, row by row."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from complaints.playbooks.conditions import CONDITIONS, Facts, is_said_by_reporters, may_measure, may_notify, sum_up
from complaints.playbooks.documents import parse_steps
from complaints.playbooks.schedule import due_steps, moment_of, next_due_at, what_follows
from complaints.playbooks.working_time import WorkingTime
from complaints.vocabulary import CaseState, Category, Cause, ContractKind, CustomerStatus, Verdict

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)  # a Tuesday
BAD, CLEAN, UNKNOWN = Verdict.BAD, Verdict.CLEAN, Verdict.UNKNOWN
FACTS = Facts(state=CaseState.NOTIFIED, state_since=NOON, now=NOON)
# Sure by a hair: the weakest case that may be told, and measured.
BARELY = replace(FACTS, cause=Cause.BOT, cause_confidence=0.6, owner_confidence=0.8, has_contact=True, reporters=2)
RELAY = {"look": {"relay": [CLEAN]}}

# condition: (value, what the case is like, whether it holds)
WORDS: dict[str, list[tuple[Any, dict[str, Any], bool]]] = {
    "finished": [
        ("look", {}, False),
        ("look", {"verdicts": RELAY}, True),
        ("look", {"verdicts": RELAY, "pending": {"look"}}, False),
        ("look", {"verdicts": RELAY, "pending": {"another"}}, True),
    ],
    "verdict": [
        ({"look": "clean"}, {}, False),
        ({"look": "unknown"}, {}, False),
        ({"look": "clean"}, {"verdicts": RELAY}, True),
        ({"look": "bad"}, {"verdicts": RELAY}, False),
        ({"look": "clean"}, {"verdicts": RELAY, "pending": {"look"}}, False),
        ({"look": "clean"}, {"verdicts": {"look": {"relay": [CLEAN], "dnsbl": [BAD]}}}, False),
        ({"look": "bad"}, {"verdicts": {"look": {"relay": [CLEAN, UNKNOWN], "dnsbl": [BAD]}}}, True),
        ({"look": "clean"}, {"verdicts": {"look": {"relay": [CLEAN, UNKNOWN]}}}, False),
        ({"look": "unknown"}, {"verdicts": {"look": {"relay": [CLEAN, UNKNOWN]}}}, True),
        ({"look": "clean", "again": "clean"}, {"verdicts": RELAY}, False),
        ({"look": "clean", "again": "bad"}, {"verdicts": {**RELAY, "again": {"relay": [BAD]}}}, True),
    ],
    "refused": [("look", {}, False), ("look", {"refused": {"look"}}, True), ("look", {"refused": {"other"}}, False)],
    "found_bad": [
        (True, {}, False),
        (False, {"verdicts": RELAY}, True),
        (True, {"verdicts": {**RELAY, "again": {"dnsbl": [CLEAN, BAD]}}}, True),
    ],
    "seen_within": [
        (36, {}, True),  # not known: taken to go on
        (36, {"last_seen": NOON - timedelta(hours=36)}, True),
        (36, {"last_seen": NOON - timedelta(hours=36, seconds=1)}, False),
    ],
    "unseen_for": [
        (36, {}, False),
        (36, {"last_seen": NOON - timedelta(hours=36)}, True),
        (36, {"last_seen": NOON - timedelta(hours=35, minutes=59)}, False),
    ],
    "watched": [
        (0, {}, False),
        (0, {"watch_until": NOON}, True),
        (1, {"watch_until": NOON}, False),
        (1, {"watch_until": NOON - timedelta(hours=1)}, True),
    ],
    "may_have_time": [(True, {}, False), (True, {"may_have_time": True}, True), (False, {}, True)],
    "may_look_again": [(True, {}, False), (True, {"may_look_again": True}, True), (False, {}, True)],
    "unclear_from": [(2, {"unclear": 1}, False), (2, {"unclear": 2}, True)],
    "task_open": [(True, {}, False), (True, {"task_open": True}, True), (False, {}, True)],
    "held_here": [
        (True, {}, False),
        (False, {"measures": {"limit_25"}}, True),
        (True, {"held_here": {"limit_25"}}, True),
    ],
    "let_go": [("limit_25", {"let_go": {"limit_25"}}, True), ("limit_25", {"let_go": {"quarantine"}}, False)],
    "restrained": [(True, {}, False), (False, {}, True), (True, {"measures": {"limit_25"}}, True)],
    "reachable": [(True, {"has_contact": True}, True), (False, {"has_contact": True}, False), (False, {}, True)],
    "weak": [
        (True, {"has_contact": True, "owner_confidence": 0.8, "reporters": 2}, True),
        (True, {"has_contact": True, "owner_confidence": 0.8, "reporters": 3}, False),
        (True, {"has_contact": True, "owner_confidence": 0.79, "reporters": 1}, True),
        (False, {"has_contact": True, "owner_confidence": 0.79, "reporters": 2}, True),
        (False, {"has_contact": False, "owner_confidence": 0.8}, True),
    ],
    "confidence_from": [(60, {"cause_confidence": 0.6}, True), (60, {"cause_confidence": 0.59}, False)],
    "may_notify": [(True, {}, False), (False, {}, True)],
    "may_measure": [(True, {}, False), (False, {}, True)],
    "quiet": [
        (wanted, {"quiet": there}, wanted is there) for wanted in (True, False, None) for there in (True, False, None)
    ],
    "delisted": [
        (wanted, {"delisted": there}, wanted is there)
        for wanted in (True, False, None)
        for there in (True, False, None)
    ],
    "settled": [
        (True, {}, True),
        (False, {}, False),
        (True, {"pending": {"look"}}, False),
        (False, {"pending": {"look"}}, True),
    ],
    "told": [(yes, {"told": there}, yes is there) for yes in (True, False) for there in (True, False)],
    "taken_up": [(yes, {"taken_up": there}, yes is there) for yes in (True, False) for there in (True, False)],
    "undelivered": [(yes, {"undelivered": there}, yes is there) for yes in (True, False) for there in (True, False)],
    "protected": [(yes, {"protected": there}, yes is there) for yes in (True, False) for there in (True, False)],
    "claims_failed_below": [(2, {"claims_failed": n}, n < 2) for n in (1, 2, 3)],
    "claims_failed_from": [(2, {"claims_failed": n}, n >= 2) for n in (1, 2, 3)],
    "complaints_from": [(5, {"complaints": n}, n >= 5) for n in (4, 5, 6)],
    "reporters_from": [(5, {"reporters": n}, n >= 5) for n in (4, 5, 6)],
    "ladder_from": [(2, {"ladder": n}, n >= 2) for n in (1, 2, 3)],
    "ladder_below": [(2, {"ladder": n}, n < 2) for n in (1, 2, 3)],
    "points_from": [(10, {"points": n}, n >= 10) for n in (9.9, 10.0, 10.1)],
    "points_below": [(10, {"points": n}, n < 10) for n in (9.9, 10.0, 10.1)],
    "category_in": [
        (["scan", "ddos"], {"category": Category.DDOS}, True),
        (["scan", "ddos"], {"category": Category.SPAM}, False),
    ],
    "cause_in": [(["bot"], {"cause": Cause.BOT}, True), (["bot"], {"cause": Cause.UNKNOWN}, False)],
    "cause_not_in": [(["bot"], {"cause": Cause.BOT}, False), (["bot"], {"cause": Cause.UNKNOWN}, True)],
    "contract_in": [
        (["residential"], {"contract_kind": ContractKind.RESIDENTIAL}, True),
        (["residential"], {"contract_kind": ContractKind.BUSINESS}, False),
    ],
    "answer_in": [
        (["disputes"], {"customer_status": CustomerStatus.DISPUTES}, True),
        (["disputes"], {"customer_status": CustomerStatus.SEEN}, False),
    ],
    "in_force": [("suspend", {"measures": {"suspend"}}, True), ("suspend", {"measures": {"limit_25"}}, False)],
    "not_in_force": [("suspend", {"measures": {"suspend"}}, False), ("suspend", {"measures": {"limit_25"}}, True)],
}


@pytest.mark.parametrize(
    ("name", "value", "there", "holds"), [(name, *row) for name, rows in WORDS.items() for row in rows]
)
def test_a_condition_holds_up_to_its_edge(name: str, value: Any, there: dict[str, Any], holds: bool) -> None:
    assert CONDITIONS[name].holds(replace(FACTS, **there), value) is holds


def test_every_condition_is_in_the_table_with_both_answers() -> None:
    assert {name: {holds for *_, holds in rows} for name, rows in WORDS.items()} == {
        name: {True, False} for name in CONDITIONS
    }


@pytest.mark.parametrize(
    ("verdicts", "all_in_all"),
    [([], UNKNOWN), ([CLEAN], CLEAN), ([CLEAN, CLEAN], CLEAN), ([CLEAN, UNKNOWN], UNKNOWN), ([UNKNOWN, BAD], BAD)],
)
def test_bad_if_any_is_bad_and_clean_only_if_all_are(verdicts: list[Verdict], all_in_all: Verdict) -> None:
    assert sum_up(verdicts) is all_in_all


# --- the two safety rules: what is taken from the weakest sure case, or given in its place

PROVEN = {"cause": Cause.OPEN_RELAY, "cause_confidence": 0.99, "reporters": 1}
SCAN = {"category": Category.SCAN, "cause": Cause.UNKNOWN, "cause_confidence": 0.0}
TOLD_OR_NOT: list[tuple[str, dict[str, Any], bool]] = [
    ("barely sure", {}, True),
    ("owner a hair less sure", {"owner_confidence": 0.799}, False),
    ("nobody to write to", {"has_contact": False}, False),
    ("cause a hair less likely", {"cause_confidence": 0.599}, False),
    ("cause not known", {"cause": Cause.UNKNOWN}, False),
    ("one voice", {"reporters": 1}, False),
    ("one voice that can be trusted", {"reporters": 1, "trusted_reporters": 1}, True),
    ("long ago", {"recent": False}, False),
    ("sure of the cause, long ago, one voice", {"cause_confidence": 0.8, "recent": False, "reporters": 1}, True),
    ("almost sure of the cause, long ago", {"cause_confidence": 0.799, "recent": False}, False),
    ("no mail abuse", {"category": Category.NOT_SPAM}, False),
    ("sure of the cause, no mail abuse", {"category": Category.NOT_SPAM, "cause_confidence": 0.99}, False),
    ("one list alone", {"cause_confidence": 0.8, "only_listed": True, "reporters": 1}, False),
    ("two lists", {"cause_confidence": 0.8, "only_listed": True, "reporters": 2}, True),
    ("a relay by its shape", {"cause": Cause.OPEN_RELAY}, False),
    ("a relay that is proven", PROVEN, True),
    ("a proven relay on one list", PROVEN | {"only_listed": True}, True),
    ("called vulnerable, a proven relay", PROVEN | {"category": Category.VULNERABLE}, True),
    ("called vulnerable, a relay by its shape", {"category": Category.VULNERABLE, "cause": Cause.OPEN_RELAY}, False),
    ("a scan, two voices", SCAN, True),
    ("a scan, one voice", SCAN | {"reporters": 1}, False),
    ("a scan, only lists", SCAN | {"only_listed": True}, False),
    ("phishing as a page", {"category": Category.PHISHING, "cause": Cause.UNKNOWN, "cause_confidence": 0.0}, True),
    ("phishing as mail, cause too weak", {"category": Category.PHISHING, "cause_confidence": 0.5}, False),
]  # fmt: skip


@pytest.mark.parametrize(("what", "change", "may"), TOLD_OR_NOT, ids=[row[0] for row in TOLD_OR_NOT])
def test_nobody_is_told_below_the_line(what: str, change: dict[str, Any], may: bool) -> None:
    assert may_notify(replace(BARELY, **change)) is may
    assert CONDITIONS["may_notify"].holds(replace(BARELY, **change), may)


@pytest.mark.parametrize(
    ("change", "may"),
    [
        ({}, True),
        ({"protected": True}, False),
        ({"customer_status": CustomerStatus.DISPUTES}, False),
        ({"customer_status": CustomerStatus.ASKS_HELP}, True),
        ({"owner_confidence": 0.799}, False),
    ],
)
def test_a_measure_needs_all_that_a_letter_needs_and_more(change: dict[str, Any], may: bool) -> None:
    assert may_measure(replace(BARELY, **change)) is may


@pytest.mark.parametrize(
    ("category", "cause", "said"),
    [("scan", "bot", True), ("phishing", "unknown", True), ("phishing", "bot", False), ("spam", "unknown", False)],
)
def test_what_the_reporter_saw_is_the_proof_where_no_cause_is_behind_it(category: str, cause: str, said: bool) -> None:
    there = replace(FACTS, category=Category(category), cause=Cause(cause))
    assert is_said_by_reporters(there) is said
    assert not is_said_by_reporters(replace(there, only_listed=True))


# --- due_steps: two versions of a small playbook

ACTIONS = {"check", "notify", "move", "task"}
FIRST = [
    {"id": "look", "in_state": "notified", "action": "check", "after": "24h"},
    {"id": "mended", "in_state": "notified", "action": "move", "when": {"verdict": {"look": "clean"}}},
    {"id": "escalate", "in_state": "notified", "action": "notify", "after": "72h", "when": {"settled": True}},
    {"id": "remind", "in_state": "notified", "action": "notify", "after": "36h", "when": {"ladder_below": 1}},
    {"id": "proof", "in_state": "verifying", "action": "check"},
    {"id": "calm", "in_state": "verifying", "action": "move", "after": "1h",
     "when": {"verdict": {"proof": "clean"}, "quiet": True}},
    {"id": "call", "in_state": "answered", "action": "task", "case_age": "96h", "when": {"answer_in": ["disputes"]}},
]  # fmt: skip
SECOND = [{**row, "after": "48h"} if row["id"] == "escalate" else row for row in FIRST if row["id"] != "remind"]
VERSIONS = {1: parse_steps({"steps": FIRST}, ACTIONS), 2: parse_steps({"steps": SECOND}, ACTIONS)}
TABLE: list[tuple[int, str, float, dict[str, Any], list[str]]] = [
    # version, state, hours in it, what else is known; due
    (1, "notified", 0, {}, []),
    (1, "notified", 23.99, {}, []),
    (1, "notified", 24, {}, ["look"]),
    (1, "notified", 24, {"done": {"look"}}, []),
    (1, "notified", 35.99, {"done": {"look"}}, []),
    (1, "notified", 36, {"done": {"look"}}, ["remind"]),
    (1, "notified", 36, {"done": {"look"}, "ladder": 1}, []),
    (1, "notified", 36, {"done": {"look", "remind"}}, []),
    (1, "notified", 30, {"done": {"look"}, "verdicts": {"look": {"relay": [CLEAN]}}}, ["mended"]),
    (1, "notified", 30, {"done": {"look"}, "verdicts": {"look": {"relay": [BAD]}}}, []),
    (1, "notified", 30, {"done": {"look"}, "verdicts": {"look": {"relay": [UNKNOWN]}}}, []),
    (1, "notified", 30, {"done": {"look"}, "pending": {"look"}, "verdicts": {"look": {"relay": [CLEAN]}}}, []),
    (1, "notified", 71.99, {"done": {"look", "remind"}}, []),
    (1, "notified", 72, {"done": {"look", "remind"}}, ["escalate"]),
    (1, "notified", 72, {"done": {"look", "remind"}, "pending": {"look"}}, []),
    (1, "notified", 72, {}, ["look", "escalate", "remind"]),
    (1, "notified", 72, {"customer_status": CustomerStatus.SEEN}, ["look", "escalate", "remind"]),
    (1, "notified", 12, {"used": timedelta(hours=11.99)}, []),
    (1, "notified", 12, {"used": timedelta(hours=12)}, ["look"]),
    (1, "notified", 60, {"used": timedelta(hours=12), "done": {"look", "remind"}}, ["escalate"]),
    (2, "notified", 36, {"done": {"look"}}, []),
    (2, "notified", 47.99, {"done": {"look"}}, []),
    (2, "notified", 48, {"done": {"look"}}, ["escalate"]),
    (2, "notified", 48, {"done": {"look"}, "verdicts": {"look": {"relay": [CLEAN]}}}, ["mended", "escalate"]),
    (1, "verifying", 0, {}, ["proof"]),
    (1, "verifying", 0.99, {"done": {"proof"}, "verdicts": {"proof": {"relay": [CLEAN]}}}, []),
    (1, "verifying", 1, {"done": {"proof"}, "verdicts": {"proof": {"relay": [CLEAN]}}}, ["calm"]),
    (1, "verifying", 1, {"done": {"proof"}, "verdicts": {"proof": {"relay": [CLEAN]}}, "quiet": False}, []),
    (1, "verifying", 1, {"done": {"proof"}, "verdicts": {"proof": {"relay": [CLEAN]}}, "quiet": None}, []),
    (1, "verifying", 1, {"done": {"proof"}, "verdicts": {"proof": {"relay": [UNKNOWN]}}}, []),
    (1, "answered", 1, {"customer_status": CustomerStatus.DISPUTES, "opened_at": NOON - timedelta(hours=94.99)}, []),
    (1, "answered", 1, {"customer_status": CustomerStatus.DISPUTES, "opened_at": NOON - timedelta(hours=95)}, ["call"]),
    (1, "answered", 1, {"customer_status": CustomerStatus.DISPUTES}, ["call"]),
    (1, "answered", 99, {"customer_status": CustomerStatus.ASKS_HELP, "opened_at": NOON}, []),
    *((1, state, 99, {}, []) for state in ("investigating", "triage", "escalated", "closed")),
]  # fmt: skip


def there(state: str, hours: float, known: dict[str, Any]) -> Facts:
    return replace(FACTS, state=CaseState(state), now=NOON + timedelta(hours=hours), **known)


@pytest.mark.parametrize(("version", "state", "hours", "known", "due"), TABLE)
def test_what_is_due(version: int, state: str, hours: float, known: dict[str, Any], due: list[str]) -> None:
    assert [step.id for step in due_steps(VERSIONS[version], there(state, hours, known))] == due


@pytest.mark.parametrize(("version", "state", "hours", "known", "due"), TABLE)
def test_what_time_alone_brings_is_not_due_yet(
    version: int, state: str, hours: float, known: dict[str, Any], due: list[str]
) -> None:
    """The alarm stands at the moment in which the next step becomes due, and not in the past."""
    facts = there(state, hours, known)
    follows = what_follows(VERSIONS[version], facts)
    assert next_due_at(VERSIONS[version], facts) == (follows[0][0] if follows else None)
    for at, step in follows:
        assert at > facts.now
        assert step.id not in due
        assert step not in due_steps(VERSIONS[version], replace(facts, now=at - timedelta(seconds=1)))
        assert step in due_steps(VERSIONS[version], replace(facts, now=at))


def test_what_follows_comes_in_the_order_of_time() -> None:
    found = what_follows(VERSIONS[1], there("notified", 1, {}))
    assert [(step.id, (at - NOON) / timedelta(hours=1)) for at, step in found] == [
        ("look", 24), ("remind", 36), ("escalate", 72)
    ]  # fmt: skip


# --- working hours

OFFICE = WorkingTime(
    ZoneInfo("UTC"), {day: (time(9), time(17)) for day in range(5)}, holidays={date(2026, 3, 11)}
)  # the Wednesday is a holiday
HOURS = [
    # written as, state since, now, opened; the moment
    ({"after": "4h working"}, 12, 12, None, datetime(2026, 3, 10, 16, tzinfo=UTC)),
    ({"after": "5h working"}, 12, 12, None, datetime(2026, 3, 12, 9, tzinfo=UTC)),
    ({"after": "6h working"}, 12, 12, None, datetime(2026, 3, 12, 10, tzinfo=UTC)),
    ({"after": "6h"}, 12, 12, None, datetime(2026, 3, 10, 18, tzinfo=UTC)),
    ({"after": "2h", "only_in": "working hours"}, 12, 12, None, datetime(2026, 3, 10, 14, tzinfo=UTC)),
    ({"after": "5h", "only_in": "working hours"}, 12, 12, None, datetime(2026, 3, 12, 9, tzinfo=UTC)),
    ({"after": "2h", "only_in": "working hours"}, 12, 20, None, datetime(2026, 3, 12, 9, tzinfo=UTC)),
    ({"after": "2h", "only_in": "working hours"}, 12, 16, None, datetime(2026, 3, 10, 16, tzinfo=UTC)),
    ({"after": "2h", "case_age": "1d"}, 12, 12, 13, datetime(2026, 3, 11, 13, tzinfo=UTC)),
    ({"after": "2h", "case_age": "1h"}, 12, 12, 12, datetime(2026, 3, 10, 14, tzinfo=UTC)),
]  # fmt: skip


@pytest.mark.parametrize(("written", "since", "now", "opened", "at"), HOURS)
def test_the_moment_of_a_step(written: dict[str, str], since: int, now: int, opened: int | None, at: datetime) -> None:
    (step,) = parse_steps({"steps": [{"id": "a", "in_state": "notified", "action": "check", **written}]}, ACTIONS)
    facts = replace(FACTS, state_since=NOON.replace(hour=since), now=NOON.replace(hour=now), working=OFFICE)
    facts = replace(facts, opened_at=None if opened is None else NOON.replace(hour=opened))
    assert moment_of(step, facts) == at
