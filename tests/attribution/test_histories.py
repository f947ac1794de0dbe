"""The verb with its database look-up against a naive oracle that knows `ipaddress` and nothing of keys."""

from __future__ import annotations

import ipaddress
from datetime import datetime, timedelta

import pytest
from django.db import DEFAULT_DB_ALIAS, connections
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from complaints.addresses import address_key, prefix_key
from complaints.attribution import Holding, Question, attribute
from complaints.attribution.statements import claims_in
from complaints.models import Assignment, Network, PrefixLength
from complaints.models.bulk import insert_rows
from complaints.vocabulary import Answer
from tests.factories import NOON, make_assignment, make_contract, make_network, overlaps_allowed

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)
PLACES = ("192.0.2.7", "192.0.2.8", "192.0.3.0", "198.51.100.1", "2001:db8::7", "2001:db8:0:1::", "2001:db8:1::", "::1")
PREFIXES = ("192.0.2.7/32", "192.0.2.8/29", "192.0.2.0/24", "192.0.2.0/23", "0.0.0.0/0")
PREFIXES6 = ("2001:db8::7/128", "2001:db8::/64", "2001:db8::/56", "2001:db8::/48", "2001:db8::/32", "::/0")
PORTS = ((0, 65535), (1024, 2047), (2048, 3071))

stretches = st.tuples(
    st.sampled_from(["C-1", "C-2", "C-3"]),
    st.sampled_from(PREFIXES + PREFIXES6),
    st.integers(-6, 1),  # begins, days from noon
    st.one_of(st.none(), st.integers(1, 6)),  # lasts, days
    st.sampled_from(PORTS),
)
asked = st.tuples(
    st.sampled_from(PLACES),
    st.sampled_from([None, 1024, 2047, 2048, 5000]),
    st.integers(-5, 0),
    st.sampled_from([None, 0, 1, 2, 3]),  # slack in half days; None: the report gave no time
)
Stretch = tuple[str, str, int, int | None, tuple[int, int]]


def covers(stretch: Stretch, place: str, at: datetime) -> bool:
    _, prefix, begins, lasts, _ = stretch
    since = NOON + begins * DAY
    in_time = since <= at and (lasts is None or at < since + lasts * DAY)
    return in_time and ipaddress.ip_address(place) in ipaddress.ip_network(prefix)


def deciding(history: list[Stretch], place: str, at: datetime) -> list[Stretch]:
    valid = [stretch for stretch in history if covers(stretch, place, at)]
    longest = max((ipaddress.ip_network(s[1]).prefixlen for s in valid), default=0)
    return [s for s in valid if ipaddress.ip_network(s[1]).prefixlen == longest]


def holders(history: list[Stretch], place: str, port: int | None, at: datetime) -> set[str]:
    return {s[0] for s in deciding(history, place, at) if port is None or s[4][0] <= port <= s[4][1]}


def expected(
    networks: set[str], history: list[Stretch], place: str, port: int | None, days: int, slack: int | None
) -> str:
    if not any(ipaddress.ip_address(place) in ipaddress.ip_network(network) for network in networks):
        return Answer.NOT_OURS
    at = NOON + days * DAY
    times = [at + n * DAY / 2 for n in (range(-4, 1) if slack is None else range(-slack, slack + 1))]
    now, ever = holders(history, place, port, at), set().union(*(holders(history, place, port, t) for t in times))
    is_shared = any(s[4] != PORTS[0] for t in times for s in deciding(history, place, t))
    if len(now) == 1 and ever == now and not (is_shared and port is None):
        return now.pop()
    return Answer.UNSURE if ever else Answer.NOBODY


def store(networks: set[str], history: list[Stretch], contracts: dict[str, int]) -> None:
    for model in (Assignment, Network, PrefixLength):
        model.objects.all().delete()
    for network in networks:
        make_network(network)
    stored = set()
    for reference, prefix, begins, lasts, ports in history:
        identity = (reference, prefix, begins, ports[0])
        if identity not in stored:
            stored.add(identity)
            since = NOON + begins * DAY
            until = None if lasts is None else since + lasts * DAY
            contract = make_contract(reference)
            make_assignment(
                contract, prefix, valid_from=since, valid_until=until, port_first=ports[0], port_last=ports[1]
            )
            contracts[reference] = contract.pk


def said(holding: Holding, contracts: dict[str, int]) -> str:
    names = {pk: reference for reference, pk in contracts.items()}
    return names[holding.contract_id] if holding.contract_id else holding.answer


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.sets(st.sampled_from(["192.0.2.0/24", "192.0.2.0/23", "2001:db8::/32", "0.0.0.0/0"]), min_size=1),
    st.lists(stretches, max_size=8, unique_by=lambda s: (s[0], s[1], s[2], s[4])),
    st.lists(asked, min_size=1, max_size=12),
)
def test_every_history_is_answered_as_by_hand_alone_and_in_a_batch(db, networks, history, asked):
    contracts: dict[str, int] = {}
    with overlaps_allowed():
        store(networks, history, contracts)
    questions = [
        Question(address_key(place), port, NOON + days * DAY, slack is not None, (slack or 0) * DAY / 2)
        for place, port, days, slack in asked
    ]

    batch = attribute(questions)

    assert [said(holding, contracts) for holding in batch] == [expected(networks, history, *q) for q in asked]
    assert batch == [attribute([question])[0] for question in questions]


def test_thousands_of_questions_with_all_prefix_lengths_in_use_are_one_batch():
    make_network("10.0.0.0/8")
    contract = make_contract()
    for length in range(8, 33):
        PrefixLength.objects.create(family=4, length=length)
    addresses = [bytes(10) + b"\xff\xff" + bytes([10, n >> 8, n & 255, 1]) for n in range(4000)]
    columns = ("contract_id", "key", "kind", "valid_from", "valid_until", "port_first", "port_last")
    keys = [bytes([32]) + address[12:] for address in addresses]
    insert_rows(Assignment, columns, [(contract.pk, key, "static", NOON, None, 0, 65535) for key in keys])

    holdings = attribute([Question(address, None, NOON) for address in addresses])

    assert {holding.contract_id for holding in holdings} == {contract.pk}


MOMENT = timedelta(microseconds=1)
HOURS = (0.5, 24, 25, 25.5, 26, 48, 24 * 400)


LONG_BEFORE = NOON - timedelta(days=500)  # nothing of it is still to come


@pytest.mark.parametrize("hours", HOURS)
@pytest.mark.parametrize("off", [-MOMENT, timedelta(0), MOMENT])
def test_however_long_it_was_held_its_first_and_last_moment_are_found(hours, off):
    """Short and long holdings are found by different indexes, whose border lies at 25 hours."""
    make_network()
    lasting = timedelta(hours=hours) + off
    contract = make_assignment("C-1", valid_from=LONG_BEFORE, valid_until=LONG_BEFORE + lasting).contract_id
    times = (LONG_BEFORE - MOMENT, LONG_BEFORE, LONG_BEFORE + lasting - MOMENT, LONG_BEFORE + lasting)

    holdings = attribute([Question(address_key("192.0.2.10"), None, at) for at in times])

    assert [holding.contract_id for holding in holdings] == [None, contract, contract, None]


@pytest.mark.parametrize("hours", HOURS)
def test_however_long_it_was_held_it_is_found_where_the_slack_just_touches_it(hours):
    make_network()
    make_assignment("C-1", valid_from=LONG_BEFORE, valid_until=LONG_BEFORE + timedelta(hours=hours))
    ends, slack = LONG_BEFORE + timedelta(hours=hours), timedelta(hours=14)
    times = (LONG_BEFORE - slack - MOMENT, LONG_BEFORE - slack, ends + slack - MOMENT, ends + slack)

    holdings = attribute([Question(address_key("192.0.2.10"), None, at, slack=slack) for at in times])

    assert [holding.candidates for holding in holdings] == [(), ("C-1",), ("C-1",), ()]


def test_of_thousands_of_leases_the_right_one_is_found_and_few_are_read():
    make_network()
    make_assignment("C-1")
    contracts = [make_contract(f"C-{n}").pk for n in range(2, 12)]
    Assignment.objects.all().delete()
    columns = ("contract_id", "key", "kind", "valid_from", "valid_until", "port_first", "port_last")
    key, hour = prefix_key("192.0.2.10/32"), timedelta(hours=1)
    begin = NOON - 3000 * hour
    rows = [(contracts[n % 10], key, "lease", begin + n * hour, begin + (n + 1) * hour, 0, 65535) for n in range(3000)]
    insert_rows(Assignment, columns, rows)
    asked = (0, 1, 1500, 2998, 2999)

    windows = [([key], begin + n * hour, begin + (n + 1) * hour) for n in asked]
    _, found = claims_in(windows, connections[DEFAULT_DB_ALIAS])

    assert [[claim.contract_id for claim in claims] for claims in found] == [[contracts[n % 10]] for n in asked]
