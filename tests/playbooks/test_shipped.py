"""What each shipped playbook does, state by state; and rules that hold for every one of them in every situation."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any

import pytest

from complaints.cases.states import may_move
from complaints.playbooks.actions import load_actions
from complaints.playbooks.conditions import Facts
from complaints.playbooks.documents import Step, parse_steps
from complaints.playbooks.loading import shipped_playbooks
from complaints.playbooks.schedule import due_steps, next_due_at
from complaints.registry import by_name
from complaints.vocabulary import CaseState, Category, Cause, ContractKind, CustomerStatus, MeasureKind, Verdict

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
SHIPPED = {document["name"]: parse_steps(document, by_name(load_actions())) for document in shipped_playbooks()}
SURE = Facts(
    state=CaseState.NOTIFIED,
    state_since=NOON,
    now=NOON,
    cause_confidence=0.95,
    owner_confidence=0.95,
    has_contact=True,
    reporters=3,
    trusted_reporters=1,
    watch_until=NOON + timedelta(days=5),
)
ABOUT: dict[str, dict[str, Any]] = {
    "open relay": {"cause": Cause.OPEN_RELAY},
    "bot": {"cause": Cause.BOT},
    "stolen mailbox": {"cause": Cause.STOLEN_MAILBOX},
    "bulk mail": {"cause": Cause.BULK_MAIL},
    "vulnerable service": {"category": Category.VULNERABLE},
    "content": {"category": Category.PHISHING},
    "attack": {"category": Category.SCAN},
    "mail abuse": {},
}


def facts(name: str, state: CaseState, *, hours: float = 0, **changes: Any) -> Facts:
    return replace(SURE, **{**ABOUT[name], "state": state, "now": NOON + timedelta(hours=hours), **changes})


def first(name: str, state: CaseState, *, hours: float = 0, **changes: Any) -> str | None:
    due = due_steps(SHIPPED[name], facts(name, state, hours=hours, **changes))
    return due[0].id if due else None


@pytest.mark.parametrize(
    ("name", "hours"),
    [
        ("open relay", 72),
        ("bot", 72),
        ("stolen mailbox", 24),
        ("bulk mail", 72),
        ("vulnerable service", 14 * 24),
        ("content", 48),
        ("attack", 48),
        ("mail abuse", 72),
    ],
)
def test_silence_escalates_at_the_promised_moment_and_not_before(name: str, hours: float) -> None:
    about = {"category": Category.COPYRIGHT} if name == "content" else {}
    done = {"remind", "look-again", "look-before-the-end"}

    assert first(name, CaseState.NOTIFIED, hours=hours - 0.001, done=done, **about) is None
    assert first(name, CaseState.NOTIFIED, hours=hours, done=done, **about) == "escalate"


@pytest.mark.parametrize(
    ("name", "again", "hours"),
    [
        ("open relay", {"ladder": 1}, 36),
        ("bot", {"points": 10.0}, 24),
        ("stolen mailbox", {"ladder": 1}, 8),
        ("bulk mail", {"points": 10.0}, 36),
        ("vulnerable service", {"ladder": 2}, 7 * 24),
        ("attack", {"points": 10.0}, 24),
    ],
)
def test_who_comes_back_has_less_time(name: str, again: dict[str, Any], hours: float) -> None:
    done = {"look-again"}

    assert first(name, CaseState.NOTIFIED, hours=hours - 0.001, done=done, **again) != "escalate-relapse"
    assert first(name, CaseState.NOTIFIED, hours=hours, done=done, **again) == "escalate-relapse"
    assert first(name, CaseState.NOTIFIED, hours=hours, done=done) != "escalate-relapse"


@pytest.mark.parametrize(
    ("name", "kind", "step"),
    [
        ("open relay", ContractKind.BUSINESS, "limit"),
        ("open relay", ContractKind.RESIDENTIAL, "limit"),
        ("bot", ContractKind.BUSINESS, "limit"),
        ("stolen mailbox", ContractKind.BUSINESS, "lock"),
        ("bulk mail", ContractKind.RESIDENTIAL, "talk"),
        ("content", ContractKind.BUSINESS, None),  # most act on the second letter within hours
        ("vulnerable service", ContractKind.BUSINESS, None),
    ],
)
def test_what_escalation_begins_with(name: str, kind: ContractKind, step: str | None) -> None:
    assert first(name, CaseState.ESCALATED, contract_kind=kind) == step


def test_a_person_looks_at_a_harmful_page_that_two_letters_did_not_take_away() -> None:
    assert first("content", CaseState.NOTIFIED, hours=8) == "escalate-relapse"
    assert first("content", CaseState.ESCALATED, hours=7.99) is None
    assert first("content", CaseState.ESCALATED, hours=8) == "take-down"


def test_a_bot_at_home_is_walled_in_after_a_week_and_one_at_a_company_is_not() -> None:
    week = {"hours": 7 * 24, "done": {"limit"}, "measures": {"limit_25"}}

    assert first("bot", CaseState.ESCALATED, contract_kind=ContractKind.RESIDENTIAL, **week) == "walled-garden"
    assert first("bot", CaseState.ESCALATED, contract_kind=ContractKind.BUSINESS, **week) is None


@pytest.mark.parametrize("name", SHIPPED)
def test_a_quiet_time_closes_what_no_probe_can_prove(name: str) -> None:
    if name in ("open relay", "mail abuse"):
        return
    days = {"vulnerable service": 14}.get(name, 8)
    clean = {"look-at-lists": {"dnsbl": [Verdict.CLEAN]}}
    closing = next(s for s in SHIPPED[name] if s.action == "close" and s.in_state is CaseState.VERIFYING)
    long = facts(name, CaseState.VERIFYING, hours=24 * days, verdicts=clean, done=set(clean))

    assert [step.id for step in due_steps(SHIPPED[name], long)] == ["quiet"]
    assert closing.params["resolution"] == "fixed_not_verifiable"


@pytest.mark.parametrize("name", SHIPPED)
def test_a_weak_voice_is_put_away_after_a_week_and_nobody_is_told(name: str) -> None:
    weak = {"reporters": 1, "trusted_reporters": 0, "cause": Cause.UNKNOWN, "cause_confidence": 0.0}
    done = {"investigate", "look-again-soon"}
    known = {"done": done, "verdicts": {step: {"dnsbl": [Verdict.UNKNOWN]} for step in done}}
    there = {"hours": 7 * 24, **weak, **known}

    assert first(name, CaseState.INVESTIGATING, **{**there, "hours": 7 * 24 - 0.001}) is None
    assert first(name, CaseState.INVESTIGATING, **there) == "not-enough"
    step = next(step for step in SHIPPED[name] if step.id == "not-enough")
    assert (step.params["resolution"], step.params.get("notice")) == ("stale", None)
    found = {**there, "verdicts": {"investigate": {"dnsbl": [Verdict.BAD]}}}
    assert first(name, CaseState.INVESTIGATING, **found) == "found-something"
    assert first(name, CaseState.INVESTIGATING, **{**there, "reporters": 3, "owner_confidence": 0.5}) == "unsure"


@pytest.mark.parametrize("cause", [Cause.FORWARDED, Cause.FORGED])
def test_what_did_not_begin_at_the_line_is_nobodys_fault(cause: Cause) -> None:
    known = {"done": {"investigate"}, "verdicts": {"investigate": {"dnsbl": [Verdict.CLEAN]}}, "hours": 72}
    there = {"cause": cause, "cause_confidence": 0.7, "reporters": 9, "owner_confidence": 0.95}

    assert first("mail abuse", CaseState.INVESTIGATING, **known, **there) == "unsure"  # many say so: a person looks
    assert first("mail abuse", CaseState.INVESTIGATING, **known, **there | {"reporters": 2}) == "not-theirs"


UNREACHED = {step: {"relay": [Verdict.UNKNOWN]} for step in ("verify", "try-later", "try-tomorrow")}


@pytest.mark.parametrize(
    ("lists", "quiet", "step"),
    [
        (Verdict.CLEAN, True, "stayed-quiet"),
        (Verdict.CLEAN, False, "not-quiet"),
        (Verdict.BAD, True, "listed-instead"),
        (Verdict.UNKNOWN, True, "watch-longer"),
    ],
)
def test_a_server_that_no_test_reaches_is_watched_as_what_no_probe_can_prove(
    lists: Verdict, quiet: bool, step: str
) -> None:
    unreached = {"verdicts": UNREACHED, "done": set(UNREACHED), "unclear": 2}
    assert first("open relay", CaseState.VERIFYING, hours=24 * 5, **unreached) is None  # its pauses ask for more
    assert first("open relay", CaseState.VERIFYING, hours=24 * 5 + 1, **unreached) == "watch-instead"
    known = {**UNREACHED, "watch-instead": {"dnsbl": [lists]}}
    looked = {"verdicts": known, "done": set(known), "unclear": 2, "quiet": quiet}
    assert first("open relay", CaseState.VERIFYING, hours=24 * 6 + 1, **looked) == step


@pytest.mark.parametrize("name", SHIPPED)
def test_who_found_nothing_is_told_once_what_was_seen_by_a_machine_that_is_as_sure_as_before(name: str) -> None:
    if name == "content":
        return  # what a page is, a person sees
    said = {"may_look_again": True, "customer_status": CustomerStatus.FOUND_NOTHING, **TOLD_BY.get(name, {})}
    assert first(name, CaseState.ANSWERED, **said) == "look-again-with-us"
    assert first(name, CaseState.ANSWERED, **{**said, "may_look_again": False}) is None
    assert first(name, CaseState.ANSWERED, **{**said, "owner_confidence": 0.5}) is None


TOLD_BY: dict[str, dict[str, Any]] = {"mail abuse": {"cause": Cause.BOT}}


def test_who_has_repaired_it_silently_is_not_escalated() -> None:
    quiet = {"hours": 72, "last_seen": NOON + timedelta(hours=10), "done": {"remind"}}
    assert first("bot", CaseState.NOTIFIED, **quiet) == "stopped"
    assert first("bot", CaseState.NOTIFIED, **{**quiet, "last_seen": NOON + timedelta(hours=60)}) == "escalate"


# --- rules for all of them, in every situation

STEPS = [(name, step) for name, steps in SHIPPED.items() for step in steps]


def situations(name: str) -> Iterator[Facts]:
    ids = [step.id for step in SHIPPED[name] if step.action == "check"]
    for state, quiet, verdict, status, protected, confidence, hours in product(
        [state for state in CaseState if state is not CaseState.CLOSED],
        (True, False, None),
        (None, *Verdict),
        (CustomerStatus.NONE, CustomerStatus.DISPUTES),
        (True, False),
        (0.95, 0.5),
        (0, 1000),
    ):
        known = {} if verdict is None else {step: {"relay": [verdict], "dnsbl": [verdict]} for step in ids}
        yield facts(
            name,
            state,
            hours=hours,
            quiet=quiet,
            verdicts=known,
            customer_status=status,
            protected=protected,
            owner_confidence=confidence,
            done=set(known),
        )


@pytest.mark.parametrize("name", SHIPPED)
def test_nothing_closes_on_an_unknown_or_a_bad_verdict_or_on_noise(name: str) -> None:
    seen = 0
    for there in situations(name):
        due = [step for step in due_steps(SHIPPED[name], there) if step.action == "close"]
        closing = [step for step in due if step.params["resolution"].startswith("fixed")]
        checks = {
            step for step in there.verdicts if any(s.id == step and s.in_state is there.state for s in SHIPPED[name])
        }
        verdicts = {v for step in checks for found in there.verdicts[step].values() for v in found}
        if closing:
            seen += 1
            assert there.quiet is True
            assert verdicts <= {Verdict.CLEAN}
    assert seen


@pytest.mark.parametrize("name", SHIPPED)
def test_no_measure_on_a_protected_line_an_unsure_owner_or_a_dispute(name: str) -> None:
    for there in situations(name):
        due = due_steps(SHIPPED[name], there)
        if there.protected or there.owner_confidence < 0.8 or there.customer_status is CustomerStatus.DISPUTES:
            assert [step.id for step in due if step.action == "measure"] == []
        if there.owner_confidence < 0.8:
            assert [step.id for step in due if step.action == "notify" and step.in_state == "investigating"] == []


@pytest.mark.parametrize("name", SHIPPED)
def test_no_state_of_the_machine_or_the_customer_waits_for_ever(name: str) -> None:
    """With every check finished and the clock running, something is due, or will be."""
    for state, verdict in product((CaseState.INVESTIGATING, CaseState.NOTIFIED, CaseState.VERIFYING), Verdict):
        checks = [step for step in SHIPPED[name] if step.action == "check" and step.in_state is state]
        known = {step.id: {check: [verdict] for check in step.params["checks"]} for step in checks}
        unclear = len(known) if verdict is Verdict.UNKNOWN else 0
        there = facts(name, state, verdicts=known, done=set(known), unclear=unclear)
        assert due_steps(SHIPPED[name], there) or next_due_at(SHIPPED[name], there), (state, verdict)


@pytest.mark.parametrize(("name", "step"), STEPS, ids=[f"{name}-{step.id}" for name, step in STEPS])
def test_every_step_can_be_carried_out(name: str, step: Step) -> None:
    """Moves are allowed by the state table, letters have an ending, measures have their reason."""
    target = {"move": step.params.get("to"), "notify": step.params.get("move_to"), "close": CaseState.CLOSED}
    to = target.get(step.action)
    if to is not None:
        assert may_move(step.in_state, CaseState(to))
    if step.action == "measure":
        assert MeasureKind(step.params["measure"]) is not MeasureKind.SUSPEND
        assert step.params["reason"]
    if step.action == "task":
        assert step.params["title"]


@pytest.mark.parametrize(
    ("name", "voices", "step"),
    [
        *((name, {"reporters": 2, "trusted_reporters": 0}, "notify") for name in ("vulnerable service", "attack")),
        *((name, {"reporters": 1, "trusted_reporters": 1}, "notify") for name in ("vulnerable service", "content")),
        *((name, {"reporters": 1, "trusted_reporters": 0}, None) for name in ("vulnerable service", "content")),
        ("attack", {"reporters": 1, "trusted_reporters": 0}, None),
        ("mail abuse", {"reporters": 9, "trusted_reporters": 9}, "unsure"),
    ],
)
def test_who_is_told_of_what_reporters_saw_themselves(name: str, voices: dict[str, int], step: str | None) -> None:
    done: dict[str, Any] = {"done": {"investigate"}, "verdicts": {"investigate": {"dnsbl": [Verdict.UNKNOWN]}}}
    assert first(name, CaseState.INVESTIGATING, hours=6, cause_confidence=0.0, **voices, **done) == step
