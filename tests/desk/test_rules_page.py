"""The pages of the rules: made, tried on the past, put in order, switched off; what they kept out, filed."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from complaints.cases.transitions import record
from complaints.models import Case, Complaint, Rule
from complaints.vocabulary import EventKind
from tests.factories import make_case, make_complaint, make_contract, make_rule, make_run

GIVEN = {"kind": "ignore", "name": "Noise", "reason": "never right", "reporter": "Noise.example"}


def complained(reporter: str = "bot@noise.example", **columns: Any) -> Complaint:
    at = timezone.now() - timedelta(days=1)
    case = make_case(f"C-{Case.objects.count()}", opened_at=at)
    return make_complaint(case, reporter=reporter, received_at=at, seen_at=at, **columns)


def form_of(page: Any) -> dict[str, str]:
    """The token of the trial that the page shows."""
    return {"seen": page.context["seen"]}


def test_without_rules_the_page_says_what_they_are_for(ada: Client) -> None:
    assert "No rule yet" in ada.get("/rules").content.decode()


def test_a_rule_is_tried_before_it_is_active(bruno: Client) -> None:
    complaint = complained()
    page = bruno.post("/rules/new", GIVEN | {"do": "on"})

    assert not Rule.objects.exists()
    text = page.content.decode()
    assert "It would have opened 1 case fewer." in text
    assert complaint.case is not None
    assert complaint.case.number in text

    bruno.post("/rules/new", GIVEN | form_of(page) | {"do": "on"})
    rule = Rule.objects.get()
    assert (rule.active, rule.conditions, rule.created_by) == (True, {"reporter": ["noise.example"]}, "bruno")


def test_what_was_tried_is_what_is_activated(bruno: Client) -> None:
    page = bruno.post("/rules/new", GIVEN | {"do": "try"})
    bruno.post("/rules/new", GIVEN | form_of(page) | {"do": "on", "reporter": "other.example"})

    assert not Rule.objects.exists()


def test_a_rule_that_hides_a_proven_case_needs_a_second_word(bruno: Client) -> None:
    complaint = complained()
    assert complaint.case is not None
    make_run(complaint.case, "relay", "bad")
    page = bruno.post("/rules/new", GIVEN | {"do": "try"})
    assert "1 of these was proven" in page.content.decode()

    again = bruno.post("/rules/new", GIVEN | form_of(page) | {"do": "on"})
    assert "tick this if you mean it" in again.content.decode()
    assert not Rule.objects.exists()

    bruno.post("/rules/new", GIVEN | form_of(again) | {"do": "on", "sure": "1"})
    assert Rule.objects.get().active


def test_a_rule_can_be_kept_switched_off_untried(bruno: Client) -> None:
    bruno.post("/rules/new", GIVEN | {"do": "off"})

    assert not Rule.objects.get().active


def test_nonsense_is_shown_where_it_stands_and_nothing_is_kept(bruno: Client) -> None:
    page = bruno.post("/rules/new", GIVEN | {"do": "off", "prefix": "192.0.2.7/24"})

    assert "did you mean 192.0.2.0/24?" in page.content.decode()
    assert not Rule.objects.exists()


def test_a_date_that_is_over_is_refused(bruno: Client) -> None:
    page = bruno.post("/rules/new", GIVEN | {"do": "off", "until": "2020-01-01"})

    assert "That day is over" in page.content.decode()


def test_rules_are_moved_and_the_button_keeps_the_focus(bruno: Client) -> None:
    first, second = make_rule(name="one"), make_rule(name="two")
    page = bruno.post(reverse("desk:rule-act", args=[second.pk, "up"]), follow=True).content.decode()

    assert list(Rule.objects.values_list("pk", flat=True)) == [second.pk, first.pk]
    assert page.count(" autofocus><span") == 0  # it stands on top: that button is off

    page = bruno.post(reverse("desk:rule-act", args=[second.pk, "down"]), follow=True).content.decode()
    assert page.count(" autofocus><span") == 0
    make_rule(name="three")
    page = bruno.get(f"/rules?at={first.pk}.down").content.decode()
    assert page.count(" autofocus><span") == 1


def proven_case(reporter: str = "bot@noise.example") -> Case:
    complaint = complained(reporter)
    assert complaint.case is not None
    make_run(complaint.case, "relay", "bad")
    return complaint.case


def order() -> list[str]:
    return list(Rule.objects.filter(active=True).order_by("position").values_list("kind", flat=True))


@pytest.mark.parametrize(("which", "verb"), [("ignore", "up"), ("allow", "down"), ("allow", "off")])
def test_a_change_that_lets_another_rule_hide_a_proven_case_needs_a_second_word(
    bruno: Client, which: str, verb: str
) -> None:
    case = proven_case()
    rules = {
        kind: make_rule(kind, position=at, reporter=["noise.example"]) for at, kind in enumerate(("allow", "ignore"))
    }
    rule = rules[which]

    page = bruno.post(f"/rules/{rule.pk}/{verb}", {"revision": rule.revision})
    text = page.content.decode()
    assert ("would have opened 1 case fewer" in text, case.number in text, order()) == (True, True, ["allow", "ignore"])

    bruno.post(f"/rules/{rule.pk}/{verb}", {"revision": rule.revision, "sure": "1"})
    assert order() == (["ignore"] if verb == "off" else ["ignore", "allow"])


def test_a_move_that_changes_cases_says_how_many_and_one_that_cannot_is_not_tried(bruno: Client, sql_of: Any) -> None:
    complained()
    allow = make_rule("allow", position=1, reporter=["noise.example"])
    make_rule("ignore", position=2, reporter=["noise.example"])
    make_rule("ignore", position=3, reporter=["other.example"])
    bruno.post(f"/rules/{allow.pk}/down")
    assert "So it would have been on the past: 1 case fewer." in bruno.get("/rules").content.decode()

    first = Rule.objects.order_by("position")[0]
    for rule in (first, allow):
        Rule.objects.filter(pk=rule.pk).update(kind="ignore")
    sent = sql_of(lambda: bruno.post(f"/rules/{allow.pk}/up"))
    assert [sql for sql in sent if "complaints_complaint" in sql] == []


def test_what_was_tried_beside_other_rules_is_tried_again(bruno: Client) -> None:
    complained()
    allow = make_rule("allow", reporter=["noise.example"])
    page = bruno.post("/rules/new", GIVEN | {"do": "try"})
    assert "As many cases would have been opened." in page.content.decode()
    Rule.objects.filter(pk=allow.pk).update(active=False)

    text = bruno.post("/rules/new", GIVEN | form_of(page) | {"do": "on"}).content.decode()

    assert "another rule was changed meanwhile" in text
    assert "It would have opened 1 case fewer." in text
    assert Rule.objects.count() == 1


def test_an_expired_rule_is_shown_as_such(ada: Client) -> None:
    make_rule(until=timezone.now() - timedelta(days=1))

    assert "expired" in ada.get("/rules").content.decode()


def test_switching_off_is_refused_from_a_page_older_than_the_rule(bruno: Client) -> None:
    rule = make_rule()
    bruno.post(reverse("desk:rule-act", args=[rule.pk, "off"]), {"revision": "0"})
    rule.refresh_from_db()
    assert rule.active

    bruno.post(reverse("desk:rule-act", args=[rule.pk, "off"]), {"revision": "1", "why": "mended"})
    rule.refresh_from_db()
    assert not rule.active
    assert rule.changes.get().text == "mended"


def test_one_click_ignores_a_reporter_for_thirty_days(bruno: Client) -> None:
    complaint = complained()
    bruno.post(reverse("desk:ignore-reporter", args=[complaint.pk]))

    rule = Rule.objects.get()
    assert (rule.active, rule.conditions) == (True, {"reporter": ["bot@noise.example"]})
    assert rule.until is not None
    assert timedelta(days=30) <= rule.until - timezone.now() <= timedelta(days=31)


def test_one_click_stops_where_a_case_was_proven(bruno: Client) -> None:
    complaint = complained()
    assert complaint.case is not None
    make_run(complaint.case, "relay", "bad")
    page = bruno.post(reverse("desk:ignore-reporter", args=[complaint.pk]))

    assert not Rule.objects.exists()
    assert "proven" in page.content.decode()


def test_a_complaint_shows_its_rule_and_can_be_filed_after_all(bruno: Client, ada: Client) -> None:
    rule = make_rule(name="Noise")
    complaint = make_complaint(
        answer="owner", contract=make_contract(), reporter="bot@noise.example", rule=rule, ruling="ignored"
    )
    page = ada.get(f"/message/{complaint.message_id}").content.decode()
    assert "Ignored</span> by the rule" in page
    assert "File it after all" not in page
    assert "File it after all" in bruno.get(f"/message/{complaint.message_id}").content.decode()

    bruno.post(reverse("desk:file-complaint", args=[complaint.pk]))
    assert Case.objects.get().complaint_count == 1


def test_the_rule_page_lists_what_it_decided_page_by_page(bruno: Client) -> None:
    rule = make_rule()
    made = [make_complaint(reporter="a@x.example", rule=rule, ruling="ignored") for _ in range(22)]
    first = bruno.get(f"/rules/{rule.pk}").content.decode()
    second = bruno.get(f"/rules/{rule.pk}?below={made[2].pk}").content.decode()

    assert f'#complaint-{made[21].pk}"' in first
    assert f'#complaint-{made[1].pk}"' not in first
    assert f'#complaint-{made[1].pk}"' in second


@pytest.mark.parametrize("rules", [1, 30])
def test_the_list_asks_as_much_for_thirty_rules_as_for_one(ada: Client, rules: int, sql_of: Any) -> None:
    for _ in range(rules):
        make_rule()
    ada.get("/rules")

    statements = sql_of(lambda: ada.get("/rules"))
    assert len(statements) <= 7
    assert not any("OFFSET" in each for each in statements)


def test_ignored_complaints_do_not_stand_among_the_unattributed(ada: Client) -> None:
    rule = make_rule()
    make_complaint(subject="noise noise", rule=rule, ruling="ignored")

    assert "noise noise" not in ada.get("/unattributed").content.decode()


def test_a_case_tells_the_rules_and_the_team_that_it_was_given_to(ada: Client) -> None:
    rule = make_rule("route", name="Phishing to fraud", team="Fraud")
    case = make_case(team="Fraud")
    make_complaint(case, rule=rule)
    record(case, EventKind.ASSIGNED, actor="machine", to=None, team="Fraud", rule=rule.pk, because=rule.name)
    page = ada.get(f"/case/{case.pk}").content.decode()

    assert "Given to the team" in page
    assert f"/rules/{rule.pk}" in page
    assert "Assigned to the team Fraud" in page
    assert "By the rule “Phishing to fraud”" in page
