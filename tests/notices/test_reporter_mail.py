"""Asking a reporter: whom a machine asks, what the mail says, how it travels, and the limits it keeps."""

from __future__ import annotations

from datetime import timedelta

import pytest

from complaints.addresses import address_key
from complaints.cases.floods import later_ids
from complaints.models import AttributionWait, Complaint, Reporter, ReporterMail
from complaints.notices.answering import answer_by_machine
from complaints.notices.asking import ask_missing
from complaints.notices.bounces import record_bounces
from complaints.notices.delivery import deliver_due
from complaints.notices.reported import complaints_of
from complaints.notices.reporter_mail import NoAnswer
from complaints.notices.verp import mail_of_bounce
from complaints.pipeline import process_messages
from complaints.vocabulary import Answer
from tests.factories import NOON, make_assignment, make_message
from tests.notices.reporters import (
    ELSEWHERE,
    LENA,
    SHARED,
    answer_to,
    ask_lena,
    make_shared_address,
    receive,
    spam_from,
    spam_number,
    vouch_for,
    written,
)
from tests.notices.test_bounces import REPORT

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)
State = ReporterMail.State


@pytest.fixture(autouse=True)
def desk(settings):
    settings.DESK_EMAIL, settings.DEFAULT_FROM_EMAIL = "abuse@isp.example", "Example Net <abuse@isp.example>"


def send(now=NOON):
    return deliver_due(model=ReporterMail, now=now)


def kinds() -> list[tuple[str, str]]:
    return list(ReporterMail.objects.order_by("pk").values_list("kind", "state"))


def test_a_person_who_forgot_the_port_is_asked_at_once_and_the_complaint_is_parked():
    mail = ask_lena()
    assert (mail.kind, mail.state, mail.to_email, mail.decided_by) == ("ask_missing", "queued", LENA, "machine")
    wait = AttributionWait.objects.get()
    assert (wait.complaint, wait.why, wait.due_at) == (Complaint.objects.get(), "reporter", NOON + 7 * DAY)
    assert wait.reason == "The reporter was asked by mail for the source port"


def test_the_mail_is_threaded_marked_as_automatic_and_holds_nothing_of_theirs(real_smtp):
    mail = ask_lena(spam_from(SHARED) + "\nBuy cheap watches at http://spam.example\n")
    assert send() == 1
    (caught,) = real_smtp.messages
    assert caught.rcpt_tos == [LENA]
    assert mail_of_bounce(caught.mail_from) == f"r{mail.pk}"
    head = caught.mail
    assert head["Subject"] == "Auto: Spam from your network"
    assert head["In-Reply-To"] == head["References"] == "<1.lena@studio-hoff.example>"
    assert head["Message-ID"] == mail.message_id
    assert head["Auto-Submitted"] == "auto-replied"
    assert head["Content-Language"] == "en"
    assert head["From"] == "Example Net <abuse@isp.example>"
    assert head.get_content_type() == "text/plain"
    text = head.get_content().replace("\r\n", "\n")
    assert "watches" not in text
    assert len(text) < 2500
    assert f"    {SHARED}  2026-03-10 11:50:00 UTC  port missing\n" in text
    assert "Its Message-ID:  <1.lena@studio-hoff.example>" in text
    assert "RFC 6302" in text
    assert "1. The source port" in text
    assert "2. The transport protocol" in text


def test_a_thread_keeps_its_references(real_smtp):
    ask_lena(more="References: <first@x.example> <second@x.example>\n")
    send()
    assert real_smtp.messages[0].mail["References"] == (
        "<first@x.example> <second@x.example> <1.lena@studio-hoff.example>"
    )


def test_one_mail_asks_about_all_complaints_of_a_message():
    make_shared_address()
    vouch_for()
    text = spam_from(SHARED).replace(f"Source IP: {SHARED}\n", f"Source IP: {SHARED}\nSource IP: 203.0.113.8\n")
    for name, first in (("carla", 1024), ("dora", 2048)):
        make_assignment(name, "203.0.113.8/32", kind="cgnat", port_first=first, port_last=first + 1023)
    receive(written(text))
    mail = ReporterMail.objects.get()
    assert [line["address"] for line in mail.facts["complaints"]] == [SHARED, "203.0.113.8"]
    assert AttributionWait.objects.count() == 2


def test_the_same_mail_read_twice_is_answered_once():
    mail = ask_lena()
    receive(written(spam_from(SHARED)))
    ask_missing(complaints_of(mail.incoming, Answer.UNSURE), by="machine", now=NOON)
    assert kinds() == [("ask_missing", "queued")]


@pytest.mark.parametrize(
    ("more", "sender"),
    [
        ("Auto-Submitted: auto-generated\n", LENA),
        ("Precedence: bulk\n", LENA),
        ("List-Id: <x.example>\n", LENA),
        ("", ""),
        ("", "bounce+1@studio-hoff.example"),
        ("", "victim@somewhere.example"),
    ],
)
def test_a_machine_answers_no_machine_and_no_list(more, sender):
    make_shared_address()
    vouch_for()
    receive(written(spam_from(SHARED), more=more), sender=sender)
    assert Complaint.objects.get().answer == "unsure"
    assert not ReporterMail.objects.exists()
    assert not AttributionWait.objects.exists()


def test_a_machine_answers_nobody_for_whom_nobody_vouches():
    make_shared_address()
    receive(written(spam_from(SHARED)))
    assert not ReporterMail.objects.exists()


def test_a_reporter_who_wishes_no_mail_gets_none():
    make_shared_address()
    vouch_for()
    Reporter.objects.update(no_mail=True)
    receive(written(spam_from(SHARED)))
    assert not ReporterMail.objects.exists()


def test_where_our_server_proves_senders_a_mail_without_proof_is_not_answered(settings):
    settings.AUTHSERV_ID = "mx.isp.example"
    make_shared_address()
    vouch_for()
    receive(written(spam_from(SHARED)))
    assert not ReporterMail.objects.exists()
    proof = "Authentication-Results: mx.isp.example; dkim=pass header.d=studio-hoff.example\n"
    receive(proof.encode() + written(spam_from(SHARED), number=2))
    assert kinds() == [("ask_missing", "queued")]


def test_the_switch_leaves_asking_to_analysts(settings):
    settings.ASK_REPORTERS = False
    make_shared_address()
    vouch_for()
    (message,) = receive(written(spam_from(SHARED)))
    assert not ReporterMail.objects.exists()
    mail = ask_missing(complaints_of(message, Answer.UNSURE), by="ada", now=NOON)
    assert (mail.subject, mail.decided_by, mail.slot) == ("Re: Spam from your network", "ada", None)
    assert "A person at the abuse desk asked for this." in mail.text


def test_an_analyst_may_ask_a_reporters_script_but_nobody_asks_a_feedback_loop():
    make_shared_address()
    (message,) = receive(written(spam_from(SHARED), more="Auto-Submitted: auto-generated\n"))
    assert ask_missing(complaints_of(message, Answer.UNSURE), by="ada", now=NOON).state == State.QUEUED
    (other,) = receive(written(spam_from(SHARED), number=2))
    Complaint.objects.filter(message=other).update(format="arf")
    with pytest.raises(NoAnswer, match="feedback loop"):
        ask_missing(complaints_of(other, Answer.UNSURE), by="ada", now=NOON)


def test_nothing_is_asked_where_nothing_is_missing():
    make_shared_address()
    (message,) = receive(written(spam_from(ELSEWHERE)))
    with pytest.raises(NoAnswer, match="Nothing is missing"):
        ask_missing(complaints_of(message, Answer.UNSURE), by="ada", now=NOON)


# -- limits


def test_in_one_thread_there_is_one_mail_a_day():
    make_shared_address()
    vouch_for()
    thread = "References: <first@x.example>\n"
    for number, now in ((1, NOON), (2, NOON + timedelta(hours=11)), (3, NOON + DAY)):
        receive(written(spam_number(number), number=number, more=thread), now=now)
    assert [state for _, state in kinds()] == [State.QUEUED, State.WITHHELD, State.QUEUED]
    withheld = ReporterMail.objects.get(state=State.WITHHELD)
    assert withheld.problem == "Not sent: this reporter had an answer in the same thread today."
    assert AttributionWait.objects.count() == 2


def test_a_reporter_has_so_many_mails_a_day_and_the_others_go_on(settings):
    settings.REPORTER_MAILS_A_DAY = 2
    make_shared_address()
    max_ = vouch_for("max@other.example").address
    vouch_for()
    receive(*(written(spam_number(number), number=number) for number in range(4)))
    receive(written(spam_from(SHARED), sender=max_, number=9), sender=max_)
    assert [state for _, state in kinds()] == [State.QUEUED, State.QUEUED, State.WITHHELD, State.WITHHELD, State.QUEUED]
    assert "had 2 mails from us today" in ReporterMail.objects.filter(state=State.WITHHELD)[0].problem


def test_all_reporters_together_have_so_many_mails_a_day(settings):
    settings.REPORTER_MAILS_IN_ALL = 1
    make_shared_address()
    for name in ("a", "b"):
        address = vouch_for(f"{name}@{name}.example").address
        receive(written(spam_from(SHARED), sender=address, number=ord(name)), sender=address)
    assert [state for _, state in kinds()] == [State.QUEUED, State.WITHHELD]


def test_what_a_limit_withheld_an_analyst_sends(settings, real_smtp):
    settings.REPORTER_MAILS_A_DAY = 0
    mail = ask_lena()
    assert (mail.state, mail.text) == (State.WITHHELD, "")
    assert send() == 0
    for _ in range(2):
        ask_missing(complaints_of(mail.incoming, Answer.UNSURE), by="ada", now=NOON)
    assert send() == 1
    assert [caught.rcpt_tos for caught in real_smtp.messages] == [[LENA]]
    assert AttributionWait.objects.get().why == "reporter"


def test_a_flood_of_a_thousand_complaints_leads_to_the_allowed_mails(settings, real_smtp):
    settings.REPORTER_MAILS_A_DAY = 3
    make_shared_address()
    vouch_for()
    receive(*(written(spam_number(number), number=number) for number in range(1000)))
    process_messages(later_ids(limit=1000), now=NOON)  # what is beyond a limit a minute is read behind the rest
    while send():
        pass
    assert len(real_smtp.messages) == 3
    assert Complaint.objects.filter(answer="unsure").count() == 1000
    assert ReporterMail.objects.filter(state=State.WITHHELD).exclude(problem="").count() == 997


# -- on the way


def test_an_outage_loses_and_doubles_nothing(real_smtp, settings, free_port):
    mail = ask_lena()
    working, settings.EMAIL_PORT = settings.EMAIL_PORT, free_port
    send()
    mail.refresh_from_db()
    assert (mail.state, mail.tries) == (State.QUEUED, 1)
    settings.EMAIL_PORT = working
    for minutes in range(5):
        send(NOON + timedelta(minutes=minutes))
    assert [caught.mail["Message-ID"] for caught in real_smtp.messages] == [mail.message_id]


def test_what_was_answered_meanwhile_is_not_asked_any_more(real_smtp):
    mail = ask_lena()
    Complaint.objects.update(answer="owner")
    send()
    mail.refresh_from_db()
    assert real_smtp.messages == []
    assert (mail.state, "answered before" in mail.problem) == (State.FAILED, True)


def test_a_question_that_comes_back_is_failed_and_answers_nobody(real_smtp):
    mail = ask_lena()
    send()
    to = real_smtp.messages[0].mail_from
    back = make_message(REPORT.format(action="failed").replace("\n", "\r\n").encode(), envelope_to=to, state="read")
    assert record_bounces([back, back], now=NOON) == []
    mail.refresh_from_db()
    assert (mail.state, mail.problem) == (State.FAILED, "came back: smtp; 550 5.1.1 no such user")
    assert AttributionWait.objects.get().outcome == "silent"


def test_a_question_that_the_server_refuses_for_good_waits_in_vain_at_once(real_smtp):
    mail = ask_lena()
    real_smtp.rcpt_answers[LENA] = "550 5.1.1 no such user"
    send()
    mail.refresh_from_db()
    assert (mail.state, "550 5.1.1" in mail.problem) == (State.FAILED, True)
    assert AttributionWait.objects.get().outcome == "silent"


# -- "not ours"


def test_not_ours_is_told_by_machine_only_where_it_is_switched_on(settings):
    vouch_for()
    receive(written(spam_from(ELSEWHERE)))
    assert not ReporterMail.objects.exists()
    settings.NOT_OURS_REPLY = True
    receive(written(spam_from(ELSEWHERE), number=2))
    mail = ReporterMail.objects.get()
    assert (mail.kind, mail.state) == ("not_ours", "queued")
    assert f"    {ELSEWHERE}\n" in mail.text
    assert not AttributionWait.objects.exists()


def test_of_a_mail_about_both_what_is_missing_is_asked_and_the_rest_left_to_an_analyst(settings):
    settings.ASK_REPORTERS = False
    make_shared_address()
    vouch_for()
    (message,) = receive(written(spam_from(SHARED)))
    complaint = Complaint.objects.get()
    complaint.pk, complaint.address, complaint.answer = None, address_key(ELSEWHERE), "not-ours"
    complaint.save()
    settings.ASK_REPORTERS = settings.NOT_OURS_REPLY = True
    answer_by_machine([message.pk], now=NOON)
    assert kinds() == [("ask_missing", "queued"), ("not_ours", "withheld")]


def test_an_answer_to_our_question_is_not_answered():
    mail = ask_lena()
    receive(answer_to(mail, "What do you mean?"))
    assert kinds() == [("ask_missing", "queued")]
