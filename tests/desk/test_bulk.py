from __future__ import annotations

import html
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.messages import get_messages
from django.test import Client
from django.utils import timezone

from complaints import bulk, tasks
from complaints.cases.transitions import add_note, move_case
from complaints.models import Case, CaseEvent, CheckRun, DeskAction, DeskActionCase, SavedView, User
from complaints.vocabulary import CaseState, Resolution
from tests.factories import (
    NOON,
    make_assignment,
    make_case,
    make_complaint,
    make_contract,
    make_network,
    make_run,
    make_user,
)

CLOSING = {"kind": "close", "do": "1", "resolution": "not_abuse", "reason": "A newsletter they had asked for"}


def make_cases(count: int, **columns: Any) -> list[Case]:
    return [make_case(make_contract(f"C-{n}"), **({"state": "triage"} | columns)) for n in range(count)]


def picked(cases: list[Case]) -> dict[str, list[str]]:
    return {"case": [f"{case.pk}.{case.stay}" for case in cases]}


def states() -> list[str]:
    return list(Case.objects.order_by("pk").values_list("state", flat=True))


def results() -> list[tuple[str, str]]:
    return list(DeskActionCase.objects.order_by("case").values_list("state", "reason"))


def told(response: Any) -> list[str]:
    return [str(message) for message in get_messages(response.wsgi_request)]


def when_due() -> bulk.Done:
    action = DeskAction.objects.get()
    return bulk.carry_out_due(bulk.due_actions(action.due_at, limit=9), now=action.due_at)


def test_the_preview_says_which_are_closed_and_which_are_left_out_and_changes_nothing(ada: Client) -> None:
    one, two, closed = make_cases(3)
    move_case(closed, CaseState.CLOSED, actor="carla", reason="x", resolution=Resolution.STALE)

    page = ada.post("/bulk", {"kind": "close", **picked([one, two, closed])}).content.decode()

    assert "Close 2 cases?" in page
    assert re.findall(r'name="case" value="(\d+)\.', page) == [str(one.pk), str(two.pk)]
    assert "Left out: 1" in page
    assert "closed already" in page
    assert "Their customers are not written to" in page
    assert not DeskAction.objects.exists()


def test_closing_many_is_held_for_a_minute_and_then_done(ada: Client) -> None:
    cases = make_cases(3)

    ada.post("/bulk", CLOSING | picked(cases))
    assert states() == ["triage"] * 3
    action = DeskAction.objects.get()
    assert bulk.due_actions(action.due_at - timedelta(seconds=1), limit=9) == []

    done = when_due()

    assert states() == ["closed"] * 3
    assert sorted(done.cases) == [case.pk for case in cases]
    assert set(Case.objects.values_list("resolution", flat=True)) == {"not_abuse"}
    moved = CaseEvent.objects.filter(kind="moved").values_list("actor", "data__reason")
    assert list(moved) == [("ada", CLOSING["reason"])] * 3
    assert DeskAction.objects.get().state == DeskAction.State.DONE


def test_the_worker_does_what_is_due_and_nothing_before(ada: Client) -> None:
    ada.post("/bulk", CLOSING | picked(make_cases(2)))
    action = DeskAction.objects.get()

    tasks.carry_out_actions([action.pk])
    assert states() == ["triage"] * 2
    DeskAction.objects.update(due_at=timezone.now())
    tasks.carry_out_actions([action.pk])
    assert states() == ["closed"] * 2


def test_a_worker_that_died_halfway_is_followed_by_one_that_does_the_rest(ada: Client) -> None:
    cases = make_cases(2)
    ada.post("/bulk", CLOSING | picked(cases))
    DeskAction.objects.update(state="running")
    Case.objects.filter(pk=cases[0].pk).update(
        state="closed", stay=2, resolution="not_abuse", closed_at=timezone.now(), deadline_at=None
    )
    DeskActionCase.objects.filter(case=cases[0]).update(state="done")

    assert when_due().cases == [cases[1].pk]
    assert states() == ["closed"] * 2


def test_done_twice_it_happens_once(ada: Client) -> None:
    ada.post("/bulk", CLOSING | picked(make_cases(2)))

    first, second = when_due(), when_due()

    assert (len(first.cases), len(second.cases)) == (2, 0)
    assert CaseEvent.objects.filter(kind="moved").count() == 2


def test_within_the_minute_all_of_it_is_taken_back(ada: Client) -> None:
    ada.post("/bulk", CLOSING | picked(make_cases(3)))

    response = ada.post("/undo")

    assert told(response) == ["Taken back: 3 cases are as before."]
    assert when_due().cases == []
    assert states() == ["triage"] * 3
    assert results() == [("undone", "")] * 3


def test_a_case_that_moved_on_within_the_minute_is_left_out_and_the_others_are_closed(ada: Client) -> None:
    cases = make_cases(2)
    ada.post("/bulk", CLOSING | picked(cases))
    move_case(cases[0], CaseState.NOTIFIED, actor="carla", reason="told by phone")

    when_due()

    assert states() == ["notified", "closed"]
    assert results() == [("left_out", "it had moved on by then"), ("done", "")]


def test_a_page_older_than_the_case_closes_nothing(ada: Client) -> None:
    (case,) = make_cases(1)
    old = picked([case])
    move_case(case, CaseState.NOTIFIED, actor="carla", reason="told")

    assert told(ada.post("/bulk", CLOSING | old)) == ["Nothing was done: it has moved on since you saw it."]


def test_nobody_acts_on_a_case_that_a_colleague_is_about_to_close(ada: Client, carla: Client) -> None:
    cases = make_cases(1)
    ada.post("/bulk", CLOSING | picked(cases))

    assert told(carla.post("/bulk", CLOSING | picked(cases))) == [
        "Nothing was done: ada is acting on it at this moment."
    ]
    page = carla.get("/").content.decode()
    assert "Being closed by ada" in page
    assert re.search(r"data-pick[^>]* disabled", page)


@pytest.mark.parametrize("change", [{"resolution": ""}, {"reason": " "}, {"resolution": "merged"}])
def test_closing_without_a_word_asks_again_and_keeps_the_selection(ada: Client, change: dict[str, str]) -> None:
    cases = make_cases(2)

    response = ada.post("/bulk", CLOSING | change | picked(cases))

    assert response.status_code == 400
    assert len(re.findall(r'name="case" value', response.content.decode())) == 2
    assert not DeskAction.objects.exists()


def test_one_key_assigns_to_me_and_another_takes_it_back(ada: Client) -> None:
    carla = make_user("bruno")
    cases = make_cases(3, assignee=carla)
    Case.objects.filter(pk=cases[0].pk).update(assignee=None)
    holders = lambda: [case.assignee and case.assignee.username for case in Case.objects.order_by("pk")]  # noqa: E731

    ada.post("/bulk?to=me", {"kind": "assign"} | picked(cases))
    assert holders() == ["ada"] * 3
    Case.objects.filter(pk=cases[2].pk).update(assignee=None)  # given back by somebody meanwhile

    assert told(ada.post("/undo")) == ["Taken back: 2 cases are as before."]
    assert holders() == [None, "bruno", None]
    assert told(ada.post("/undo"))[-1:] == ["There is nothing of the last minute to take back."]


def test_assigning_to_another_asks_whom(ada: Client) -> None:
    make_user("bruno")
    cases = make_cases(1)

    assert '<option value="bruno">' in ada.post("/bulk", {"kind": "assign"} | picked(cases)).content.decode()
    ada.post("/bulk", {"kind": "assign", "do": "1", "to": "bruno"} | picked(cases))

    assert Case.objects.get().assignee.username == "bruno"  # type: ignore[union-attr]


def test_a_note_is_written_on_each_after_the_minute(ada: Client) -> None:
    cases = make_cases(2)
    ada.post("/bulk", {"kind": "note", "do": "1", "text": "Known outage"} | picked(cases))
    assert not CaseEvent.objects.filter(kind="note").exists()

    when_due()

    assert (
        list(CaseEvent.objects.filter(kind="note").values_list("actor", "data__text")) == [("ada", "Known outage")] * 2
    )


def test_checks_are_ordered_after_the_minute_under_the_safety_rules(ada: Client) -> None:
    make_network()
    cases = make_cases(2)
    make_assignment("C-0")
    make_complaint(cases[0])
    ada.post("/bulk", {"kind": "check", "do": "1"} | picked(cases[:1]))

    done = when_due()

    assert done.checks == list(CheckRun.objects.filter(state="queued").values_list("pk", flat=True)) != []


@pytest.mark.parametrize(
    ("here", "back"),
    [("/case/7?x=1", "/case/7?x=1"), ("//evil.example/", "/"), ("https://evil.example/", "/"), ("", "/")],
)
def test_taking_back_leads_to_where_the_key_was_pressed_and_nowhere_else(ada: Client, here: str, back: str) -> None:
    assert ada.post("/undo", {"next": here})["Location"] == back


def test_after_the_minute_nothing_is_taken_back(ada: Client) -> None:
    ada.post("/bulk", CLOSING | picked(make_cases(1)))
    action = DeskAction.objects.get()

    with pytest.raises(bulk.TooLate):
        bulk.undo(action, now=action.due_at)
    assert bulk.last_undoable(User.objects.get(), action.due_at) is None


def test_nobody_takes_back_what_a_colleague_did(ada: Client, carla: Client) -> None:
    ada.post("/bulk", CLOSING | picked(make_cases(1)))

    assert told(carla.post("/undo", {"action": DeskAction.objects.get().pk})) == [
        "There is nothing of the last minute to take back."
    ]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({"kind": "close"}, "No case was selected"),
        ({"kind": "sink", "case": ["1.1"]}, "Choose what to do"),
        ({"kind": "note", "case": ["x", "1", "1.-1", "٣.٣", "9" * 40 + ".1"]}, "No case was selected"),
        ({"kind": "note", "case": [f"{n}.1" for n in range(501)]}, "too many at once"),
    ],
)
def test_nonsense_is_refused_in_words(ada: Client, data: dict[str, Any], said: str) -> None:
    assert said in told(ada.post("/bulk", data))[0]


def test_the_queue_shows_what_was_done_with_the_way_back_and_what_became_of_it(ada: Client) -> None:
    cases = make_cases(2)
    ada.post("/bulk", CLOSING | picked(cases))
    assert "2 cases are about to be closed" in ada.get("/").content.decode()
    add_note(cases[0], actor="carla", text="x")

    when_due()

    page = ada.get("/").content.decode()
    assert "2 cases are closed" in page
    assert ada.get(f"/bulk/{DeskAction.objects.get().pk}").content.decode().count(">done</span>") == 2


@pytest.mark.parametrize("count", [1, 30])
def test_a_preview_takes_few_queries_however_many_cases(
    ada: Client, sql_of: Callable[[Callable[[], object]], list[str]], count: int
) -> None:
    cases = make_cases(count)

    assert len(sql_of(lambda: ada.post("/bulk", {"kind": "close"} | picked(cases)))) <= 12


def test_a_view_is_kept_for_oneself_or_for_all(ada: Client, carla: Client) -> None:
    ada.post("/views", {"name": "my morning", "query": "is:mine is:late"})
    ada.post("/views", {"name": "relays", "query": "cause:relay", "shared": "1"})

    assert ("my morning" in ada.get("/").content.decode(), "my morning" in carla.get("/").content.decode()) == (
        True,
        False,
    )
    page = carla.get("/").content.decode()
    assert '<a href="/?q=cause%3Arelay" data-command>relays</a>' in page
    assert "shared by ada" in page


def test_a_view_gets_a_new_search_by_its_name_and_is_removed_by_its_owner_alone(ada: Client, carla: Client) -> None:
    for query in ("is:late", "cause:bot"):
        ada.post("/views", {"name": "x", "query": query, "shared": "1"})
    view = SavedView.objects.get()
    assert view.query == "cause:bot"
    carla.post(f"/views/{view.pk}/forget")
    assert SavedView.objects.exists()
    ada.post(f"/views/{view.pk}/forget")
    assert not SavedView.objects.exists()


def test_a_search_that_is_none_is_not_kept(ada: Client) -> None:
    response = ada.post("/views", {"name": "x", "query": "cause:rely"})

    assert told(response) == ["This search cannot be kept: cause: “rely” is no cause."]


def test_the_form_beside_the_box_rewrites_the_search(ada: Client) -> None:
    response = ada.get("/narrow", {"q": "state:triage x", "state": "triage", "cause": "relay", "is": "late"})

    assert response["Location"] == "/?q=state%3Atriage+cause%3Arelay+is%3Alate+x"


def test_a_mistake_in_the_search_is_shown_where_it_stands(ada: Client) -> None:
    make_case(state="triage")
    page = ada.get("/", {"q": "state:triage cause:rely"}).content.decode()

    assert "state:triage cause:<mark>rely</mark>" in page
    assert "(character 20)" in page
    assert "<code>relay</code>" in page
    assert "data-row" not in page


def test_a_check_that_ends_bad_within_the_minute_keeps_the_case_open(ada: Client) -> None:
    (case,) = make_cases(1)
    make_run(case, state="done", verdict="clean", finished_at=NOON)
    ada.post("/bulk", CLOSING | {"resolution": "fixed_verified"} | picked([case]))
    make_run(case, state="done", verdict="bad", finished_at=NOON + timedelta(hours=1), occasion="later.1")

    when_due()

    assert states() == ["triage"]
    assert results() == [("left_out", "no clean check proves the fix")]


@pytest.mark.parametrize("nonsense", ["9" * 25 + ".1", "1." + "9" * 20])
def test_numbers_that_no_case_can_have_are_passed_over(ada: Client, nonsense: str) -> None:
    (case,) = make_cases(1)

    response = ada.post(
        "/bulk", {"kind": "assign", "to": "ada", "do": "1", "case": [f"{case.pk}.{case.stay}", nonsense]}
    )

    assert response.status_code == 302
    assert Case.objects.get().assignee is not None


@pytest.mark.parametrize("path", ["/", "/?tab=open", "/?q=is%3Aopen&after=1.2", "/tasks"])
def test_the_last_act_is_taken_back_on_the_page_where_one_is(ada: Client, path: str) -> None:
    [told] = re.findall(r'name="next" value="([^"]*)"', ada.get(path).content.decode())

    assert ada.post("/undo", {"next": html.unescape(told)})["Location"] == path


@pytest.mark.parametrize("odd", ["?tab=open", "https://evil.example/", "//evil.example", ""])
def test_what_is_no_path_of_ours_leads_to_the_queue(ada: Client, odd: str) -> None:
    assert ada.post("/undo", {"next": odd})["Location"] == "/"
