"""Several letters to one address: one mail, and limits of a day."""

from __future__ import annotations

from datetime import timedelta

import pytest

from complaints.models import Notice
from complaints.notices.bounces import record_bounces
from complaints.notices.delivery import deliver_due
from complaints.notices.replies import record_replies
from complaints.notices.verp import bounce_address
from complaints.vocabulary import CaseState, Category, CustomerStatus
from tests.factories import NOON, make_case, make_contract, make_message
from tests.notices.rows import queued
from tests.notices.test_bounces import bounce

pytestmark = pytest.mark.django_db
TO = "it@brenn.example"
MORNING = NOON.replace(day=11, hour=8)


def case_of(name: str, *, to: str = TO, language: str = "en", category: Category = Category.SPAM, **columns):
    contract = make_contract(name, email=to)
    contract.contacts.update(language=language)
    columns = {"state": CaseState.NOTIFIED, "deadline_at": NOON + timedelta(days=3), **columns}
    return make_case(contract, category=category, **columns)


def notices(*names: str, **columns) -> list[Notice]:
    return [queued(case_of(name, **columns)) for name in names]


def test_three_cases_of_one_contact_are_one_mail_with_a_link_each(real_smtp):
    told = notices("C-1", "C-2", "C-3")
    assert deliver_due(now=NOON) == 3
    (caught,) = real_smtp.messages
    assert caught.rcpt_tos == [TO]
    assert caught.mail["Message-ID"] == told[0].message_id
    for kind in ("plain", "html"):
        body = caught.mail.get_body((kind,)).get_content()
        assert all(notice.case.number in body for notice in told)
        assert body.count("/c/") == 3 * (1 if kind == "plain" else 2)
        assert len({piece[:43] for piece in body.split("/c/")[1:]}) == 3
        assert "@@" not in body
    rows = Notice.objects.order_by("pk").values_list("state", "carried_by", "tries")
    assert list(rows) == [("sent", None, 1), ("sent", told[0].pk, 1), ("sent", told[0].pk, 1)]
    assert {n.case.customer_status for n in Notice.objects.all()} == {CustomerStatus.NOTIFIED}


@pytest.mark.parametrize("language", ["en", "de", "fr"])
def test_it_is_written_in_the_contacts_language(real_smtp, language):
    notices("C-1", "C-2", language=language)
    deliver_due(now=NOON)
    text = real_smtp.messages[0].mail.get_body(("plain",)).get_content()
    assert {"en": "Answer by", "de": "Antwort bis", "fr": "Réponse avant"}[language] in text


def test_what_is_urgent_goes_alone(real_smtp):
    notices("C-1", "C-2")
    queued(case_of("C-3", category=Category.PHISHING))
    deliver_due(now=NOON)
    assert len(real_smtp.messages) == 2


def test_other_contacts_never_share_a_mail(real_smtp):
    notices("C-1", "C-2")
    notices("C-3", to="other@brenn.example")
    deliver_due(now=NOON)
    assert sorted(caught.rcpt_tos for caught in real_smtp.messages) == [[TO], ["other@brenn.example"]]


def test_the_bounce_of_a_digest_finds_all_its_cases(real_smtp):
    told = notices("C-1", "C-2")
    deliver_due(now=NOON)
    cases = record_bounces([bounce(bounce_address(told[0].pk))], now=NOON)
    assert cases == sorted(notice.case_id for notice in told)
    assert set(Notice.objects.values_list("state", flat=True)) == {"failed"}


def test_the_answer_to_a_digest_stands_in_all_its_cases(real_smtp):
    told = notices("C-1", "C-2")
    deliver_due(now=NOON)
    raw = f"From: {TO}\r\nSubject: Re: hello\r\nIn-Reply-To: {told[0].message_id}\r\n\r\nBoth are fixed.\r\n"
    answer = make_message(raw.encode(), state="read")
    for _ in range(2):
        assert record_replies([answer], now=NOON).cases == sorted(notice.case_id for notice in told)
    assert [notice.case.events.filter(kind="customer_answered").count() for notice in told] == [1, 1]


def test_an_outage_postpones_all_of_a_digest_and_it_goes_once(real_smtp):
    notices("C-1", "C-2")
    real_smtp.data_answer = "451 4.3.0 later"
    deliver_due(now=NOON)
    assert list(Notice.objects.values_list("state", "tries")) == [("queued", 1), ("queued", 1)]
    real_smtp.data_answer = "250 ok"
    deliver_due(now=NOON + timedelta(hours=1))
    assert len(real_smtp.messages) == 1


def test_one_whose_case_was_closed_is_left_out(real_smtp):
    first, second = notices("C-1", "C-2")
    first.case.__class__.objects.filter(pk=first.case_id).update(state="closed", closed_at=NOON, resolution="not_abuse")
    deliver_due(now=NOON)
    (caught,) = real_smtp.messages
    assert caught.mail["Message-ID"] == second.message_id
    assert first.case.number not in caught.mail.get_body(("plain",)).get_content()


def test_more_than_a_days_mails_wait_for_the_mornings_digest(real_smtp, settings):
    settings.CUSTOMER_MAILS_A_DAY = 2
    for number in range(5):
        notices(f"C-{number}")
        deliver_due(now=NOON + timedelta(minutes=number))
    assert len(real_smtp.messages) == 2
    assert list(Notice.objects.filter(state="queued").values_list("due_at", flat=True)) == [MORNING] * 3
    queued(case_of("C-9", category=Category.PHISHING))
    deliver_due(now=NOON + timedelta(hours=1))
    assert len(real_smtp.messages) == 3
    deliver_due(now=MORNING - timedelta(seconds=1))
    assert len(real_smtp.messages) == 3
    deliver_due(now=MORNING)
    assert len(real_smtp.messages) == 4
    assert set(Notice.objects.values_list("state", "problem")) == {("sent", "")}


def test_letters_of_one_case_are_a_thread(real_smtp):
    case = case_of("C-1")
    ids = []
    for minutes, step in enumerate(("notify", "remind", "still_open")):
        ids.append(queued(case, step).message_id)
        deliver_due(now=NOON + timedelta(minutes=minutes))
    threads = [(c.mail["In-Reply-To"], c.mail["References"]) for c in real_smtp.messages]
    assert [" ".join((refs or "").split()) for _, refs in threads] == ["", ids[0], f"{ids[0]} {ids[1]}"]
    assert [reply for reply, _ in threads] == [None, ids[0], ids[1]]
    assert all(c.mail["List-Unsubscribe"] is None for c in real_smtp.messages)
