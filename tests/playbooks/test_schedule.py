from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from complaints.playbooks.actions import load_actions
from complaints.playbooks.conditions import Facts, may_notify
from complaints.playbooks.documents import BadPlaybook, parse_span, parse_steps
from complaints.playbooks.loading import read_playbook
from complaints.playbooks.schedule import due_steps, next_due_at
from complaints.registry import by_name
from complaints.vocabulary import CaseState, Category, Cause, Verdict

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
SHIPPED = parse_steps(read_playbook(), by_name(load_actions()))
NEW = Facts(
    state=CaseState.INVESTIGATING, state_since=NOON, now=NOON, owner_confidence=0.95, reporters=1, has_contact=True
)
PROVEN = replace(
    NEW,
    cause=Cause.OPEN_RELAY,
    cause_confidence=0.99,
    done={"investigate"},
    verdicts={"investigate": {"relay": [Verdict.BAD], "dnsbl": [Verdict.BAD]}},
)
NOTIFIED = replace(PROVEN, state=CaseState.NOTIFIED, done=(), verdicts={})
VERIFYING = replace(PROVEN, state=CaseState.VERIFYING, done=(), verdicts={})


def names(facts: Facts) -> list[str]:
    return [step.id for step in due_steps(SHIPPED, facts)]


def after(facts: Facts, **span: float) -> Facts:
    return replace(facts, now=facts.state_since + timedelta(**span))


def checked(facts: Facts, **verdicts: Verdict) -> Facts:
    steps = {name.replace("_", "-"): {"relay": [verdict]} for name, verdict in verdicts.items()}
    return replace(facts, verdicts=steps, done=set(steps))


def test_a_new_case_is_investigated_first() -> None:
    assert names(NEW) == ["investigate"]


def test_nothing_is_decided_while_a_check_runs() -> None:
    assert names(replace(PROVEN, pending={"investigate"})) == []


def test_a_proven_relay_is_notified() -> None:
    assert names(PROVEN) == ["notify"]


def test_an_unknown_cause_goes_to_a_human() -> None:
    there = replace(PROVEN, cause=Cause.UNKNOWN, cause_confidence=0, reporters=3)
    assert names(after(there, hours=5.99)) == []  # much comes within hours
    assert names(after(there, hours=6)) == ["unsure"]


@pytest.mark.parametrize(
    ("what", "change"),
    [
        ("owner not sure", {"owner_confidence": 0.79, "reporters": 2}),
        ("owner not sure, one voice", {"owner_confidence": 0.79}),
        ("nobody to write to", {"has_contact": False}),
        ("cause by shape, one voice", {"cause": Cause.BOT, "cause_confidence": 0.7, "reporters": 1}),
        ("relay by shape, many voices, no proof", {"cause_confidence": 0.7, "reporters": 40}),
        ("cause too weak", {"cause": Cause.BOT, "cause_confidence": 0.59, "reporters": 40}),
    ],
)
def test_no_automatic_mail_when(what: str, change: dict[str, Any]) -> None:
    assert not may_notify(replace(PROVEN, **change))
    waits = what.endswith(", one voice")
    first = "nobody-to-tell" if what == "nobody to write to" else "unsure"
    assert names(after(replace(PROVEN, **change), hours=6))[:1] == ([] if waits else [first])


@pytest.mark.parametrize("voices", [{"reporters": 2}, {"reporters": 1, "trusted_reporters": 1}])
def test_a_likely_cause_may_be_told_when_two_or_a_trusted_one_say_so(voices: dict[str, Any]) -> None:
    assert may_notify(replace(PROVEN, cause=Cause.BOT, cause_confidence=0.6, **voices))


@pytest.mark.parametrize(
    ("hours", "due"),
    [(23.9, []), (24, ["look-again"]), (36, ["look-again", "remind"]), (72, ["look-again", "escalate", "remind"])],
)
def test_a_notified_case_goes_on_by_the_clock(hours: float, due: list[str]) -> None:
    assert names(after(NOTIFIED, hours=hours)) == due


def test_a_customer_whom_no_mail_has_reached_is_not_escalated() -> None:
    assert names(replace(NOTIFIED, undelivered=True)) == ["not-told"]
    assert names(replace(after(NOTIFIED, hours=72), undelivered=True))[0] == "not-told"


SEEN = ["login_attack", "scan", "ddos", "copyright", "vulnerable"]  # by the reporter: no cause is behind it
HARMFUL = ["phishing", "malware", "fraud"]


@pytest.mark.parametrize("category", SEEN + HARMFUL)
@pytest.mark.parametrize(
    ("what", "change", "may"),
    [
        ("one voice", {"reporters": 1}, False),
        ("two voices", {"reporters": 2}, True),
        ("one trusted voice", {"reporters": 1, "trusted_reporters": 1}, True),
        ("trusted, long ago", {"reporters": 1, "trusted_reporters": 1, "recent": False}, False),
        ("owner not sure", {"reporters": 2, "owner_confidence": 0.79}, False),
        ("nobody to write to", {"reporters": 2, "has_contact": False}, False),
        ("blacklists alone", {"reporters": 2, "only_listed": True}, False),
    ],
)
def test_what_reporters_have_seen_themselves_needs_two_of_them_or_a_trusted_one(
    category: str, what: str, change: dict[str, Any], may: bool
) -> None:
    seen = replace(NEW, category=Category(category), cause=Cause.UNKNOWN, cause_confidence=0)
    assert may_notify(replace(seen, **change)) is may


@pytest.mark.parametrize(
    ("category", "cause", "may"),
    [
        *((category, "bot", True) for category in SEEN),  # what a list says of the mail changes nothing
        *((category, "bot", False) for category in HARMFUL),  # mail: the cause must be likely enough
        *((category, "unknown", True) for category in SEEN + HARMFUL),
        *((category, "unknown", False) for category in ("spam", "bot", "other", "auth_failure", "not_spam", "opt_out")),
    ],
)
def test_the_cause_counts_where_it_is_about_mail(category: str, cause: str, may: bool) -> None:
    there = replace(NEW, category=Category(category), cause=Cause(cause), cause_confidence=0.5, reporters=2)
    assert may_notify(there) is may


def test_a_proven_relay_is_told_to_whoever_was_called_vulnerable() -> None:
    assert names(replace(PROVEN, category=Category.VULNERABLE)) == ["notify"]


def test_a_complaint_that_does_not_say_when_neither_closes_nor_accuses() -> None:
    clean = checked(VERIFYING, verify=Verdict.CLEAN, verify_again=Verdict.CLEAN)
    assert names(replace(clean, quiet=None)) == ["perhaps-not-quiet"]


def test_voices_about_what_was_long_ago_accuse_nobody() -> None:
    likely = replace(PROVEN, cause=Cause.BOT, cause_confidence=0.6, reporters=40)
    assert (may_notify(likely), may_notify(replace(likely, recent=False))) == (True, False)
    assert may_notify(replace(PROVEN, recent=False))  # a relay that our own test has proven is open today


def test_nobody_is_escalated_while_a_check_may_still_prove_the_fix() -> None:
    """After an outage of ours the look at the server comes first, however late it is."""
    looking = replace(after(NOTIFIED, hours=80), done={"look-again", "remind"}, pending={"look-again"})
    assert names(looking) == []
    assert (
        names(replace(looking, pending=(), verdicts={"look-again": {"relay": [Verdict.CLEAN]}}))[0] == "fixed-silently"
    )
    assert names(replace(looking, pending=(), verdicts={"look-again": {"relay": [Verdict.BAD]}})) == ["escalate"]


def test_a_step_is_done_once_a_stay() -> None:
    assert names(replace(after(NOTIFIED, hours=36), done={"remind", "look-again"})) == []


def test_a_clean_look_leads_to_the_proof_of_the_fix() -> None:
    assert names(checked(after(NOTIFIED, hours=25), look_again=Verdict.CLEAN)) == ["fixed-silently"]


def test_one_clean_check_closes_nothing() -> None:
    assert names(checked(after(VERIFYING, minutes=14), verify=Verdict.CLEAN)) == []


def test_a_second_clean_check_follows_after_a_while() -> None:
    assert names(checked(after(VERIFYING, minutes=15), verify=Verdict.CLEAN)) == ["verify-again"]


def test_two_spaced_clean_checks_and_quiet_close_the_case() -> None:
    assert names(checked(VERIFYING, verify=Verdict.CLEAN, verify_again=Verdict.CLEAN)) == ["fixed"]


def test_younger_abuse_keeps_the_case_open() -> None:
    noisy = replace(checked(VERIFYING, verify=Verdict.CLEAN, verify_again=Verdict.CLEAN), quiet=False)
    assert names(noisy) == ["not-quiet"]


@pytest.mark.parametrize(
    ("first", "second", "due"),
    [
        (Verdict.BAD, None, ["still-open"]),
        (Verdict.UNKNOWN, None, ["cannot-prove"]),
        (Verdict.CLEAN, Verdict.BAD, ["open-again"]),
        (Verdict.CLEAN, Verdict.UNKNOWN, ["cannot-prove-again"]),
    ],
)
def test_anything_but_two_clean_checks_does_not_close(first: Verdict, second: Verdict | None, due: list[str]) -> None:
    found = {"verify": first} | ({"verify_again": second} if second else {})
    assert names(checked(VERIFYING, **found)) == due


def test_the_alarm_is_set_to_the_next_step_of_the_clock() -> None:
    assert next_due_at(SHIPPED, NOTIFIED) == NOON + timedelta(hours=24)
    assert next_due_at(SHIPPED, replace(after(NOTIFIED, hours=25), done={"look-again"})) == NOON + timedelta(hours=36)
    assert next_due_at(SHIPPED, replace(PROVEN, pending={"investigate"})) is None


def test_spans() -> None:
    assert parse_span("1d 12h") == timedelta(hours=36)
    assert parse_span("90s") == timedelta(seconds=90)


@pytest.mark.parametrize("text", ["", "soon", "3 weeks", "10", "1h and a bit"])
def test_a_span_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(BadPlaybook, match="is no span of time"):
        parse_span(text)


STEP = {"id": "a", "in_state": "notified", "action": "check"}


@pytest.mark.parametrize(
    ("steps", "message"),
    [
        ([], "a playbook needs steps"),
        ([STEP, STEP], r"two steps share an id: \['a'\]"),
        ([{**STEP, "in_state": "open"}], "step a: in_state 'open' is none of"),
        ([{**STEP, "action": "shout"}], "step a: action 'shout' is none of"),
        ([{**STEP, "when": {"moon": "full"}}], r"step a: conditions \['moon'\] are none of"),
        ([{**STEP, "afetr": "1h"}], "step a: has"),
    ],
)
def test_a_playbook_with_a_fault_is_refused_by_name(steps: list[dict[str, Any]], message: str) -> None:
    with pytest.raises(BadPlaybook, match=message):
        parse_steps({"steps": steps}, {"check"})


@pytest.mark.parametrize(
    ("failed", "due"), [(0, ["still-open"]), (1, ["still-open"]), (2, ["not-true-again"]), (5, ["not-true-again"])]
)
def test_the_third_claim_that_is_not_true_is_answered_by_a_person(failed: int, due: list[str]) -> None:
    assert names(replace(checked(VERIFYING, verify=Verdict.BAD), claims_failed=failed)) == due
