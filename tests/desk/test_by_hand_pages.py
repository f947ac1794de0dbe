"""The doors for what no format could read: by hand, aside, pasted, called in, taught."""

from __future__ import annotations

import pytest
from django.test import Client

from complaints.models import Complaint, Message, Reading, SenderRule
from tests.factories import make_assignment, make_message, make_network

ODD = (
    "From: report@cert-nord.example\nSubject: Hinweis\nDate: Tue, 10 Mar 2026 11:55:00 +0000\n\n"
    "Verursacher -> 192.0.2.10 <script>\nZeitpunkt -> 2026-03-10 11:50:00 +0000\n"
)
FILLED = {"source_ip": "192.0.2[.]10", "at": "2026-03-10 11:50:00 +0000", "category": "spam"}


@pytest.fixture
def odd(db: None) -> Message:
    make_network()
    make_assignment("C-1")
    message = make_message(ODD.encode(), state="unread")
    Reading.objects.filter(pk=message.pk).update(sender="report@cert-nord.example", problem="no format knew it")
    return message


def test_page_of_an_unread_mail_offers_what_the_text_says_of_our_addresses(ada: Client, odd: Message) -> None:
    page = ada.get(f"/message/{odd.pk}").content.decode()

    assert 'data-value="192.0.2.10"' in page
    assert 'name="source_ip" value="192.0.2.10"' in page
    assert 'value="report@cert-nord.example"' in page
    assert "&lt;script&gt;" in page


def test_complaint_is_filed_by_hand(ada: Client, odd: Message) -> None:
    answer = ada.post(f"/message/{odd.pk}/by-hand", FILLED, follow=True)

    complaint = Complaint.objects.get()
    assert (complaint.address_text, complaint.seen_exactly, complaint.contract.reference) == ("192.0.2.10", True, "C-1")
    assert "read by ada" in complaint.evidence["source_reason"]
    assert b"no longer unread" in answer.content


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"source_ip": "192.0.2.300"}, "192.0.2.300 is no IP address"),
        ({"source_ip": ""}, "which address or which page"),
        ({"at": "tomorrow"}, "Not read as a time"),
        ({"at": "2099-01-01 00:00 +0000"}, "has not come yet"),
        ({"url": "ftp://x.example"}, "must begin with http"),
        ({"reporter": "nobody"}, "Not a mail address"),
    ],
)
def test_what_does_not_fit_is_said_beside_its_field_and_nothing_is_lost(
    ada: Client, odd: Message, changes: dict[str, str], words: str
) -> None:
    answer = ada.post(f"/message/{odd.pk}/by-hand", {**FILLED, "subject": "win a car", **changes})

    assert answer.status_code == 422
    assert words in answer.content.decode()
    assert "win a car" in answer.content.decode()
    assert not Complaint.objects.exists()


def test_mail_is_put_aside_and_taken_back(ada: Client, odd: Message) -> None:
    ada.post(f"/message/{odd.pk}/aside", {"why": "a newsletter"})
    assert "Put aside by ada: a newsletter" in ada.get(f"/message/{odd.pk}").content.decode()
    ada.post(f"/message/{odd.pk}/unaside")
    assert Reading.objects.get(pk=odd.pk).state == "unread"


def test_pasted_mail_and_call_lead_to_their_message(ada: Client, odd: Message) -> None:
    text = "From: lena@x.example\nSubject: spam\n\nPlease stop the spam. Source IP: 192.0.2.10\n"
    pasted = ada.post("/enter", {"paste": "1", "mail": text}, follow=True)
    assert b"Read: 1 complaint." in pasted.content
    assert b"stored before" in ada.post("/enter", {"paste": "1", "mail": text}, follow=True).content

    call = {f"call-{name}": value for name, value in {**FILLED, "how": "telephone", "words": "Spam!"}.items()}
    called = ada.post("/enter", {"call": "1", **call}, follow=True)
    assert b"Written down and filed." in called.content
    assert Complaint.objects.count() == 2


@pytest.mark.parametrize("filled", [{"paste": "1", "mail": " "}, {"call": "1", "call-how": "telephone"}])
def test_empty_entry_says_what_is_missing(ada: Client, db: None, filled: dict[str, str]) -> None:
    assert ada.post("/enter", filled).status_code == 422
    assert Message.objects.count() == 0


def test_sender_is_taught_tried_and_put_in_use(carla: Client, odd: Message) -> None:
    wrong = carla.post(f"/message/{odd.pk}/teach", {"sender": "report@cert-nord.example", "category": "scan"})
    assert (wrong.status_code, b"Mark the address or the page" in wrong.content) == (422, True)

    shown = {"before_source_ip": "Verursacher -> ", "before_arrival_date": "Zeitpunkt -> "}
    page = carla.post(
        f"/message/{odd.pk}/teach", {"sender": "report@cert-nord.example", "category": "scan", **shown}, follow=True
    )
    assert b"It reads 1 of 1" in page.content
    rule = SenderRule.objects.get()
    used = carla.post(f"/sender-rules/{rule.pk}/use", follow=True)
    assert b"1 unread mail is being read again by it" in used.content
    assert b"in use" in carla.get("/sender-rules").content


def test_analyst_may_not_teach(ada: Client, odd: Message) -> None:
    assert b"Teach this sender" not in ada.get(f"/message/{odd.pk}").content
    assert ada.post(f"/message/{odd.pk}/teach", {}).status_code == 403
