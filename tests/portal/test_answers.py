"""What the customer can answer on their page, and what they cannot."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from complaints.cases.transitions import move_case, record
from complaints.models import Case
from complaints.notices.links import LIFETIME, revoke_link
from complaints.portal.views import ANSWERS_AN_HOUR
from complaints.vocabulary import CaseState, CustomerStatus, EventKind, Resolution
from tests.factories import make_user
from tests.notices.rows import make_link_and_token, make_relay_case

pytestmark = pytest.mark.django_db


@pytest.fixture
def case() -> Case:
    return make_relay_case(state=CaseState.NOTIFIED, customer_status=CustomerStatus.NOTIFIED, now=timezone.now())


@pytest.fixture
def address(case: Case) -> str:
    return address_of(case)


def address_of(case: Case) -> str:
    return f"/c/{make_link_and_token(case, now=timezone.now())[1]}"


def answers(case: Case) -> list[tuple[str, dict[str, Any]]]:
    events = case.events.filter(kind=EventKind.CUSTOMER_ANSWERED)
    return [(event.actor, event.data) for event in events]


def test_fixed_starts_the_verification(client, case, address):
    response = client.post(f"{address}/answer", {"kind": "fixed"})
    assert response.status_code == 302
    assert response["Location"] == f"{address}#now"
    case.refresh_from_db()
    assert (case.state, case.customer_status) == (CaseState.VERIFYING, CustomerStatus.CLAIMS_FIXED)
    assert case.fixed_claimed_at is not None


def test_fixed_pressed_twice_is_one_answer(client, case, address):
    for _ in range(2):
        assert client.post(f"{address}/answer", {"kind": "fixed"}).status_code == 302
    assert len(answers(case)) == 1


def test_a_cry_for_help_reaches_the_desk_word_for_word(client, case, address):
    client.post(f"{address}/answer", {"kind": "needs_help", "text": "Until Tuesday?\nOur technician is <away>."})
    case.refresh_from_db()
    assert (case.state, case.customer_status) == (CaseState.ANSWERED, CustomerStatus.ASKS_HELP)
    assert answers(case)[0][1]["text"].splitlines() == ["Until Tuesday?", "Our technician is <away>."]


def test_who_needs_only_time_says_so_without_a_word(client, case, address):
    assert "I only need more time" in client.get(address).content.decode()
    client.post(f"{address}/answer", {"kind": "needs_time"})
    case.refresh_from_db()
    assert case.customer_status == CustomerStatus.ASKS_TIME
    page = client.get(address).content.decode()
    assert "You asked for more time." in page
    assert "I only need more time" not in page


def test_who_found_nothing_says_so_and_the_page_says_what_follows(client, case, address):
    assert "what was seen, when, and where it is often found" in client.get(address).content.decode()
    client.post(f"{address}/answer", {"kind": "found_nothing", "text": "All devices are clean"})
    case.refresh_from_db()
    assert case.customer_status == CustomerStatus.FOUND_NOTHING
    page = client.get(address).content.decode()
    assert "You told us that you had looked and found nothing." in page
    assert "All devices are clean" in page
    assert "A person at our abuse desk reads it" in page


def test_not_my_line_must_be_confirmed_first(client, case, address):
    response = client.post(f"{address}/answer", {"kind": "not_me", "text": "We have no server"})
    assert response.status_code == 422
    assert "tick the box" in response.content.decode()
    assert "We have no server" in response.content.decode()
    assert answers(case) == []
    client.post(f"{address}/answer", {"kind": "not_me", "text": "We have no server", "confirm": "1"})
    case.refresh_from_db()
    assert (case.state, case.customer_status) == (CaseState.ANSWERED, CustomerStatus.DISPUTES)


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        ({"kind": "needs_help", "text": "  "}, "write a sentence"),
        ({"kind": "needs_help", "text": "x" * 5001}, "at most 5000 characters"),
        ({"kind": "give_me_root"}, "not understood"),
        ({}, "not understood"),
    ],
)
def test_an_answer_that_cannot_be_used_is_explained_and_changes_nothing(client, case, address, sent, words):
    response = client.post(f"{address}/answer", sent)
    assert response.status_code == 422
    assert words in response.content.decode()
    assert 'role="alert"' in response.content.decode()
    assert answers(case) == []


def test_a_form_of_another_site_is_refused(case, address):
    strict = Client(enforce_csrf_checks=True)
    assert strict.post(f"{address}/answer", {"kind": "fixed"}).status_code == 403
    assert answers(case) == []


def test_a_look_at_the_page_answers_nothing(client, case, address):
    assert client.get(f"{address}/answer?kind=fixed").status_code == 405
    client.get(f"{address}?kind=fixed")
    assert answers(case) == []


def test_after_ten_answers_in_an_hour_the_page_asks_for_patience(client, case, address):
    for _ in range(ANSWERS_AN_HOUR):
        assert client.post(f"{address}/answer", {"kind": "needs_help", "text": "hello?"}).status_code == 302
    response = client.post(f"{address}/answer", {"kind": "needs_help", "text": "once more"})
    assert response.status_code == 429
    assert "wait a little" in response.content.decode()
    assert len(answers(case)) == ANSWERS_AN_HOUR


def test_answers_of_an_hour_ago_do_not_count(client, case, address):
    for _ in range(ANSWERS_AN_HOUR):
        past = timezone.now() - timedelta(minutes=61)
        record(case, EventKind.CUSTOMER_ANSWERED, actor="customer", now=past, answer="needs_help", text="x")
    assert client.post(f"{address}/answer", {"kind": "fixed"}).status_code == 302


def test_a_closed_case_takes_no_answer_and_says_so_kindly(client, case, address):
    move_case(case, CaseState.CLOSED, actor="ada", reason="x", resolution=Resolution.NOT_ABUSE)
    response = client.post(f"{address}/answer", {"kind": "fixed"})
    assert response.status_code == 409
    assert "takes no answers at the moment" in response.content.decode()


@pytest.mark.parametrize("door", ["", "/status", "/answer"])
def test_a_dead_link_shows_a_page_that_helps(client, case, door):
    link, token = make_link_and_token(case, now=timezone.now())
    revoke_link(link)
    expired = make_link_and_token(case, now=timezone.now() - LIFETIME - timedelta(minutes=1))[1]
    for dead in (token, expired, "A" * 43, "nonsense", "%00"):
        send = client.post if door == "/answer" else client.get
        response = send(f"/c/{dead}{door}", {"kind": "fixed"})
        assert response.status_code == 404
        assert "This link does not work" in response.content.decode()
        assert "192.0.2.25" not in response.content.decode()
    assert answers(case) == []


def test_a_link_moves_its_own_case_only(client, case, address):
    other = make_relay_case(state=CaseState.NOTIFIED, category="phishing", now=timezone.now())
    client.post(f"{address_of(other)}/answer", {"kind": "fixed"})
    case.refresh_from_db()
    assert case.state == CaseState.NOTIFIED


def test_the_first_look_is_recorded_once(client, case, address):
    for _ in range(3):
        client.get(address)
    case.refresh_from_db()
    assert case.customer_status == CustomerStatus.SEEN
    assert case.events.filter(kind=EventKind.CUSTOMER_SAW).count() == 1


def test_a_look_by_the_desk_is_not_the_customers(client, case, address):
    client.force_login(make_user("ada"))
    body = client.get(address).content.decode()
    assert "Answers are recorded as “ada for the customer”" in body
    assert not case.events.filter(kind=EventKind.CUSTOMER_SAW).exists()


def test_an_answer_by_the_desk_carries_the_analysts_name(client, case, address):
    client.force_login(make_user("ada"))
    client.post(f"{address}/answer", {"kind": "needs_help", "text": "called us"})
    assert answers(case)[0][0] == "ada (for the customer)"
    assert "The abuse desk noted for you" in client.get(address).content.decode()


def test_an_answer_wakes_the_playbook_after_the_commit(client, address, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks() as calls:
        client.post(f"{address}/answer", {"kind": "fixed"})
    assert len(calls) == 1


def test_the_key_is_not_written_to_the_log(client, case, address, caplog):
    client.post(f"{address}/answer", {"kind": "not_me"})
    client.get("/c/" + "B" * 43)
    assert address.rpartition("/")[2] not in caplog.text
    assert "B" * 43 not in caplog.text
