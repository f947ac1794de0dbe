"""Port blocks of a deterministic CGNAT, by hand: 64 ports a block, 192 ports an address, two addresses outside."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from complaints.addresses import address_key
from complaints.attribution import Question, attribute
from complaints.models import Assignment, Contract
from tests.commands.import_files import counts
from tests.factories import NOON, make_assignment, make_network

pytestmark = pytest.mark.django_db
RULE = "192.0.2.0/31,100.64.0.0/30,64,1024,1215,{},2026-01-01T00:00:00Z,"
PORTS = RULE.format("ports")
DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def _plan() -> None:
    make_network("192.0.2.0/24")


def whose(address: str, port: int, at: datetime = NOON) -> str:
    [holding] = attribute([Question(address_key(address), port, at)])
    return Contract.objects.get(pk=holding.contract_id).reference if holding.contract_id else holding.answer.value


@pytest.mark.parametrize(
    ("order", "blocks"),
    [
        ("ports", [("0", 1024), ("0", 1088), ("0", 1152), ("1", 1024)]),
        ("addresses", [("0", 1024), ("1", 1024), ("0", 1088), ("1", 1088)]),
    ],
)
def test_each_address_inside_has_its_block(load, order, blocks):
    for n in range(4):
        make_assignment(f"C-{n}", f"100.64.0.{n}/32")

    assert load("cgnat", RULE.format(order)) == counts(4, created=4)

    for n, (last, first) in enumerate(blocks):
        assert whose(f"192.0.2.{last}", first) == f"C-{n}"
        assert whose(f"192.0.2.{last}", first + 63) == f"C-{n}"
    assert whose("192.0.2.0", 1023) == "nobody"
    assert set(Assignment.objects.filter(kind="cgnat").values_list("valid_from", flat=True)) == {
        datetime.fromisoformat("2026-01-01T00:00:00Z")
    }


def test_again_nothing_changes_and_what_ended_inside_ends(load):
    line = make_assignment("C-1", "100.64.0.0/32")
    load("cgnat", PORTS)
    assert load("cgnat", PORTS) == counts(1, unchanged=1)

    Assignment.objects.filter(pk=line.pk).update(valid_until=NOON)
    make_assignment("C-2", "100.64.0.0/32", valid_from=NOON)

    assert load("cgnat", PORTS) == counts(2, created=1, updated=1)
    assert (whose("192.0.2.0", 1024, NOON - DAY), whose("192.0.2.0", 1024, NOON + DAY)) == ("C-1", "C-2")


def test_the_longest_prefix_inside_decides(load):
    make_assignment("provider", "100.64.0.0/10")
    make_assignment("C-1", "100.64.0.1/32", valid_from=NOON - DAY, valid_until=NOON + DAY)

    load("cgnat", PORTS)

    assert whose("192.0.2.0", 1088, NOON - 2 * DAY) == "provider"
    assert whose("192.0.2.0", 1088) == "C-1"
    assert whose("192.0.2.0", 1088, NOON + 2 * DAY) == "provider"
    assert whose("192.0.2.0", 1024) == "provider"


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        (RULE.format("random"), "order: 'random' is not one of ports, addresses"),
        (
            PORTS.replace(",64,", ",128,"),
            "block_size: there is room for 2 blocks, but 4 addresses are inside",
        ),
        (PORTS.replace(",64,", ",0,"), "block_size: '0' is not a number of ports from 1 to 65536"),
        (
            PORTS.replace("192.0.2.0", "198.51.100.0"),
            "outside_prefix: '198.51.100.0/31' is not inside any of our networks",
        ),
        (PORTS.replace("100.64.0.0/30", "2001:db8::/64"), "inside_prefix: '2001:db8::/64' is not IPv4"),
    ],
)
def test_a_rule_that_cannot_be_is_refused(refused, line, problem):
    assert refused("cgnat", line) == [f"F.csv:2: {problem}"]


def test_just_enough_room_is_enough(load):
    assert load("cgnat", PORTS.replace(",64,", ",96,")) == counts(0)
