"""The simulated ISP's truth holds together, whatever the seed."""

from __future__ import annotations

import ipaddress
import itertools
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from complaints.checks import load_lists
from complaints.demo.customers import HABITS
from complaints.demo.places import ILL_LISTS, listings
from complaints.demo.smtp_behaviours import BEHAVIOURS
from complaints.demo.story import STORY
from complaints.demo.strays import STRAYS
from complaints.demo.world import LEASE, SHARED_ADDRESS, TROUBLES, UNASSIGNED, build_world

BORN = datetime(2026, 3, 10, 12, tzinfo=UTC)
WORLD = build_world(born_at=BORN)


def test_same_seed_and_birth_give_the_same_world():
    assert build_world(5, born_at=BORN) == build_world(5, born_at=BORN)


@pytest.mark.parametrize("seed", range(20))
def test_no_moment_has_two_holders(seed):
    world = build_world(seed, born_at=BORN)
    edges = [edge for line in world.lines for edge in (line.valid_from, line.valid_until) if edge]
    moments = [edge + step for edge in set(edges) for step in (timedelta(seconds=-1), timedelta(0))]
    for line in world.lines:
        address = str(ipaddress.ip_network(line.prefix)[0])
        for port in {line.port_first, line.port_last}:
            for at in moments:
                assert sum(other.holds(address, at, port) for other in world.lines) <= 1


def test_every_line_is_inside_our_networks():
    networks = [ipaddress.ip_network(prefix) for prefix, _ in WORLD.networks]
    for line in WORLD.lines:
        prefix = ipaddress.ip_network(line.prefix)
        assert any(prefix[0] in network and prefix[-1] in network for network in networks)


def test_every_host_is_on_loopback_and_its_contract_holds_it_now():
    for host in WORLD.hosts:
        assert ipaddress.ip_address(host.address).is_loopback
        assert WORLD.holder(host.address, BORN, host.port) == host.contract


def test_address_that_changed_hands_had_another_holder_before():
    line = next(each for each in WORLD.lines if each.valid_until and ":" not in each.prefix)
    address = line.prefix.partition("/")[0]

    assert WORLD.holder(address, BORN - LEASE - timedelta(seconds=1)) == line.contract
    assert WORLD.holder(address, BORN - LEASE) is None
    assert WORLD.holder(address, BORN) not in (line.contract, None)


def test_shared_address_without_a_port_is_nobodys():
    assert WORLD.holder(SHARED_ADDRESS, BORN) is None


def test_unassigned_address_is_nobodys():
    assert WORLD.holder(UNASSIGNED, BORN) is None


def test_no_ipv6_line_is_held_now_because_a_check_of_it_would_leave_loopback():
    assert [line for line in WORLD.lines if ":" in line.prefix and (line.valid_until or BORN) >= BORN] == []


def test_contracts_and_mail_addresses_are_unique():
    for names in ([r.contract for r in WORLD.residents], [r.email for r in WORLD.residents]):
        assert [name for name, count in Counter(names).items() if count > 1] == []


def test_residents_have_known_troubles_and_habits():
    assert {r.trouble for r in WORLD.residents} - {""} == set(TROUBLES)
    assert {r.habit for r in WORLD.residents} == set(HABITS)


def test_troubles_name_behaviours_of_the_mail_servers():
    named = {behaviour for t in TROUBLES.values() for behaviour in (t.behaviour, t.healthy)} - {None}
    assert named - set(BEHAVIOURS) == set()


def test_story_names_hosts_and_strays_that_exist():
    known = {"begin": {host.contract for host in WORLD.hosts}, "stray": set(STRAYS)}
    known |= dict.fromkeys(("flood", "propose"), known["begin"]) | {"correct": {line.contract for line in WORLD.lines}}
    assert [what for _, verb, what in STORY if what not in known[verb]] == []


def test_story_brings_something_every_ten_seconds():
    seconds = [second for second, _, _ in STORY]
    assert seconds[0] <= 5
    assert max(later - earlier for earlier, later in itertools.pairwise(seconds)) <= 10


def test_cases_cannot_flood_the_desk():
    """A case is one contract and one category; log-in attacks, old and IPv6 abuse add one each."""
    assert len(WORLD.hosts) + 3 <= 60


def test_bots_are_on_lists_that_say_bot():
    lists = load_lists()
    bots = [host for host in WORLD.hosts if host.trouble.listed == "bot"]
    zones = {each.zone: each for each in lists if each.enabled and each.name not in ILL_LISTS}
    for bot in bots:
        found = listings(lists, bot)
        assert found == listings(lists, bot)
        for zone, answer, _ in found:
            codes = [code for code in zones[zone].codes if code.matches(ipaddress.IPv4Address(answer))]
            assert [code.causes for code in codes] == [("bot",)]
        assert len(found) == len({zone for zone, _, _ in found}) == 3


def test_ill_lists_are_lists_of_the_catalogue_that_are_asked():
    assert set(ILL_LISTS) <= {each.name for each in load_lists() if each.enabled}
