"""News about a prefix in any order, any of them twice: the history that comes out is the one that happened."""

from __future__ import annotations

from collections.abc import Hashable
from datetime import datetime, timedelta
from itertools import pairwise
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from complaints.attribution.importing.leases.events import LeaseEvent
from complaints.attribution.importing.leases.merging import Held, Placed, place
from tests.factories import NOON

KEY = b"\x20\xc0\x00\x02\x0a"
ANNA, BRUNO, STRANGER = 1, 2, (("mac", "00:11:22:aa:bb:cc"),)
History = list[tuple[str, float, float | None]]  # holder, from minute, until before minute
NAMES: dict[Hashable, str] = {ANNA: "anna", BRUNO: "bruno", STRANGER: "?"}


def at(minutes: float) -> datetime:
    return NOON + timedelta(minutes=minutes)


def news(
    start: float,
    stop: float | None,
    said: float | None = None,
    *,
    renews: bool = False,
    ports: tuple[int, int] = (0, 65535),
) -> LeaseEvent:
    said_at = at(said if said is not None else start if stop is None else stop)
    end = None if stop is None else at(stop)
    return LeaseEvent((("mac", "any"),), KEY, at(start), end, said_at, renews, "feed:1", "lease", *ports)


def told(*events: tuple[Hashable, LeaseEvent], stored: list[Held] | None = None) -> History:
    rows = stored or []
    for holder, event in events:
        place(rows, event, holder)
    return history(rows)


def history(rows: list[Held]) -> History:
    def minutes(moment: datetime) -> float:
        return (moment - NOON).total_seconds() / 60

    kept = sorted((row for row in rows if not row.is_empty), key=lambda row: row.since)
    return [(NAMES[row.holder], minutes(row.since), None if row.until is None else minutes(row.until)) for row in kept]


def static(holder: int, since: float, until: float | None) -> Held:
    return Held(holder, at(since), None if until is None else at(until), 0, 65535, at(since), fixed=True, pk=1)


def test_a_start_is_open_until_it_is_stopped():
    assert told((ANNA, news(0, None))) == [("anna", 0, None)]
    assert told((ANNA, news(0, None)), (ANNA, news(0, 30))) == [("anna", 0, 30)]
    assert told((ANNA, news(0, 30)), (ANNA, news(0, None))) == [("anna", 0, 30)]


def test_the_next_holder_ends_the_open_one_in_both_orders():
    first, second = (ANNA, news(0, None)), (BRUNO, news(30, None))

    assert told(first, second) == told(second, first) == [("anna", 0, 30), ("bruno", 30, None)]


def test_a_stranger_ends_it_too():
    assert told((ANNA, news(0, None)), (STRANGER, news(30, None))) == [("anna", 0, 30), ("?", 30, None)]


def test_a_renewal_goes_on_and_a_release_ends_it_whatever_comes_again():
    first, renewal = (ANNA, news(0, 60, 0, renews=True)), (ANNA, news(30, 90, 30, renews=True))
    release = (ANNA, news(30, 40, 40, renews=True))

    assert told(first, renewal) == told(renewal, first) == [("anna", 0, 90)]
    assert told(first, renewal, release, first, renewal) == [("anna", 0, 40)]
    assert told(release, renewal, first) == [("anna", 0, 40)]


def test_a_lease_that_lapsed_is_another_one():
    assert told((ANNA, news(0, 60, 0, renews=True)), (ANNA, news(61, 90, 61, renews=True))) == [
        ("anna", 0, 60),
        ("anna", 61, 90),
    ]


def test_a_start_that_is_computed_a_minute_off_is_the_same_session():
    assert told((ANNA, news(0, None)), (ANNA, news(0.5, 30))) == [("anna", 0, 30)]


def test_late_news_of_another_in_between_leave_what_was_seen_later():
    one, later = (ANNA, news(0, 60, 0, renews=True)), (ANNA, news(30, 90, 30, renews=True))

    assert told(one, later, (BRUNO, news(20, 80, 20, renews=True))) == [
        ("anna", 0, 20),
        ("bruno", 20, 30),
        ("anna", 30, 90),
    ]


def test_ports_beside_each_other_do_not_matter_to_each_other():
    one, other = (ANNA, news(0, None, ports=(1024, 2047))), (BRUNO, news(10, None, ports=(2048, 3071)))

    assert told(one, other) == [("anna", 0, None), ("bruno", 10, None)]
    assert told(one, (BRUNO, news(10, None, ports=(2047, 3071)))) == [("anna", 0, 10), ("bruno", 10, None)]


def test_what_no_feed_made_is_not_cut_but_ends_what_comes_before_it():
    rows = [static(BRUNO, 30, None)]

    assert place(rows, news(40, None), ANNA) is Placed.BLOCKED
    assert told((ANNA, news(0, None)), stored=rows) == [("anna", 0, 30), ("bruno", 30, None)]


def test_a_stranger_on_what_is_fixed_waits_beside_it():
    assert told((STRANGER, news(10, 40)), stored=[static(BRUNO, 30, None)]) == [("?", 10, 40), ("bruno", 30, None)]


def test_two_from_the_same_moment_on_are_a_contradiction():
    rows: list[Held] = []
    place(rows, news(0, None), ANNA)

    assert place(rows, news(0, None), BRUNO) is Placed.CONTRADICTED
    assert history(rows) == [("anna", 0, None)]


def test_a_session_that_lasted_no_time_leaves_nothing():
    assert told((ANNA, news(0, 0))) == []
    assert told((ANNA, news(0, None)), (ANNA, news(0, 0))) == []


# --- any history, in any order

holders = st.sampled_from([ANNA, BRUNO, STRANGER])
lives = st.lists(st.tuples(holders, st.integers(2, 40), st.integers(0, 20), st.booleans()), min_size=1, max_size=5)


def sessions(lives: list[tuple[Hashable, int, int, bool]]) -> tuple[list[tuple[Hashable, LeaseEvent]], list]:
    """Accounting records of one address, and what happened. Without a Stop it lasted until the next one."""
    events, true, clock = [], [], 0
    for n, (holder, lasts, gap, stops) in enumerate(lives):
        start, stop = clock, clock + lasts
        events.append((holder, news(start, None)))
        events += [(holder, news(start, None, middle)) for middle in (start + lasts // 2,) if middle > start]
        if stops:
            events.append((holder, news(start, stop)))
        clock = stop + gap + 2
        end = stop if stops else clock if n + 1 < len(lives) else None
        true.append((NAMES[holder], float(start), None if end is None else float(end)))
    return events, true


def renewed(lives: list[tuple[Hashable, int, int, bool]]) -> tuple[list[tuple[Hashable, LeaseEvent]], list]:
    """Lines of a DHCP lease file: leases of an hour, renewed after half of it, some of them released."""
    events, true, clock = [], [], 0
    for holder, lasts, gap, releases in lives:
        start, renewals = clock, lasts // 10
        last = start + 30 * renewals
        events += [
            (holder, news(start + 30 * n, start + 30 * n + 60, start + 30 * n, renews=True))
            for n in range(renewals + 1)
        ]
        end = last + 10 if releases else last + 60
        if releases:
            events.append((holder, news(last, end, end, renews=True)))
        true.append((NAMES[holder], float(start), float(end)))
        clock = end + gap + 1
    return events, true


def joined(true: History) -> History:
    """Neighbours of the same holder without a gap are one, for comparing."""
    found = true[:1]
    for one in true[1:]:
        last = found[-1]
        if last[0] == one[0] and last[2] == one[1]:
            found[-1] = (last[0], last[1], one[2])
        else:
            found.append(one)
    return found


def whose(rows: History, minute: float) -> str:
    return next((who for who, since, until in rows if since <= minute and (until is None or minute < until)), "nobody")


def never_two(rows: History) -> bool:
    return all(one[2] is not None and one[2] <= other[1] for one, other in pairwise(rows))


def shuffled(events: list, random: Random) -> list:
    """In any order, half of them twice."""
    again = events + random.sample(events, len(events) // 2)
    random.shuffle(again)
    return again


@given(lives, st.randoms(use_true_random=False))
def test_sessions_are_told_right_in_any_order_and_repeated(lives, random):
    events, true = sessions(lives)

    found = told(*shuffled(events, random))

    assert joined(found) == joined(true)
    assert never_two(found)


@given(lives, st.booleans())
def test_a_lease_file_is_told_right_once_and_again(lives, twice):
    events, true = renewed(lives)

    assert told(*events, *(events if twice else ())) == true


@given(lives, st.randoms(use_true_random=False))
def test_a_lease_file_in_any_order_names_nobody_wrong(lives, random):
    """Of a lease that another one turns out to have interrupted, only the last news is known: the rest is nobody's."""
    events, true = renewed(lives)

    found = told(*shuffled(events, random))

    for who, since, until in true:
        for minute in range(int(since), int(until or since + 100)):
            assert whose(found, minute) in (who, "nobody")
    assert never_two(found)
