"""Limits, self-tests, answers and history as rows: what one worker learns, the next one knows."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.utils import timezone

from complaints import blacklists
from complaints.blacklists.asking import batch_of
from complaints.blacklists.budget import give_back, reserve
from complaints.blacklists.health import due_for_test, record_tests
from complaints.checks.dnsbl import real_address, say_all
from complaints.demo.dns_server import DnsServer
from complaints.models import Blacklist, DeskTask, ListAnswer, ListHealth, Listing, ListUse
from tests.blacklists.rows import make_blacklist
from tests.blacklists.world import served

pytestmark = pytest.mark.django_db
ZONE, HOST = "bl.example.org", "192.0.2.7"


@pytest.fixture
def server(settings) -> Iterator[DnsServer]:
    with served(DnsServer(zones=[ZONE])) as found:
        settings.DNS_RESOLVERS = ((found.address, found.port),)
        yield found


def ask(*addresses: str) -> list[str]:
    """A batch as the checks run it; the status of each answer. The history is written too."""
    lists = [each for each in blacklists.blacklists() if each.enabled]
    with batch_of(addresses) as batch:
        pairs = [(each, real_address(address)) for address in addresses for each in lists]
        said = [finding.as_details() for finding in asyncio.run(say_all(pairs, batch.inquiry))]
        batch.keep(said)
    return [row["status"] for row in said]


def test_what_one_batch_learnt_the_next_need_not_ask(server):
    make_blacklist()
    server.list_address(ZONE, HOST)
    assert ask(HOST, "192.0.2.8") == ["listed", "not-listed"]
    asked = len(server.questions)
    assert ask(HOST, "192.0.2.8") == ["listed", "not-listed"]
    # "not listed" came without SOA here: by RFC 2308 it must not be kept, so it alone is asked again.
    assert server.questions[asked:] == [(f"8.2.0.192.{ZONE}", "A")]


def test_answers_past_their_time_are_asked_again_and_swept(server):
    make_blacklist()
    server.list_address(ZONE, HOST)
    ask(HOST)
    ListAnswer.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    asked = len(server.questions)
    ask(HOST)
    assert [name for name, kind in server.questions[asked:] if kind == "A"] == [f"7.2.0.192.{ZONE}"]
    assert blacklists.forget_old_answers(now=timezone.now() + timedelta(days=1)) == 1


def test_day_is_shared_and_what_was_not_asked_is_given_back(server):
    each = make_blacklist(per_day=1000)
    ask(HOST)
    assert ListUse.objects.get(blacklist=each).asked == 3  # two of the self-test, one about the host


def test_list_whose_day_is_used_up_is_unknown_and_not_parked(server):
    each = make_blacklist(per_day=2)
    assert ask(HOST) == ["unknown"]
    assert ListUse.objects.get(blacklist=each).asked == 2
    assert not DeskTask.objects.exists()


def test_two_workers_get_turns_one_after_the_other():
    each, now = make_blacklist(per_second=10, per_day=0), timezone.now()
    first, second = (reserve([each], 50, now=now)["example"] for _ in range(2))
    assert (second.not_before - first.not_before) == pytest.approx(5)


def test_turns_that_were_not_used_go_to_the_next():
    each, now = make_blacklist(per_second=10, per_day=100), timezone.now()
    first = reserve([each], 50, now=now)
    first["example"].left = 40
    give_back([each], first, now=now)
    second = reserve([each], 100, now=now)["example"]
    assert (second.left, second.not_before - first["example"].not_before) == (90, pytest.approx(1))


def test_batch_of_lower_rank_leaves_a_share_of_the_day():
    each = make_blacklist(per_day=100)
    assert reserve([each], 500, now=timezone.now(), kept_back=0.2)["example"].left == 80
    assert reserve([each], 500, now=timezone.now())["example"].left == 20


def test_list_without_limits_needs_no_row():
    assert reserve([make_blacklist(per_day=0, per_second=0)], 500, now=timezone.now()) == {}


def test_dead_list_is_parked_with_a_task_for_the_desk_and_comes_back_by_itself(server):
    make_blacklist()
    server.set_mode(ZONE, "lists_the_world")
    assert ask(HOST) == ["unknown"]
    assert [str(row) for row in blacklists.parked()] == ["example IPv4"]
    assert [task.key for task in DeskTask.objects.filter(done_at=None)] == ["example"]

    server.set_mode(ZONE, "healthy")
    ListHealth.objects.update(test_at=timezone.now())
    assert blacklists.run_due_tests(now=timezone.now()) == 1
    assert (blacklists.parked(), ask(HOST)) == ([], ["not-listed"])
    assert [(task.key, task.done_by) for task in DeskTask.objects.all()] == [("example", "machine")]


def test_one_silence_is_no_death_and_two_are():
    each, now = make_blacklist(), timezone.now()
    record_tests({("example", 4): "self-test: no answer within 2 s"}, now=now)
    assert blacklists.parked() == []
    assert due_for_test(now=now + timedelta(minutes=4)) == []
    assert due_for_test(now=now + timedelta(minutes=5)) == [(each, 4)]
    record_tests({("example", 4): "self-test: no answer within 2 s"}, now=now + timedelta(minutes=5))
    assert [row.failures for row in blacklists.parked()] == [2]


def test_parked_list_is_tested_less_and_less_often():
    make_blacklist()
    now, waits = timezone.now(), []
    for _ in range(6):
        record_tests({("example", 4): "self-test: lists even 127.0.0.1: it lists the world"}, now=now)
        waits.append((ListHealth.objects.get().test_at - now) // timedelta(minutes=1))
    assert waits == [5, 10, 20, 40, 60, 60]


def test_list_that_is_off_is_neither_asked_nor_tested(server):
    make_blacklist(enabled=False)
    assert (ask(HOST), blacklists.run_due_tests(now=timezone.now()), server.questions) == ([], 0, [])


def test_listing_has_a_history_of_episodes(server):
    make_blacklist()
    server.list_address(ZONE, HOST, ["127.0.0.4"], "infected")
    ask(HOST)
    server.unlist_address(ZONE, HOST)
    ListAnswer.objects.all().delete()
    ask(HOST)
    server.list_address(ZONE, HOST, ["127.0.0.2"])
    ask(HOST)
    episodes = list(Listing.objects.order_by("pk"))
    assert [(each.prefix, each.codes, each.causes, each.gone_at is None) for each in episodes] == [
        (HOST, ["127.0.0.4"], ["bot"], False),
        (HOST, ["127.0.0.2"], ["spam-source"], True),
    ]
    assert episodes[0].text == "infected"


def test_silence_of_a_list_ends_no_episode(server):
    make_blacklist()
    server.list_address(ZONE, HOST)
    ask(HOST)
    ListAnswer.objects.all().delete()
    ListHealth.objects.all().delete()
    server.set_mode(ZONE, "refused")
    assert ask(HOST) == ["unknown"]
    assert Listing.objects.get().gone_at is None


def test_what_is_listed_is_looked_at_again_by_itself(server):
    make_blacklist()
    server.list_address(ZONE, HOST)
    ask(HOST)
    assert blacklists.look_again(now=timezone.now()) == 0
    server.unlist_address(ZONE, HOST)
    ListAnswer.objects.all().delete()
    Listing.objects.update(look_at=timezone.now())
    assert blacklists.look_again(now=timezone.now()) == 1
    assert Listing.objects.get().gone_at is not None


def test_history_of_an_address_holds_the_network_around_it():
    each = make_blacklist(families=["ipv4", "ipv6"], six_by=64)
    row = {"list": each.name, "status": "listed", "codes": ["127.0.0.2"], "meaning": "", "cause": "spam-source"}
    blacklists.record_findings([row | {"place": "2001:db8::/64"}, row | {"place": HOST}], now=timezone.now())
    six, four = (bytes.fromhex("20010db8000000000000000000000009"), bytes.fromhex("00" * 10 + "ffffc0000207"))
    assert [listing.prefix for listing in blacklists.listings_of([six])] == ["2001:db8::/64"]
    assert [listing.prefix for listing in blacklists.listings_of([four])] == [HOST]


def test_row_spoilt_from_outside_is_named():
    Blacklist.objects.filter(pk=make_blacklist().pk).update(codes={"127.0.0.2": {"meaning": "x", "cause": "weather"}})
    with pytest.raises(ValueError, match=r"blacklist example.*weather"):
        blacklists.blacklists()
