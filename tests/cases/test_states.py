import pytest

from complaints.cases.states import MOVES, TURNS, Turn, may_move, turn_of
from complaints.vocabulary import CaseState


def test_every_state_has_a_turn_and_a_row_of_moves() -> None:
    assert set(TURNS) == set(MOVES) == set(CaseState)


def test_a_closed_case_never_moves_again() -> None:
    assert [to for to in CaseState if may_move(CaseState.CLOSED, to)] == []


def test_no_state_moves_to_itself() -> None:
    assert [state for state in CaseState if may_move(state, state)] == []


def test_every_open_state_can_be_closed() -> None:
    assert all(may_move(state, CaseState.CLOSED) for state in CaseState if state is not CaseState.CLOSED)


@pytest.mark.parametrize(
    ("was", "to"),
    [
        (CaseState.INVESTIGATING, CaseState.VERIFYING),
        (CaseState.INVESTIGATING, CaseState.ESCALATED),
        (CaseState.TRIAGE, CaseState.VERIFYING),
        (CaseState.NOTIFIED, CaseState.INVESTIGATING),
    ],
)
def test_a_move_outside_the_table_is_refused(was: CaseState, to: CaseState) -> None:
    assert not may_move(was, to)


def test_it_is_the_customers_turn_only_while_notified() -> None:
    assert [state for state in CaseState if turn_of(state) is Turn.CUSTOMER] == [CaseState.NOTIFIED]
