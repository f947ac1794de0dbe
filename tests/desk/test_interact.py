"""A letter, a move, a deadline and a measure in one submit: all of it or nothing."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.messages import get_messages
from django.test import Client
from django.utils import timezone

from complaints.cases.transitions import move_case
from complaints.desk.interact import plan_of
from complaints.interacting import NothingToDo, Wish, carry_out, from_stored, stored
from complaints.models import Case, DeskAction, DeskTask, Intervention, Notice
from complaints.vocabulary import CaseState, CustomerStatus, EventKind, MeasureKind, Resolution
from tests.desk.minute import after_the_minute
from tests.factories import NOON, make_case, make_contract, make_user

LETTER = "Please close port 25."


def post(client: Client, case: Case, **data: Any) -> Any:
    return client.post(f"/case/{case.pk}/interact", {"stay": case.stay, "number": 1, "do": "send", **data})


def told(response: Any) -> list[str]:
    return [str(message) for message in get_messages(response.wsgi_request)]


def as_it_stands(case: Case) -> tuple[Any, ...]:
    now = Case.objects.get(pk=case.pk)
    return (
        now.state,
        now.stay,
        now.deadline_at,
        Notice.objects.count(),
        Intervention.objects.count(),
        case.events.count(),
    )


def test_a_letter_a_move_a_deadline_and_a_measure_are_one_submit(bruno: Client) -> None:
    case = make_case(state="answered", customer_status=CustomerStatus.CLAIMS_FIXED)

    response = post(bruno, case, words=LETTER, to="notified", within="48", measure="limit_25", reason="it still sends")

    assert response["Location"] == f"/case/{case.pk}"
    assert Case.objects.get(pk=case.pk).state == "answered"  # it can still be taken back
    after_the_minute()
    now = Case.objects.get(pk=case.pk)
    assert now.state == CaseState.NOTIFIED
    assert now.deadline_at is not None
    assert abs(now.deadline_at - timezone.now() - timedelta(hours=48)) < timedelta(minutes=1)
    assert list(Notice.objects.values_list("step", "occurrence", "state")) == [("message", 1, "queued")]
    assert LETTER in Notice.objects.get().text
    assert list(Intervention.objects.values_list("kind", "state", "reason")) == [
        ("limit_25", "decided", "it still sends")
    ]
    assert {event.kind for event in case.events.all()} >= {EventKind.MOVED, EventKind.MEASURE, EventKind.NOTICE_QUEUED}


def test_a_look_shows_everything_and_does_nothing(bruno: Client) -> None:
    case = make_case(state="triage")
    before = as_it_stands(case)

    page = post(
        bruno, case, words=LETTER, to="notified", measure="suspend", reason="My reason", do="look"
    ).content.decode()

    assert as_it_stands(case) == before
    for sentence in (
        "A letter goes to c-1@customer.example.",
        "The case goes from “Triage” to “With the customer”.",
        "It begins only when a second person agrees.",
        LETTER,
        'value="My reason"',
        'value="send"',
    ):
        assert sentence in page


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({}, "Nothing is asked for"),
        ({"to": "answered"}, "Select a valid choice"),
        ({"measure": "limit_25"}, "Say why the measure is needed"),
        ({"to": "notified"}, "The customer was never told"),
        ({"to": "verifying"}, "The case cannot go from"),
        ({"words": "x" * 5001}, "at most 5000 characters"),
        ({"words": "y", "number": "0"}, "greater than or equal to 1"),
    ],
)
def test_what_cannot_be_done_is_refused_with_its_reason(bruno: Client, given: dict[str, str], sentence: str) -> None:
    case = make_case(state="triage")
    before = as_it_stands(case)

    response = post(bruno, case, **given)

    assert response.status_code in (400, 409)
    assert any(sentence in text for text in told(response)), told(response)
    assert as_it_stands(case) == before


def test_when_one_part_fails_no_part_is_done(db: None) -> None:
    case = make_case(make_contract(email=""), state="answered", customer_status=CustomerStatus.SEEN)
    before = as_it_stands(case)

    with pytest.raises(NothingToDo, match="No letter can go"):
        carry_out(case, Wish(words=LETTER, to=CaseState.VERIFYING), actor="ada", now=NOON)

    assert as_it_stands(case) == before


def test_a_measure_that_the_line_is_under_already_takes_the_letter_back(db: None) -> None:
    case = make_case(state="answered", customer_status=CustomerStatus.SEEN)
    wish = Wish(words=LETTER, measure=MeasureKind.LIMIT_25, reason="it sends")
    carry_out(case, wish, actor="ada", now=NOON)
    before = as_it_stands(case)

    with pytest.raises(NothingToDo, match="already"):
        carry_out(case, Wish(words="again", number=2, measure=wish.measure, reason="x"), actor="ada", now=NOON)

    assert as_it_stands(case) == before


@pytest.mark.parametrize("given", [{"words": LETTER}, {"words": LETTER, "to": "verifying"}, {"within": "24"}])
@pytest.mark.parametrize("do", ["look", "send"])
def test_a_page_older_than_the_case_changes_nothing_and_keeps_what_was_typed(
    ada: Client, given: dict[str, str], do: str
) -> None:
    case = make_case(state="triage")
    old = Case.objects.get(pk=case.pk)
    move_case(case, CaseState.NOTIFIED, actor="carla", reason="called them")
    before = as_it_stands(case)

    response = post(ada, old, do=do, **given)

    page = response.content.decode()
    assert response.status_code == 409
    assert as_it_stands(case) == before
    assert all(f">{value}</textarea>" in page for name, value in given.items() if name == "words")
    assert f'name="stay" value="{case.stay}"' in page


def test_a_move_between_reading_and_writing_takes_everything_back(db: None) -> None:
    case = make_case(state="answered", customer_status=CustomerStatus.SEEN)
    old = Case.objects.get(pk=case.pk)
    move_case(case, CaseState.VERIFYING, actor="carla", reason="x")
    before = as_it_stands(case)

    for wish in (Wish(words=LETTER), Wish(within=timedelta(days=1)), Wish(words=LETTER, to=CaseState.TRIAGE)):
        with pytest.raises(Exception, match="somebody else"):
            carry_out(old, wish, actor="ada", now=NOON)

    assert as_it_stands(case) == before


def test_the_same_submit_twice_writes_one_letter(ada: Client) -> None:
    case = make_case(state="triage")

    post(ada, case, words=LETTER)
    post(ada, case, words=LETTER)
    after_the_minute()
    post(ada, case, words=LETTER)
    after_the_minute()

    assert Notice.objects.count() == 1


def test_an_analyst_decides_no_measure(ada: Client) -> None:
    case = make_case(state="triage")

    for given in ({"measure": "limit_25", "reason": "x"}, {"to": "escalated"}):
        assert post(ada, case, words="kept words", **given).status_code == 403

    assert Notice.objects.count() == Intervention.objects.count() == 0


def test_a_deadline_alone_is_set_and_told(ada: Client) -> None:
    case = make_case(state="triage")

    post(ada, case, within="24", reason="waits for the bank")
    after_the_minute()

    (event,) = case.events.all()
    assert event.data["text"].startswith("Deadline set: ")
    assert event.data["text"].endswith("waits for the bank")
    assert Case.objects.get(pk=case.pk).deadline_at is not None


def test_a_deadline_that_the_playbook_would_break_is_the_playbooks(db: None) -> None:
    from complaints.playbooks.loading import activate_playbook, read_playbook

    now = timezone.now()
    case = make_case(
        state="notified", state_since=now, playbook=activate_playbook(read_playbook(), now=now),
        customer_status=CustomerStatus.NOTIFIED,
    )  # fmt: skip

    plan = plan_of(case, Wish(within=timedelta(days=14)), actor="ada", now=now)

    assert plan.lines[0].endswith("when the playbook escalates.")
    assert plan.lines[1].startswith("If nothing changes after that: the case escalates, ")


def test_a_closed_case_takes_none(ada: Client) -> None:
    case = make_case(state="closed", closed_at=NOON, resolution=Resolution.STALE)

    assert post(ada, case, words=LETTER).status_code == 409
    assert Notice.objects.count() == 0


def test_a_note_a_letter_and_the_end_are_one_submit(ada: Client) -> None:
    make_user("bruno", "analyst")
    case = make_case(state="answered", customer_status=CustomerStatus.DISPUTES)
    asked = {"words": LETTER, "note": "@bruno for you to know", "to": "closed", "resolution": "not_ours", "reason": "x"}

    response = post(ada, case, **asked)
    done = after_the_minute()

    assert told(response) == ["It asks, by a task: bruno."]
    now = Case.objects.get(pk=case.pk)
    assert (now.state, now.resolution) == (CaseState.CLOSED, Resolution.NOT_OURS)
    assert done.notices == [Notice.objects.get().pk]
    assert str(DeskTask.objects.get().to) == "bruno"
    assert DeskAction.objects.get().state == DeskAction.State.DONE


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"to": "closed"}, "Say how the case ended."),
        ({"to": "closed", "resolution": "stale"}, "Say why it is closed"),
        ({"resolution": "stale"}, "belongs to closing"),
        ({"to": "closed", "resolution": "stale", "reason": "x", "within": "24"}, "neither a deadline nor"),
        ({"to": "closed", "resolution": "fixed_verified", "reason": "x"}, "needs a check that came out clean"),
        ({"to": "closed", "resolution": "merged", "reason": "x"}, "Select a valid choice"),
    ],
)
def test_closing_with_more_needs_all_that_closing_needs(ada: Client, given: dict[str, str], sentence: str) -> None:
    case = make_case(state="triage")

    response = post(ada, case, **given)

    assert response.status_code in (400, 409)
    assert any(sentence in text for text in told(response)), told(response)
    assert DeskAction.objects.count() == 0


@pytest.mark.parametrize(
    "wish",
    [
        Wish(),
        Wish(words="w", number=3, note="n", to=CaseState.CLOSED, resolution=Resolution.STALE, reason="r"),
        Wish(within=timedelta(hours=48), measure=MeasureKind.LIMIT_25),
    ],
)
def test_a_wish_waits_as_json(wish: Wish) -> None:
    assert from_stored(json.loads(json.dumps(stored(wish)))) == wish


def test_a_deadline_counts_from_when_it_was_asked_for(db: None) -> None:
    case = make_case(state="triage")

    carry_out(case, Wish(within=timedelta(hours=24)), actor="ada", now=NOON + timedelta(minutes=1), asked_at=NOON)

    assert Case.objects.get(pk=case.pk).deadline_at == NOON + timedelta(hours=24)
