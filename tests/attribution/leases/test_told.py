"""A feed that lags, or knows somebody whom we do not: no owner is named whom a later record could acquit."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from complaints.addresses import address_key
from complaints.attribution import Holding, Question, attribute
from complaints.attribution.importing.leases.feeds import place_waiting
from complaints.attribution.importing.leases.horizon import feed_name
from complaints.attribution.resolvers.assignment import health
from complaints.cases.reattribution import ask_again, ask_due
from complaints.demo.simulation.clock import VirtualClock
from complaints.models import Assignment, AttributionWait, Complaint, Contract, LeaseFeed, LineIdentifier
from complaints.vocabulary import Answer
from tests.attribution.leases.test_feeds import V4, kea4, know, load, load_csv, record
from tests.factories import NOON, make_assignment, make_complaint, make_contract, make_network

pytestmark = pytest.mark.django_db
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
ANNA, ELSEWHERE, CARL = "192.0.2.10", {"Framed-IP-Address": "192.0.2.99"}, "00:11:22:aa:bb:03"


@pytest.fixture(autouse=True)
def clock() -> Iterator[VirtualClock]:
    """Minutes of these tests are after noon, the clock's too."""
    for name, mac in (("anna", "00:11:22:aa:bb:01"), ("bruno", "00:11:22:aa:bb:02")):
        know("mac", mac, name)
        know("radius_user", f"{name}@isp.example", name)
    make_network("192.0.2.0/24")
    make_network("2001:db8::/32")
    clock = VirtualClock(NOON)
    with clock.ruling():
        yield clock


def tell(clock: VirtualClock, minute: float, *records: str) -> None:
    """The feed is read at that minute."""
    clock.go_to(NOON + minute * MINUTE)
    load("radius", "".join(records))


def whose(minute: float, address: str = ANNA, *, slack: float = 0, exactly: bool = True, **more: object) -> Holding:
    question = Question(address_key(address), None, NOON + minute * MINUTE, exactly, slack * MINUTE, **more)  # type: ignore[arg-type]
    return attribute([question])[0]


def said(holding: Holding) -> tuple[str, float] | tuple[Answer, tuple[str, ...]]:
    if holding.contract_id:
        return Contract.objects.get(pk=holding.contract_id).reference, holding.confidence
    return holding.answer, holding.candidates


ANNA_SURE, ANNA_PERHAPS = ("anna", 0.9), (Answer.UNSURE, ("anna",))


# --- a feed that lags


@pytest.mark.parametrize(
    ("minute", "slack", "answer"),
    [
        (0, 0, ANNA_SURE),  # the very moment of which the feed spoke
        (0, 5, ANNA_PERHAPS),
        (10, 0, ANNA_PERHAPS),
    ],
)
def test_an_open_lease_names_its_holder_for_certain_only_as_far_as_its_feed_has_told(clock, minute, slack, answer):
    tell(clock, 12, record("Start", 0))

    assert said(whose(minute, slack=slack)) == answer


def test_it_is_asked_again_and_the_next_word_of_the_feed_decides(clock):
    tell(clock, 12, record("Start", 0))
    assert whose(10).again_at == NOON + 17 * MINUTE

    tell(clock, 14, record("Start", 13, session="2", **ELSEWHERE))

    assert said(whose(10)) == ANNA_SURE


def test_the_next_word_may_be_that_somebody_else_has_it(clock):
    tell(clock, 12, record("Start", 0))
    assert said(whose(10)) == ANNA_PERHAPS

    tell(clock, 14, record("Stop", 8), record("Start", 9, "bruno", "2"), record("Start", 13, session="3", **ELSEWHERE))

    assert said(whose(10)) == ("bruno", 0.9)


def test_a_word_from_the_middle_of_the_same_session_is_enough(clock):
    tell(clock, 12, record("Start", 0), record("Interim-Update", 10))

    assert said(whose(10)) == ANNA_SURE


def test_a_feed_that_has_been_silent_for_long_is_not_waited_for_but_sends_no_letter(clock):
    tell(clock, 12, record("Start", 0))

    clock.go_to(NOON + 72 * MINUTE)
    assert said(whose(10)) == ANNA_PERHAPS
    clock.go_to(NOON + 72.1 * MINUTE)

    assert said(whose(10)) == ("anna", 0.675)
    assert whose(10).reason == (
        "192.0.2.10/32 was assigned (lease) from 2026-03-10 12:00:00 UTC and still is. But its feed of leases"
        " (feed) has told nothing since 2026-03-10 12:00:00 UTC: it may have gone to somebody else"
    )


def test_a_row_of_no_known_feed_is_not_believed_beyond_its_own_word(clock):
    tell(clock, 12, record("Start", 0), record("Start", 12, session="2", **ELSEWHERE))
    Assignment.objects.update(feed=None)

    assert said(whose(0)) == ANNA_SURE
    assert said(whose(10)) == ("anna", 0.675)


def test_the_end_of_a_lease_counts_only_once_the_feed_has_told_who_came_after(clock):
    tell(clock, 12, record("Start", 0), record("Stop", 9))
    assert said(whose(8)) == ANNA_SURE
    assert said(whose(8, slack=3)) == ANNA_PERHAPS

    tell(clock, 13, record("Start", 12.5, session="2", **ELSEWHERE))

    assert said(whose(8, slack=3)) == ANNA_SURE


def test_records_that_come_a_little_late_are_waited_for(clock):
    tell(clock, 12, record("Start", 0), record("Start", 10.5, session="2", **ELSEWHERE))

    assert said(whose(9.5)) == ANNA_SURE
    assert said(whose(10)) == ANNA_PERHAPS


def test_a_clock_that_is_ahead_vouches_for_nothing(clock):
    tell(clock, 12, record("Start", 0), record("Start", 600, session="2", **ELSEWHERE))
    clock.go_to(NOON + 30 * MINUTE)

    assert said(whose(20)) == ANNA_PERHAPS


def test_an_end_that_has_not_come_is_no_word_of_what_happens_before(clock):
    clock.go_to(NOON + 12 * MINUTE)
    load("kea", V4 + kea4(0))
    load_csv("mac,00-11-22-AA-BB-02,192.0.2.11,2026-03-10T12:00:00Z,2026-03-10T14:00:00Z,,")

    assert said(whose(10)) == ANNA_PERHAPS
    assert said(whose(10, "192.0.2.11")) == (Answer.UNSURE, ("bruno",))


def test_a_file_in_any_order_has_told_when_it_is_read_to_its_end(clock, monkeypatch):
    monkeypatch.setattr("complaints.attribution.importing.leases.feeds.ITEMS_A_BATCH", 1)
    clock.go_to(NOON + 30 * MINUTE)
    told = []
    monkeypatch.setattr(
        "complaints.attribution.importing.leases.feeds.keep_faults",
        lambda _faults: told.append(LeaseFeed.objects.get().told_until),
    )

    load("radius", record("Start", 20, session="2", **ELSEWHERE) + record("Start", 0) + record("Stop", 5))

    assert max(told) < NOON
    assert LeaseFeed.objects.get().told_until == NOON + 20 * MINUTE


def test_reading_an_old_file_again_is_no_news(clock):
    tell(clock, 12, record("Start", 0))
    tell(clock, 60, record("Start", 0))

    assert LeaseFeed.objects.get().heard_at == NOON + 12 * MINUTE


@pytest.mark.parametrize("kind", ["static", "lease"])
def test_what_a_table_says_waits_for_no_feed(clock, kind):
    make_assignment("C-1", "192.0.2.77/32", kind=kind)
    tell(clock, 12, record("Start", 0))

    assert said(whose(11, "192.0.2.77"))[0] == "C-1"


def test_who_asks_about_now_may_let_the_feed_lag(clock):
    tell(clock, 12, record("Start", 0), record("Start", 12, session="2", **ELSEWHERE))
    clock.go_to(NOON + 20 * MINUTE)

    assert said(whose(20, feeds_lag=10 * MINUTE)) == ANNA_SURE
    assert said(whose(20, feeds_lag=8 * MINUTE)) == ANNA_PERHAPS


def test_a_report_without_a_time_needs_the_feed_until_it_came(clock):
    tell(clock, 12, record("Start", 0))
    clock.go_to(NOON + 20 * MINUTE)
    assert said(whose(20, exactly=False)) == ANNA_PERHAPS

    tell(clock, 23, record("Start", 22, session="2", **ELSEWHERE))

    assert said(whose(20, exactly=False)) == ("anna", 0.675)


def test_two_feeds_tell_for_themselves(clock):
    tell(clock, 12, record("Start", 0))
    load("radius", record("Start", 12, session="9", **ELSEWHERE), feed="another")

    assert said(whose(10)) == ANNA_PERHAPS
    assert feed_name("/var/log/radius/nas1/detail-20260310") == feed_name("/var/log/radius/nas1/detail-20260311")
    assert feed_name("/var/log/radius/nas1/detail.1") == feed_name("/var/log/radius/nas1/detail.2")
    assert feed_name("/var/log/radius/nas1/detail") != feed_name("/var/log/radius/nas2/detail")


def test_a_feed_that_was_removed_vouches_for_nothing_any_more(clock):
    tell(clock, 12, record("Start", 0), record("Start", 12, session="2", **ELSEWHERE))
    assert said(whose(10)) == ANNA_SURE

    LeaseFeed.objects.all().delete()

    assert said(whose(10)) == ("anna", 0.675)


def test_once_it_is_known_how_far_a_feed_has_told_a_look_up_asks_nothing_more(clock):
    tell(clock, 30, record("Start", 0), record("Start", 29, session="2", **ELSEWHERE))
    whose(20)

    with CaptureQueriesContext(connection) as queries:
        assert said(whose(10)) == ANNA_SURE
        assert said(whose(11)) == ANNA_SURE

    assert [query["sql"] for query in queries if "leasefeed" in query["sql"]] == []


def test_the_complaint_waits_and_is_filed_when_the_feed_has_told(clock):
    tell(clock, 12, record("Start", 0))
    complaint = make_complaint(seen_at=NOON + 5 * MINUTE)

    looked = ask_again([complaint.pk], now=NOON + 12 * MINUTE)
    wait = AttributionWait.objects.get()
    assert (looked.filed, wait.resolver, wait.due_at) == (0, "assignment", NOON + 17 * MINUTE)

    tell(clock, 17, record("Start", 16, session="2", **ELSEWHERE))
    looked = ask_due([complaint.pk], now=NOON + 17 * MINUTE)

    assert looked.filed == 1
    assert Complaint.objects.get().contract.reference == "anna"
    assert AttributionWait.objects.get().outcome == "answered"


def test_the_health_of_each_feed_is_its_newest_word_and_its_age(clock):
    tell(clock, 12, record("Start", 0))
    load("radius", record("Start", 11, session="9", **ELSEWHERE), feed="another")

    facts = health(now=NOON + 70 * MINUTE)

    assert [tuple(fact) for fact in facts if "feed" in fact.words] == [
        (
            False,
            "The radius feed feed has told until 2026-03-10 12:00:00 UTC, 70 minutes ago; more than 60 minutes, and its"
            " leases name nobody for certain since then",
        ),
        (True, "The radius feed another has told until 2026-03-10 12:11:00 UTC, 59 minutes ago"),
    ]


# --- leases of somebody unknown


def stranger(minute: float, address: str = ANNA, **options: int) -> str:
    return kea4(minute, CARL, address=address, **options)


def far(minute: float) -> str:
    """The feed has told until then."""
    return kea4(minute, address="192.0.2.98")


@pytest.mark.parametrize("prefix", ["192.0.2.0/24", "192.0.2.10/32"])
def test_a_lease_of_somebody_unknown_accuses_nobody_around_it(clock, prefix):
    make_assignment("C-1", prefix)
    clock.go_to(NOON + HOUR)
    load("kea", V4 + stranger(0) + far(60))

    holding = whose(10)

    assert said(holding) == (Answer.UNSURE, ("C-1",) if prefix.endswith("/32") else ())
    assert holding.reason == (
        "A lease of somebody unknown: 192.0.2.10/32 was leased from 2026-03-10 12:00:00 UTC until"
        f" 2026-03-10 13:00:00 UTC to mac {CARL}. No contract had this identifier; import_identifiers tells whose"
    )


def test_who_is_more_specific_than_the_stranger_is_not_in_doubt(clock):
    know("duid", "00:01:00:01:00:11:22:aa:bb:01", "anna")
    make_assignment("C-1", "2001:db8:0:100::/64")
    make_assignment("C-2", "2001:db8::/32")
    clock.go_to(NOON + HOUR)
    load_csv("duid,00:99,2001:db8:0:100::/56,2026-03-10T12:00:00Z,2026-03-10T13:00:00Z,,")

    assert said(whose(10, "2001:db8:0:100::1")) == ("C-1", 0.95)
    assert said(whose(10, "2001:db8:0:101::1")) == (Answer.UNSURE, ())
    assert said(whose(10, "2001:db8:0:200::1")) == ("C-2", 0.95)


@pytest.mark.parametrize(("minute", "slack"), [(-2, 2), (62, 2)])
def test_a_stranger_within_the_tolerance_is_a_doubt(clock, minute, slack):
    make_assignment("C-1", "192.0.2.0/24")
    clock.go_to(NOON + 2 * HOUR)
    load("kea", V4 + stranger(0) + far(119))

    assert said(whose(minute, slack=slack - 0.5)) == ("C-1", 0.95)
    holding = whose(minute, slack=slack + 0.5)
    assert (said(holding), "the time may mean that" in holding.reason) == ((Answer.UNSURE, ("C-1",)), True)


def test_a_lease_that_a_table_contradicts_accuses_neither(clock):
    make_assignment("C-1", "192.0.2.10/32")
    clock.go_to(NOON + HOUR)
    load("kea", V4 + kea4(0) + far(60))

    holding = whose(10)

    assert said(holding) == (Answer.UNSURE, ("C-1",))
    assert holding.reason == (
        "Our data is wrong: 192.0.2.10/32 was leased from 2026-03-10 12:00:00 UTC until 2026-03-10 13:00:00 UTC to mac"
        " 00:11:22:aa:bb:01, and by our assignments another contract had it"
    )


def test_once_the_identifier_is_known_its_contract_is_the_owner(clock):
    make_assignment("C-1", "192.0.2.0/24")
    clock.go_to(NOON + HOUR)
    load("kea", V4 + stranger(0) + far(60))
    assert said(whose(10)) == (Answer.UNSURE, ())
    LineIdentifier.objects.create(contract=make_contract("carl"), kind="mac", value=CARL)

    place_waiting()

    assert said(whose(10)) == ("carl", 0.9)


def test_a_batch_says_the_same_as_each_alone(clock):
    make_assignment("C-1", "192.0.2.0/24")
    clock.go_to(NOON + HOUR)
    load("kea", V4 + stranger(0) + kea4(20, "bruno", address="192.0.2.11") + stranger(30, "192.0.2.12") + far(60))
    questions = [
        Question(address_key(f"192.0.2.{last}"), None, NOON + minute * MINUTE, slack=MINUTE)
        for last in (10, 11, 12, 13)
        for minute in (-30, -1, 0, 10, 19, 25, 45, 59)
    ]

    assert attribute(questions) == [attribute([question])[0] for question in questions]


# --- what has not happened yet


@pytest.mark.parametrize("address", [ANNA, "192.0.2.200"])
def test_of_the_future_nobody_is_the_owner(clock, address):
    make_assignment("C-1", "192.0.2.10/32")

    assert said(whose(5)) == ("C-1", 0.95)  # clocks may be five minutes off
    holding = whose(5.1, address)

    assert said(holding) == (Answer.UNSURE, ())
    assert holding.reason == "2026-03-10 12:05:06 UTC has not happened yet: it is 2026-03-10 12:00:00 UTC now"
    assert holding.missing == ("time",)


def test_what_is_not_ours_is_not_ours_at_any_time(clock):
    assert whose(600, "198.51.100.1").answer is Answer.NOT_OURS


def test_a_time_that_may_be_off_by_more_than_it_is_ahead_is_no_future(clock):
    make_assignment("C-1", "192.0.2.10/32")

    assert said(whose(60, slack=90))[0] == "C-1"


# --- blocks in which leases lie


def test_the_holder_of_a_block_is_not_named_for_what_a_feed_may_have_leased_inside(clock):
    make_assignment("C-1", "192.0.2.0/24")
    tell(clock, 12, record("Start", 0), record("Stop", 5))
    c1_perhaps = (Answer.UNSURE, ("C-1",))

    assert said(whose(10)) == c1_perhaps
    assert said(whose(10, "192.0.2.11")) == c1_perhaps  # never leased yet, but its neighbour was
    assert whose(10).again_at == NOON + 17 * MINUTE

    tell(clock, 14, record("Start", 9, "bruno", "2"), record("Start", 13, session="3", **ELSEWHERE))

    assert said(whose(10)) == ("bruno", 0.9)
    assert said(whose(10, "192.0.2.11")) == ("C-1", 0.95)


def test_after_long_silence_the_holder_of_a_block_is_named_without_certainty(clock):
    make_assignment("C-1", "192.0.2.0/24")
    tell(clock, 12, record("Start", 0), record("Stop", 5))
    clock.go_to(NOON + 2 * HOUR)

    assert said(whose(10)) == ("C-1", 0.7125)


def test_a_block_in_which_no_feed_leases_anything_is_not_waited_for(clock):
    make_assignment("C-1", "192.0.2.0/28")
    make_assignment("C-2", "2001:db8:0:100::/56")
    tell(clock, 12, record("Start", 0, **ELSEWHERE))

    assert said(whose(10)) == ("C-1", 0.95)
    assert said(whose(10, "2001:db8:0:100::1")) == ("C-2", 0.95)


def test_a_stranger_in_a_block_shows_that_it_is_a_pool(clock):
    make_assignment("C-1", "192.0.2.0/24")
    tell(clock, 12, record("Start", 0, "carl"), record("Stop", 5, "carl"))

    assert said(whose(10, "192.0.2.44")) == (Answer.UNSURE, ("C-1",))
