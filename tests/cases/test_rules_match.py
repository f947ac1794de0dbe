from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from complaints.addresses import address_key, prefix_key
from complaints.cases.rules_match import Accused, Line, Matcher, Seen, is_reached
from tests.factories import NOON


def first(lines: list[Line], **accused: Any) -> int | None:
    found = Matcher(lines, now=NOON).first(Accused(**{"category": "spam"} | accused))
    return found.id if found else None


def prefixes(*texts: str) -> frozenset[bytes]:
    return frozenset(prefix_key(text) for text in texts)


def test_the_first_rule_that_fits_decides_whatever_it_is_found_by() -> None:
    lines = [
        Line(id=3, kind="allow", categories=frozenset({"phishing"})),
        Line(id=1, kind="ignore", reporters=frozenset({"noise.example"})),
        Line(id=2, kind="route", prefixes=prefixes("192.0.2.0/24")),
        Line(id=4, kind="ignore"),
    ]
    told = {"reporter": "bot@noise.example", "address": address_key("192.0.2.7")}

    assert first(lines, **told) == 1
    assert first(lines, category="phishing", **told) == 3
    assert first(lines[2:], **told) == 2
    assert first(lines) == 4


@pytest.mark.parametrize(
    ("reporter", "fits"),
    [
        ("fbl@noise.example", True),
        ("fbl@mail.noise.example", True),
        ("fbl@othernoise.example", False),
        ("noise.example@fine.example", False),
        ("", False),
    ],
)
def test_a_domain_means_everybody_there_and_below(reporter: str, fits: bool) -> None:
    rule = Line(id=1, kind="ignore", reporters=frozenset({"noise.example"}))

    assert (first([rule], reporter=reporter) == 1) is fits


@pytest.mark.parametrize(
    ("address", "fits"),
    [("192.0.2.127", True), ("192.0.2.128", False), ("2001:db8::1", True), ("2001:db9::1", False)],
)
def test_a_prefix_holds_its_addresses_and_no_other(address: str, fits: bool) -> None:
    rule = Line(id=1, kind="ignore", prefixes=prefixes("192.0.2.0/25", "2001:db8::/32"))

    assert (first([rule], address=address_key(address)) == 1) is fits


def test_what_names_no_address_lies_in_no_prefix() -> None:
    assert first([Line(id=1, kind="ignore", prefixes=prefixes("0.0.0.0/0", "::/0"))], address=b"") is None


@pytest.mark.parametrize(
    ("change", "fits"),
    [
        ({}, True),
        ({"category": "scan"}, False),
        ({"format": "xarf"}, False),
        ({"kind": "business"}, False),
        ({"contract": 8}, False),
        ({"contract": None}, False),
        ({"reporter": "x@other.example"}, False),
    ],
)
def test_of_each_kind_of_condition_one_must_fit(change: dict[str, Any], fits: bool) -> None:
    rule = Line(
        id=1, kind="ignore", categories=frozenset({"spam", "other"}), formats=frozenset({"arf"}),
        kinds=frozenset({"residential"}), contracts=frozenset({7}), reporters=frozenset({"x@y.example"}),
    )  # fmt: skip
    told = {"category": "spam", "format": "arf", "kind": "residential", "contract": 7, "reporter": "x@y.example"}

    assert (first([rule], **told | change) == 1) is fits


def test_a_rule_about_a_contract_that_is_gone_fits_nothing() -> None:
    assert first([Line(id=1, kind="ignore", contracts=frozenset())], contract=None) is None
    assert first([Line(id=1, kind="ignore", contracts=frozenset())], contract=7) is None


def test_a_rule_ends_with_its_date() -> None:
    assert first([Line(id=1, kind="ignore", until=NOON + timedelta(microseconds=1))]) == 1
    assert first([Line(id=1, kind="ignore", until=NOON)]) is None


def test_both_numbers_of_a_threshold_must_be_reached() -> None:
    line = Line(id=1, kind="threshold", complaints=3, reporters_needed=2, days=7)
    one, two, nobody = Seen(NOON, "a.example"), Seen(NOON, "b.example"), Seen(NOON, "")

    assert not is_reached(line, [one, one, one])
    assert not is_reached(line, [one, two])
    assert not is_reached(line, [one, one, nobody])
    assert is_reached(line, [one, one, two])
