"""Complaints whose owner a source of truth could not tell: shown as waiting, and looked up again by one click."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from complaints.models import AttributionWait
from tests.factories import NOON, make_complaint


@pytest.fixture
def wait(db: None) -> AttributionWait:
    complaint = make_complaint(answer="unsure", attribution={"reason": "The lease server is away"})
    due = timezone.now() + timedelta(hours=2, minutes=5)
    return AttributionWait.objects.create(complaint=complaint, why="resolver", started_at=NOON, due_at=due)


def test_a_wait_is_shown_with_the_time_of_its_next_try(ada: Client, wait: AttributionWait) -> None:
    page = ada.get("/unattributed?answer=unsure").content.decode()
    assert "asked again in 2 h" in page
    assert f"/unattributed/{wait.complaint_id}/again" in page


def test_it_is_looked_up_again_by_one_click(ada: Client, wait: AttributionWait) -> None:
    ada.post(f"/unattributed/{wait.complaint_id}/again")
    wait.refresh_from_db()
    assert wait.due_at <= timezone.now()


def test_what_was_given_up_begins_anew(ada: Client, wait: AttributionWait) -> None:
    AttributionWait.objects.update(outcome="exhausted", ended_at=NOON, tries=13)
    assert "no source could tell" in ada.get("/unattributed?answer=unsure").content.decode()

    ada.post(f"/unattributed/{wait.complaint_id}/again")
    wait.refresh_from_db()
    assert (wait.outcome, wait.tries, wait.ended_at) == ("", 0, None)


def test_what_was_answered_meanwhile_is_left_alone(ada: Client, wait: AttributionWait) -> None:
    AttributionWait.objects.update(outcome="answered", ended_at=NOON)
    ada.post(f"/unattributed/{wait.complaint_id}/again")
    wait.refresh_from_db()
    assert wait.outcome == "answered"
