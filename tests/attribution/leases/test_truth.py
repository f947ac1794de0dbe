"""Random lives of a few addresses, told by a feed that lags, against the truth: no owner named for certain is wrong."""

from __future__ import annotations

import dataclasses
import random
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from complaints.addresses import address_key
from complaints.attribution import Holding, Question, attribute
from complaints.attribution.importing.leases.feeds import place_waiting
from complaints.demo.simulation.clock import VirtualClock
from complaints.models import Assignment, FeedFault, LeaseFeed, LineIdentifier, OpenSession, WaitingLease
from complaints.vocabulary import Answer
from tests.attribution.leases.test_feeds import know, load, record
from tests.factories import NOON, make_assignment, make_contract, make_network

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)
BLOCK, ADDRESSES, PEOPLE = "C-1", ("192.0.2.10", "192.0.2.11"), ("anna", "bruno", "carl")
PHASES = (Phase.explicit, Phase.reuse, Phase.generate)  # to shrink a history takes minutes
SURE = 0.8  # from here on a letter goes out of itself


@dataclasses.dataclass(frozen=True)
class Session:
    """Minutes after noon. interim: when its one record from the middle is written."""

    who: str
    address: str
    since: int
    until: int
    interim: int

    def records(self, number: int) -> list[tuple[int, str]]:
        where = {"Framed-IP-Address": self.address}
        return [
            (at, record(status, at, self.who, str(number), **where))
            for status, at in (("Start", self.since), ("Interim-Update", self.interim), ("Stop", self.until))
        ]


@st.composite
def lives(draw: st.DrawFn) -> list[Session]:
    """Sessions one after the other on each address."""
    found = []
    for address in ADDRESSES:
        at = 0
        for _ in range(draw(st.integers(0, 4))):
            since = at + draw(st.integers(1, 15))
            until = since + draw(st.integers(2, 30))
            found.append(Session(draw(st.sampled_from(PEOPLE)), address, since, until, draw(st.integers(since, until))))
            at = until
    return found


def holder(sessions: list[Session], address: str, at: float, *, block: bool) -> str:
    """Who had it; "" for nobody."""
    for session in sessions:
        if session.address == address and session.since <= at < session.until:
            return session.who
    return BLOCK if block else ""


def forget() -> None:
    for model in (Assignment, WaitingLease, LeaseFeed, OpenSession, FeedFault, LineIdentifier):
        model.objects.all().delete()


asked = st.tuples(st.sampled_from(ADDRESSES), st.integers(0, 150), st.sampled_from([0, 1, 5]))


@settings(
    max_examples=80,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    lives(),
    st.lists(asked, min_size=1, max_size=8),
    st.integers(0, 150),  # the feed is read to here
    st.integers(0, 90),  # and that long later it is asked
    st.booleans(),
    st.randoms(use_true_random=False),
)
def test_whoever_is_named_for_certain_had_it(db, sessions, asked, read, later, block, dice):
    contracts = prepare(block)
    records = [each for number, session in enumerate(sessions) for each in session.records(number)]
    clock = VirtualClock(NOON + read * MINUTE)
    with clock.ruling():
        tell([text for at, text in sorted(records) if at <= read], dice)
        clock.go_to(NOON + (read + later) * MINUTE)
        questions = [
            Question(address_key(address), None, NOON + at * MINUTE, slack=slack * MINUTE)
            for address, at, slack in asked
            if at <= read + later
        ]
        holdings = attribute(questions)
        alone = [attribute([question])[0] for question in questions]

    assert holdings == alone
    for question, holding in zip(questions, holdings, strict=True):
        at = (question.at - NOON) / MINUTE
        address = ADDRESSES[question.address[-1] - 10]
        slack = question.slack / MINUTE
        possible = {holder(sessions, address, at + off, block=block) for off in range(-int(slack), int(slack) + 1)}
        check(holding, possible - {""}, contracts)


def check(holding: Holding, possible: set[str], contracts: dict[int, str]) -> None:
    """Where nobody had it nothing happened, and nobody can be accused of it."""
    if possible and holding.answer is Answer.OWNER and holding.confidence >= SURE:
        assert {contracts[holding.contract_id or 0]} == possible, holding


def prepare(block: bool) -> dict[int, str]:
    forget()
    make_network("192.0.2.0/24")
    for name in ("anna", "bruno"):  # nobody knows carl
        know("radius_user", f"{name}@isp.example", name)
    if block:
        make_assignment(BLOCK, "192.0.2.0/24")
    # The feed has leased here before; of a block that it never leased anything in, nothing is to be expected.
    load("radius", record("Start", -30, "anna", "old") + record("Stop", -20, "anna", "old"))
    return {make_contract(name).pk: name for name in (BLOCK, "anna", "bruno")}


def tell(records: list[str], dice: random.Random) -> None:
    """In one file or two, some of it twice, and within a file in any order."""
    half = dice.randint(0, len(records))
    for part in (records[:half], records[half // 2 :]):
        shuffled = list(part)
        dice.shuffle(shuffled)
        load("radius", "".join(shuffled))


@settings(
    max_examples=30,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(lives(), st.lists(asked, min_size=1, max_size=8), st.booleans())
def test_once_all_is_told_and_everybody_known_each_second_has_its_owner(db, sessions, asked, block):
    contracts = prepare(block)
    clock = VirtualClock(NOON + 300 * MINUTE)
    with clock.ruling():
        records = [each for number, session in enumerate(sessions) for each in session.records(number)]
        end = record("Start", 290, "anna", "end", **{"Framed-IP-Address": "192.0.2.99"})
        load("radius", "".join(text for _, text in sorted(records)) + end)
        know("radius_user", "carl@isp.example", "carl")
        contracts[make_contract("carl").pk] = "carl"
        place_waiting()
        questions = [Question(address_key(address), None, NOON + at * MINUTE) for address, at, _ in asked]
        holdings = attribute(questions)

    for (address, at, _), holding in zip(asked, holdings, strict=True):
        named = contracts[holding.contract_id] if holding.contract_id else ""
        assert named == holder(sessions, address, at, block=block), holding
        assert holding.confidence >= SURE or not named
