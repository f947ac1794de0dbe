"""import_identifiers and import_names: one way to write each, one contract at a time, and leases that waited."""

from __future__ import annotations

import io

import pytest

from complaints.attribution.importing import import_feed
from complaints.models import Assignment, HostedName, LineIdentifier, WaitingLease
from tests.attribution.leases.test_feeds import record
from tests.commands.import_files import counts
from tests.factories import make_contract, make_network

pytestmark = pytest.mark.django_db
MARCH, APRIL = "2026-03-01T00:00:00Z", "2026-04-01T00:00:00Z"


@pytest.fixture(autouse=True)
def _contracts() -> None:
    make_contract("C-1")
    make_contract("C-2")


def known() -> list[tuple[str, str, str, bool, bool]]:
    rows = LineIdentifier.objects.select_related("contract").order_by("kind", "value", "valid_until")
    return [(r.contract.reference, r.kind, r.value, bool(r.valid_from), bool(r.valid_until)) for r in rows]


def test_values_are_written_one_way_and_a_repeat_changes_nothing(load):
    lines = (
        "C-1,mac,00-11-22-AA-BB-CC,,",
        "C-1,client_id,01001122AABBCC,,",
        "C-2,radius_user,Anna@isp.example,,",
        "C-2,smtp_user,Anna@isp.example,,",
    )

    assert load("identifiers", *lines) == counts(4, created=4) | {"placed": 0}
    assert load("identifiers", *lines) == counts(4, unchanged=4) | {"placed": 0}
    assert known() == [
        ("C-1", "client_id", "01:00:11:22:aa:bb:cc", False, False),
        ("C-1", "mac", "00:11:22:aa:bb:cc", False, False),
        ("C-2", "radius_user", "Anna@isp.example", False, False),
        ("C-2", "smtp_user", "anna@isp.example", False, False),
    ]


def test_a_modem_is_handed_over_in_one_file(load):
    load("identifiers", "C-1,mac,00:11:22:aa:bb:cc,,")

    given = (f"C-2,mac,00:11:22:aa:bb:cc,{MARCH},", f"C-1,mac,00:11:22:aa:bb:cc,,{MARCH}")

    assert load("identifiers", *given) == counts(2, created=1, updated=1) | {"placed": 0}
    assert [row[0] for row in known()] == ["C-1", "C-2"] or [row[0] for row in known()] == ["C-2", "C-1"]


def test_a_value_of_two_contracts_at_once_is_refused_with_both_named(load, refused):
    load("identifiers", f"C-1,mac,00:11:22:aa:bb:cc,{MARCH},")

    assert refused("identifiers", "C-2,mac,001122aabbcc,,", "C-1,duid,00:01,,", "C-2,duid,0001,,") == [
        "F.csv:2: value: C-2 (here) and C-1 (stored) would both hold mac 00:11:22:aa:bb:cc at 2026-03-01 00:00:00 UTC",
        "F.csv:4: value: C-2 (here) and C-1 (line 3) would both hold duid 00:01",
    ]
    assert len(known()) == 1


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("C-9,mac,00:11:22:aa:bb:cc,,", "contract: 'C-9' is not known: import the contracts first"),
        ("C-1,mac,00:11:22,,", "value: '00:11:22' is not 6 octets in hexadecimal, such as 00:11:22:aa:bb:cc"),
        ("C-1,radius_user,,,", "value: is empty"),
        (
            f"C-1,radius_user,anna,{APRIL},{MARCH}",
            "valid_until: 2026-03-01 00:00:00 UTC is not after valid_from, 2026-04-01 00:00:00 UTC",
        ),
    ],
)
def test_a_bad_line_is_refused(refused, line, problem):
    assert refused("identifiers", line) == [f"F.csv:2: {problem}"]


def test_a_line_that_comes_again_is_refused(refused):
    assert refused("identifiers", "C-1,mac,00:11:22:aa:bb:cc,,", "C-1,mac,00-11-22-aa-bb-cc,,") == [
        "F.csv:3: contract: 'C-1' has this value and valid_from also in line 2"
    ]


def test_leases_that_waited_for_an_identifier_are_placed(load):
    make_network("192.0.2.0/24")
    import_feed(io.BytesIO(record("Start", 0).encode()), reader="radius", name="feed")
    assert WaitingLease.objects.count() == 1

    assert load("identifiers", "C-1,radius_user,anna@isp.example,,") == counts(1, created=1) | {"placed": 1}

    assert [(a.contract.reference, a.kind) for a in Assignment.objects.select_related("contract")] == [("C-1", "lease")]
    assert WaitingLease.objects.count() == 0


def test_a_dry_run_places_nothing(load):
    assert load("identifiers", "C-1,mac,00:11:22:aa:bb:cc,,", dry_run=True) == counts(1, created=1)
    assert known() == []


def test_names_are_written_as_the_dns_has_them(load):
    assert load("names", "C-1,WWW.Shop.Example.,,", f"C-2,bücher.example,{MARCH},{APRIL}") == counts(2, created=2)

    assert sorted(HostedName.objects.values_list("name", flat=True)) == ["www.shop.example", "xn--bcher-kva.example"]
    assert load("names", "C-1,www.shop.example,,") == counts(1, unchanged=1)


def test_a_name_of_two_contracts_at_once_is_refused_with_both_named(refused):
    assert refused("names", f"C-1,www.shop.example,,{APRIL}", f"C-2,www.shop.example,{MARCH},") == [
        "F.csv:3: name: C-2 (here) and C-1 (line 2) would both hold www.shop.example at 2026-03-01 00:00:00 UTC"
    ]


def test_a_name_that_is_none_is_refused(refused):
    assert refused("names", "C-1,shop,,", "C-1,not a name.example,,") == [
        "F.csv:2: name: 'shop' is not a full host name, such as www.shop.example",
        "F.csv:3: name: 'not a name.example' is not a host name:"
        " Codepoint U+0020 at position 4 of 'not a name' not allowed",
    ]
