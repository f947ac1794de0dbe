from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Callable
from ipaddress import ip_address

import pytest

from complaints.checks import DnsblList, dnsbl, load_lists, read_entry
from complaints.checks._inquiry import Allowance, Inquiry
from complaints.demo.dns_server import DnsServer
from complaints.vocabulary import CheckOutcome, CheckTarget, Verdict
from tests.checks.settings import make_config

ZONE = "bl.example.org"
BAD_HOST = "192.0.2.7"
BAD_HOST6 = "2001:db8::7"


def make_list(name: str = "example", zone: str = ZONE, **changes) -> DnsblList:
    entry = {
        "name": name,
        "zone": zone,
        "families": ["ipv4", "ipv6"],
        "codes": {
            "127.0.0.1": {"meaning": "white", "cause": "allow"},
            "127.0.0.2": {"meaning": "trap hit", "cause": "spam-source"},
            "127.0.0.4": {"meaning": "infected", "cause": "bot"},
            "127.0.0.9": {"meaning": "bad neighbours", "cause": "network"},
            "127.0.0.10": {"meaning": "dynamic range", "cause": "policy"},
        },
        "errors": {"127.0.0.255": "too many questions"},
        "enabled": True,
        "source": "https://bl.example.org/",
        "delisting": "https://bl.example.org/out",
    }
    return read_entry(entry | changes, "test")


def check(
    address: str, *lists: DnsblList, prepare: Callable[[DnsServer], object] = lambda server: None, **changes
) -> CheckOutcome:
    async def both() -> CheckOutcome:
        zones = [zone for each in lists for zone in (each.asked_zone(4), each.asked_zone(6))]
        async with DnsServer(zones=zones) as server:
            prepare(server)
            config = make_config(resolvers=((server.address, server.port),), lists=lists, **changes)
            return await dnsbl.run(CheckTarget(address=address), config)

    return asyncio.run(both())


def listed(*codes: str, address: str = BAD_HOST, txt: str = "", zone: str = ZONE) -> Callable[[DnsServer], object]:
    return lambda server: server.list_address(zone, address, codes, txt)


def test_listed_address_is_bad_with_meaning_cause_reason_and_way_out():
    outcome = check(BAD_HOST, make_list(), prepare=listed("127.0.0.2", txt="see https://bl.example.org/?192.0.2.7"))
    assert (outcome.verdict, outcome.reason) == (Verdict.BAD, "listed by example")
    assert outcome.details == {
        "causes": ["spam-source"],
        "lists": [
            {
                "list": "example",
                "zone": ZONE,
                "place": BAD_HOST,
                "status": "listed",
                "codes": ["127.0.0.2"],
                "meaning": "trap hit",
                "cause": "spam-source",
                "txt": "see https://bl.example.org/?192.0.2.7",
                "weight": 0.5,
                "delisting": "https://bl.example.org/out",
                "how": "",
                "reason": "",
            }
        ],
    }


def test_address_that_no_list_has_is_clean():
    outcome = check(BAD_HOST, make_list(), prepare=listed("127.0.0.2", address="192.0.2.8"))
    assert (outcome.verdict, outcome.reason) == (Verdict.CLEAN, "not listed by the 1 lists that answered")


def test_ipv6_address_is_asked_by_nibbles():
    outcome = check(BAD_HOST6, make_list(), prepare=listed("127.0.0.2", address=BAD_HOST6))
    neighbour = check("2001:db8::8", make_list(), prepare=listed("127.0.0.2", address=BAD_HOST6))
    assert (outcome.verdict, neighbour.verdict) == (Verdict.BAD, Verdict.CLEAN)


def test_ipv6_zone_of_its_own_is_asked():
    both = make_list(zone6="bl6.example.org")
    outcome = check(BAD_HOST6, both, prepare=listed("127.0.0.2", address=BAD_HOST6, zone="bl6.example.org"))
    assert (outcome.verdict, outcome.details["lists"][0]["zone"]) == (Verdict.BAD, "bl6.example.org")


def test_mapped_ipv6_address_is_asked_as_ipv4():
    assert check(f"::ffff:{BAD_HOST}", make_list(), prepare=listed("127.0.0.2")).verdict == Verdict.BAD


def test_list_without_ipv6_says_nothing_about_ipv6():
    outcome = check(BAD_HOST6, make_list(families=["ipv4"]))
    assert outcome.verdict == Verdict.UNKNOWN
    assert outcome.details["lists"][0]["reason"] == "knows no IPv6 addresses"


@pytest.mark.parametrize(
    ("codes", "verdict", "status", "causes"),
    [
        (["127.0.0.2", "127.0.0.4"], Verdict.BAD, "listed", ["bot", "spam-source"]),
        (["127.0.0.4", "127.0.0.10"], Verdict.BAD, "listed", ["bot"]),
        (["127.0.0.77"], Verdict.BAD, "listed", ["reputation"]),
        (["127.0.0.10"], Verdict.CLEAN, "policy", []),
        (["127.0.0.9"], Verdict.CLEAN, "policy", []),
        (["127.0.0.1"], Verdict.CLEAN, "allow", []),
        (["127.0.0.255"], Verdict.UNKNOWN, "unknown", []),
        (["127.255.255.254"], Verdict.UNKNOWN, "unknown", []),
        (["127.255.255.255"], Verdict.UNKNOWN, "unknown", []),
        (["192.0.2.1"], Verdict.UNKNOWN, "unknown", []),
        (["127.0.0.2", "127.255.255.254"], Verdict.UNKNOWN, "unknown", []),
        (["127.0.0.2", "192.0.2.1"], Verdict.UNKNOWN, "unknown", []),
    ],
)
def test_whole_answer_decides(codes, verdict, status, causes):
    outcome = check(BAD_HOST, make_list(), prepare=listed(*codes))
    found = outcome.details["lists"][0]
    assert (outcome.verdict, found["status"], outcome.details["causes"]) == (verdict, status, causes)
    assert found["codes"] == codes


def test_127_0_0_1_is_no_listing_where_the_catalogue_does_not_explain_it():
    plain = make_list(codes={"127.0.0.2": {"meaning": "trap hit", "cause": "spam-source"}})
    outcome = check(BAD_HOST, plain, prepare=listed("127.0.0.1"))
    assert (outcome.verdict, outcome.details["lists"][0]["reason"]) == (
        Verdict.UNKNOWN,
        "answers 127.0.0.1: it refuses our questions",
    )


@pytest.mark.parametrize("address", [BAD_HOST, BAD_HOST6])
@pytest.mark.parametrize(
    ("mode", "reason"),
    [
        ("empty", "self-test: does not list its own test address {test}: emptied, or no list at all"),
        ("lists_the_world", "self-test: lists even {control}: it lists the world"),
        ("servfail", "self-test: the resolver says SERVFAIL"),
        ("refused", "self-test: the resolver says REFUSED"),
        ("refuses", "self-test: answers 127.255.255.254: it refuses our questions"),
        ("silent", "self-test: no answer within 0.3 s"),
        (
            "outside",
            "self-test: answers 192.0.2.1, outside 127.0.0.0/8: no list answers so, its domain may be parked",
        ),
    ],
)
def test_list_that_fails_its_self_test_is_never_believed(mode, reason, address):
    def prepare(server: DnsServer) -> None:
        server.list_address(ZONE, address)
        server.set_mode(ZONE, mode)

    outcome = check(address, make_list(), prepare=prepare)
    points = ("::ffff:7f00:2", "::ffff:7f00:1") if ":" in address else ("127.0.0.2", "127.0.0.1")
    expected = [str(ip_address(point)) for point in points]
    assert (outcome.verdict, outcome.reason) == (Verdict.UNKNOWN, "no list could answer")
    assert outcome.details["lists"][0]["reason"] == reason.format(test=expected[0], control=expected[1])


def test_list_that_answers_its_test_address_with_another_code_is_alive():
    """blocklist.de says 127.0.0.15."""
    outcome = check(BAD_HOST, make_list(), prepare=listed("127.0.0.15", address="127.0.0.2"))
    assert outcome.verdict == Verdict.CLEAN


def test_one_living_list_is_enough_for_an_answer():
    def prepare(server: DnsServer) -> None:
        server.set_mode("dead.example.org", "silent")
        server.set_mode("world.example.org", "lists_the_world")

    dead, world = make_list("dead", "dead.example.org"), make_list("world", "world.example.org")
    outcome = check(BAD_HOST, dead, world, make_list(), prepare=prepare)
    assert (outcome.verdict, outcome.reason) == (
        Verdict.CLEAN,
        "not listed by the 1 lists that answered; 2 could not answer",
    )


def test_disabled_list_is_not_asked():
    outcome = check(BAD_HOST, make_list(enabled=False), prepare=listed("127.0.0.2"))
    assert (outcome.verdict, outcome.reason) == (Verdict.UNKNOWN, "no blacklist is configured")


def test_without_resolver_nothing_is_known():
    outcome = asyncio.run(dnsbl.run(CheckTarget(address=BAD_HOST), make_config(lists=(make_list(),))))
    assert outcome.verdict == Verdict.UNKNOWN
    assert outcome.details["lists"][0]["reason"] == "self-test: no resolver is configured"


def test_resolver_that_is_not_there_is_named_and_the_second_one_asked(free_port):
    async def both() -> tuple[CheckOutcome, CheckOutcome]:
        async with DnsServer(zones=[ZONE]) as server:
            dead, alive = ("127.0.0.1", free_port), (server.address, server.port)
            target, lists = CheckTarget(address=BAD_HOST), (make_list(),)
            alone = await dnsbl.run(target, make_config(resolvers=(dead,), lists=lists))
            return alone, await dnsbl.run(target, make_config(resolvers=(dead, alive), lists=lists))

    alone, two = asyncio.run(both())
    assert (alone.verdict, two.verdict) == (Verdict.UNKNOWN, Verdict.CLEAN)


def inquiry_of(server: DnsServer, **given) -> Inquiry:
    return Inquiry(((server.address, server.port),), 0.3, **given)


def test_self_test_is_asked_once_for_many_checks():
    async def many() -> list[tuple[str, str]]:
        async with DnsServer(zones=[ZONE]) as server:
            config = make_config(lists=(make_list(),), inquiry=inquiry_of(server))
            targets = [CheckTarget(address=f"192.0.2.{n}") for n in range(1, 50)]
            await asyncio.gather(*(dnsbl.run(target, config) for target in targets))
            return server.questions

    questions = asyncio.run(many())
    assert questions.count((f"2.0.0.127.{ZONE}", "A")) == 1
    assert questions.count((f"1.0.0.127.{ZONE}", "A")) == 1
    assert len(questions) == 51


@pytest.mark.parametrize(
    ("mode", "seconds", "questions"), [("healthy", 3599, 2), ("healthy", 3600, 4), ("empty", 299, 2), ("empty", 300, 4)]
)
def test_self_test_is_repeated_after_an_hour_and_sooner_when_it_failed(mode, seconds, questions):
    async def twice() -> int:
        clock = [0.0]
        async with DnsServer() as server:
            server.set_mode(ZONE, mode)
            inquiry = inquiry_of(server, clock=lambda: clock[0])
            await inquiry.problem_of(make_list(), 4)
            clock[0] = seconds
            await inquiry.problem_of(make_list(), 4)
            return len(server.questions)

    assert asyncio.run(twice()) == questions


def asked_twice(each: DnsblList, first: str, second: str, *, after_s: float, code: str = "127.0.0.2") -> list[str]:
    """The questions about two addresses, one after the other; the server's answers are good for a minute."""

    async def twice() -> list[str]:
        clock = [0.0]
        async with DnsServer(zones=[ZONE]) as server:
            server.list_address(ZONE, first, [code])
            inquiry = inquiry_of(server, clock=lambda: clock[0])
            for address in (first, second):
                await inquiry.look_up(each, ip_address(address))
                clock[0] += after_s
            return [name for name, kind in server.questions if kind == "A"]

    return asyncio.run(twice())


@pytest.mark.parametrize(("seconds", "questions"), [(59, 1), (60, 2)])
def test_answer_is_kept_as_long_as_its_ttl(seconds, questions):
    assert len(asked_twice(make_list(), BAD_HOST, BAD_HOST, after_s=seconds)) == questions


@pytest.mark.parametrize(("six_by", "questions"), [(64, 1), (128, 2)])
def test_list_of_ipv6_networks_is_asked_once_a_network(six_by, questions):
    each = make_list(six_by=six_by)
    assert len(asked_twice(each, "2001:db8::7", "2001:db8::8", after_s=1)) == questions


def test_listing_of_an_ipv6_network_names_the_network():
    outcome = check(BAD_HOST6, make_list(six_by=64), prepare=listed("127.0.0.2", address=BAD_HOST6))
    assert outcome.details["lists"][0]["place"] == "2001:db8::/64"


def test_list_is_not_asked_beyond_its_daily_limit_and_says_so():
    async def run() -> tuple[CheckOutcome, int]:
        async with DnsServer(zones=[ZONE]) as server:
            allowance = Allowance(left=3)
            inquiry = inquiry_of(server, allowances={"example": allowance})
            config = make_config(lists=(make_list(),), inquiry=inquiry)
            await dnsbl.run(CheckTarget(address="192.0.2.1"), config)
            return await dnsbl.run(CheckTarget(address="192.0.2.2"), config), len(server.questions)

    outcome, questions = asyncio.run(run())
    assert (outcome.verdict, questions) == (Verdict.UNKNOWN, 3)
    assert outcome.details["lists"][0]["reason"].startswith("its daily limit of questions is used up")


def test_questions_keep_the_rate_that_the_list_allows():
    async def timed() -> float:
        async with DnsServer(zones=[ZONE]) as server:
            inquiry = inquiry_of(server, allowances={"example": Allowance(per_second=50)})
            started = asyncio.get_running_loop().time()
            await asyncio.gather(*(inquiry.look_up(make_list(), ip_address(f"192.0.2.{n}")) for n in range(21)))
            return asyncio.get_running_loop().time() - started

    assert asyncio.run(timed()) >= 0.4


def test_no_more_questions_are_under_way_than_the_list_allows():
    """A silent list with room for one at a time: three questions, put twice each, need six time-outs."""

    async def timed() -> float:
        async with DnsServer() as server:
            server.set_mode(ZONE, "silent")
            inquiry = Inquiry(((server.address, server.port),), 0.1)
            started = asyncio.get_running_loop().time()
            asked = (inquiry.look_up(make_list(in_flight=1), ip_address(f"192.0.2.{n}")) for n in range(3))
            await asyncio.gather(*asked, return_exceptions=True)
            return asyncio.get_running_loop().time() - started

    assert asyncio.run(timed()) >= 0.6


BITS = {
    "answers": "bits",
    "codes": {"4": {"meaning": "mailer", "cause": "spam-source"}, "8": {"meaning": "phishing", "cause": "attack"}},
    "errors": {"1": "blocked: too many questions"},
}


@pytest.mark.parametrize(
    ("code", "status", "meaning", "reason"),
    [
        ("127.0.0.4", "listed", "mailer", ""),
        ("127.0.0.12", "listed", "mailer; phishing", ""),
        ("127.0.0.1", "unknown", "", "answers 127.0.0.1: blocked: too many questions"),
        ("127.0.0.5", "unknown", "", "answers 127.0.0.5: blocked: too many questions"),
    ],
)
def test_bits_of_an_answer_are_read_one_by_one(code, status, meaning, reason):
    found = check(BAD_HOST, make_list(**BITS), prepare=listed(code)).details["lists"][0]
    assert (found["status"], found["meaning"], found["reason"]) == (status, meaning, reason)


def test_key_of_the_site_is_asked_with_and_never_shown():
    keyed = dataclasses.replace(make_list(), key="sitekey")
    outcome = check(BAD_HOST, keyed, prepare=listed("127.0.0.2", zone=f"sitekey.{ZONE}"))
    assert outcome.verdict == Verdict.BAD
    assert "sitekey" not in f"{outcome} {keyed!r}"


def test_reason_text_is_bounded_and_has_no_control_characters():
    outcome = check(BAD_HOST, make_list(), prepare=listed("127.0.0.2", txt="\x1b[31m" + "a" * 2000))
    txt = outcome.details["lists"][0]["txt"]
    assert txt.startswith("\\x1b[31maaa")
    assert len(txt) == 512


def test_silent_lists_together_take_no_longer_than_one():
    lists = [make_list(f"silent-{n}", f"silent-{n}.example.org") for n in range(20)]

    def silence(server: DnsServer) -> None:
        for each in lists:
            server.set_mode(each.zone, "silent")

    async def timed() -> float:
        started = asyncio.get_running_loop().time()
        async with DnsServer() as server:
            silence(server)
            config = make_config(resolvers=((server.address, server.port),), lists=tuple(lists))
            outcome = await dnsbl.run(CheckTarget(address=BAD_HOST), config)
        assert outcome.verdict == Verdict.UNKNOWN
        return asyncio.get_running_loop().time() - started

    assert asyncio.run(timed()) < 2  # 0.3 s, twice, and a busy machine


@pytest.mark.parametrize("each", [each for each in load_lists() if each.enabled], ids=lambda each: each.name)
def test_shipped_list_finds_a_host_by_its_own_codes(each):
    harmful = next(code for code in each.codes if not {"policy", "network", "allow"} & set(code.causes))
    outcome = check(BAD_HOST, each, prepare=listed(str(harmful.first), zone=each.zone))
    assert (outcome.verdict, outcome.details["causes"]) == (Verdict.BAD, sorted(harmful.causes))


def test_name_instead_of_an_address_is_refused():
    with pytest.raises(ValueError, match=r"mail\.customer\.example"):
        check("mail.customer.example", make_list())
