"""The page on which cases are merged, split, moved and linked; and the undo button on the case."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse

from complaints.cases.regrouping import link_case, merge_cases
from complaints.desk.regrouped import others_of
from complaints.models import Case, CaseChange
from complaints.vocabulary import Category
from tests.factories import NOON, make_case, make_complaint, make_contract

pytestmark = pytest.mark.django_db


@pytest.fixture
def spam() -> Case:
    case = make_case(complaint_count=2)
    for last in (10, 11):
        make_complaint(case, address=f"192.0.2.{last}", seen_at=NOON + timedelta(minutes=last))
    return case


@pytest.fixture
def bot(spam: Case) -> Case:
    case = make_case(spam.contract, category=Category.BOT)
    make_complaint(case, reporter="r@r.example")
    return case


def url_of(case: Case) -> str:
    return reverse("desk:regroup", args=[case.pk])


def text_of(client: Client, case: Case, **query: object) -> str:
    return client.get(url_of(case), query).content.decode()


def test_before_merging_the_page_says_what_will_happen_and_does_nothing(bruno: Client, spam: Case, bot: Case) -> None:
    page = text_of(bruno, bot, what="merge", to=spam.number)

    assert f"1 complaint of case {bot.number} join 2 complaints of case {spam.number}." in page
    assert f"Case {bot.number} is closed as merged and points to case {spam.number}" in page
    assert CaseChange.objects.count() == 0


def test_merging_leads_to_the_case_that_lives_on_with_a_button_to_undo_it(bruno: Client, spam: Case, bot: Case) -> None:
    form = {"what": "merge", "to": spam.number, "stay": bot.stay, "to_stay": spam.stay, "reason": "same machine"}

    response = bruno.post(url_of(bot), form)

    assert response["Location"] == reverse("desk:case", args=[spam.pk])
    change = CaseChange.objects.get()
    assert (change.from_case, change.to_case, change.made_by, change.reason) == (bot, spam, "bruno", "same machine")
    page = bruno.get(response["Location"]).content.decode()
    assert f"Case {bot.number} was merged into this one, with 1 complaint" in page
    assert reverse("desk:regroup-undo", args=[change.pk]) in page
    assert "everything about it goes on there" in bruno.get(reverse("desk:case", args=[bot.pk])).content.decode()


def test_undoing_puts_the_case_back(bruno: Client, spam: Case, bot: Case) -> None:
    change = merge_cases(bot, into=spam, actor="ada", reason="", now=NOON)

    bruno.post(reverse("desk:regroup-undo", args=[change.pk]))

    bot.refresh_from_db()
    assert (bot.state, bot.merged_into) == ("investigating", None)
    page = bruno.get(reverse("desk:case", args=[bot.pk])).content.decode()
    assert "The merging was undone" in page


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"what": "merge"}, "Name the other case by its number."),
        ({"what": "merge", "to": "2026-99999"}, "There is no case 2026-99999."),
        ({"what": "merge", "to": "rm -rf"}, "There is no case rm -rf."),
        ({"what": "split"}, "Choose at least one complaint of this case."),
        ({"what": "split", "complaint": ["x", "7777777"]}, "Choose at least one complaint of this case."),
    ],
)
def test_what_cannot_be_done_is_said(bruno: Client, spam: Case, query: dict[str, object], said: str) -> None:
    assert said in text_of(bruno, spam, **query)
    assert bruno.post(url_of(spam), {**query, "stay": spam.stay}).status_code == 400
    assert CaseChange.objects.count() == 0


def test_cases_of_two_contracts_are_linked_but_never_merged(bruno: Client, spam: Case) -> None:
    other = make_case(make_contract("C-2"))

    assert "is about another contract" in text_of(bruno, spam, what="merge", to=other.number)
    assert "Neither customer learns of the other." in text_of(bruno, spam, what="link", to=other.number)
    bruno.post(url_of(spam), {"what": "link", "to": other.number})
    spam.refresh_from_db()
    assert spam.parent == other


def test_an_address_chooses_all_its_complaints(bruno: Client, spam: Case) -> None:
    page = text_of(bruno, spam, what="split", about="192.0.2.11")

    assert "1 complaint become a new case" in page.replace("becomes", "become")
    assert "Later complaints about 192.0.2.11 go to the new case while it is open." in page


def test_a_split_from_the_page(bruno: Client, spam: Case) -> None:
    theirs = spam.complaints.order_by("pk")[1]

    bruno.post(url_of(spam), {"what": "split", "complaint": theirs.pk, "stay": spam.stay})

    part = Case.objects.exclude(pk=spam.pk).get()
    assert (part.grouping, part.complaint_count) == ("address:192.0.2.11", 1)
    assert "This case is only about" in bruno.get(reverse("desk:case", args=[part.pk])).content.decode()


def test_a_page_older_than_the_case_changes_nothing(bruno: Client, spam: Case, bot: Case) -> None:
    Case.objects.filter(pk=spam.pk).update(stay=2)

    response = bruno.post(url_of(bot), {"what": "merge", "to": spam.number, "stay": bot.stay, "to_stay": "1"})

    assert response.status_code == 409
    assert CaseChange.objects.count() == 0


def test_who_may_not_see_the_other_case_learns_nothing_of_it(spam: Case) -> None:
    other = make_case(make_contract("C-2"))
    link_case(spam, parent=other, actor="ada", reason="", now=NOON)
    spam.refresh_from_db()

    shown = others_of(spam, NOON, Case.objects.exclude(pk=other.pk))

    assert (shown["parent"], shown["changes"]) == (None, [])
    assert others_of(spam, NOON, Case.objects.all())["parent"] == other
