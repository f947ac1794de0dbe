"""Each narrowing of the search finds what it says, its opposite finds the rest, on both databases."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from complaints.addresses import prefix_key
from complaints.cases.queue import page_of
from complaints.cases.words import read_words
from complaints.desk.narrowings import Asking
from complaints.desk.query import parse
from complaints.desk.search import search
from complaints.models import Blacklist, Case, Listing, User
from complaints.vocabulary import Category, Cause, CustomerStatus
from tests.factories import make_case, make_complaint, make_contract, make_customer, make_user

NOW = timezone.now()


@pytest.fixture
def two(db: None) -> tuple[Case, Case]:
    """One that fits every narrowing of the table below, and one that fits none."""
    ada = make_user("ada")
    one = make_case(
        make_contract("C-7", customer=make_customer("K-7", name="Acme GmbH")), address="192.0.2.7", state="triage",
        cause=Cause.OPEN_RELAY, cause_confidence=0.97, category=Category.SPAM, priority=80, ladder=1, team="night",
        customer_status=CustomerStatus.DISPUTES, opened_at=NOW - timedelta(days=3), assignee=ada,
        last_seen_at=NOW - timedelta(days=3), deadline_at=NOW - timedelta(hours=1),
    )  # fmt: skip
    make_complaint(one, address="192.0.2.7", reporter="fbl@x.example", subject="Cheap watches")
    other = make_case(
        make_contract("C-8", customer=make_customer("K-8", name="Brenn")), address="2001:db8::8", state="notified",
        cause=Cause.BOT, cause_confidence=0.7, category=Category.PHISHING, priority=30, opened_at=NOW, last_seen_at=NOW,
        deadline_at=NOW + timedelta(hours=1), assignee=make_user("bruno"),
    )  # fmt: skip
    make_complaint(other, address="2001:db8::8", reporter="pa@y.example", subject="Pills")
    blacklist = Blacklist.objects.create(name="Some list", zone="bl.example")
    Listing.objects.create(
        blacklist=blacklist, key=prefix_key("192.0.2.7/32"), status="listed", first_seen_at=NOW, last_seen_at=NOW
    )
    read_words()
    return one, other


def found(text: str, cases: Any = None) -> list[Case]:
    asking = Asking(User.objects.get(username="ada"), NOW, Case.objects.all())
    return page_of(search(parse(text), asking).branches).cases


FITS = [
    "turn:you", "is:mine", "is:late", "is:listed", "is:relapse", "is:proven", "state:triage", "state:triage,answered",
    "cause:relay", "category:spam", "said:disputes", "address:192.0.2.7", "address:192.0.2.0/24",
    "address:192.0.2.0/24,198.51.100.0/24", "customer:K-7", "customer:acme", 'customer:"acme gmbh"', "contract:c-7",
    "reporter:fbl@x.example", "reporter:FBL@X.EXAMPLE", "assignee:me", "assignee:ada", "team:night", "older:2d",
    "quiet:1d", "priority:70", "priority:70-90", "watches", "cheap cause:relay", "192.0.2.7",
]  # fmt: skip


@pytest.mark.parametrize("text", FITS)
def test_a_narrowing_finds_the_one_and_its_opposite_the_other(two: tuple[Case, Case], text: str) -> None:
    assert found(text) == [two[0]]
    if ":" in text and " " not in text:
        assert found(f"-{text}") == [two[1]]


@pytest.mark.parametrize(
    "text", ["turn:customer", "newer:1d", "is:any -is:mine", "2001:db8::/32", "address:2001:db8::8", "priority:0-69"]
)
def test_these_find_the_other(two: tuple[Case, Case], text: str) -> None:
    assert found(text) == [two[1]]


def test_a_case_is_found_by_its_number(two: tuple[Case, Case]) -> None:
    assert found(f"case:{two[1].number}") == found(f"case:{two[1].pk}") == found(two[1].number) == [two[1]]
    assert found(f"case:1999-{two[1].pk:05d}") == []


def test_an_ipv6_address_on_a_list_is_known(two: tuple[Case, Case]) -> None:
    listing = Listing.objects.get()
    Listing.objects.filter(pk=listing.pk).update(key=prefix_key("2001:db8::8/128"))

    assert found("is:listed") == [two[1]]
    Listing.objects.filter(pk=listing.pk).update(gone_at=NOW)
    assert found("is:listed") == []


def test_nobody_of_that_name_has_no_case(two: tuple[Case, Case]) -> None:
    assert found("assignee:nobody") == found("assignee:nosuch") == found("customer:nosuch") == []
    Case.objects.filter(pk=two[1].pk).update(assignee=None)
    assert found("assignee:nobody") == found("is:unassigned") == [two[1]]


@pytest.mark.parametrize(("text", "is_found"), [
    ("is:closed", True), ("is:any", True), ("state:closed", True), ("ended:fixed-verified", True), ("watches", True),
    ("contract:C-7", True), ("is:open", False), ("cause:relay", False), ("watches is:open", False), ("is:mine", False),
])  # fmt: skip
def test_closed_cases_are_found_by_what_finds_and_not_by_what_narrows(
    two: tuple[Case, Case], text: str, is_found: bool
) -> None:
    Case.objects.filter(pk=two[0].pk).update(state="closed", closed_at=NOW, resolution="fixed_verified")

    assert (two[0] in found(text)) is is_found


def test_the_page_says_when_more_cases_fit_than_were_looked_at(ada: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("complaints.desk.looking_up.MOST", 2)
    for n in range(3):
        make_complaint(make_case(make_contract(f"C-{n}")), subject="Cheap watches")
    read_words()

    assert "Very many cases fit these words" in ada.get("/?q=watches").content.decode()
    assert "Very many cases fit these words" not in ada.get("/?q=C-1").content.decode()
