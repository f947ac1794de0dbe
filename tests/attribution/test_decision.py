"""The rules without a database: a table, and a naive oracle over random histories."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from complaints.addresses import prefix_key
from complaints.attribution.answers import Question
from complaints.attribution.decision import UNKNOWN_TIME_WINDOW, Claim, Why, decide
from tests.factories import LONG_AGO, NOON

ADDRESS = b"\0" * 10 + b"\xff\xff" + bytes([192, 0, 2, 10])
HOUR = timedelta(hours=1)
ALL = (0, 65535)
A, B, C = 1, 2, 3  # contract ids


def claim(
    contract: int,
    since: float | None = None,
    until: float | None = None,
    ports: tuple[int, int] = ALL,
    length: int = 32,
) -> Claim:
    """since and until: hours from noon; None: long ago, and open."""
    network = int.from_bytes(ADDRESS[12:], "big") >> (32 - length) << (32 - length)
    key = bytes([length]) + network.to_bytes(4, "big")
    valid_from = LONG_AGO if since is None else NOON + since * HOUR
    return Claim(key, contract, "static", valid_from, None if until is None else NOON + until * HOUR, *ports)


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
    ("port missing, one contract", [claim(A, ports=LOW), claim(A, ports=HIGH)], None, True, Why.HELD, {A}),
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

    assert (finding.why, {c.contract_id for c in finding.claims}) == (why, contracts)


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


@given(histories, ports, st.integers(-10, 3))
def test_an_exact_question_is_answered_as_by_hand(claims, port, hour):
    at = NOON + hour * HOUR
    by_hand = holders_by_hand(claims, at, port)

    finding = decide(Question(ADDRESS, port, at), levels(*claims))

    assert {c.contract_id for c in finding.claims} == by_hand
    assert (finding.why is Why.HELD) == (len(by_hand) == 1)


@given(histories, ports, st.integers(-10, 3))
def test_an_inexact_question_names_an_owner_only_if_no_other_was_possible(claims, port, hour):
    at = NOON + hour * HOUR
    window = [at - n * HOUR for n in range(int(UNKNOWN_TIME_WINDOW / HOUR) + 1)]
    now, ever = holders_by_hand(claims, at, port), set().union(*(holders_by_hand(claims, t, port) for t in window))

    finding = decide(Question(ADDRESS, port, at, at_exactly=False), levels(*claims))

    assert (finding.why is Why.HELD) == (len(now) == 1 and ever == now)
    if finding.why is Why.HELD:
        assert {c.contract_id for c in finding.claims} == now


@given(histories)
def test_no_claim_covers_the_moment_it_ends(claims):
    for one in claims:
        assert one.covers(one.valid_from) == (one.valid_until != one.valid_from)
        assert one.valid_until is None or not one.covers(one.valid_until)


def test_the_key_of_a_claim_is_that_of_its_prefix():
    assert claim(A, length=24).key == prefix_key("192.0.2.0/24")
