"""The conversation of a case: threads kept apart, and an analyst's own words, sent once."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from complaints.models import Case, CaseEvent, Complaint, Notice, ReporterMail
from complaints.notices.delivery import deliver_due
from complaints.notices.replies import record_replies, subject_mark
from complaints.vocabulary import CaseState
from tests.factories import NOON, make_assignment, make_case, make_message, make_network
from tests.notices.reporters import LENA, receive, spam_from, written
from tests.notices.rows import queued

pytestmark = pytest.mark.django_db


@pytest.fixture
def case() -> Case:
    return make_case("C-1", state=CaseState.NOTIFIED)


def write(client: Client, case: Case, **data: Any) -> Any:
    return client.post(f"/case/{case.pk}/conversation", {"to": "customer", "number": 1, "do": "send", **data})


def test_a_person_writes_to_the_customer_once_in_the_thread_of_the_last_mail(ada: Client, case: Case, real_smtp: Any):
    first = queued(case)
    deliver_due(now=NOON)
    for _ in range(2):
        write(ada, case, words="Please call us.\n\n1. Ask for Ada.")
    notice = Notice.objects.get(step="message")
    deliver_due([notice.pk])
    sent = real_smtp.messages[-1].mail
    assert len(real_smtp.messages) == 2
    assert sent["References"] == first.message_id
    assert sent["Subject"].endswith(subject_mark(case.number))
    assert "Please call us." in notice.text
    assert CaseEvent.objects.get(kind="note").actor == "ada"


def test_the_preview_sends_nothing(ada: Client, case: Case):
    page = write(ada, case, words="Please call us.", do="preview").content.decode()
    assert "So it would be sent" in page
    assert page.count("Please call us.") == 2  # in the box, and in the preview
    assert Notice.objects.count() == 0


def test_nothing_written_is_nothing_sent(ada: Client, case: Case):
    assert "write something first" in write(ada, case, words="  ").content.decode()
    assert Notice.objects.count() == 0


def test_a_closed_case_is_written_to_no_more(ada: Client):
    closed = make_case("C-2", state=CaseState.CLOSED, closed_at=NOON, resolution="stale")
    write(ada, closed, words="Hello")
    assert Notice.objects.count() == 0


@pytest.mark.parametrize(
    ("language", "word"), [("en", "Which machine"), ("de", "Welches Gerät"), ("fr", "De quelle machine")]
)
def test_a_text_to_begin_with_stands_in_the_customers_language(ada: Client, case: Case, language: str, word: str):
    Case.objects.filter(pk=case.pk).update(owner=case.owner | {"language": language})
    assert word in ada.get(f"/case/{case.pk}/conversation?phrase=0").content.decode()
    assert word not in ada.get(f"/case/{case.pk}/conversation?phrase=99").content.decode()


def test_a_reporter_is_answered_by_hand_once_for_the_same_words(ada: Client):
    make_network("192.0.2.0/24")
    make_assignment("C-4711", "192.0.2.25/32")
    (message,) = receive(written(spam_from("192.0.2.25")))
    case = Complaint.objects.get().case
    assert case is not None
    for words in ("Could you send us the log?", "Could you send us the log?", "Thank you!"):
        write(ada, case, to=message.pk, words=words)
    mails = ReporterMail.objects.order_by("pk")
    assert [(mail.kind, mail.to_email, mail.decided_by) for mail in mails] == [("message", LENA, "ada")] * 2
    assert case.number not in mails[0].text
    write(ada, case, to=message.pk + 1, words="To nobody")
    assert mails.count() == 2


def test_threads_are_kept_apart(ada: Client, case: Case):
    notice = queued(case)
    for sender in (notice.to_email, "someone@else.example"):
        raw = f"From: <{sender}>\r\nSubject: Re\r\nIn-Reply-To: {notice.message_id}\r\n\r\nWritten by {sender}.\r\n"
        record_replies([make_message(raw.encode())], now=NOON)
    page = ada.get(f"/case/{case.pk}/conversation").content.decode()
    customer, rest = page.split('<section id="reporters"')
    _, third = rest.split('<section id="third"')
    assert f"Written by {notice.to_email}." in customer
    assert "Written by someone@else.example." in third
    assert "Written by someone" not in customer
