from datetime import UTC, datetime, timedelta

import pytest

from complaints.cases.answers import AnswerKind, record_answer
from complaints.cases.clock import Clock, moved
from complaints.cases.transitions import move_case
from complaints.vocabulary import CaseState
from tests.factories import make_case

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
DAY = timedelta(days=1)
S = CaseState


def after(clock: Clock, was: CaseState, to: CaseState, *, spent: timedelta = DAY) -> Clock:
    return moved(
        clock, was=was, to=to, stay=7, state_since=NOON - spent, deadline_at=NOON + 2 * DAY, now=NOON
    )  # fmt: skip


def test_an_answer_stops_the_clock_and_keeps_what_is_left() -> None:
    assert after(Clock(turn=3), S.NOTIFIED, S.ANSWERED) == Clock(3, DAY, S.NOTIFIED, 2 * DAY)


def test_back_to_the_customer_it_goes_on() -> None:
    assert after(Clock(3, DAY, S.NOTIFIED, 2 * DAY), S.ANSWERED, S.NOTIFIED, spent=5 * DAY) == Clock(3, DAY)


def test_a_second_answer_adds_up() -> None:
    assert after(Clock(3, DAY), S.NOTIFIED, S.ANSWERED) == Clock(3, 2 * DAY, S.NOTIFIED, 2 * DAY)


@pytest.mark.parametrize(
    ("was", "to"),
    [(S.ANSWERED, S.ESCALATED), (S.VERIFYING, S.NOTIFIED), (S.NOTIFIED, S.ESCALATED), (S.TRIAGE, S.NOTIFIED)],
)
def test_any_other_move_begins_a_new_turn(was: CaseState, to: CaseState) -> None:
    assert after(Clock(3, DAY, S.NOTIFIED, DAY), was, to) == Clock(turn=7)


def test_a_deadline_that_has_passed_leaves_nothing() -> None:
    late = moved(
        Clock(), was=S.NOTIFIED, to=S.ANSWERED, stay=2, state_since=NOON - DAY, deadline_at=NOON - DAY, now=NOON
    )
    assert late.left == timedelta(0)


@pytest.mark.django_db
def test_the_time_we_take_to_read_is_not_the_customers() -> None:
    case = make_case(state=S.NOTIFIED, state_since=NOON, stay=2, turn=2, deadline_at=NOON + 3 * DAY)

    record_answer(case, AnswerKind.NEEDS_HELP, now=NOON + DAY)
    read_by = case.deadline_at
    move_case(case, S.NOTIFIED, actor="ada", reason="Take two days", now=NOON + 4 * DAY)
    case.refresh_from_db()

    assert read_by == NOON + 2 * DAY  # our promise
    assert (case.turn, case.clock_used_s) == (2, 86400)
    assert case.deadline_at == NOON + 6 * DAY
