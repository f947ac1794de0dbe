"""The whole assigned space against the lists: paced, resumable, and careful whom it accuses."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from django.utils import timezone

from complaints import blacklists
from complaints.addresses import address_key
from complaints.blacklists import sweeps
from complaints.blacklists.space import Cursor, count_addresses, held_ranges, next_ipv4
from complaints.demo.dns_server import DnsServer
from complaints.models import Case, Complaint, DeskTask, ListHealth, Listing, ListSweep, ListUse
from tests.blacklists.rows import make_blacklist
from tests.blacklists.world import served
from tests.factories import make_assignment, make_message, make_network

pytestmark = pytest.mark.django_db
ZONE = "bl.example.org"
MINUTE = timedelta(minutes=1)


@pytest.fixture
def server(settings) -> Iterator[DnsServer]:
    settings.SWEEP_LISTS = True
    make_network("192.0.2.0/24")
    with served(DnsServer(zones=[ZONE])) as found:
        settings.DNS_RESOLVERS = ((found.address, found.port),)
        yield found


@pytest.fixture
def now() -> datetime:
    return timezone.now().replace(microsecond=0)


@pytest.fixture
def quick(monkeypatch):
    """A round of ten portions, so that a test can walk through it."""
    monkeypatch.setattr(sweeps, "ROUND", 10 * MINUTE)


def asked(server: DnsServer) -> list[str]:
    """The addresses asked about, test points left out, in order."""
    names = [name.removesuffix(f".{ZONE}") for name, kind in server.questions if kind == "A"]
    return [".".join(name.split(".")[::-1]) for name in names if not name.endswith(".0.0.127")]


def sweep(now: datetime, portions: int = 1) -> sweeps.Swept:
    total = sweeps.Swept()
    for number in range(portions):
        one = blacklists.sweep_lists(now=now + number * MINUTE)
        total.asked += one.asked
        total.found += one.found
        total.cases |= one.cases
    return total


def test_sweeps_are_off_unless_somebody_wants_them(server, now, settings):
    settings.SWEEP_LISTS = False
    make_blacklist()
    make_assignment("C-1", "192.0.2.7/32")
    assert (sweep(now).asked, server.questions) == (0, [])


def test_every_address_that_somebody_holds_is_asked_once_a_round(server, now, quick):
    make_blacklist()
    make_assignment("C-1", "192.0.2.8/30")
    make_assignment("C-2", "192.0.2.64/28")
    make_assignment("C-3", "192.0.2.200/32", valid_until=now - MINUTE)
    sweep(now, 10)
    expected = [f"192.0.2.{n}" for n in (*range(64, 80), *range(8, 12))]
    assert sorted(asked(server)) == sorted(expected)


def test_round_is_spread_over_its_time_in_even_portions(server, now, quick):
    make_blacklist()
    make_assignment("C-1", "192.0.2.0/27")
    counts = []
    for number in range(10):
        sweep(now + number * MINUTE)
        counts.append(len(asked(server)))
    assert counts == [4, 8, 12, 16, 20, 24, 28, 32, 32, 32]


def test_nothing_is_asked_twice_within_its_minute(server, now, quick):
    make_blacklist()
    make_assignment("C-1", "192.0.2.0/27")
    assert (sweep(now).asked, sweep(now).asked) == (4, 0)


def test_sweep_goes_on_where_it_was_when_a_worker_died(server, now, quick, monkeypatch):
    make_blacklist()
    make_assignment("C-1", "192.0.2.0/27")
    sweep(now)

    def die(*_: object, **__: object) -> None:
        raise SystemExit

    with monkeypatch.context() as patched:
        patched.setattr(sweeps, "move_on", die)
        with pytest.raises(SystemExit):
            sweep(now + MINUTE)
    sweep(now + 2 * MINUTE)
    assert asked(server)[-4:] == [f"192.0.2.{n}" for n in range(4, 8)]
    assert ListSweep.objects.get().done == 8


def test_next_round_begins_a_day_after_the_last(server, now, quick):
    make_blacklist()
    make_assignment("C-1", "192.0.2.7/32")
    sweep(now, 9)
    assert len(asked(server)) == 1
    sweep(now + 10 * MINUTE, 2)
    assert len(asked(server)) == 2


def test_new_listing_opens_a_case_before_anybody_complains(server, now):
    make_blacklist()
    make_assignment("C-1", "192.0.2.7/32")
    server.list_address(ZONE, "192.0.2.7", ["127.0.0.4"], "infected")
    found = sweep(now)
    case, complaint = Case.objects.get(), Complaint.objects.get()
    assert (found.found, found.cases, complaint.format, complaint.case) == (1, {case.pk}, "listing", case)
    assert complaint.evidence["extra"]["text"] == "infected"


def test_listing_that_is_known_opens_nothing_again(server, now, quick):
    make_blacklist()
    make_assignment("C-1", "192.0.2.7/32")
    server.list_address(ZONE, "192.0.2.7", ["127.0.0.4"])
    sweep(now, 12)
    assert (Complaint.objects.count(), Listing.objects.count()) == (1, 1)


def test_policy_listing_opens_no_case(server, now):
    make_blacklist()
    make_assignment("C-1", "192.0.2.7/32")
    server.list_address(ZONE, "192.0.2.7", ["127.0.0.10"])
    assert (sweep(now).found, Case.objects.count()) == (1, 0)


def test_address_shared_by_ports_accuses_nobody(server, now):
    make_blacklist()
    make_assignment("C-1", "192.0.2.7/32", port_first=1024, port_last=2047)
    make_assignment("C-2", "192.0.2.7/32", port_first=2048, port_last=3071)
    server.list_address(ZONE, "192.0.2.7", ["127.0.0.4"])
    assert (sweep(now).found, Case.objects.count(), Complaint.objects.count()) == (1, 0, 0)


def test_listing_alone_does_not_write_to_the_customer(server, now):
    """One list says “bot”: a case that waits for more, and comes to a person when it stays listed; not a letter."""
    from complaints.playbooks.runner import advance_case

    make_blacklist()
    make_assignment("C-1", "192.0.2.7/32")
    server.list_address(ZONE, "192.0.2.7", ["127.0.0.4"])
    (case_id,) = sweep(now).cases
    advance_case(case_id)
    case = Case.objects.get()
    for run in case.checks.all():
        run.state, run.verdict, run.details = (
            "done",
            "bad" if run.check_name == "dnsbl" else "clean",
            {"causes": ["bot"]},
        )
        run.save()
    advance_case(case_id)
    case.refresh_from_db()
    assert (case.cause, case.state, case.notices.count()) == ("bot", "investigating", 0)
    for hours in (25, 73):
        advance_case(case_id, now=now + timedelta(hours=hours))
        case.checks.filter(state="queued").update(state="done", verdict="bad", details={"causes": ["bot"]})
        advance_case(case_id, now=now + timedelta(hours=hours))
    case.refresh_from_db()
    assert (case.state, case.notices.count()) == ("triage", 0)


def test_list_that_dies_keeps_its_place_and_says_nothing(server, now, quick):
    make_blacklist()
    make_assignment("C-1", "192.0.2.0/27")
    sweep(now)
    server.set_mode(ZONE, "lists_the_world")
    ListHealth.objects.all().delete()
    assert sweep(now + MINUTE).found == 0
    assert (ListSweep.objects.get().done, Case.objects.count()) == (4, 0)
    server.set_mode(ZONE, "healthy")
    ListHealth.objects.all().delete()
    sweep(now + 2 * MINUTE)
    assert ListSweep.objects.get().done == 8


def test_limit_of_the_day_leaves_a_share_to_the_checks_of_cases(server, now, quick):
    each = make_blacklist(per_day=40)
    make_assignment("C-1", "192.0.2.0/24")
    sweep(now, 10)
    assert ListUse.objects.get(blacklist=each).asked <= 30
    assert len(asked(server)) > 5


def test_list_that_names_very_many_at_once_is_held_and_released_by_a_person(server, now, quick, monkeypatch):
    monkeypatch.setattr(sweeps, "MANY", 4)
    make_blacklist()
    for n in range(40):
        make_assignment("C-1", f"192.0.2.{n}/32")
        server.list_address(ZONE, f"192.0.2.{n}", ["127.0.0.4"])
    sweep(now)
    row = ListSweep.objects.select_related("blacklist").get()
    assert (row.held, Case.objects.count()) == ("began to name 4 of the 4 addresses asked at once", 0)
    assert sweep(now + MINUTE).asked == 0  # it waits

    opened = blacklists.release_held(row, believe=True, actor="ada", now=now)
    assert (opened.complaints, Case.objects.count()) == (4, 1)
    assert DeskTask.objects.filter(kind="blacklist-held").get().done_by == "ada"
    assert blacklists.release_held(row, believe=True, actor="ada", now=now).complaints == 0


def test_list_that_can_accuse_nobody_is_not_swept(server, now):
    make_blacklist(cause="network", codes={"127.0.0.2": {"meaning": "the neighbours", "cause": ["network"]}})
    make_assignment("C-1", "192.0.2.7/32")
    assert (sweep(now).asked, ListSweep.objects.count()) == (0, 0)


def test_of_ipv6_only_addresses_that_were_complained_about_are_asked(server, now, quick):
    make_blacklist(families=["ipv4", "ipv6"])
    make_network("2001:db8::/32")
    held = make_assignment("C-6", "2001:db8:7::/48")
    for text in ("2001:db8:7::9", "2001:db8:8::9"):
        Complaint.objects.create(
            message=make_message(text.encode()), address=address_key(text), seen_at=now, received_at=now,
            category="spam", format="arf", answer="owner", contract=held.contract,
        )  # fmt: skip
    server.list_address(ZONE, "2001:db8:7::9", ["127.0.0.4"])
    server.list_address(ZONE, "2001:db8:8::9", ["127.0.0.4"])
    sweep(now, 9)
    assert [each.prefix for each in Listing.objects.all()] == ["2001:db8:7::9"]


def test_addresses_inside_the_house_are_never_asked(now):
    make_network("10.0.0.0/8")
    make_assignment("C-1", "10.0.0.0/30")
    make_assignment("C-2", "192.0.2.8/30")
    assert count_addresses(now) == 4
    assert next_ipv4(Cursor(), 100, now=now) == ([f"192.0.2.{n}" for n in range(8, 12)], None)


def test_cursor_stands_within_a_prefix(now):
    make_assignment("C-1", "192.0.2.8/30")
    make_assignment("C-2", "192.0.2.64/30")
    first, cursor = next_ipv4(Cursor(), 3, now=now)
    second, end = next_ipv4(cursor, 100, now=now)
    assert (first, second, end) == (
        [f"192.0.2.{n}" for n in (8, 9, 10)],
        [f"192.0.2.{n}" for n in (11, 64, 65, 66, 67)],
        None,
    )


def test_space_is_one_range_where_prefixes_touch_or_lie_in_each_other(now):
    for prefix in ("192.0.2.0/28", "192.0.2.8/32", "192.0.2.16/28", "192.0.2.64/32"):
        make_assignment("C-1", prefix)
    base = 0xC0000200
    assert held_ranges(4, now) == [(base, base + 31), (base + 64, base + 64)]
