"""Measures on a line: who may decide them, when they begin, and that they end."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from complaints.cases.holds import begin_hold, end_hold
from complaints.cases.tasks import end_task
from complaints.cases.transitions import MACHINE, move_case
from complaints.interventions import (
    NotAllowed,
    ask_release,
    carry_out_due,
    decide_measure,
    release_closed,
    release_dead,
    second_measure,
    withdraw_measure,
)
from complaints.interventions.carrying_out import confirm_by_hand
from complaints.models import Case, DeskTask, Hold, Intervention, PlaybookVersion, Product
from complaints.vocabulary import CaseState, MeasureKind, Resolution
from tests.factories import NOON, make_case, make_contract

pytestmark = pytest.mark.django_db
UNDO = timedelta(minutes=10)
LATER = NOON + UNDO


def decide(case: Case, kind: MeasureKind = MeasureKind.LIMIT_25, **changes: Any) -> Intervention:
    given = {"step": "limit", "occurrence": case.stay, "actor": MACHINE, "reason": "The deadline passed", "undo": UNDO}
    return decide_measure(case, kind, now=NOON, **(given | changes))


def escalated(reference: str = "C-1", **columns: Any) -> Case:
    return make_case(make_contract(reference), state=CaseState.ESCALATED, **columns)


def in_force(case: Case) -> Intervention:
    """Decided, due, and done by a colleague."""
    measure = decide(case)
    carry_out_due(now=LATER)
    measure.refresh_from_db()
    confirm_by_hand(measure, actor="noc", now=LATER)
    return measure


def state(measure: Intervention) -> str:
    measure.refresh_from_db()
    return measure.state


def story(case: Case) -> list[tuple[str, str]]:
    return [(event.actor, event.data["state"]) for event in case.events.filter(kind="measure")]


def test_a_step_decides_its_measure_once() -> None:
    case = escalated()

    assert decide(case) == decide(case)
    assert story(case) == [(MACHINE, "decided")]


def test_nothing_begins_while_it_can_be_undone() -> None:
    measure = decide(escalated())

    assert carry_out_due(now=LATER - timedelta(seconds=1)) == []
    withdraw_measure(measure, actor="ada", reason="They called", now=NOON)
    assert carry_out_due(now=LATER) == []
    assert state(measure) == "withdrawn"


def test_what_has_begun_cannot_be_undone_but_released() -> None:
    measure = in_force(escalated())

    with pytest.raises(NotAllowed, match="too late: the measure is in force by now"):
        withdraw_measure(measure, actor="ada", reason="They called", now=LATER)
    ask_release(measure, actor="ada", reason="They called", now=LATER)
    assert state(measure) == "release_due"


def test_without_an_interface_a_colleague_is_asked_and_confirms() -> None:
    case = escalated()
    measure = decide(case)

    assert carry_out_due(now=LATER) == [case.pk]
    [task] = DeskTask.objects.all()
    assert task.title == "Block outgoing tcp/25: contract C-1 (no address at this moment)"
    confirm_by_hand(measure := Intervention.objects.get(pk=measure.pk), actor="noc", now=LATER)

    assert (state(measure), measure.in_force_at) == ("in_force", LATER)
    assert not DeskTask.objects.filter(done_at=None).exists()
    assert story(case) == [(MACHINE, "decided"), ("noc", "in_force")]


def test_a_proven_fix_releases_it_and_silence_does_not() -> None:
    fixed, silent = escalated("C-1"), escalated("C-2")
    measures = [in_force(fixed), in_force(silent)]
    for case, resolution in ((fixed, Resolution.FIXED_VERIFIED), (silent, Resolution.NO_RESPONSE)):
        move_case(case, CaseState.CLOSED, actor=MACHINE, reason="as told", resolution=resolution, now=LATER)

    assert release_closed(now=LATER) == [measures[0].pk]
    assert [state(measure) for measure in measures] == ["release_due", "in_force"]


def test_a_case_that_closes_before_its_measure_begins_has_none() -> None:
    case = escalated()
    measure = decide(case)
    move_case(case, CaseState.CLOSED, actor="ada", reason="wrong", resolution=Resolution.NOT_ABUSE, now=NOON)

    release_closed(now=NOON)

    assert state(measure) == "withdrawn"


def test_a_line_that_another_case_has_escalated_stays_under_the_measure() -> None:
    case = escalated()
    other = make_case(case.contract, category="scan", state=CaseState.ESCALATED)
    measure = in_force(case)
    move_case(case, CaseState.CLOSED, actor=MACHINE, reason="f", resolution=Resolution.FIXED_VERIFIED, now=LATER)

    assert release_closed(now=LATER) == []
    assert state(measure) == "in_force"
    assert measure.case_id == other.pk


def test_a_customer_who_answered_in_time_is_not_cut_by_a_machine() -> None:
    case = escalated()
    measure = decide(case)
    move_case(case, CaseState.VERIFYING, actor="customer", reason="says fixed", now=NOON)

    assert carry_out_due(now=LATER) == []
    assert state(measure) == "withdrawn"


def protect_customer(case: Case) -> None:
    case.contract.customer.protected = True
    case.contract.customer.save()


def protect_product(case: Case) -> None:
    Product.objects.create(name="Hospital line", kind="critical")
    case.owner |= {"product": "Hospital line"}
    case.save()


@pytest.mark.parametrize("protect", [protect_customer, protect_product])
def test_no_machine_cuts_a_protected_line_and_two_people_may(protect: Callable[[Case], None]) -> None:
    case = escalated()
    protect(case)

    with pytest.raises(NotAllowed, match="no machine may cut it"):
        decide(case)
    measure = decide(case, actor="ada")
    assert state(measure) == "proposed"
    with pytest.raises(NotAllowed, match="needs a second person"):
        second_measure(measure, actor="ada", now=NOON, undo=UNDO)
    second_measure(measure, actor="grace", now=NOON, undo=UNDO)
    assert (state(measure), measure.seconded_by, measure.due_at) == ("decided", "grace", LATER)


def test_suspension_needs_two_people() -> None:
    measure = decide(escalated(), MeasureKind.SUSPEND, actor="ada")

    assert carry_out_due(now=LATER) == []
    assert state(measure) == "proposed"


@pytest.mark.parametrize(("seconded_by", "allowed"), [("", False), ("grace", True)])
def test_a_playbook_suspends_only_when_two_people_activated_it(seconded_by: str, allowed: bool) -> None:
    playbook = PlaybookVersion.objects.create(
        name="p", number=1, document={}, created_at=NOON, activated_by="ada", seconded_by=seconded_by
    )
    case = escalated(playbook=playbook)

    if allowed:
        assert decide(case, MeasureKind.SUSPEND, seconded_by=seconded_by).state == "decided"
    else:
        with pytest.raises(NotAllowed, match="activated alone"):
            decide(case, MeasureKind.SUSPEND, seconded_by=seconded_by)


def test_an_unsure_owner_is_never_cut_by_a_machine() -> None:
    with pytest.raises(NotAllowed, match="not sure enough whose line"):
        decide(escalated(confidence=0.79))


def test_the_kill_switch_holds_measures_and_lets_releases_through() -> None:
    released = in_force(escalated("C-1"))
    measure = decide(escalated("C-2"))
    begin_hold(Hold.What.MEASURES, actor="ada", reason="wrong playbook", now=NOON)
    ask_release(released, actor="ada", reason="wrong", now=LATER)

    carry_out_due(now=LATER)
    assert [state(measure), state(released)] == ["decided", "releasing"]

    assert end_hold(Hold.What.MEASURES, actor="ada", now=LATER)
    carry_out_due(now=LATER)
    assert state(measure) == "applying"


def test_a_hold_stands_once_and_its_history_stays() -> None:
    first = begin_hold(Hold.What.MAIL, actor="ada", reason="wrong text", now=NOON)

    assert begin_hold(Hold.What.MAIL, actor="grace", reason="again", now=NOON) == first
    assert end_hold(Hold.What.MAIL, actor="grace", now=LATER)
    assert not end_hold(Hold.What.MAIL, actor="grace", now=LATER)
    assert Hold.objects.get().ended_by == "grace"


def test_what_a_dead_worker_held_is_carried_out_again() -> None:
    measure = decide(escalated())
    Intervention.objects.filter(pk=measure.pk).update(state="applying", claim="elsewhere-1-x", claimed_at=NOON)

    release_dead(now=NOON + timedelta(minutes=11))

    assert state(measure) == "decided"


def test_one_line_is_under_a_measure_once() -> None:
    case = escalated()
    decide(case)

    with pytest.raises(NotAllowed, match="under the measure limit_25 already"):
        decide(make_case(case.contract, category="scan", state=CaseState.ESCALATED))


def test_a_task_that_is_not_open_cannot_be_ended() -> None:
    assert not end_task("measure", "1", actor="ada", now=NOON)
