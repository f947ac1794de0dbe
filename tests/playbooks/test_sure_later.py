"""A case that waits for an analyst goes on by itself once it is sure enough, unless a person has taken it up."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import product

import pytest
from pytest_django import Settings

from complaints.cases.regrouping import merge_cases
from complaints.cases.states import may_move
from complaints.cases.transitions import assign_case, move_case, record
from complaints.models import Case, Notice
from complaints.playbooks.runner import advance_case, notify_now, recheck_now
from complaints.playbooks.schedule import due_steps
from complaints.vocabulary import CaseState, EventKind, Verdict
from tests.factories import NOON, make_assignment, make_case, make_complaint, make_network, make_user
from tests.playbooks.test_runner import finish_checks, letters, state
from tests.playbooks.test_shipped import SHIPPED, facts

ADDRESS = "192.0.2.10"
LATER = NOON + timedelta(hours=3)
DAY = NOON + timedelta(hours=24)


@pytest.mark.parametrize("name", SHIPPED)
@pytest.mark.parametrize(
    ("told", "taken_up", "pending", "confidence"),
    list(product((True, False), (True, False), ((), ("x",)), (0.95, 0.5))),
)
def test_triage_ends_by_itself_only_for_a_case_that_is_sure_untold_and_untouched(
    name: str, told: bool, taken_up: bool, pending: tuple[str, ...], confidence: float
) -> None:
    there = replace(
        facts(name, CaseState.TRIAGE, done={"look-later"}),
        told=told, taken_up=taken_up, pending=pending, owner_confidence=confidence,
    )  # fmt: skip
    sure = confidence == 0.95 and name != "mail abuse"  # of the cause of that one nobody is ever sure
    goes_on = sure and not told and not taken_up and not pending
    assert [step.id for step in due_steps(SHIPPED[name], there)] == (["sure-later"] if goes_on else [])


@pytest.mark.parametrize("name", SHIPPED)
def test_whoever_is_told_later_has_as_much_time(name: str) -> None:
    first, later = (next(step for step in SHIPPED[name] if step.id == wanted) for wanted in ("notify", "sure-later"))
    assert later.params["deadline"] == first.params["deadline"]
    assert may_move(CaseState.TRIAGE, CaseState(later.params["move_to"]))


@pytest.mark.parametrize(
    ("name", "hours", "looks"), [("mail abuse", 23.9, False), ("mail abuse", 24, True), ("attack", 24, False)]
)
def test_what_a_check_can_prove_is_looked_at_once_more_after_a_day(name: str, hours: float, looks: bool) -> None:
    unsure = facts(name, CaseState.TRIAGE, hours=hours, owner_confidence=0.5)
    assert ["look-later"] * looks == [step.id for step in due_steps(SHIPPED[name], unsure)]
    assert due_steps(SHIPPED[name], replace(unsure, taken_up=True)) == []


@pytest.fixture
def case(settings: Settings, db: None) -> Case:
    """In triage since NOON: many say so, and the relay did not answer."""
    settings.DNS_RESOLVERS, settings.RELAY_PACE = (("127.0.0.1", 9),), 0
    make_network("192.0.2.0/24")
    make_assignment("C-1", f"{ADDRESS}/32")
    case = make_case("C-1", address=ADDRESS, due_at=NOON, state_since=NOON - timedelta(hours=6))
    for number in range(3):
        reporter = f"reader{number}@one.example"
        make_complaint(case, address=ADDRESS, seen_at=NOON - timedelta(hours=1, minutes=number), reporter=reporter)
    advance_case(case.pk, now=NOON)
    finish_checks(NOON, Verdict.UNKNOWN)
    advance_case(case.pk, now=NOON)
    assert state(case) == ("triage", "")
    return case


def prove(case: Case, now: datetime) -> None:
    """A check that somebody asked for shows that the relay is open."""
    recheck_now(case, actor="ada", now=now)
    finish_checks(now, Verdict.BAD)
    advance_case(case.pk, now=now)


def test_a_relay_that_is_proven_a_day_later_is_told_as_if_it_had_been_proven_at_once(case: Case) -> None:
    assert case.due_at == DAY
    advance_case(case.pk, now=DAY)
    finish_checks(DAY, Verdict.BAD)
    advance_case(case.pk, now=DAY)

    assert (state(case), letters(case), case.deadline_at) == (("notified", ""), ["notify"], DAY + timedelta(hours=72))
    assert (case.cause, case.playbook.name) == ("open_relay", "open relay")
    moves = case.events.filter(kind="moved").values_list("actor", "data__to")
    assert list(moves) == [("machine", "triage"), ("machine", "notified")]


def test_a_check_by_hand_that_proves_it_is_enough(case: Case) -> None:
    prove(case, LATER)
    assert (state(case), letters(case)) == (("notified", ""), ["notify"])


def test_without_proof_it_waits_for_the_analyst(case: Case) -> None:
    for verdict in (Verdict.UNKNOWN, Verdict.CLEAN):
        recheck_now(case, actor="ada", now=LATER)
        finish_checks(LATER, verdict)
        advance_case(case.pk, now=LATER)
    advance_case(case.pk, now=LATER + timedelta(days=30))
    finish_checks(LATER + timedelta(days=30), Verdict.CLEAN)
    advance_case(case.pk, now=LATER + timedelta(days=30))
    assert (state(case), letters(case), case.due_at) == (("triage", ""), [], None)


def wrote_a_note(case: Case) -> None:
    record(case, EventKind.NOTE, actor="ada", now=LATER, text="I shall call them")


def took_it(case: Case) -> None:
    assign_case(case, to=make_user("ada"), actor="ada")


def sent_it_back_to_triage(case: Case) -> None:
    move_case(case, CaseState.INVESTIGATING, actor="ada", reason="again", now=LATER)
    finish_checks(LATER)
    case.refresh_from_db()
    move_case(case, CaseState.TRIAGE, actor="ada", reason="let me think", now=LATER)


def told_them_and_no_mail_reached_them(case: Case) -> None:
    notify_now(case, actor="machine", now=NOON)
    Notice.objects.update(state="failed")
    advance_case(case.pk, now=LATER)
    assert state(case) == ("triage", "")


def merged_another_into_it(case: Case) -> None:
    other = make_case("C-1", category="bot", state="triage")
    make_complaint(other, address=ADDRESS, seen_at=NOON)
    merge_cases(other, into=case, actor="ada", reason="the same machine", now=LATER)


@pytest.mark.parametrize(
    "touch",
    [
        wrote_a_note,
        took_it,
        sent_it_back_to_triage,
        told_them_and_no_mail_reached_them,
        merged_another_into_it,
    ],
)
def test_a_case_that_somebody_has_taken_up_stays_theirs(case: Case, touch: Callable[[Case], None]) -> None:
    touch(case)
    before = letters(case)
    case.refresh_from_db()
    prove(case, LATER)
    assert (state(case), letters(case), case.cause) == (("triage", ""), before, "open_relay")


def test_a_second_voice_makes_sure_of_what_reporters_see_themselves(settings: Settings, db: None) -> None:
    settings.DNS_RESOLVERS = (("127.0.0.1", 9),)
    make_network("192.0.2.0/24")
    make_assignment("C-1", f"{ADDRESS}/32")
    case = make_case("C-1", address=ADDRESS, category="scan", due_at=NOON)
    seen = {"address": ADDRESS, "category": "scan", "seen_at": NOON - timedelta(hours=1)}
    make_complaint(case, reporter="one@peers.example", **seen)
    for _ in range(2):
        advance_case(case.pk, now=NOON)
        finish_checks(NOON, Verdict.CLEAN)
    assert state(case) == ("investigating", "")

    make_complaint(case, reporter="two@lists.example", **seen)
    advance_case(case.pk, now=LATER)
    assert (state(case), letters(case)) == (("notified", ""), ["notify"])
