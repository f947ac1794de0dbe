"""What waits for a second person, as two people at the desk see it."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from complaints.interventions import NotAllowed, decide_measure
from complaints.interventions.proposals import agree, end_old, refuse
from complaints.models import Case, CaseEvent, Intervention
from complaints.vocabulary import CaseState, MeasureKind, Resolution
from tests.factories import NOON, make_case, make_contract, make_user

HOURS, UNDO = timedelta(hours=72), timedelta(minutes=10)


@pytest.fixture
def case(db: None) -> Case:
    return make_case(make_contract("C-7", customer="K-7"), state=CaseState.ESCALATED)


def propose(case: Case, actor: str = "bruno", *, ago: timedelta = timedelta(0)) -> Intervention:
    return decide_measure(
        case, MeasureKind.SUSPEND, step=f"by-hand-{actor}", occurrence=1, actor=actor, reason="It does not stop",
        now=timezone.now() - ago, undo=UNDO,
    )  # fmt: skip


def page_of(client: Client) -> str:
    return client.get("/approvals").content.decode()


def post(client: Client, measure: Intervention, verb: str, **given: str) -> str:
    return client.post(f"/measure/{measure.pk}/{verb}", {"from": "approvals", **given}, follow=True).content.decode()


def test_an_empty_page_says_what_comes_here(bruno: Client) -> None:
    assert "Nothing waits for a second person" in page_of(bruno)


def test_the_page_says_who_asked_why_and_what_will_happen(carla: Client, case: Case) -> None:
    propose(case)
    page = page_of(carla)

    for said in ("Suspend the line: Customer K-7", "It does not stop", "<b>bruno</b> asked", "C-7", case.number):
        assert said in page
    assert "The line is cut off altogether" in page
    assert re.search(r"ends in 7[12] h", page)


def test_a_second_person_agrees_and_the_undo_time_begins(bruno: Client, carla: Client, case: Case) -> None:
    measure = propose(case)

    page = post(carla, measure, "second")

    assert "You agreed. The measure begins after the undo time." in page
    assert "Begins soon, can still be undone" in page
    measure.refresh_from_db()
    assert (measure.state, measure.decided_by, measure.seconded_by) == ("decided", "bruno", "carla")
    assert "Undone. The line was not touched." in post(bruno, measure, "undo")
    measure.refresh_from_db()
    assert measure.state == "withdrawn"


def test_nobody_agrees_to_their_own_request(bruno: Client, case: Case) -> None:
    measure = propose(case)

    page = page_of(bruno)
    assert f"/measure/{measure.pk}/second" not in page
    assert "somebody else must agree" in page
    assert "you proposed it yourself" in post(bruno, measure, "second")
    assert "take it back instead" in post(bruno, measure, "refuse", reason="x")
    measure.refresh_from_db()
    assert measure.state == "proposed"


def test_who_asked_may_take_it_back(bruno: Client, case: Case) -> None:
    measure = propose(case)

    post(bruno, measure, "undo")

    measure.refresh_from_db()
    assert measure.state == "withdrawn"


def test_a_refusal_needs_a_reason_which_the_case_keeps(carla: Client, case: Case) -> None:
    measure = propose(case)

    assert "say why" in post(carla, measure, "refuse", reason=" ")
    assert "Refused." in post(carla, measure, "refuse", reason="It is a hospital")
    measure.refresh_from_db()
    assert measure.state == "withdrawn"
    newest = CaseEvent.objects.filter(case=case).latest("pk")
    assert (newest.actor, newest.data["reason"]) == ("carla", "Refused by a second person: It is a hospital")


def test_an_analyst_and_an_auditor_see_it_without_buttons(ada: Client, olga: Client, case: Case) -> None:
    measure = propose(case)

    for client in (ada, olga):
        page = page_of(client)
        assert "A senior or a supervisor agrees or refuses." in page
        assert f"/measure/{measure.pk}/" not in page
        assert client.post(f"/measure/{measure.pk}/second").status_code == 403


def test_a_request_that_nobody_answered_ends_by_itself(case: Case) -> None:
    old, now = propose(case, ago=timedelta(hours=73)), timezone.now()

    assert end_old(now=now, lasts=HOURS) == 1
    assert end_old(now=now, lasts=HOURS) == 0

    old.refresh_from_db()
    assert old.state == "withdrawn"
    newest = CaseEvent.objects.filter(case=case).latest("pk")
    assert (newest.actor, newest.data["reason"]) == ("machine", "Nobody agreed within 72 hours")


@pytest.mark.parametrize(("hours", "ended"), [(71, 0), (72, 1)])
def test_the_hours_are_counted_from_the_request(case: Case, hours: int, ended: int) -> None:
    propose(case, ago=timedelta(hours=hours))

    assert end_old(now=timezone.now(), lasts=HOURS) == ended


def test_too_late_is_told_even_before_the_sweep(carla: Client, case: Case) -> None:
    measure = propose(case, ago=timedelta(hours=73))

    assert "nobody agreed in time" in post(carla, measure, "second")
    measure.refresh_from_db()
    assert measure.state == "proposed"


def test_nobody_agrees_for_a_case_that_is_closed_meanwhile(case: Case) -> None:
    measure = propose(case)
    Case.objects.filter(pk=case.pk).update(state=CaseState.CLOSED, resolution=Resolution.NO_RESPONSE, closed_at=NOON)
    measure = Intervention.objects.select_related("case").get(pk=measure.pk)

    with pytest.raises(NotAllowed, match="the case is closed"):
        agree(measure, actor="carla", now=timezone.now(), undo=UNDO, lasts=HOURS)


def test_two_people_at_once_decide_it_once(case: Case) -> None:
    measure = propose(case)
    other = Intervention.objects.get(pk=measure.pk)
    agree(measure, actor="carla", now=timezone.now(), undo=UNDO, lasts=HOURS)

    with pytest.raises(NotAllowed, match="too late"):
        refuse(other, actor="dora", reason="no", now=timezone.now())


def test_the_menu_counts_what_waits(carla: Client, case: Case) -> None:
    propose(case)

    assert "1 wait for a second person" in carla.get("/").content.decode()


def test_as_many_queries_for_thirty_as_for_one(carla: Client, sql_of) -> None:  # type: ignore[no-untyped-def]
    propose(make_case("C-0", state=CaseState.ESCALATED))
    carla.get("/approvals")
    one = len(sql_of(lambda: carla.get("/approvals")))
    for number in range(1, 30):
        propose(make_case(f"C-{number}", state=CaseState.ESCALATED))

    assert len(sql_of(lambda: carla.get("/approvals"))) == one
    assert one <= 12


def test_no_more_than_a_page_is_shown_and_the_rest_is_one_click_away(carla: Client) -> None:
    for number in range(51):
        propose(make_case(f"C-{number}", state=CaseState.ESCALATED))
    page = page_of(carla)
    last = Intervention.objects.order_by("pk")[49].pk

    assert page.count("<article") == 50
    assert f'href="?after={last}"' in page
    assert carla.get(f"/approvals?after={last}").content.decode().count("<article") == 1
    assert carla.get("/approvals?after=nonsense").status_code == 200


def test_a_restricted_senior_sees_only_theirs(case: Case) -> None:
    propose(case)
    client = Client()
    client.force_login(make_user("nora", "senior", only_brands=["Nordlicht"]))

    assert "Nothing waits for a second person" in page_of(client)
