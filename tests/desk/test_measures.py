"""Measures, tasks and the kill switch, as people at the desk use them."""

from __future__ import annotations

from datetime import timedelta

from django.test import Client
from django.utils import timezone

from complaints.cases.tasks import open_task
from complaints.interventions import carry_out_due, decide_measure
from complaints.models import Case, DeskTask, Hold, Intervention
from complaints.vocabulary import CaseState, MeasureKind
from tests.factories import make_case


def escalated() -> Case:
    return make_case(state=CaseState.ESCALATED)


def post_measure(client: Client, case: Case, kind: str = "limit_25", **given: str) -> str:
    given = {"kind": kind, "reason": "It does not stop", "stay": str(case.stay)} | given
    return client.post(f"/case/{case.pk}/measures", given, follow=True).content.decode()


def decided(case: Case, *, due: bool = False) -> Intervention:
    undo = timedelta(0 if due else 600)
    now = timezone.now()
    return decide_measure(
        case, MeasureKind.LIMIT_25, step="limit", occurrence=1, actor="machine", reason="late", now=now, undo=undo
    )


def press(client: Client, measure: Intervention, verb: str, **given: str) -> str:
    return client.post(f"/measure/{measure.pk}/{verb}", given, follow=True).content.decode()


def test_a_measure_is_decided_with_its_reason_and_can_be_undone(bruno: Client) -> None:
    case = escalated()

    page = post_measure(bruno, case)
    measure = Intervention.objects.get()
    assert (measure.decided_by, measure.reason, measure.state) == ("bruno", "It does not stop", "decided")
    assert "until then it can be undone" in page
    assert f'formaction="/measure/{measure.pk}/undo"' in page

    assert "Undone. The line was not touched." in press(bruno, measure, "undo")
    measure.refresh_from_db()
    assert measure.state == "withdrawn"


def test_a_measure_without_a_reason_is_not_decided(bruno: Client) -> None:
    page = post_measure(bruno, escalated(), reason="")

    assert "Say why: somebody&#x27;s line is cut by it." in page
    assert not Intervention.objects.exists()


def test_a_page_older_than_the_case_decides_nothing(bruno: Client) -> None:
    page = post_measure(bruno, escalated(), stay="99")

    assert "somebody else moved this case" in page
    assert not Intervention.objects.exists()


def test_suspension_begins_when_a_second_person_agrees(bruno: Client, carla: Client) -> None:
    case = escalated()
    page = post_measure(bruno, case, "suspend")
    measure = Intervention.objects.get()
    assert "only when a second person agrees" in page
    assert f"/measure/{measure.pk}/second" not in page  # no button for who proposed it

    assert "you proposed it yourself" in press(bruno, measure, "second")
    assert f"/measure/{measure.pk}/second" in carla.get(f"/case/{case.pk}").content.decode()
    assert "You agreed." in press(carla, measure, "second")
    measure.refresh_from_db()
    assert (measure.state, measure.seconded_by) == ("decided", "carla")


def test_what_a_colleague_did_is_confirmed_on_the_list_of_tasks(bruno: Client) -> None:
    case = escalated()
    measure = decided(case, due=True)
    carry_out_due(now=timezone.now() + timedelta(seconds=1))

    page = bruno.get("/tasks").content.decode()
    assert "Block outgoing tcp/25: contract C-1" in page
    assert case.number in page
    page = press(bruno, measure, "confirm", **{"from": "tasks"})

    assert "No open task" in page
    measure.refresh_from_db()
    assert measure.state == "in_force"
    assert "Release the line" in bruno.get(f"/case/{case.pk}").content.decode()


def test_a_line_is_released_by_a_click(bruno: Client) -> None:
    measure = decided(escalated())
    Intervention.objects.update(state="in_force")

    assert "The line is being freed." in press(bruno, measure, "release")
    measure.refresh_from_db()
    assert (measure.state, measure.release_by) == ("release_due", "bruno")


def test_an_act_that_comes_too_late_changes_nothing(bruno: Client) -> None:
    measure = decided(escalated())
    Intervention.objects.update(state="in_force")

    assert "Nothing was changed: too late: the measure is in force by now." in press(bruno, measure, "undo")


def test_unknown_acts_and_switches_are_not_found(bruno: Client) -> None:
    measure = decided(escalated())

    assert bruno.post(f"/measure/{measure.pk}/explode").status_code == 404
    assert bruno.post("/holds/everything/hold", {"reason": "x"}).status_code == 404


def test_a_task_of_a_playbook_is_ended_by_a_person(ada: Client) -> None:
    task = open_task("playbook", "1/call/1", title="Call them", actor="machine", now=timezone.now())

    assert "Call them" in ada.get("/tasks").content.decode()
    assert "Done: Call them" in ada.post(f"/tasks/{task.pk}/done", follow=True).content.decode()
    assert "Somebody else has done it" in ada.post(f"/tasks/{task.pk}/done", follow=True).content.decode()
    assert DeskTask.objects.get().done_by == "ada"


def test_tasks_that_end_by_themselves_have_no_button(ada: Client) -> None:
    task = open_task("blacklist", "zen", title="zen fails its test", actor="machine", now=timezone.now())

    assert "ends by itself" in ada.get("/tasks").content.decode()
    assert ada.post(f"/tasks/{task.pk}/done").status_code == 404


def test_tasks_are_paged_by_key(ada: Client) -> None:
    now = timezone.now()
    for number in range(51):
        last = open_task("playbook", str(number), title=f"Task {number}", actor="machine", now=now)

    first = ada.get("/tasks").content.decode()
    assert "Task 49<" in first
    assert "Task 50<" not in first
    assert "Task 50<" in ada.get(f"/tasks?after={last.pk - 1}").content.decode()
    assert ada.get("/tasks?after=nonsense").status_code == 200


def test_anybody_may_hold_and_a_supervisor_lets_it_go_on(ada: Client, carla: Client) -> None:
    page = ada.post("/holds/mail/hold", {"reason": "wrong letter"}, follow=True).content.decode()
    assert "Held: all outgoing mail" in page
    assert "All outgoing mail is held." in ada.get("/").content.decode()

    assert "for supervisors" in ada.post("/holds/mail/go-on").content.decode()
    assert "It goes on." in carla.post("/holds/mail/go-on", follow=True).content.decode()
    assert "All outgoing mail is held." not in ada.get("/").content.decode()
    assert Hold.objects.get().ended_by == "carla"


def test_a_hold_without_a_reason_is_not_begun(ada: Client) -> None:
    response = ada.post("/holds/mail/hold", {"reason": ""})

    assert response.status_code == 400
    assert "Say why: the others will ask." in response.content.decode()
    assert not Hold.objects.exists()


def test_a_protected_line_says_so(bruno: Client) -> None:
    case = escalated()
    case.contract.customer.protected = True
    case.contract.customer.save()

    page = bruno.get(f"/case/{case.pk}").content.decode()

    assert "No machine may cut this line; two people may." in page
    assert "only when a second person agrees" in post_measure(bruno, case)
