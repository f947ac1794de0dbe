from __future__ import annotations

from datetime import timedelta

import pytest

from complaints.cases.rules_audit import audit_rules, tell_ended
from complaints.models import Case, DeskTask, Rule
from complaints.vocabulary import Category
from tests.factories import NOON, make_case, make_complaint, make_rule, make_run

pytestmark = pytest.mark.django_db


def accused() -> Case:
    return Case.objects.get(contract__reference="C-1", category="spam")


@pytest.fixture
def rule() -> Rule:
    """It ignored a complaint about spam of the contract C-1."""
    rule = make_rule("ignore", name="Noise")
    case = make_case("C-1")
    made = make_complaint(reporter="bot@noise.example", rule=rule, ruling="ignored")
    made.contract, made.answer = case.contract, "owner"
    made.save()
    return rule


def test_a_rule_that_ignores_what_others_prove_becomes_a_task_once(rule: Rule) -> None:
    assert audit_rules(now=NOON) == []
    make_run(accused(), "relay", "bad")

    assert audit_rules(now=NOON) == [rule.pk]
    assert audit_rules(now=NOON) == [rule.pk]
    task = DeskTask.objects.get()
    assert task.title == "The rule “Noise” ignores what was proven"
    assert accused().number in task.text
    assert task.url == f"/rules/{rule.pk}"


def test_a_proof_about_something_else_says_nothing(rule: Rule) -> None:
    make_run(make_case("C-2"), "relay", "bad")
    make_run(make_case("C-1", category=Category.SCAN), "relay", "bad")

    assert audit_rules(now=NOON) == []


@pytest.mark.parametrize("change", [{"active": False}, {"until": NOON}, {"kind": "allow"}])
def test_a_rule_that_ignores_nothing_now_is_left_alone(rule: Rule, change: dict[str, object]) -> None:
    make_run(accused(), "relay", "bad")
    Rule.objects.update(**change)

    assert audit_rules(now=NOON) == []


def test_what_was_ignored_long_ago_is_no_news(rule: Rule) -> None:
    make_run(accused(), "relay", "bad")

    assert audit_rules(now=NOON + timedelta(days=31)) == []


def test_a_threshold_that_ends_while_it_holds_something_is_asked_about_once() -> None:
    rule = make_rule("threshold", complaints=5, days=7, name="Firewalls", until=NOON)
    empty = make_rule("threshold", complaints=5, days=7, until=NOON)
    for _ in range(2):
        make_complaint(rule=rule, ruling="held")
    assert tell_ended(now=NOON - timedelta(minutes=1)) == []

    assert tell_ended(now=NOON) == [rule.pk]
    task = DeskTask.objects.get()
    assert task.title == "The rule “Firewalls” has ended and still holds complaints"
    assert task.text.startswith("2 wait for more of their kind")
    assert (task.url, empty.pk in tell_ended(now=NOON)) == (f"/rules/{rule.pk}", False)

    DeskTask.objects.update(done_at=NOON, done_by="ada")
    assert tell_ended(now=NOON + timedelta(days=1)) == []
