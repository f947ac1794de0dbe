"""Which complaints are one trouble: the table, and what filing makes of it."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, transaction
from hypothesis import given
from hypothesis import strategies as st

from complaints.addresses import address_key
from complaints.cases.filing import file_complaints
from complaints.cases.grouping import claims, grouping_of, rule_of
from complaints.models import Case
from complaints.vocabulary import Category as C
from tests.cases.test_filing import accuse
from tests.factories import NOON, make_case, make_contract, make_message

V4, V6 = address_key("192.0.2.7"), address_key("2001:db8:1:2::7")
PAGE = "https://www.shop.brenn.example/login"


@pytest.mark.parametrize(
    ("category", "address", "sites", "is_static", "grouping"),
    [
        (C.SPAM, V4, ["www.brenn.example"], True, ""),
        (C.BOT, V4, [], True, ""),
        (C.LOGIN_ATTACK, V4, [], True, ""),
        (C.PHISHING, V4, ["www.shop.brenn.example"], True, "site:brenn.example"),
        (C.PHISHING, b"", ["WWW.Brenn.co.uk"], False, "site:brenn.co.uk"),
        (C.MALWARE, V4, ["brenn.example", "other.example"], True, "site:brenn.example"),
        (C.COPYRIGHT, V4, [], True, ""),  # file sharing names no site
        (C.VULNERABLE, V4, [], True, "address:192.0.2.7"),
        (C.VULNERABLE, V6, [], True, "address:2001:db8:1:2::/64"),
        (C.VULNERABLE, V4, [], False, ""),  # a lease: tomorrow it is somebody else's machine
        (C.VULNERABLE, b"", [], True, ""),
    ],
)
def test_what_a_case_is_about(category: C, address: bytes, sites: list[str], is_static: bool, grouping: str) -> None:
    assert grouping_of(category, address=address, sites=sites, is_static=is_static) == grouping


def test_a_name_that_nobody_can_register_stands_for_itself() -> None:
    assert grouping_of(C.PHISHING, address=b"", sites=["co.uk"], is_static=False) == "site:co.uk"


def test_every_category_has_a_rule_with_its_reason() -> None:
    assert all(rule_of(category).why for category in C)


def test_the_narrowest_claim_comes_first() -> None:
    assert claims(V4, ["www.brenn.example", "x.example"]) == ["address:192.0.2.7", "site:brenn.example"]
    assert claims(b"", []) == []


@pytest.mark.django_db
def test_two_sites_of_a_contract_are_two_cases() -> None:
    contract, message = make_contract(), make_message()
    pages = [PAGE, "http://brenn.example/x", "http://other.example/y"]
    batch = [
        accuse(message, contract, category=C.PHISHING, reported_uris=(page,), source_ip=f"192.0.2.{last}")
        for last, page in enumerate(pages)
    ]

    file_complaints(batch, now=NOON)

    found = Case.objects.order_by("grouping").values_list("grouping", "complaint_count")
    assert list(found) == [("site:brenn.example", 2), ("site:other.example", 1)]


@pytest.mark.django_db
def test_the_sites_in_a_mail_that_was_sent_are_strangers() -> None:
    contract, message = make_contract(), make_message()
    sent = accuse(message, contract, category=C.PHISHING, reported_uris=(PAGE,), original_mail_from="a@b.example")

    file_complaints([sent], now=NOON)

    assert Case.objects.get().grouping == ""


@pytest.mark.django_db
def test_a_case_split_off_for_an_address_gets_what_comes_about_it() -> None:
    case = make_case(complaint_count=0)
    split = make_case(case.contract, grouping="address:192.0.2.7", complaint_count=0)
    message = make_message()

    file_complaints([accuse(message, case.contract, source_ip=f"192.0.2.{last}") for last in (7, 8)], now=NOON)

    assert list(Case.objects.order_by("pk").values_list("pk", "complaint_count")) == [(case.pk, 1), (split.pk, 1)]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("first", "second", "cases"),
    [
        ({"reported_uris": (PAGE,)}, {}, 1),  # the second does not name the site
        ({}, {"reported_uris": (PAGE,)}, 1),  # the first did not
        ({"reported_uris": (PAGE,)}, {"source_ip": "192.0.2.99"}, 2),
        ({"reported_uris": (PAGE,)}, {"reported_uris": ("http://other.example/",)}, 2),
        ({}, {"reported_uris": (PAGE,), "source_ip": "192.0.2.99"}, 2),
    ],
)
def test_of_two_reports_about_one_machine_one_may_name_the_site_and_the_other_not(
    first: dict[str, object], second: dict[str, object], cases: int
) -> None:
    contract = make_contract()
    for number, told in enumerate((first, second)):
        file_complaints([accuse(make_message(b"%d" % number), contract, category=C.PHISHING, **told)], now=NOON)

    assert Case.objects.count() == cases


@pytest.mark.django_db
def test_a_report_that_names_no_site_joins_none_of_two() -> None:
    contract = make_contract()
    for number, uris in enumerate([(PAGE,), ("http://other.example/",), ()]):
        told = {"category": C.PHISHING, "reported_uris": uris}
        file_complaints([accuse(make_message(b"%d" % number), contract, **told)], now=NOON)

    assert sorted(Case.objects.values_list("grouping", flat=True)) == ["", "site:brenn.example", "site:other.example"]


@pytest.mark.django_db
def test_one_active_case_of_a_contract_category_and_grouping() -> None:
    case = make_case()
    make_case(case.contract, grouping="part:1")

    with pytest.raises(IntegrityError), transaction.atomic():
        make_case(case.contract)


@pytest.mark.django_db
def test_what_comes_for_a_merged_case_goes_to_the_one_it_lives_on_in() -> None:
    spam = make_case(complaint_count=0)
    merged = {"state": "closed", "resolution": "merged", "closed_at": NOON, "merged_into": spam}
    make_case(spam.contract, category=C.BOT, **merged)
    message = make_message()

    filed = file_complaints([accuse(message, spam.contract, category=c) for c in (C.BOT, C.SPAM)], now=NOON)

    spam.refresh_from_db()
    assert (filed.opened, filed.touched, spam.complaint_count) == ([], [spam.pk], 2)


@pytest.mark.django_db
def test_after_the_case_it_lived_on_in_was_fixed_it_is_a_relapse_of_that() -> None:
    spam = make_case(state="closed", resolution="fixed_verified", closed_at=NOON)
    merged = {"state": "closed", "resolution": "merged", "closed_at": NOON, "merged_into": spam}
    make_case(spam.contract, category=C.BOT, **merged)
    later = NOON.replace(hour=20)

    file_complaints([accuse(make_message(), spam.contract, category=C.BOT, seen_at=later)], now=later)

    opened = Case.objects.active().get()
    assert (opened.category, opened.relapse_of, opened.ladder) == ("bot", spam, 1)


@given(st.text(max_size=300))
def test_whatever_a_site_is_called_it_fits_into_its_column(name: str) -> None:
    assert len(grouping_of(C.PHISHING, address=b"", sites=[name], is_static=False)) <= 270
