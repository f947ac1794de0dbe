"""Rules at work: what becomes of complaints that one fits, and how rules are made and changed."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from complaints.addresses import address_key
from complaints.attribution import Holding
from complaints.cases.accusations import Accusation, identity_of
from complaints.cases.filing import Filed, file_complaints
from complaints.cases.reattribution import ask_again
from complaints.cases.ripening import ripen
from complaints.cases.rule_documents import BadRule, checked
from complaints.cases.rules import (
    StaleRule,
    activate,
    add_rule,
    change_rule,
    deactivate,
    file_after_all,
    file_ids,
    move_rule,
)
from complaints.models import Case, Complaint, Contract, Product, Rule
from complaints.vocabulary import Answer, Category, ParsedComplaint
from tests.factories import (
    NOON,
    make_assignment,
    make_case,
    make_complaint,
    make_contract,
    make_message,
    make_network,
    make_rule,
    make_user,
)

pytestmark = pytest.mark.django_db
DOCUMENT: dict[str, Any] = {
    "kind": "ignore", "name": "Noise", "reason": "never right", "conditions": {"reporter": ["Noise.example"]},
}  # fmt: skip


def say(*reporters: str, contract: Contract | None = None, **fields: Any) -> Filed:
    """One complaint of each reporter, filed together."""
    contract, at = contract or make_contract(), fields.pop("at", NOON)
    answer = fields.pop("answer", Answer.OWNER)
    made = []
    for reporter in reporters:
        message = make_message(f"{Complaint.objects.count()} {reporter} {len(made)}".encode())
        parsed = ParsedComplaint(**{"source_ip": "192.0.2.10", "reporter": reporter, **fields})
        identity = identity_of(message.pk, parsed, address=address_key("192.0.2.10"), seen_at=at)
        owner = contract.pk if answer is Answer.OWNER else None
        holding = Holding(answer=answer, contract_id=owner, method="static", confidence=0.95)
        made.append(Accusation(identity=identity, received_at=at, format="arf", parsed=parsed, holding=holding))
    return file_complaints(made, now=at)


def rulings() -> list[tuple[str, int | None, bool]]:
    return [(each.ruling, each.rule_id, each.case_id is not None) for each in Complaint.objects.order_by("pk")]


def test_an_ignored_complaint_is_kept_without_a_case_and_says_by_which_rule() -> None:
    rule = make_rule("ignore", reporter=["noise.example"])

    assert say("bot@noise.example") == Filed(1, [], [])
    assert rulings() == [("ignored", rule.pk, False)]


def test_what_no_rule_fits_opens_its_case_in_the_same_batch() -> None:
    rule = make_rule("ignore", reporter=["noise.example"])
    say("bot@noise.example", "lena@fine.example")

    assert rulings() == [("ignored", rule.pk, False), ("", None, True)]
    assert Case.objects.get().complaint_count == 1


def test_an_allow_rule_before_the_others_is_recorded_and_lets_through() -> None:
    allow = make_rule("allow", reporter=["noise.example"], category=["phishing"])
    ignore = make_rule("ignore", reporter=["noise.example"])
    say("bot@noise.example", category=Category.PHISHING)
    say("bot@noise.example")

    assert rulings() == [("", allow.pk, True), ("ignored", ignore.pk, False)]


def test_an_inactive_rule_and_one_that_has_ended_decide_nothing() -> None:
    make_rule("ignore", active=False)
    make_rule("ignore", until=NOON)
    say("bot@noise.example")

    assert rulings() == [("", None, True)]


def test_a_rule_about_a_kind_of_contract_asks_the_product() -> None:
    Product.objects.create(name="DSL", kind="residential")
    rule = make_rule("ignore", contract_kind=["residential"])
    say("a@x.example", contract=make_contract("C-1", product="DSL"))
    say("a@x.example", contract=make_contract("C-2", product="Server"))

    assert rulings() == [("ignored", rule.pk, False), ("", None, True)]


def test_a_threshold_keeps_the_first_ones_and_brings_them_along_with_the_last() -> None:
    rule = make_rule("threshold", complaints=3, days=7)
    assert say("a@x.example") == Filed(1, [], [])
    assert say("b@x.example") == Filed(1, [], [])
    assert rulings() == [("held", rule.pk, False)] * 2

    filed = say("c@x.example", at=NOON + timedelta(hours=1))

    case = Case.objects.get()
    assert filed == Filed(1, [case.pk], [case.pk])
    assert rulings() == [("", rule.pk, True)] * 3
    assert (case.complaint_count, case.first_seen_at) == (3, NOON)


def test_a_batch_that_reaches_the_threshold_by_itself_opens_its_case() -> None:
    make_rule("threshold", complaints=3, days=7)
    say("a@x.example", "b@x.example", "c@x.example")

    assert Case.objects.get().complaint_count == 3


def test_what_is_older_than_the_thresholds_days_does_not_count_and_stays() -> None:
    rule = make_rule("threshold", complaints=2, days=7)
    say("a@x.example", at=NOON - timedelta(days=7))
    say("b@x.example")

    assert rulings() == [("held", rule.pk, False)] * 2


def test_a_threshold_of_reporters_counts_a_domain_once() -> None:
    make_rule("threshold", reporters=2, days=7)
    say("a@x.example", "b@mail.x.example")
    assert not Case.objects.exists()

    say("c@y.example")

    assert Case.objects.get().complaint_count == 3


def test_a_threshold_keeps_nothing_from_a_case_that_is_open() -> None:
    make_rule("threshold", complaints=5, days=7)
    case = make_case()
    say("a@x.example")

    assert rulings()[0][0] == ""
    assert Complaint.objects.get().case == case


@pytest.mark.parametrize("together", [True, False])
def test_two_thresholds_about_one_case_decide_the_same_in_a_batch_and_one_by_one(together: bool) -> None:
    make_rule("threshold", complaints=5, days=7, reporter=["a.example"])
    make_rule("threshold", complaints=2, days=7)
    for reporters in [("x@a.example", "y@b.example")] if together else [("x@a.example",), ("y@b.example",)]:
        say(*reporters)

    assert Case.objects.get().complaint_count == 2


@pytest.mark.parametrize("reporters", [("x@a.example", "y@b.example"), ("y@b.example", "x@a.example")])
def test_what_is_held_joins_the_case_that_another_complaint_opened(reporters: tuple[str, str]) -> None:
    make_rule("threshold", complaints=5, days=7, reporter=["b.example"])
    say(*reporters)
    case = Case.objects.get()
    assert case.complaint_count == 1

    assert ripen(now=NOON) == [case.pk]
    assert ripen(now=NOON) == []
    case.refresh_from_db()
    assert (case.complaint_count, [ruling for ruling, *_ in rulings()]) == (2, ["", ""])


def test_what_is_held_does_not_join_a_case_that_was_closed() -> None:
    make_rule("threshold", complaints=5, days=7)
    make_case(state="closed", resolution="no_response", closed_at=NOON)
    say("a@x.example")

    assert ripen(now=NOON) == []
    assert rulings()[0][0] == "held"


def test_thresholds_count_each_contract_and_category_by_itself() -> None:
    rule = make_rule("threshold", complaints=2, days=7)
    say("a@x.example")
    say("a@x.example", category=Category.SCAN)
    say("a@x.example", contract=make_contract("C-2"))

    assert rulings() == [("held", rule.pk, False)] * 3


def test_the_sweep_opens_what_two_workers_missed() -> None:
    rule = make_rule("threshold", complaints=3, days=7)
    say("a@x.example")
    say("a@x.example", at=NOON + timedelta(minutes=1))
    assert ripen(now=NOON) == []
    Rule.objects.filter(pk=rule.pk).update(complaints=2)

    assert ripen(now=NOON) == [Case.objects.get().pk]
    assert Case.objects.get().complaint_count == 2
    assert ripen(now=NOON) == []


def test_a_new_case_is_given_to_the_team_and_person_of_the_rule_and_an_old_one_is_left() -> None:
    bert = make_user("bert")
    rule = make_rule("route", category=["phishing"], team="Fraud", assignee=bert, name="Phishing to fraud")
    say("a@x.example", category=Category.PHISHING)
    say("a@x.example")

    case = Case.objects.get(category="phishing")
    assert (case.team, case.assignee) == ("Fraud", bert)
    event = case.events.get(kind="assigned")
    assert event.data == {"to": "bert", "team": "Fraud", "rule": rule.pk, "because": "Phishing to fraud"}
    assert Case.objects.get(category="spam").team == ""

    Case.objects.filter(pk=case.pk).update(team="", assignee=None)
    say("b@x.example", category=Category.PHISHING)
    assert Case.objects.get(pk=case.pk).team == ""


def test_what_a_rule_kept_out_can_be_filed_after_all_and_once() -> None:
    rule = make_rule("ignore", reporter=["noise.example"])
    say("a@noise.example", "b@noise.example")
    deactivate(rule, actor="carla", now=NOON)

    assert file_after_all(rule, since=NOON, actor="carla", now=NOON) == (2, [Case.objects.get().pk])
    assert file_after_all(rule, since=NOON, actor="carla", now=NOON) == (0, [])
    assert Case.objects.get().complaint_count == 2
    assert rulings() == [("", rule.pk, True)] * 2
    assert [change.what for change in rule.changes.all()] == ["filed", "deactivated"]


def test_an_ignored_complaint_of_nobodys_address_goes_back_among_the_unattributed() -> None:
    make_rule("ignore")
    say("a@x.example", answer=Answer.NOBODY)

    assert file_ids([Complaint.objects.get().pk], now=NOON) == (1, [])
    assert rulings()[0][0] == ""


def test_rules_are_asked_in_their_order_and_can_be_moved() -> None:
    first, second, third = make_rule(), make_rule(), make_rule()

    assert move_rule(third, by=-1, actor="carla", now=NOON)
    assert not move_rule(first, by=-1, actor="carla", now=NOON)
    assert list(Rule.objects.values_list("pk", flat=True)) == [first.pk, third.pk, second.pk]
    assert [(c.what, c.text) for c in third.changes.all()] == [("moved", "from place 3 to 2")]


def test_a_rule_remembers_who_did_what_and_why() -> None:
    rule = add_rule(DOCUMENT, actor="carla", now=NOON, active=True)
    rule = change_rule(rule, DOCUMENT | {"reason": "still wrong"}, actor="bert", now=NOON, active=True)
    deactivate(rule, actor="carla", now=NOON, why="they mended it")

    assert [(c.what, c.actor, c.text) for c in rule.changes.all()] == [
        ("deactivated", "carla", "they mended it"),
        ("changed", "bert", "still wrong"),
        ("activated", "carla", ""),
        ("added", "carla", "never right"),
    ]
    assert rule.conditions == {"reporter": ["noise.example"]}


def test_a_page_that_is_older_than_the_rule_changes_nothing() -> None:
    rule = add_rule(DOCUMENT, actor="carla", now=NOON, active=False)
    mine, theirs = Rule.objects.get(), Rule.objects.get()
    activate(theirs, actor="bert", now=NOON)

    with pytest.raises(StaleRule):
        change_rule(mine, DOCUMENT, actor="carla", now=NOON, active=False)
    rule.refresh_from_db()
    assert rule.active


def test_a_rule_for_the_top_moves_the_others_down() -> None:
    low = add_rule(DOCUMENT, actor="carla", now=NOON, active=True)
    high = add_rule(DOCUMENT | {"kind": "allow"}, actor="carla", now=NOON, active=True, first=True)

    assert list(Rule.objects.values_list("pk", flat=True)) == [high.pk, low.pk]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"conditions": {}}, "conditions"),
        ({"conditions": {"prefix": ["192.0.2.7/24"]}}, "prefix"),
        ({"conditions": {"prefix": ["somewhere"]}}, "prefix"),
        ({"conditions": {"reporter": ["nobody"]}}, "reporter"),
        ({"conditions": {"category": ["spma"]}}, "category"),
        ({"conditions": {"reporter": [f"r{n}.example" for n in range(201)]}}, "reporter"),
        ({"name": " "}, "name"),
        ({"reason": ""}, "reason"),
        ({"kind": "drop"}, "kind"),
        ({"kind": "threshold", "complaints": 1, "days": 7}, "complaints"),
        ({"kind": "threshold", "complaints": 2, "days": 0}, "days"),
        ({"kind": "threshold", "complaints": 2, "days": 91}, "days"),
        ({"kind": "route"}, "team"),
    ],
)
def test_nonsense_is_refused_where_it_stands(change: dict[str, Any], field: str) -> None:
    with pytest.raises(BadRule) as refused:
        checked(DOCUMENT | change)

    assert refused.value.field == field


def test_an_address_is_written_as_its_prefix() -> None:
    found = checked(DOCUMENT | {"conditions": {"prefix": ["192.0.2.7", "192.0.2.7/32", "2001:DB8::/32"]}})

    assert found["conditions"] == {"prefix": ["192.0.2.7/32", "2001:db8::/32"]}


def test_when_an_owner_becomes_known_the_rules_are_asked_again() -> None:
    make_network()
    ignore = make_rule("ignore", contract=["C-1"])
    complaint = make_complaint(reporter="a@x.example")
    make_assignment("C-1")

    ask_again([complaint.pk], now=NOON)

    complaint.refresh_from_db()
    assert (complaint.answer, complaint.ruling, complaint.rule, complaint.case) == ("owner", "ignored", ignore, None)
    assert not Case.objects.exists()


def test_a_threshold_counts_those_whose_owner_became_known_later() -> None:
    make_network()
    rule = make_rule("threshold", complaints=2, days=7, reporter=["x.example"])
    complaints = [make_complaint(reporter="a@x.example", port=port) for port in (1, 2)]
    make_assignment("C-1")

    ask_again([complaints[0].pk], now=NOON)
    assert rulings() == [("held", rule.pk, False), ("", None, False)]
    ask_again([complaints[1].pk], now=NOON)
    assert rulings() == [("", rule.pk, True)] * 2
    assert Case.objects.get().complaint_count == 2


def test_what_was_ignored_stays_so_when_nothing_but_the_reason_is_new() -> None:
    make_network()
    make_assignment("C-1")
    rule = make_rule("ignore")
    complaint = make_complaint(answer="owner", contract=make_contract("C-1"), rule=rule, ruling="ignored")
    Rule.objects.update(active=False)

    ask_again([complaint.pk], now=NOON)

    assert rulings() == [("ignored", rule.pk, False)]
