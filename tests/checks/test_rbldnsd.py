"""The blacklist check against the server that real lists run on: living, dead, lame and lying lists."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from complaints.checks import DnsblList, dnsbl
from complaints.vocabulary import CheckTarget, Verdict
from tests.checks.settings import make_config
from tests.checks.test_dnsbl import make_list
from tests.services.rbldnsd import Rbldnsd, healthy, rbldnsd

CODES = "codes.example.org"
ENTRIES = """\
192.0.2.7 :127.0.0.2:Trap hit, see https://bl.example.org/?$
192.0.2.7 :127.0.0.4:Infected host
192.0.2.8 :127.0.0.10:Dynamic range
192.0.2.9 :127.0.0.1:
192.0.2.10 :127.255.255.254:You ask through a public resolver
"""
ENTRIES6 = "2001:db8:0:7::/64 :127.0.0.4:Infected host\n"
WORLD = "0.0.0.0/1 :2:This domain is for sale\n128.0.0.0/1 :2:This domain is for sale\n"
WORLD6 = "::/1 :2:For sale\n8000::/1 :2:For sale\n"


@pytest.fixture(scope="module")
def server() -> Iterator[Rbldnsd]:
    zones = {
        CODES: [healthy("ip4set", ENTRIES), healthy("ip6trie", ENTRIES6)],
        "world.example.org": [("ip4trie", WORLD), ("ip6trie", WORLD6)],
        "emptied.example.org": [("ip4set", ""), ("ip6trie", "")],
        "quiet.example.org": [healthy("ip4set"), healthy("ip6trie")],
    }
    with rbldnsd(zones) as found:
        yield found


def look_up(server: Rbldnsd, address: str, *lists: DnsblList):
    config = make_config(resolvers=((server.host, server.port),), lists=lists)
    return asyncio.run(dnsbl.run(CheckTarget(address=address), config))


@pytest.mark.parametrize(
    ("address", "status", "codes", "causes"),
    [
        ("192.0.2.7", "listed", ["127.0.0.2", "127.0.0.4"], "bot, spam-source"),
        ("192.0.2.8", "policy", ["127.0.0.10"], "policy"),
        ("192.0.2.9", "allow", ["127.0.0.1"], "allow"),
        ("192.0.2.10", "unknown", [], ""),
        ("192.0.2.11", "not-listed", [], ""),
        ("2001:db8:0:7::1", "listed", ["127.0.0.4"], "bot"),
        ("2001:db8:0:8::1", "not-listed", [], ""),
    ],
)
def test_list_of_several_codes_is_read_code_by_code(server, address, status, codes, causes):
    found = look_up(server, address, make_list("codes", CODES)).details["lists"][0]
    shown = found["codes"] if status != "unknown" else []
    assert (found["status"], shown, found["cause"]) == (status, codes, causes)


def test_reason_of_the_list_names_the_address(server):
    found = look_up(server, "192.0.2.7", make_list("codes", CODES)).details["lists"][0]
    assert "see https://bl.example.org/?192.0.2.7" in found["txt"]


@pytest.mark.parametrize("address", ["192.0.2.7", "2001:db8:0:7::1"])
@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("world", "lists the world"),
        ("emptied", "does not list its own test address"),
        ("lame", "the resolver says REFUSED"),
    ],
)
def test_dead_list_is_unknown_and_says_how_it_died(server, address, name, reason):
    outcome = look_up(server, address, make_list(name, f"{name}.example.org"))
    assert outcome.verdict == Verdict.UNKNOWN
    assert reason in outcome.details["lists"][0]["reason"]


def test_empty_healthy_list_says_clean_beside_the_dead_ones(server):
    names = ("world", "emptied", "lame", "quiet")
    outcome = look_up(server, "192.0.2.7", *(make_list(name, f"{name}.example.org") for name in names))
    assert (outcome.verdict, outcome.reason) == (
        Verdict.CLEAN,
        "not listed by the 1 lists that answered; 3 could not answer",
    )
