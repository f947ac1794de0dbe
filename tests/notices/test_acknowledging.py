"""Receipts and outcomes to reporters: who gets one, what it says, and what it never says."""

from __future__ import annotations

from datetime import timedelta

import pytest

from complaints.cases.transitions import move_case
from complaints.models import Case, Complaint, OwedOutcome, Reporter, ReporterMail
from complaints.notices.answering import answer_by_machine
from complaints.notices.delivery import deliver_due
from complaints.notices.outcomes import Fate, outcome_of, tell_outcomes
from complaints.vocabulary import CaseState, CustomerStatus, Resolution
from tests.factories import NOON, make_assignment, make_network
from tests.notices.reporters import LENA, SHARED, make_shared_address, receive, spam_from, vouch_for, written

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)
OWN = "192.0.2.25"
Kind = ReporterMail.Kind


@pytest.fixture(autouse=True)
def desk(settings):
    settings.DESK_EMAIL, settings.DEFAULT_FROM_EMAIL = "abuse@isp.example", "Example Net <abuse@isp.example>"
    settings.ACKNOWLEDGE = False


def lena(wants: str = "") -> Reporter:
    reporter = vouch_for()
    Reporter.objects.filter(pk=reporter.pk).update(wants=wants)
    make_network("192.0.2.0/24")
    make_assignment("C-4711", f"{OWN}/32")
    return reporter


def kinds() -> list[str]:
    return list(ReporterMail.objects.order_by("pk").values_list("kind", flat=True))


def told(days: int, *, twice: bool = False) -> list[str]:
    """The kinds of all mails, after a look at what is owed so many days later."""
    for _ in range(1 + twice):
        tell_outcomes(now=NOON + days * DAY)
    return kinds()


def close(resolution: Resolution, case: Case | None = None) -> None:
    case = case or Case.objects.get()
    move_case(case, CaseState.CLOSED, actor="anna", reason="done", resolution=resolution, now=NOON)


@pytest.mark.parametrize(
    ("wants", "by_setting", "expected"),
    [
        ("", False, []),
        ("", True, ["acknowledged"]),
        ("acknowledgement", False, ["acknowledged"]),
        ("outcome", False, ["acknowledged"]),
        ("silence", True, []),
    ],
)
def test_a_receipt_goes_to_those_who_want_one(settings, wants, by_setting, expected):
    settings.ACKNOWLEDGE = by_setting
    lena(wants)
    receive(written(spam_from(OWN)))
    assert kinds() == expected


def test_nobody_gets_a_receipt_for_whom_nobody_vouches(settings):
    settings.ACKNOWLEDGE = True
    make_network("192.0.2.0/24")
    receive(written(spam_from(OWN)))
    assert kinds() == []


@pytest.mark.parametrize(
    "more",
    [
        "Auto-Submitted: auto-generated\n",
        "Precedence: bulk\n",
        "List-Id: <reports.example>\n",
        "X-Abuse-Answer: asks\n",
    ],
)
def test_a_machine_gets_no_receipt_whatever_it_wants(more):
    lena("outcome")
    receive(written(spam_from(OWN), more=more))
    assert kinds() == []


def test_a_receipt_is_decided_once_however_often_the_mail_is_read():
    lena("outcome")
    (message,) = receive(written(spam_from(OWN)))
    answer_by_machine([message.pk], now=NOON)
    assert kinds() == ["acknowledged"]
    assert OwedOutcome.objects.count() == 1


def test_a_question_takes_the_place_of_the_receipt():
    make_shared_address()
    Reporter.objects.filter(pk=vouch_for().pk).update(wants="acknowledgement")
    receive(written(spam_from(SHARED)))
    assert kinds() == ["ask_missing"]


def test_a_second_mail_in_the_same_thread_gets_no_second_receipt_that_day():
    lena("acknowledgement")
    more = "References: <1.lena@studio-hoff.example>\n"
    receive(written(spam_from(OWN)), written(spam_from(OWN), number=2, more=more))
    assert list(ReporterMail.objects.values_list("kind", "state")) == [("acknowledged", "queued")]


def test_the_receipt_names_our_reference_and_is_marked_as_automatic(real_smtp):
    lena("acknowledgement")
    (message,) = receive(written(spam_from(OWN)))
    deliver_due(model=ReporterMail, now=NOON)
    (caught,) = real_smtp.messages
    assert caught.rcpt_tos == [LENA]
    assert caught.mail["Auto-Submitted"] == "auto-replied"
    assert caught.mail["Subject"] == "Auto: Spam from your network"
    assert f"Our reference:   R{message.pk:06d}" in caught.mail.get_content()


@pytest.mark.parametrize(
    ("fates", "expected"),
    [
        ([], None),
        ([Fate("", False)], None),
        ([Fate("", True)], Kind.FORWARDED),
        ([Fate("", True), Fate("", False)], None),
        ([Fate("", True), Fate("no_response", True)], Kind.FORWARDED),
        ([Fate("fixed_verified", True)], Kind.FIXED),
        ([Fate("fixed_verified", True), Fate("fixed_verified", False)], Kind.FIXED),
        ([Fate("fixed_verified", True), Fate("stale", True)], Kind.CLOSED),
        ([Fate("stale", False)], Kind.TOO_OLD),
        *[
            ([Fate(each, True)], Kind.CLOSED)
            for each in ("fixed_not_verifiable", "no_response", "terminated", "not_abuse", "not_ours", "merged")
        ],
    ],
)
def test_what_can_be_said_of_a_report(fates, expected):
    assert outcome_of(fates) is expected


def test_the_reporter_hears_that_the_customer_was_told_and_that_it_is_fixed_once_a_day_at_most():
    lena("outcome")
    receive(written(spam_from(OWN)))
    Case.objects.update(customer_status=CustomerStatus.NOTIFIED)
    assert told(0) == ["acknowledged"]  # one a day in a thread
    assert told(1, twice=True) == ["acknowledged", "forwarded"]
    close(Resolution.FIXED_VERIFIED)
    assert told(1, twice=True) == ["acknowledged", "forwarded"]
    assert told(2, twice=True) == ["acknowledged", "forwarded", "fixed"]
    assert told(9) == ["acknowledged", "forwarded", "fixed"]
    assert OwedOutcome.objects.filter(ended_at=None).count() == 0


def test_whoever_wants_a_receipt_alone_hears_no_outcome():
    lena("acknowledgement")
    receive(written(spam_from(OWN)))
    close(Resolution.STALE)
    assert told(1) == ["acknowledged"]


def test_a_wish_taken_back_ends_what_is_owed():
    reporter = lena("outcome")
    receive(written(spam_from(OWN)))
    Reporter.objects.filter(pk=reporter.pk).update(wants="silence")
    close(Resolution.STALE)
    assert told(1) == ["acknowledged"]
    assert OwedOutcome.objects.get().remark == "its reporter does not want to hear the outcome any more"


def test_complaints_that_never_get_a_case_are_let_go_after_half_a_year():
    lena("outcome")
    receive(written(spam_from(OWN)))
    Complaint.objects.update(case=None)
    tell_outcomes(now=NOON + 181 * DAY)
    assert OwedOutcome.objects.get().remark == "nothing came of it within half a year"


@pytest.mark.parametrize("language", ["en", "de", "fr"])
def test_no_letter_says_who_the_customer_is(language):
    lena("outcome")
    receive(written(spam_from(OWN), more=f"Content-Language: {language}\n"))
    case = Case.objects.get()
    for day, resolution in enumerate((Resolution.STALE, Resolution.FIXED_VERIFIED, Resolution.NO_RESPONSE), 1):
        Case.objects.filter(pk=case.pk).update(state="notified", closed_at=None, resolution="")
        close(resolution, Case.objects.get())
        OwedOutcome.objects.update(ended_at=None, due_at=NOON)
        told(day)
    assert kinds() == ["acknowledged", "too_old", "fixed", "closed"]
    secrets = [case.number, *(str(value) for value in case.owner.values() if value and len(str(value)) > 3)]
    for mail in ReporterMail.objects.all():
        assert mail.language == language
        assert [secret for secret in secrets if secret in mail.text + mail.subject] == []
