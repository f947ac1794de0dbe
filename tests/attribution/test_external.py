"""The ISP's own service that knows the leases: a real HTTP server, good and bad."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine

from complaints.addresses import address_key
from complaints.attribution import Holding, Question, attribute
from complaints.attribution.resolvers import external
from complaints.models import Contract, ResolverAnswer, ResolverState
from complaints.vocabulary import Answer
from tests.factories import NOON, make_assignment, make_contract, make_network, make_shared_machine
from tests.services.http import Request, Response, Service, http_service

pytestmark = pytest.mark.django_db
KEY = "0123456789abcdef-key"
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
NOW = NOON + HOUR
Holder = dict[str, Any]


class Leases:
    """Answers as the protocol says, from a list of holders by address; refuses a wrong signature."""

    def __init__(self) -> None:
        self.holders: dict[str, list[Holder]] = {}
        self.asked: list[dict[str, Any]] = []

    def __call__(self, request: Request) -> Response:
        timestamp = request.headers["X-Abusedesk-Timestamp"]
        signed = hmac.new(KEY.encode(), f"{timestamp}.".encode() + request.body, hashlib.sha256).hexdigest()
        if not hmac.compare_digest(f"v1={signed}", request.headers["X-Abusedesk-Signature"]):
            return Response(401)
        questions = json.loads(request.body)["questions"]
        self.asked += questions
        return Response(200, (json.dumps({"answers": [self.answer(each) for each in questions]}).encode(),))

    def answer(self, question: dict[str, Any]) -> list[Holder]:
        since, until = (datetime.fromisoformat(question[name]) for name in ("from", "until"))
        return [
            holder
            for holder in self.holders.get(question["address"], [])
            if datetime.fromisoformat(holder["valid_from"]) < until
            and (holder.get("valid_until") is None or since < datetime.fromisoformat(holder["valid_until"]))
        ]


@pytest.fixture
def leases() -> Leases:
    return Leases()


@pytest.fixture
def service(leases: Leases, settings) -> Iterator[Service]:
    make_network("192.0.2.0/24")
    with http_service(leases) as service, time_machine.travel(NOW, tick=False):
        settings.RESOLVER_URL, settings.RESOLVER_KEY, settings.RESOLVER_TIMEOUT = service.url, KEY, 1
        yield service


def held(contract: str, valid_from: datetime, valid_until: datetime | None = None, **more: Any) -> Holder:
    until = valid_until.isoformat() if valid_until else None
    return {"contract": contract, "valid_from": valid_from.isoformat(), "valid_until": until, **more}


def whose(address: str = "192.0.2.10", at: datetime = NOON, port: int | None = None, **more: Any) -> Holding:
    return attribute([Question(address_key(address), port, at, **more)])[0]


def test_the_holder_is_taken_over_with_his_interval(service, leases):
    contract = make_contract("C-1")
    leases.holders["192.0.2.10"] = [held("C-1", NOON - HOUR, NOON + HOUR, confidence=0.7)]

    assert whose() == Holding(
        Answer.OWNER,
        contract_id=contract.pk,
        method="external",
        confidence=0.7,
        valid_from=NOON - HOUR,
        valid_until=NOON + HOUR,
        reason="The outside source says that C-1 had 192.0.2.10 from 2026-03-10 11:00:00 UTC"
        " until 2026-03-10 13:00:00 UTC",
    )


def test_the_question_says_address_port_and_the_time_within_which_it_may_have_been(service, leases):
    whose("192.0.2.10", port=4711, slack=5 * MINUTE)
    whose("192.0.2.11", at=NOW - MINUTE, slack=5 * MINUTE)

    assert leases.asked == [
        {
            "address": "192.0.2.10",
            "port": 4711,
            "from": "2026-03-10T11:55:00+00:00",
            "until": "2026-03-10T12:05:00.000001+00:00",
        },
        # Who will have it in four minutes nobody can know.
        {
            "address": "192.0.2.11",
            "port": None,
            "from": "2026-03-10T12:54:00+00:00",
            "until": "2026-03-10T13:00:00.000001+00:00",
        },
    ]


def test_a_batch_is_one_request(service, leases):
    for number in range(1, 101):
        make_contract(f"C-{number}")
        leases.holders[f"192.0.2.{number}"] = [held(f"C-{number}", NOON - DAY)]
    questions = [Question(address_key(f"192.0.2.{number}"), None, NOON) for number in range(1, 101)]

    holdings = attribute(questions)

    names = dict(Contract.objects.values_list("pk", "reference"))
    assert [names[holding.contract_id] for holding in holdings] == [f"C-{number}" for number in range(1, 101)]
    assert len(service.requests) == 1


def test_what_an_assignment_knows_is_not_asked(service):
    make_assignment("C-1", "192.0.2.10/32")
    make_shared_machine("192.0.2.25/32", "mail")

    assert whose().method == "static"
    assert whose("192.0.2.25").answer is Answer.UNSURE
    assert whose("198.51.100.1").answer is Answer.NOT_OURS
    assert service.requests == []


def test_nobody_is_an_answer(service):
    holding = whose()

    assert holding.answer is Answer.NOBODY


def test_two_holders_within_the_slack_are_unsure(service, leases):
    make_contract("C-1")
    make_contract("C-2")
    leases.holders["192.0.2.10"] = [held("C-1", NOON - DAY, NOON), held("C-2", NOON)]

    assert whose(at=NOON + MINUTE, slack=5 * MINUTE).candidates == ("C-1", "C-2")
    assert whose(at=NOON + MINUTE).contract_id == Contract.objects.get(reference="C-2").pk


def test_a_shared_address_needs_the_port(service, leases):
    make_contract("C-1")
    make_contract("C-2")
    leases.holders["192.0.2.10"] = [
        held("C-1", NOON - DAY, port_first=1024, port_last=2047),
        held("C-2", NOON - DAY, port_first=2048, port_last=3071),
    ]

    assert whose(port=2047).contract_id == Contract.objects.get(reference="C-1").pk
    assert whose(port=2048).contract_id == Contract.objects.get(reference="C-2").pk
    assert (whose(port=80).answer, whose().missing) == (Answer.NOBODY, ("port",))


# --- the memory


@pytest.mark.parametrize(
    ("at", "asks"),
    [
        (NOON - HOUR - MINUTE, 1),
        (NOON - HOUR, 0),
        (NOON + 29 * MINUTE, 0),
        (NOON + 30 * MINUTE, 1),
    ],
)
def test_an_answer_is_believed_for_exactly_its_interval(service, leases, at: datetime, asks: int):
    make_contract("C-1")
    leases.holders["192.0.2.10"] = [held("C-1", NOON - HOUR, NOON + 30 * MINUTE)]
    whose()
    service.requests.clear()

    whose(at=at)

    assert len(service.requests) == asks


def test_the_interval_must_cover_the_slack_too(service, leases):
    make_contract("C-1")
    leases.holders["192.0.2.10"] = [held("C-1", NOON - HOUR, NOON + MINUTE)]
    whose(slack=MINUTE - timedelta(microseconds=1))
    service.requests.clear()

    assert whose(slack=MINUTE - timedelta(microseconds=1)).answer is Answer.OWNER
    assert service.requests == []
    whose(slack=MINUTE)
    assert len(service.requests) == 1


def test_a_holding_that_goes_on_is_believed_until_the_moment_of_the_answer(service, leases):
    make_contract("C-1")
    leases.holders["192.0.2.10"] = [held("C-1", NOON - HOUR)]
    assert whose().valid_until is None
    service.requests.clear()

    assert whose(at=NOW - MINUTE).answer is Answer.OWNER
    assert service.requests == []

    with time_machine.travel(NOW + HOUR, tick=False):
        whose(at=NOW + MINUTE)
    assert len(service.requests) == 1


def test_an_answer_for_a_port_says_nothing_of_other_ports(service, leases):
    make_contract("C-1")
    leases.holders["192.0.2.10"] = [held("C-1", NOON - DAY, port_first=1024, port_last=2047)]
    whose(port=1024)
    service.requests.clear()

    whose(port=2047)
    assert service.requests == []
    whose(port=2048)
    whose()
    assert len(service.requests) == 2


def test_what_is_said_later_takes_the_place_of_what_was_said_before(service, leases):
    make_contract("C-1")
    make_contract("C-2")
    leases.holders["192.0.2.10"] = [held("C-1", NOON - HOUR, NOON + MINUTE)]
    whose()
    leases.holders["192.0.2.10"] = [held("C-2", NOON - HOUR, NOON + 2 * MINUTE)]

    whose(slack=90 * timedelta(seconds=1))

    assert [row.contract for row in ResolverAnswer.objects.all()] == ["C-2"]
    assert whose().contract_id == Contract.objects.get(reference="C-2").pk


def test_kept_answers_cost_two_queries_a_batch(service, leases, django_assert_num_queries):
    for number in range(1, 21):
        make_contract(f"C-{number}")
        leases.holders[f"192.0.2.{number}"] = [held(f"C-{number}", NOON - DAY)]
    questions = [Question(address_key(f"192.0.2.{number}"), None, NOON) for number in range(1, 21)]
    attribute(questions)
    external_alone = external.resolve

    with django_assert_num_queries(2):
        assert all(holding.answer is Answer.OWNER for holding in external_alone(questions, None))


# --- what it does wrong


def test_an_unknown_contract_is_named_and_asked_for_again(service, leases):
    leases.holders["192.0.2.10"] = [held("C-9", NOON - DAY)]

    holding = whose()

    assert (holding.answer, holding.again_at) == (Answer.UNSURE, NOW + HOUR)
    assert holding.reason == "The outside source names a contract that the desk does not know: C-9"

    make_contract("C-9")
    assert whose().answer is Answer.OWNER


def slow(_: Request) -> Response:
    time.sleep(3)
    return Response()


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (lambda _: Response(500), "status 500"),
        (lambda _: Response(302, headers={"Location": "http://127.0.0.1/"}), "status 302"),
        (lambda _: Response(200, (b"<html>",)), "an answer that is no JSON"),
        (lambda _: Response(200, (b"[" * 100_000,)), "an answer that is no JSON"),
        (lambda _: Response(200, (b"[]",)), 'JSON without a list "answers"'),
        (lambda _: Response(200, (b'{"answers": []}',)), "0 answers to 1 questions"),
        (lambda _: Response(200, (b"x" * 2**20,) * 9), "an answer of more than 8388608 bytes"),
        (slow, "no answer within"),
    ],
)
def test_what_is_no_answer_is_unknown_now_and_never_nobody(service, answer, problem: str):
    service.answer = answer

    holding = whose()

    assert (holding.answer, holding.again_at) == (Answer.UNSURE, NOW + timedelta(seconds=30))
    assert problem in holding.reason


@pytest.mark.parametrize(
    ("holder", "problem"),
    [
        ("C-1", "a holder that is no object"),
        ({}, "contract: None is no reference of a contract"),
        (held("C\n1", NOON), "contract: 'C\\n1' is no reference of a contract"),
        (held("C-1", NOON) | {"valid_from": "2026-03-10T12:00:00"}, "is no ISO 8601 time with its zone"),
        (held("C-1", NOON) | {"valid_from": 5}, "valid_from: 5 is no ISO 8601 time with its zone"),
        (held("C-1", NOON, NOON), "valid_until: not later than valid_from"),
        (held("C-1", NOON, confidence=2), "confidence: 2 is not from 0 to 1"),
        (held("C-1", NOON, confidence=True), "confidence: True is not from 0 to 1"),
        (held("C-1", NOON, port_first=-1), "port_first: -1 is no port"),
        (held("C-1", NOON, port_first=9, port_last=8), "port_last: 8 is below port_first"),
    ],
)
def test_one_bad_answer_spoils_no_other(service, holder: Any, problem: str):
    make_contract("C-2")
    answers = [[holder], [held("C-2", NOON - DAY)]]
    service.answer = lambda _: Response(200, (json.dumps({"answers": answers}).encode(),))

    bad, good = attribute([Question(address_key(f"192.0.2.{number}"), None, NOON) for number in (1, 2)])

    assert (bad.answer, bad.again_at) == (Answer.UNSURE, NOW + HOUR)
    assert problem in bad.reason
    assert good.answer is Answer.OWNER


def test_a_wrong_key_is_seen_by_the_service(service, settings):
    settings.RESOLVER_KEY = "another key, also long"

    assert "status 401" in whose().reason


def test_a_dead_service_is_asked_once_in_half_a_minute_and_then_by_one_only(service, leases):
    service.answer = lambda _: Response(500)
    whose()
    assert whose().again_at == NOW + timedelta(seconds=30)
    assert len(service.requests) == 1

    with time_machine.travel(NOW + timedelta(seconds=29), tick=False):
        whose()
    assert len(service.requests) == 1
    with time_machine.travel(NOW + timedelta(seconds=31), tick=False):
        assert whose().again_at == NOW + timedelta(seconds=31 + 60)  # the second failure in a row waits twice as long
        whose()
    assert len(service.requests) == 2


def test_a_slow_service_costs_one_time_limit_and_not_one_a_batch(service):
    service.answer = slow
    began = time.monotonic()

    for number in range(1, 6):
        assert whose(f"192.0.2.{number}").again_at is not None

    assert time.monotonic() - began < 4  # five would cost five seconds
    assert len(service.requests) == 1


def test_a_service_that_is_back_is_asked_by_all_again(service, leases):
    good, service.answer = service.answer, lambda _: Response(500)
    make_contract("C-1")
    leases.holders["192.0.2.10"] = [held("C-1", NOON - DAY)]
    whose()
    service.answer = good

    with time_machine.travel(NOW + MINUTE, tick=False):
        assert whose().answer is Answer.OWNER
        assert whose("192.0.2.11").answer is Answer.NOBODY
    state = ResolverState.objects.get()
    assert (state.failures, state.ask_again_at, state.succeeded_at) == (0, None, NOW + MINUTE)


def test_kept_answers_help_while_the_service_is_dead(service, leases):
    make_contract("C-1")
    leases.holders["192.0.2.10"] = [held("C-1", NOON - DAY)]
    whose()
    service.answer = lambda _: Response(500)

    assert whose("192.0.2.11").again_at is not None
    assert whose().answer is Answer.OWNER


def test_health_tells_what_happened(service, settings):
    now = datetime.now(UTC)
    assert [fact.words for fact in external.health(now=now)][1:] == ["Was never asked"]
    whose()
    service.answer = lambda _: Response(500)
    whose("192.0.2.11")

    assert [tuple(fact) for fact in external.health(now=now)][1:] == [
        (True, "Answered last at 2026-03-10 13:00:00 UTC"),
        (False, "Failed last at 2026-03-10 13:00:00 UTC: status 500"),
        (False, "Nobody asks it before 2026-03-10 13:00:30 UTC"),
    ]
    settings.RESOLVER_URL = ""
    assert [tuple(fact) for fact in external.health(now=now)] == [(True, "Off: ABUSEDESK_RESOLVER_URL is empty")]


def test_a_kept_answer_is_no_surer_without_a_port_than_when_it_came(service, leases):
    make_contract("C-1")
    make_contract("C-2")
    leases.holders["192.0.2.10"] = [held("C-1", NOON - DAY, NOON), held("C-2", NOON - DAY, NOON, port_last=2047)]

    answers = [whose(at=NOON - HOUR) for _ in range(2)]

    assert [answer.candidates for answer in answers] == [("C-1", "C-2")] * 2


def test_an_end_to_come_is_not_believed_before_it_has_come(service, leases):
    make_contract("C-1")
    make_contract("C-2")
    leases.holders["192.0.2.10"] = [held("C-1", NOON - DAY, NOW + DAY)]
    whose(at=NOON)
    with time_machine.travel(NOW + HOUR, tick=False):
        leases.holders["192.0.2.10"] = [held("C-1", NOON - DAY, NOW + MINUTE), held("C-2", NOW + MINUTE)]

        assert whose(at=NOW + HOUR - MINUTE).contract_id == Contract.objects.get(reference="C-2").pk
        assert whose(at=NOON).contract_id == Contract.objects.get(reference="C-1").pk
