"""The rules without a database: a table, and a naive oracle over random histories."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from complaints.addresses import prefix_key
from complaints.attribution.answers import Question
from complaints.attribution.decision import UNKNOWN_TIME_WINDOW, Claim, Why, decide
from tests.factories import LONG_AGO, NOON
from tests.services.pace import cpu_within

ADDRESS = b"\0" * 10 + b"\xff\xff" + bytes([192, 0, 2, 10])
HOUR = timedelta(hours=1)
ALL = (0, 65535)
A, B, C = 1, 2, 3  # contract ids


def claim(
    contract: int,
    since: float | timedelta | None = None,
    until: float | timedelta | None = None,
    ports: tuple[int, int] = ALL,
    length: int = 32,
) -> Claim:
    """since and until: from noon, a number is hours; None: long ago, and open."""
    network = int.from_bytes(ADDRESS[12:], "big") >> (32 - length) << (32 - length)
    key = bytes([length]) + network.to_bytes(4, "big")
    return Claim(key, contract, "static", from_noon(since) or LONG_AGO, from_noon(until), *ports)


def from_noon(when: float | timedelta | None) -> datetime | None:
    return None if when is None else NOON + (when if isinstance(when, timedelta) else when * HOUR)


def levels(*claims: Claim) -> list[list[Claim]]:
    lengths = sorted({c.key[0] for c in claims}, reverse=True)
    return [[c for c in claims if c.key[0] == length] for length in lengths]


LOW, HIGH, BOTH = (1024, 2047), (2048, 3071), (2000, 2100)
TABLE = [
    # what it shows, claims, port, exactly, why, contracts
    ("one holder", [claim(A)], None, True, Why.HELD, {A}),
    ("nobody", [], None, True, Why.NOBODY, set()),
    ("ended now", [claim(A, until=0)], None, True, Why.NOBODY, set()),
    ("begins now", [claim(A, since=0)], None, True, Why.HELD, {A}),
    ("handed over now", [claim(A, until=0), claim(B, since=0)], None, True, Why.HELD, {B}),
    ("nested", [claim(A, length=24), claim(B)], None, True, Why.HELD, {B}),
    ("nested, the inner one ended", [claim(A, length=24), claim(B, until=0)], None, True, Why.HELD, {A}),
    ("the whole address space", [claim(A, length=0)], None, True, Why.HELD, {A}),
    ("own port", [claim(A, ports=LOW), claim(B, ports=HIGH)], 2047, True, Why.HELD, {A}),
    ("the next port", [claim(A, ports=LOW), claim(B, ports=HIGH)], 2048, True, Why.HELD, {B}),
    ("a port of nobody", [claim(A, ports=LOW), claim(B, ports=HIGH)], 4000, True, Why.PORT_OF_NOBODY, set()),
    ("port missing", [claim(A, ports=LOW), claim(B, ports=HIGH)], None, True, Why.PORT_MISSING, {A, B}),
    ("port missing, one contract", [claim(A, ports=LOW), claim(A, ports=HIGH)], None, True, Why.PORT_MISSING, {A}),
    ("port missing, but it holds all that are ports", [claim(A, ports=(1, 65535))], None, True, Why.HELD, {A}),
    ("port missing, all but the first", [claim(A, ports=(2, 65535))], None, True, Why.PORT_MISSING, {A}),
    ("port missing, all but the last", [claim(A, ports=(0, 65534))], None, True, Why.PORT_MISSING, {A}),
    ("port missing, nested by ports", [claim(A, length=24), claim(B, ports=LOW)], None, True, Why.PORT_MISSING, {B}),
    ("port missing, part shared twice", [claim(A, ports=LOW), claim(B, ports=BOTH)], None, True, Why.CONFLICT, {A, B}),
    ("tie", [claim(A), claim(B)], None, True, Why.CONFLICT, {A, B}),
    ("tie on the port", [claim(A, ports=LOW), claim(B, ports=BOTH)], 2000, True, Why.CONFLICT, {A, B}),
    ("tie, but not on this port", [claim(A, ports=LOW), claim(B, ports=BOTH)], 1999, True, Why.HELD, {A}),
    ("one contract twice", [claim(A), claim(A, since=-1)], None, True, Why.HELD, {A}),
    ("time unknown, steady", [claim(A)], None, False, Why.HELD, {A}),
    ("time unknown, changed", [claim(A, until=-1), claim(B, since=-1)], None, False, Why.CHANGED, {A, B}),
    ("time unknown, gone", [claim(A, until=-1)], None, False, Why.CHANGED, {A}),
    ("time unknown, begins now", [claim(A, until=0), claim(B, since=0)], None, False, Why.CHANGED, {A, B}),
    ("time unknown, changed 48 h ago", [claim(A, until=-48), claim(B, since=-48)], None, False, Why.HELD, {B}),
    ("time unknown, just within", [claim(A, until=-47.9), claim(B, since=-47.9)], None, False, Why.CHANGED, {A, B}),
    ("time unknown, back and forth", [claim(A), claim(B, since=-9, until=-8)], None, False, Why.CHANGED, {A, B}),
    ("time unknown, lapsed and back", [claim(A, until=-9), claim(A, since=-8)], None, False, Why.HELD, {A}),
    ("time unknown, first holder ever", [claim(A, since=-1)], None, False, Why.HELD, {A}),
    ("time unknown, never anybody", [], None, False, Why.NOBODY, set()),
    ("time unknown, later holder", [claim(A), claim(B, since=1, length=32)], None, False, Why.HELD, {A}),
    ("time unknown, inner one came and went", [claim(A, length=24), claim(B, since=-9, until=-8)], None, False,
     Why.CHANGED, {A, B}),
    ("time unknown, other port changed",
     [claim(A, ports=LOW), claim(B, until=-1, ports=HIGH), claim(C, since=-1, ports=HIGH)], 1024, False, Why.HELD, {A}),
]  # fmt: skip


@pytest.mark.parametrize(
    ("claims", "port", "exactly", "why", "contracts"), [pytest.param(*row[1:], id=row[0]) for row in TABLE]
)
def test_the_rules(claims, port, exactly, why, contracts):
    finding = decide(Question(ADDRESS, port, NOON, exactly), levels(*claims))

    assert (finding.why, {c.contract_id for c in finding.possible}) == (why, contracts)


SLACK = timedelta(minutes=5)
TICK = timedelta(microseconds=1)
NEAR, EDGE = SLACK - TICK, SLACK
BEYOND = SLACK + TICK
SLACK_TABLE = [
    # what it shows, claims, port, why, contracts at that time, others within the slack
    ("steady", [claim(A)], None, Why.HELD, {A}, set()),
    ("ends just within", [claim(A, until=NEAR), claim(B, since=NEAR)], None, Why.NEAR_CHANGE, {A}, {B}),
    ("ends at the last moment", [claim(A, until=EDGE), claim(B, since=EDGE)], None, Why.NEAR_CHANGE, {A}, {B}),
    ("ends beyond", [claim(A, until=BEYOND), claim(B, since=BEYOND)], None, Why.HELD, {A}, set()),
    ("began just within", [claim(A, until=-NEAR), claim(B, since=-NEAR)], None, Why.NEAR_CHANGE, {B}, {A}),
    ("began at the first moment", [claim(A, until=-EDGE), claim(B, since=-EDGE)], None, Why.HELD, {B}, set()),
    ("began beyond", [claim(A, until=-BEYOND), claim(B, since=-BEYOND)], None, Why.HELD, {B}, set()),
    ("handed over now", [claim(A, until=0), claim(B, since=0)], None, Why.NEAR_CHANGE, {B}, {A}),
    ("gap, ended within", [claim(A, until=-NEAR)], None, Why.NEAR_CHANGE, set(), {A}),
    ("gap, ended at the first moment", [claim(A, until=-EDGE)], None, Why.NOBODY, set(), set()),
    ("gap, begins at the last moment", [claim(A, since=EDGE)], None, Why.NEAR_CHANGE, set(), {A}),
    ("gap, begins beyond", [claim(A, since=BEYOND)], None, Why.NOBODY, set(), set()),
    ("gap between two", [claim(A, until=-NEAR), claim(B, since=NEAR)], None, Why.NEAR_CHANGE, set(), {A, B}),
    ("gap of a renewal", [claim(A, until=-TICK), claim(A, since=TICK)], None, Why.NEAR_CHANGE, set(), {A}),
    ("renewed", [claim(A, until=TICK), claim(A, since=TICK)], None, Why.HELD, {A}, set()),
    ("renewed after a gap", [claim(A, until=TICK), claim(A, since=NEAR)], None, Why.HELD, {A}, set()),
    ("begins, nobody before", [claim(A, since=-TICK)], None, Why.HELD, {A}, set()),
    ("ends, nobody after", [claim(A, until=TICK)], None, Why.HELD, {A}, set()),
    ("a flash of another", [claim(A, length=24), claim(B, since=-2 * TICK, until=-TICK)], None,
     Why.NEAR_CHANGE, {A}, {B}),
    ("the inner one begins soon", [claim(A, length=24), claim(B, since=NEAR)], None, Why.NEAR_CHANGE, {A}, {B}),
    ("the block behind is covered all the while", [claim(A, length=24), claim(B, since=-EDGE)], None,
     Why.HELD, {B}, set()),
    ("covered in two halves", [claim(A, length=24), claim(B, until=0), claim(B, since=0)], None, Why.HELD, {B}, set()),
    ("covered but for a moment", [claim(A, length=24), claim(B, until=0), claim(B, since=TICK)], None,
     Why.NEAR_CHANGE, {A}, {B}),
    ("the block changes behind", [claim(A, length=24, until=0), claim(C, length=24, since=0), claim(B)], None,
     Why.HELD, {B}, set()),
    ("port block re-used", [claim(A, until=0, ports=LOW), claim(B, since=0, ports=LOW)], 1024,
     Why.NEAR_CHANGE, {B}, {A}),
    ("other block re-used", [claim(A, ports=LOW), claim(B, until=0, ports=HIGH), claim(C, since=0, ports=HIGH)], 2047,
     Why.HELD, {A}, set()),
    ("port of nobody, soon of somebody", [claim(A, ports=LOW), claim(B, since=NEAR, ports=HIGH)], 2048,
     Why.NEAR_CHANGE, set(), {B}),
    ("port of nobody all the while", [claim(A, ports=LOW), claim(B, since=BEYOND, ports=HIGH)], 2048,
     Why.PORT_OF_NOBODY, set(), set()),
    ("becomes shared, port known", [claim(A, until=0), claim(A, since=0, ports=LOW)], 1024, Why.HELD, {A}, set()),
    ("becomes shared, port missing", [claim(A, until=TICK), claim(A, since=TICK, ports=LOW)], None,
     Why.PORT_MISSING, {A}, set()),
    ("port missing, and near a change", [claim(A, ports=LOW), claim(B, ports=HIGH), claim(C, since=NEAR, ports=HIGH)],
     None, Why.PORT_MISSING, {A, B}, {C}),
    ("tie, and near a change", [claim(A), claim(B), claim(C, since=NEAR)], None, Why.CONFLICT, {A, B}, {C}),
]  # fmt: skip


@pytest.mark.parametrize(
    ("claims", "port", "why", "contracts", "others"), [pytest.param(*row[1:], id=row[0]) for row in SLACK_TABLE]
)
def test_the_rules_of_slack(claims, port, why, contracts, others):
    finding = decide(Question(ADDRESS, port, NOON, slack=SLACK), levels(*claims))

    assert finding.why is why
    assert [{c.contract_id for c in found} for found in (finding.claims, finding.others)] == [contracts, others]


def test_slack_says_nothing_where_the_report_gave_no_time():
    """Then the time is that of the mail, by our own clock: what comes after it cannot have been meant."""
    question = Question(ADDRESS, None, NOON, at_exactly=False, slack=SLACK)

    assert decide(question, levels(claim(A, until=NEAR), claim(B, since=NEAR))).why is Why.HELD


@pytest.mark.parametrize("at", [datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)])
def test_the_ends_of_the_calendar_are_times_like_others(at):
    for exactly in (True, False):
        assert decide(Question(ADDRESS, None, at, exactly, slack=14 * HOUR), levels(claim(A))).why in (
            Why.HELD if at > NOON else Why.NOBODY,
        )


def test_a_slack_below_zero_is_refused():
    with pytest.raises(ValueError, match="slack of 0 or more"):
        Question(ADDRESS, None, NOON, slack=-TICK)


def test_thousands_of_changes_within_the_window_are_decided_at_once():
    """A shared address in a night whose reports have no zone. Looked at moment by moment this would take minutes."""
    blocks = [(1024 + n * 64, 1024 + n * 64 + 63) for n in range(900)]
    night = [claim(n, since=(n % 281 - 140) * HOUR / 10, until=(n % 281 - 139) * HOUR / 10, ports=p)
             for n, p in enumerate(blocks * 10, 1)]  # fmt: skip
    question = Question(ADDRESS, None, NOON, slack=14 * HOUR)

    with cpu_within(2):
        finding = decide(question, levels(claim(10_000, length=24), *night))

    assert len(finding.possible) == 9_000


def test_the_younger_of_a_contracts_two_claims_decides_the_interval():
    older, younger = claim(A), claim(A, since=-5)

    for order in ([older, younger], [younger, older]):
        assert decide(Question(ADDRESS, None, NOON), [order]).claims == (younger,)


# --- the oracle: hour by hour and port by port, as one would by hand

port_ranges = st.sampled_from([ALL, LOW, HIGH, (1024, 1024), (2047, 2048), (0, 1023)])


@st.composite
def random_claims(draw: st.DrawFn) -> Claim:
    since, lasts = draw(st.integers(-60, 3)), draw(st.integers(0, 70))
    ports, length = draw(port_ranges), draw(st.sampled_from([0, 24, 31, 32]))
    return claim(draw(st.sampled_from([A, B, C])), since, since + lasts if lasts else None, ports, length)


histories = st.lists(random_claims(), max_size=7)
ports = st.sampled_from([None, 0, 1, 1023, 1024, 2047, 2048, 3071, 3072, 65535])


def holders_by_hand(claims: list[Claim], at: datetime, port: int | None) -> set[int]:
    valid = [c for c in claims if c.valid_from <= at and not (c.valid_until and c.valid_until <= at)]
    longest = max((c.key[0] for c in valid), default=None)
    return {
        c.contract_id
        for c in valid
        if c.key[0] == longest and (not port or port in range(c.port_first, c.port_last + 1))
    }


def is_shared(claims: list[Claim], at: datetime) -> bool:
    """Whether the deciding prefix was held by parts of the ports."""
    valid = [c for c in claims if c.valid_from <= at and not (c.valid_until and c.valid_until <= at)]
    longest = max((c.key[0] for c in valid), default=None)
    return any((c.port_first, c.port_last) != ALL for c in valid if c.key[0] == longest)


def owner_by_hand(claims: list[Claim], port: int | None, at: datetime, window: list[datetime]) -> set[int]:
    """The one contract that could be meant; nobody where it is doubtful."""
    now, ever = holders_by_hand(claims, at, port), set().union(*(holders_by_hand(claims, t, port) for t in window))
    is_doubtful = ever != now or len(now) > 1 or (not port and any(is_shared(claims, t) for t in window))
    return set() if is_doubtful else now


@given(histories, ports, st.integers(-10, 3), st.integers(0, 20))
def test_an_exact_question_names_an_owner_only_if_no_other_was_possible_within_its_slack(claims, port, hour, slack):
    at = NOON + hour * HOUR
    window = [at + n * HOUR for n in range(-slack, slack + 1)]
    possible = set().union(*(holders_by_hand(claims, t, port) for t in window))

    finding = decide(Question(ADDRESS, port, at, slack=slack * HOUR), levels(*claims))

    assert {c.contract_id for c in finding.claims} == holders_by_hand(claims, at, port)
    assert {c.contract_id for c in finding.possible} == possible
    assert {c.contract_id for c in finding.claims if finding.why is Why.HELD} == owner_by_hand(claims, port, at, window)
    assert (finding.why in (Why.NOBODY, Why.PORT_OF_NOBODY)) == (not possible)


@given(histories, ports, st.integers(-10, 3))
def test_an_inexact_question_names_an_owner_only_if_no_other_was_possible(claims, port, hour):
    at = NOON + hour * HOUR
    window = [at - n * HOUR for n in range(int(UNKNOWN_TIME_WINDOW / HOUR) + 1)]

    finding = decide(Question(ADDRESS, port, at, at_exactly=False), levels(*claims))

    assert {c.contract_id for c in finding.claims if finding.why is Why.HELD} == owner_by_hand(claims, port, at, window)


@given(histories)
def test_no_claim_covers_the_moment_it_ends(claims):
    for one in claims:
        assert one.covers(one.valid_from) == (one.valid_until != one.valid_from)
        assert one.valid_until is None or not one.covers(one.valid_until)


def test_the_key_of_a_claim_is_that_of_its_prefix():
    assert claim(A, length=24).key == prefix_key("192.0.2.0/24")
