"""The pages of campaigns, and what a case says of them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client

from complaints.cases.campaigns import find_campaigns
from complaints.models import Campaign, Case
from tests.factories import NOON, make_case, make_complaint, make_contract

pytestmark = pytest.mark.django_db
SUBJECT = "Swiss watches, only few pieces left"


@pytest.fixture
def run() -> list[Case]:
    """Three customers' lines sent the same mail."""
    cases = [make_case(make_contract(f"C-{n}", customer=f"K-{n}")) for n in range(3)]
    for n, case in enumerate(cases):
        make_complaint(case, reporter=f"r{n % 2}@r.example", subject=SUBJECT, seen_at=NOON + timedelta(hours=n))
    find_campaigns(now=NOON, lag=timedelta(0))
    return cases


def test_a_case_says_how_wide_the_run_is_that_it_is_part_of(ada: Client, run: list[Case]) -> None:
    page = ada.get(f"/case/{run[0].pk}").content.decode()

    assert "3 cases of 3 customers since 10 Mar 2026" in page
    assert f"/campaigns/{Campaign.objects.get().pk}" in page


def test_a_case_of_its_own_run_says_nothing(ada: Client) -> None:
    case = make_case()
    make_complaint(case, subject=SUBJECT)
    find_campaigns(now=NOON, lag=timedelta(0))

    assert "Part of a campaign" not in ada.get(f"/case/{case.pk}").content.decode()


def test_the_list_shows_it_and_its_page_names_the_cases(ada: Client, run: list[Case]) -> None:
    assert SUBJECT in ada.get("/campaigns").content.decode()
    page = ada.get(f"/campaigns/{Campaign.objects.get().pk}").content.decode()

    assert [case.number in page for case in run] == [True, True, True]
    assert "the same particular subject (2)" in page


def test_a_campaign_that_went_into_another_leads_there(ada: Client, run: list[Case]) -> None:
    there = Campaign.objects.get()
    gone = Campaign.objects.create(first_seen_at=NOON, last_seen_at=NOON, merged_into=there)

    assert ada.get(f"/campaigns/{gone.pk}")["Location"] == f"/campaigns/{there.pk}"


def test_the_list_goes_on_behind_its_last_row(ada: Client) -> None:
    for n in range(53):
        seen = NOON + timedelta(minutes=n // 2)
        Campaign.objects.create(subject=f"run {n}", first_seen_at=NOON, last_seen_at=seen, case_count=2)
    first = ada.get("/campaigns")
    more = first.context["next"]

    second = ada.get("/campaigns", more)
    assert [len(page.context["rows"]) for page in (first, second)] == [50, 3]
    assert second.context["rows"][-1][0].subject == "run 0"
    assert len(ada.get("/campaigns?at=nonsense&below=-1").context["rows"]) == 50


def test_the_pages_count_nothing(ada: Client, run: list[Case], sql_of: Callable[..., list[str]]) -> None:
    sent = sql_of(lambda: ada.get("/campaigns"))
    assert [sql for sql in sent if "COUNT(" in sql or "OFFSET" in sql] == []


def test_none_is_said(ada: Client) -> None:
    assert "No spam run shows in more than one case." in ada.get("/campaigns").content.decode()
