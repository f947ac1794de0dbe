"""Reporters who answer: what they tell files the complaint, and what is not clear waits for a person."""

from __future__ import annotations

from datetime import timedelta

import pytest

from complaints.cases.reattribution import ask_due
from complaints.cases.waits import due_waits
from complaints.models import AttributionWait, Case, Complaint, Reading, ReporterAnswer, ReporterMail
from complaints.notices.asking import ask_missing
from complaints.notices.reported import complaints_of
from complaints.notices.reporter_answers import record_answers, settle_answer
from complaints.notices.told import Told
from complaints.vocabulary import Answer
from tests.factories import NOON, make_assignment, make_message, make_network
from tests.notices.reporters import LENA, SEEN, SHARED, answer_to, ask_lena, receive, spam_from, vouch_for, written

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def desk(settings):
    settings.DESK_EMAIL = "abuse@isp.example"


def the_answer() -> tuple[str, str]:
    answer = ReporterAnswer.objects.get()
    return answer.state, answer.problem


def test_the_port_that_a_reporter_tells_files_the_complaint_in_the_right_case():
    mail = ask_lena()
    assert not Case.objects.exists()
    (message,) = receive(answer_to(mail, "Hello,\nthe source port was 2100.\nLena\n"), now=NOON + HOUR)

    complaint = Complaint.objects.get()
    assert (complaint.answer, complaint.contract.reference) == ("owner", "bruno")
    assert complaint.case == Case.objects.get()
    assert complaint.evidence["told"] == {"port": 2100, "at": None, "message": message.pk}
    assert complaint.port == 0
    assert the_answer() == ("used", "")
    wait = AttributionWait.objects.get()
    assert (wait.outcome, wait.ended_at) == ("answered", NOON + HOUR)


def test_the_answer_is_no_complaint_of_its_own():
    mail = ask_lena()
    (message,) = receive(answer_to(mail, f"Source IP: {SHARED}, source port: 2100, spam again\n"))
    assert Complaint.objects.count() == 1
    assert Reading.objects.get(message=message).disposition == "reporter-reply"


def test_the_same_answer_counts_once():
    mail = ask_lena()
    messages = receive(answer_to(mail, "source port 2100"))
    assert record_answers(messages, now=NOON).told == {}
    assert ReporterAnswer.objects.count() == 1


def test_who_dies_after_keeping_an_answer_leaves_it_to_the_sweep():
    mail = ask_lena()
    message = make_message(answer_to(mail, "source port 2100"))
    assert list(record_answers([message], now=NOON + HOUR).told) == [message.pk]  # and nobody asks about it
    assert Complaint.objects.get().answer == "unsure"

    ask_due(due_waits(NOON + HOUR, limit=9), now=NOON + HOUR)

    assert Complaint.objects.get().contract.reference == "bruno"


@pytest.mark.parametrize("text", ["port 2100 or 1100", "Which address do you mean?", "Our own machine was to blame."])
def test_what_a_machine_cannot_read_waits_for_a_person_and_stays_parked(text):
    mail = ask_lena()
    receive(answer_to(mail, text))
    assert the_answer() == ("unclear", "A machine cannot tell for sure what the answer says.")
    assert ReporterAnswer.objects.get().text == text
    assert Complaint.objects.get().answer == "unsure"
    assert AttributionWait.objects.get().outcome == ""


@pytest.mark.parametrize("text", ["We have no ports.", "We are sorry, our server does not log that.", "Leider nicht."])
def test_an_answer_that_has_nothing_in_it_is_nobodys_work_and_is_kept(text):
    mail = ask_lena()
    receive(answer_to(mail, text))
    answer = ReporterAnswer.objects.get()
    assert (answer.state, answer.read_by, answer.text) == ("read", "machine", text)
    assert "put it away" in answer.problem
    assert Complaint.objects.get().answer == "unsure"
    assert AttributionWait.objects.get().outcome == ""


def test_our_own_letter_sent_back_without_marks_tells_nothing():
    mail = ask_lena()
    receive(answer_to(mail, mail.text.replace("\n", "\r\n")))
    assert the_answer()[0] == "unclear"
    assert Complaint.objects.get().answer == "unsure"


@pytest.mark.parametrize("language", ["en", "de", "fr"])
@pytest.mark.parametrize("seen", [f"{SEEN:%Y-%m-%d %H:%M:%S}", "unknown"])
def test_no_letter_of_ours_answers_itself(language, seen):
    make_network("203.0.113.0/24")
    make_assignment("anna", f"{SHARED}/32", kind="cgnat", port_first=1024, port_last=2047, valid_until=NOON - HOUR)
    make_assignment("bruno", f"{SHARED}/32", kind="cgnat", port_first=1024, port_last=2047, valid_from=NOON - HOUR)
    vouch_for()
    receive(written(spam_from(SHARED, seen=seen), more=f"Content-Language: {language}\n"))
    mail = ReporterMail.objects.get()
    assert mail.language == language
    receive(answer_to(mail, mail.text))
    assert Complaint.objects.get().answer == "unsure"
    assert ReporterAnswer.objects.get().told == []


def test_nor_does_it_when_its_lines_were_broken_anew():
    mail = ask_lena()
    receive(answer_to(mail, " ".join(mail.text.split()).replace("NNNNN", "51234")))
    assert the_answer()[0] == "unclear"
    assert Complaint.objects.get().answer == "unsure"


def test_a_port_of_nobody_is_an_answer_and_not_the_end():
    mail = ask_lena()
    receive(answer_to(mail, "source port 5000"))
    assert Complaint.objects.get().answer == "nobody"
    assert the_answer() == ("used", "")


def test_an_answer_from_somebody_else_waits_for_a_person():
    mail = ask_lena()
    receive(answer_to(mail, "source port 2100", sender="eve@evil.example"), sender="eve@evil.example")
    assert the_answer() == ("unclear", f"It comes from eve@evil.example, and we wrote to {LENA}.")
    assert Complaint.objects.get().answer == "unsure"


SIGNED = "Authentication-Results: mx.isp.example; dkim=pass header.d=studio-hoff.example\n"


@pytest.mark.parametrize(("more", "state"), [(SIGNED, "used"), ("", "unclear")])
def test_an_answer_must_be_proven_as_well_as_the_complaint_was(settings, more, state):
    settings.AUTHSERV_ID = "mx.isp.example"
    mail = ask_lena(more=SIGNED)
    receive(answer_to(mail, "The source port was 2050.\n").replace(b"MIME-Version", more.encode() + b"MIME-Version", 1))

    answer = ReporterAnswer.objects.get()
    assert answer.state == state
    assert ("Nothing proves that lena@studio-hoff.example" in answer.problem) is (state == "unclear")


def test_an_answer_to_a_complaint_that_nothing_proved_needs_no_more_than_it(settings):
    mail = ask_lena()
    settings.AUTHSERV_ID = "mx.isp.example"
    receive(answer_to(mail, "The source port was 2050.\n"))

    assert ReporterAnswer.objects.get().state == "used"


def test_an_id_that_we_never_gave_out_is_shown_as_unread():
    mail = ask_lena()
    forged = answer_to(mail, "source port 2100").replace(mail.message_id.encode(), b"<reporter-1." + b"0" * 16 + b"@x>")
    (message,) = receive(forged)
    assert Reading.objects.get(message=message).problem == "answers a mail to a reporter that we never wrote"
    assert not ReporterAnswer.objects.exists()


def test_a_vacation_note_in_answer_to_our_question_answers_nothing():
    mail = ask_lena()
    out = answer_to(mail, "source port 2100").replace(b"MIME-Version", b"Auto-Submitted: auto-replied\r\nMIME-Version")
    (message,) = receive(out)
    assert Reading.objects.get(message=message).disposition == "auto-reply"
    assert not ReporterAnswer.objects.exists()


def test_half_an_answer_is_kept_and_the_other_half_may_come_later():
    make_network("203.0.113.0/24")
    for first in (1024, 2048):
        make_assignment(f"old{first}", f"{SHARED}/32", kind="cgnat", port_first=first, port_last=first + 1023,
                        valid_until=NOON - HOUR)  # fmt: skip
        make_assignment(f"new{first}", f"{SHARED}/32", kind="cgnat", port_first=first, port_last=first + 1023,
                        valid_from=NOON - HOUR)  # fmt: skip
    vouch_for()
    receive(written(spam_from(SHARED, seen=f"{NOON - HOUR / 2:%Y-%m-%d %H:%M:%S}")))
    mail = ReporterMail.objects.get()
    assert mail.facts["complaints"][0]["missing"] == ["port", "zone"]
    receive(answer_to(mail, "source port 2100"))
    assert Complaint.objects.get().evidence["told"]["port"] == 2100
    assert Complaint.objects.get().answer == "unsure"
    receive(answer_to(mail, "The zone is +0100.", number=3))
    complaint = Complaint.objects.get()
    assert (complaint.answer, complaint.contract.reference) == ("owner", "old2048")
    assert complaint.evidence["told"]["port"] == 2100
    assert list(ReporterAnswer.objects.order_by("pk").values_list("state", flat=True)) == ["unclear", "used"]


def test_a_person_reads_what_a_machine_could_not():
    mail = ask_lena()
    receive(answer_to(mail, "I think it was twenty-one hundred"))
    answer = ReporterAnswer.objects.get()
    told = {Complaint.objects.get().pk: Told(port=2100)}
    assert settle_answer(answer, told, by="ada", now=NOON) == {Case.objects.get().pk}
    assert settle_answer(answer, told, by="max", now=NOON) == set()
    answer.refresh_from_db()
    assert (answer.state, answer.read_by) == ("read", "ada")
    assert Complaint.objects.get().contract.reference == "bruno"


def test_an_answer_that_comes_when_all_is_settled_needs_nobody():
    mail = ask_lena()
    receive(answer_to(mail, "source port 2100"))
    receive(answer_to(mail, "Did you get my mail?", number=3))
    assert [answer.state for answer in ReporterAnswer.objects.order_by("pk")] == ["used", "used"]


def test_a_reporters_answer_to_not_ours_is_for_a_person(settings):
    settings.NOT_OURS_REPLY = True
    vouch_for()
    receive(written(spam_from("198.51.100.9")))
    receive(answer_to(ReporterMail.objects.get(), "But it is yours!"))
    assert the_answer() == ("unclear", "It answers a mail of ours that asked nothing.")


def test_after_an_analyst_asked_the_answer_counts_the_same():
    make_network("203.0.113.0/24")
    make_assignment("anna", f"{SHARED}/32", kind="cgnat", port_first=1024, port_last=2047)
    (message,) = receive(written(spam_from(SHARED)))
    mail = ask_missing(complaints_of(message, Answer.UNSURE), by="ada", now=NOON)
    receive(answer_to(mail, "port 1100"))
    assert Complaint.objects.get().contract.reference == "anna"
