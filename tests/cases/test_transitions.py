import pytest

from complaints.cases.answers import AnswerKind, NoAnswerNow, record_answer
from complaints.cases.transitions import IllegalTransition, StaleCase, add_note, assign_case, move_case
from complaints.models import Case
from complaints.vocabulary import CaseState, Resolution
from tests.factories import NOON, make_case, make_user

pytestmark = pytest.mark.django_db


def history(case: Case) -> list[tuple[str, str]]:
    return [(event.kind, event.actor) for event in case.events.all()]


def test_a_move_changes_the_row_and_writes_its_line() -> None:
    case = make_case()
    event = move_case(case, CaseState.TRIAGE, actor="machine", reason="not sure", now=NOON)

    case.refresh_from_db()
    assert (case.state, case.stay, case.due_at) == ("triage", 2, NOON)
    assert event.data == {"from": "investigating", "to": "triage", "reason": "not sure", "playbook": None}


def test_a_move_outside_the_table_changes_nothing() -> None:
    case = make_case(state=CaseState.INVESTIGATING)
    with pytest.raises(IllegalTransition, match="investigating -> escalated"):
        move_case(case, CaseState.ESCALATED, actor="ada", reason="")
    assert history(case) == []


def test_who_loaded_the_case_before_it_moved_is_told_so() -> None:
    case = make_case()
    stale = Case.objects.get(pk=case.pk)
    move_case(case, CaseState.TRIAGE, actor="machine", reason="")

    with pytest.raises(StaleCase):
        move_case(stale, CaseState.NOTIFIED, actor="ada", reason="")
    assert history(case) == [("moved", "machine")]


def test_a_case_that_came_back_to_the_same_state_is_still_stale() -> None:
    case = make_case(state=CaseState.NOTIFIED)
    stale = Case.objects.get(pk=case.pk)
    move_case(case, CaseState.VERIFYING, actor="customer", reason="")
    move_case(case, CaseState.NOTIFIED, actor="machine", reason="")

    with pytest.raises(StaleCase):
        move_case(stale, CaseState.ESCALATED, actor="machine", reason="")


def test_closing_needs_a_resolution_and_only_closing_takes_one() -> None:
    case = make_case()
    with pytest.raises(IllegalTransition, match="a resolution belongs to closing"):
        move_case(case, CaseState.CLOSED, actor="ada", reason="")
    with pytest.raises(IllegalTransition, match="a resolution belongs to closing"):
        move_case(case, CaseState.TRIAGE, actor="ada", reason="", resolution=Resolution.STALE)


def test_a_closed_case_has_no_alarm() -> None:
    case = make_case(due_at=NOON, deadline_at=NOON)
    move_case(case, CaseState.CLOSED, actor="ada", reason="", resolution=Resolution.NOT_ABUSE, now=NOON)

    case.refresh_from_db()
    assert (case.due_at, case.deadline_at, case.closed_at, case.resolution) == (None, None, NOON, "not_abuse")


def test_assigning_twice_writes_one_line() -> None:
    case, ada = make_case(), make_user("ada")
    assign_case(case, to=ada, actor="ada")
    assign_case(case, to=ada, actor="ada")
    assert history(case) == [("assigned", "ada")]


def test_a_note_stands_in_the_history() -> None:
    case = make_case()
    assert add_note(case, actor="ada", text="  called them \n").data == {"text": "called them"}


@pytest.mark.parametrize(
    ("kind", "state", "status"),
    [
        (AnswerKind.FIXED, "verifying", "claims_fixed"),
        (AnswerKind.NEEDS_HELP, "answered", "asks_help"),
        (AnswerKind.NEEDS_TIME, "answered", "asks_time"),
        (AnswerKind.NOT_ME, "answered", "disputes"),
    ],
)
def test_an_answer_makes_it_the_turn_of(kind: AnswerKind, state: str, status: str) -> None:
    case = make_case(state=CaseState.NOTIFIED)
    assert record_answer(case, kind, text="hello", now=NOON)

    case.refresh_from_db()
    assert (case.state, case.customer_status) == (state, status)
    assert history(case) == [("customer_answered", "customer"), ("moved", "customer")]


def test_saying_fixed_twice_has_the_effect_of_once() -> None:
    case = make_case(state=CaseState.NOTIFIED)
    record_answer(case, AnswerKind.FIXED, now=NOON)

    assert not record_answer(case, AnswerKind.FIXED, now=NOON)
    assert history(case) == [("customer_answered", "customer"), ("moved", "customer")]


@pytest.mark.parametrize("state", [CaseState.INVESTIGATING, CaseState.TRIAGE])
def test_who_was_not_told_yet_cannot_answer(state: CaseState) -> None:
    with pytest.raises(NoAnswerNow):
        record_answer(make_case(state=state), AnswerKind.FIXED)
