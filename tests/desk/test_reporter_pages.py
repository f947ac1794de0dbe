"""Writing to reporters from the desk: asking, "not ours", and the answers that a person must read."""

from __future__ import annotations

from datetime import timedelta
from html import unescape

import pytest
from django.test import Client
from django.urls import reverse

from complaints.addresses import prefix_key
from complaints.models import AttributionWait, Case, Complaint, NetworkContact, Reporter, ReporterAnswer, ReporterMail
from tests.factories import NOON
from tests.notices.reporters import (
    ELSEWHERE,
    LENA,
    SHARED,
    answer_to,
    ask_lena,
    make_shared_address,
    receive,
    spam_from,
    vouch_for,
    written,
)

pytestmark = pytest.mark.django_db
ASK, NOT_OURS = "/unattributed?answer=unsure", "/not-ours"


@pytest.fixture(autouse=True)
def desk(settings):
    settings.DESK_EMAIL, settings.DEFAULT_FROM_EMAIL = "abuse@isp.example", "Example Net <abuse@isp.example>"
    settings.RDAP_URL = ""


def shown(client: Client, url: str) -> str:
    response = client.get(url)
    assert response.status_code == 200
    return unescape(response.content.decode())


def unsure() -> int:
    """Lena forgot the port, and nobody vouches for her: an analyst decides. The message's id."""
    make_shared_address()
    (message,) = receive(written(spam_from(SHARED)))
    return message.pk


def test_one_click_asks_and_a_second_one_changes_nothing(ada: Client):
    pk = unsure()
    assert "Ask the reporter" in shown(ada, ASK)
    for _ in range(2):
        assert ada.post(reverse("desk:ask", args=[pk])).status_code == 302
    assert [(mail.decided_by, mail.to_email) for mail in ReporterMail.objects.all()] == [("ada", LENA)]
    page = shown(ada, ASK)
    assert "asked, waits until" in page
    assert "Ask the reporter<" not in page


def test_the_mail_is_shown_as_it_will_be_sent(ada: Client):
    pk = unsure()
    before = shown(ada, reverse("desk:ask", args=[pk]))
    ada.post(reverse("desk:ask", args=[pk]))
    mail = ReporterMail.objects.get()
    for wanted in (mail.text, mail.subject, mail.to_email, mail.references):
        assert wanted in before
    assert f"Send this mail to {LENA}" in before
    assert f"Send this mail to {LENA}" not in shown(ada, reverse("desk:ask", args=[pk]))


def test_what_must_not_be_answered_is_refused_with_the_reason(ada: Client):
    make_shared_address()
    (message,) = receive(written(spam_from(SHARED)), sender="")
    url = reverse("desk:ask", args=[message.pk])
    assert "its sender is the null sender" in shown(ada, url)
    response = ada.post(url, follow=True)
    assert "No mail was sent." in response.content.decode()
    assert not ReporterMail.objects.exists()


def test_a_message_without_complaints_asks_nothing(ada: Client):
    (message,) = receive(b"Subject: hello\r\nFrom: a@b.example\r\n\r\nhello\r\n")
    assert "Nothing is missing" in shown(ada, reverse("desk:ask", args=[message.pk]))


def test_what_a_limit_held_back_says_so_and_can_be_sent(ada: Client, settings):
    settings.REPORTER_MAILS_A_DAY = 0
    mail = ask_lena()
    page = shown(ada, ASK)
    assert "held back" in page
    assert "Ask the reporter<" in page
    ada.post(reverse("desk:ask", args=[mail.incoming_id]))
    mail.refresh_from_db()
    assert mail.state == "queued"


def test_a_question_without_an_answer_is_shown_and_can_be_put_aside(ada: Client):
    ask_lena()
    AttributionWait.objects.update(outcome="silent", ended_at=NOON)
    complaint = Complaint.objects.get()
    page = shown(ada, "/unattributed?answer=in-vain")
    assert "asked, no answer" in page
    ada.post(reverse("desk:leave-waiting", args=[complaint.pk]))
    assert 'class="empty"' in shown(ada, "/unattributed?answer=in-vain")
    assert SHARED in shown(ada, ASK)


# -- answers


def unclear(text: str = "I think it was twenty-one hundred\n") -> ReporterAnswer:
    receive(answer_to(ask_lena(), text))
    return ReporterAnswer.objects.get()


def test_an_unclear_answer_is_shown_with_its_text_and_its_question(ada: Client):
    answer = unclear("I think it was <b>twenty-one</b> hundred\n")
    raw = ada.get("/answers").content.decode()
    assert "&lt;b&gt;twenty-one&lt;/b&gt;" in raw
    page = unescape(raw)
    assert answer.problem in page
    assert SHARED in page
    assert LENA in page
    assert "There is an answer to read" in shown(ada, ASK)


def test_what_the_analyst_reads_from_it_files_the_complaint(ada: Client):
    answer, complaint = unclear(), Complaint.objects.get()
    ada.post(
        reverse("desk:answers-settle", args=[answer.pk]), {f"port-{complaint.pk}": "2100", f"at-{complaint.pk}": ""}
    )
    complaint.refresh_from_db()
    assert (complaint.contract.reference, complaint.case) == ("bruno", Case.objects.get())
    assert 'class="empty"' in shown(ada, "/answers")


@pytest.mark.parametrize(
    ("port", "at", "said"),
    [
        ("0", "", "no port"),
        ("65536", "", "no port"),
        ("٣", "", "no port"),
        ("", "2026-03-10 12:00", "no time zone"),
        ("", "noon", "not an ISO 8601 time"),
    ],
)
def test_nonsense_is_refused_and_nothing_is_lost(ada: Client, port, at, said):
    answer, pk = unclear(), Complaint.objects.get().pk
    response = ada.post(
        reverse("desk:answers-settle", args=[answer.pk]), {f"port-{pk}": port, f"at-{pk}": at}, follow=True
    )
    assert said in unescape(response.content.decode())
    answer.refresh_from_db()
    assert answer.state == "unclear"


def test_an_answer_with_nothing_in_it_is_put_aside_and_the_complaint_goes_on_waiting(ada: Client):
    answer = unclear()
    ada.post(reverse("desk:answers-settle", args=[answer.pk]), {"nothing": "1"})
    answer.refresh_from_db()
    assert (answer.state, answer.read_by) == ("read", "ada")
    assert AttributionWait.objects.get().outcome == ""


# -- not ours


def test_a_flood_about_one_address_is_one_line(ada: Client):
    receive(*(written(spam_from(ELSEWHERE), number=number) for number in range(5)))
    page = shown(ada, NOT_OURS)
    assert page.count("data-row") == 1
    assert "5 complaints in 5 mails" in page


def test_two_reporters_of_one_address_are_two_lines(ada: Client):
    receive(written(spam_from(ELSEWHERE)))
    receive(written(spam_from(ELSEWHERE), sender="max@other.example", number=2), sender="max@other.example")
    assert shown(ada, NOT_OURS).count("data-row") == 2


def test_the_contact_that_is_known_is_shown_and_told(ada: Client, settings):
    settings.RDAP_URL = "https://rdap.example"
    (message,) = receive(written(spam_from(ELSEWHERE)))
    for prefix, email, ends in (
        ("198.51.100.0/24", "abuse@other.example", NOON + timedelta(days=36500)),
        ("198.51.0.0/16", "wrong@around.example", NOON + timedelta(days=36500)),
        ("198.51.100.0/25", "old@other.example", NOON),
    ):
        NetworkContact.objects.create(
            key=prefix_key(prefix), email=email, name="Other Net", fetched_at=NOON, ask_again_at=ends
        )
    page = shown(ada, NOT_OURS)
    assert "abuse@other.example" in page
    assert "Look-ups are off" not in page
    mail = shown(ada, reverse("desk:tell-not-ours", args=[message.pk]))
    assert f"{ELSEWHERE}  Other Net, abuse contact: abuse@other.example" in mail


def test_a_network_without_a_contact_does_not_borrow_that_of_the_one_around_it(ada: Client):
    receive(written(spam_from(ELSEWHERE)))
    for prefix, email in (("198.51.100.0/24", ""), ("198.51.0.0/16", "wrong@around.example")):
        NetworkContact.objects.create(
            key=prefix_key(prefix), email=email, fetched_at=NOON, ask_again_at=NOON + timedelta(days=36500)
        )
    page = shown(ada, NOT_OURS)
    assert "wrong@around.example" not in page
    assert "not known" in page


def test_without_look_ups_the_page_says_so(ada: Client):
    assert "Look-ups are off" in shown(ada, NOT_OURS)


def test_a_reporter_is_told_once_and_the_list_says_so(ada: Client):
    vouch_for()
    (message,) = receive(written(spam_from(ELSEWHERE)))
    url = reverse("desk:tell-not-ours", args=[message.pk])
    assert "Tell the reporter …" in shown(ada, NOT_OURS)
    for _ in range(2):
        ada.post(url)
    assert ReporterMail.objects.get().kind == "not_ours"
    page = shown(ada, NOT_OURS)
    assert "on its way" in page
    assert "Tell the reporter …" not in page


def test_the_list_goes_on_where_the_page_ended_and_asks_the_same_few_questions(ada: Client, sql_of):
    receive(*(written(spam_from(f"198.51.100.{number}"), number=number) for number in range(1, 206)))
    questions = sql_of(lambda: ada.get(NOT_OURS))
    assert len(questions) < 12
    assert not [sql for sql in questions if "OFFSET" in sql or "COUNT(" in sql]
    page = shown(ada, NOT_OURS)
    assert page.count("data-row") == 200
    oldest = Complaint.objects.order_by("-pk")[199].pk
    assert f"?below={oldest}" in page
    assert shown(ada, f"{NOT_OURS}?below={oldest}").count("data-row") == 5


def test_the_unattributed_list_asks_the_same_few_questions_for_many_rows(ada: Client, sql_of):
    make_shared_address()
    vouch_for()
    receive(*(written(spam_from(SHARED), number=number) for number in range(40)))
    assert len(sql_of(lambda: ada.get(ASK))) < 12


def test_a_reporter_who_wishes_no_mail_is_marked(ada: Client):
    receive(written(spam_from(ELSEWHERE)))
    Reporter.objects.update(no_mail=True)
    assert "wishes no mail" in shown(ada, NOT_OURS)


def test_the_message_page_offers_the_question_and_shows_what_was_told_later(ada: Client):
    mail = ask_lena()
    page = shown(ada, f"/message/{mail.incoming_id}")
    assert "asked, waits until" in page
    receive(answer_to(mail, "source port 2100"))
    page = shown(ada, f"/message/{mail.incoming_id}")
    assert "The reporter told later" in page
    assert "port: 2100" in page
    assert "asked, waits until" not in page
