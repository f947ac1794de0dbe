"""The simulated world by itself: its histories, its sources and their mails, without the product's database."""

from __future__ import annotations

import dataclasses
import json
import random
import shlex
import subprocess
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from complaints.demo.simulation.abuse import PATHS, Abuse
from complaints.demo.simulation.feed import Feed
from complaints.demo.simulation.habits import react
from complaints.demo.simulation.lines import Book, Span, histories, place_in
from complaints.demo.simulation.mails import OUR_MX, Report, complaint
from complaints.demo.simulation.measures import Network, command_in
from complaints.demo.simulation.population import SHARES, Kind, name_of, people
from complaints.demo.simulation.sources import STYLES, Source, sources
from complaints.diagnosis import diagnose_complaint
from complaints.formats import read_message
from complaints.vocabulary import Cause, Disposition

START = datetime(2026, 3, 2, tzinfo=UTC)
END = START + timedelta(days=6)
EVER = datetime.max.replace(tzinfo=UTC)


@pytest.fixture(scope="module")
def spans() -> list[Span]:
    return histories(people(2000, seed=5), seed=5, since=START, until=END)


def test_all_kinds_of_customers_are_there_in_their_shares() -> None:
    kinds = [each.kind for each in people(2000, seed=1)]
    assert {kind: kinds.count(kind) for kind in Kind} == {kind: round(share * 2000) for kind, share in SHARES.items()}


def test_no_address_and_port_has_two_holders_at_once(spans: list[Span]) -> None:
    held = defaultdict(list)
    for span in spans:
        held[span.prefix].append(span)
    assert [pair for each in held.values() for pair in clashes(each)] == []


def clashes(held: list[Span]) -> list[tuple[Span, Span]]:
    return [
        (one, other)
        for index, one in enumerate(held)
        for other in held[:index]
        if one.since < (other.until or EVER)
        and other.since < (one.until or EVER)
        and (one.port_first or 0) <= (other.port_last or 65535)
        and (other.port_first or 0) <= (one.port_last or 65535)
    ]


def test_lines_change_hands_in_every_way(spans: list[Span]) -> None:
    ended = {span.kind for span in spans if span.until and span.until < END}
    lengths = {span.prefix.partition("/")[2] for span in spans}
    assert ended == {"static", "lease", "cgnat"}
    assert lengths == {"24", "26", "32", "56"}


def test_the_book_names_the_holder_to_the_second_and_by_the_port(spans: list[Span]) -> None:
    book = Book(spans)
    lent = next(span for span in spans if span.kind == "cgnat" and span.until)
    address = place_in(lent.prefix, 2)
    assert lent.until is not None
    last = lent.until - timedelta(seconds=1)

    assert book.holder(address, last, lent.port_last) == lent.contract
    assert book.holder(address, lent.until, lent.port_last) != lent.contract
    assert book.holder(address, last, None) is None


def test_the_feed_tells_each_span_once_open_and_once_ended(spans: list[Span]) -> None:
    feed = Feed(spans)
    told = [row for hours in range(0, 170) for row in feed.rows_until(START + timedelta(hours=hours))]
    last = {row[:4]: row for row in told}
    lag = timedelta(hours=71)
    ended = [span for span in spans if span.until and span.until + lag < START + timedelta(hours=169)]

    assert {len([row for row in told if row[:4] == identity]) for identity in list(last)[:300]} <= {1, 2}
    assert [
        span for span in ended if last[span.contract, span.prefix, span.kind, span.since.isoformat()][4] == ""
    ] == []


def a_source(style: str) -> Source:
    return Source(7, style, timedelta(0), "bare_utc" if style in ("table", "fail2ban") else "right", 0.0, True, True,
                  False, (0.0, 1.0))  # fmt: skip


def an_abuse(path: str, category: str = "spam") -> Abuse:
    customer = next(each for each in people(400, seed=1) if each.kind is Kind.BUSINESS)
    return Abuse(41, customer.contract, 1, category, path, "198.18.3.7", 40001, START, name_of(customer, "198.18.3.7"),
                 "WIN-PC", "198.51.100.9", "Your parcel", "depot@parcel.example", "198.18.9.9")  # fmt: skip


@pytest.mark.parametrize("style", STYLES)
def test_every_manner_of_complaint_is_read_as_it_is_meant(style: str) -> None:
    category = {"table": "bot", "fail2ban": "login_attack"}.get(style, "spam")
    source, abuse = a_source(style), an_abuse("bot", category)
    raw = complaint(source, [Report(abuse, abuse.address, abuse.port)], sent_at=START + timedelta(minutes=20))

    found = read_message(raw, is_ours=lambda address: address.startswith("198.18."), authserv_id=OUR_MX)

    assert (found.disposition, found.authenticated) == (Disposition.COMPLAINT, source.domain)
    (one,) = found.complaints
    assert (one.source_ip, one.arrival_date, one.category.value) == (abuse.address, START, category)


@pytest.mark.parametrize("style", ["words", "xarf"])
def test_a_page_is_named_by_those_who_saw_it(style: str) -> None:
    abuse = dataclasses.replace(an_abuse("", "phishing"), url="http://198.18.3.7/secure/login.php")
    raw = complaint(a_source(style), [Report(abuse, abuse.address, None)], sent_at=START + timedelta(minutes=20))

    (one,) = read_message(raw, is_ours=lambda address: address.startswith("198.18.")).complaints

    assert (one.category.value, one.source_ip, one.reported_uris) == ("phishing", abuse.address, (abuse.url,))
    assert diagnose_complaint(one).cause is Cause.HARMFUL_CONTENT


def test_a_scanner_reports_services_in_a_table_of_its_own() -> None:
    source, abuse = a_source("table"), an_abuse("", "vulnerable")
    raw = complaint(source, [Report(abuse, abuse.address, 53)], sent_at=START + timedelta(minutes=20))

    (one,) = read_message(raw, is_ours=lambda address: address.startswith("198.18.")).complaints

    assert (one.category.value, one.source_ip, one.source_port) == ("vulnerable", abuse.address, 53)


# Of machines that hide nothing; the others are what makes it hard.
@pytest.mark.parametrize(
    ("path", "quirks", "cause"),
    [
        ("relay", (0.1, 0.5), Cause.OPEN_RELAY),
        ("bot", (0.1, 0.9), Cause.BOT),
        ("stolen", (0.1, 0.9), Cause.STOLEN_MAILBOX),
        ("script", (0.1, 0.5), Cause.WEB_SCRIPT),
        ("bulk", (0.1, 0.5, 0.7), Cause.BULK_MAIL),
        ("forwarded", (0.1, 0.5, 0.7), Cause.FORWARDED),
        ("stolen", (0.95,), Cause.UNKNOWN),
        ("relay", (0.95,), Cause.UNKNOWN),
        ("bulk", (0.97,), Cause.UNKNOWN),
    ],
)
def test_what_a_mail_shows_of_its_cause(path: str, quirks: tuple[float, ...], cause: Cause) -> None:
    for quirk in quirks:
        sender = "news@metal41.example" if path == "bulk" else "depot@parcel.example"
        abuse = dataclasses.replace(an_abuse(path), quirk=quirk, sender=sender)
        raw = complaint(a_source("pasted"), [Report(abuse, abuse.address, None)], sent_at=START + timedelta(minutes=20))
        (one,) = read_message(raw, is_ours=lambda address: address == "198.18.3.7").complaints
        assert diagnose_complaint(one).cause is cause, quirk


@pytest.mark.parametrize("path", PATHS)
def test_the_way_of_the_mail_begins_at_the_accused_machine(path: str) -> None:
    source, abuse = a_source("pasted"), an_abuse(path)
    raw = complaint(source, [Report(abuse, abuse.address, None)], sent_at=START + timedelta(minutes=20))

    (one,) = read_message(raw, is_ours=lambda address: address == abuse.address).complaints

    assert one.source_ip == abuse.address
    assert abuse.address in one.received[0]


def test_the_sources_are_of_all_qualities_and_the_same_for_the_same_seed() -> None:
    found = sources(2000, seed=3)
    assert found == sources(2000, seed=3)
    assert found != sources(2000, seed=4)
    assert {each.style for each in found} == set(STYLES)
    assert {each.zone for each in found} == {"right", "wrong", "bare_utc", "bare_local"}
    assert any(abs(each.skew) > timedelta(hours=1) for each in found)
    assert any(each.hostile for each in found)
    assert not all(each.names_port for each in found)


def test_what_a_source_writes_shows_its_clock_and_its_zone() -> None:
    fast = Source(1, "arf", timedelta(seconds=90), "right", 2.0, False, False, False, (0, 1))
    assert fast.clock(START).isoformat() == "2026-03-02T02:01:30+02:00"
    assert random.Random("1/sources").random() == random.Random("1/sources").random()


def test_the_network_does_what_it_is_ordered(tmp_path: Path) -> None:
    command = shlex.split(command_in(tmp_path))
    network = Network(tmp_path)
    mail, attack = an_abuse("stolen"), an_abuse("bot", "login_attack")

    for lift in (False, True):
        order = {"contract": "C-1", "kind": "limit_25", "lift": lift}
        subprocess.run(command, input=json.dumps(order).encode(), check=True)
        assert list(network.fresh_orders()) == [order]
        assert (network.stops("C-1", mail), network.stops("C-1", attack)) == (not lift, False)
    assert list(network.fresh_orders()) == []


@pytest.mark.parametrize(
    ("habit", "step", "has", "had", "verbs"),
    [
        ("fixes", "notify", True, True, ["repair", "answer"]),
        ("ignores", "notify", True, True, []),
        ("fixes", "notify", False, True, ["answer"]),  # mended before the mail came
        ("fixes_silently", "notify", False, True, []),
        ("fixes", "remind", False, False, []),
    ],
)
def test_what_customers_do_with_a_mail(habit: str, step: str, has: bool, had: bool, verbs: list[str]) -> None:
    acts = react(habit, step, has_trouble=has, had_trouble=had, dice=random.Random(1))
    assert [verb for _, verb, _ in acts] == verbs
