"""Mails of ours that come back."""

from __future__ import annotations

import time
from typing import Any

import pytest

from complaints.models import Case, Contact, DeskTask, Message, Notice
from complaints.models.compression import pack
from complaints.notices.bounces import record_bounces
from complaints.notices.delivery import deliver_due
from complaints.notices.verp import bounce_address
from complaints.vocabulary import CaseState, CustomerStatus, EventKind
from tests.factories import NOON, make_contact, make_message
from tests.notices.rows import make_relay_case, queued

pytestmark = pytest.mark.django_db
REPORT = """From: MAILER-DAEMON@mx.example
Subject: Undelivered
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary=b

--b
Content-Type: text/plain

Sorry.
--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example

Final-Recipient: rfc822; m.brenn@brenn.example
Action: {action}
Status: 5.1.1
Diagnostic-Code: smtp; 550 5.1.1
 no such user

--b--
"""


@pytest.fixture
def notice(real_smtp) -> Any:
    found = queued(make_relay_case(state=CaseState.NOTIFIED))
    deliver_due(now=NOON)
    return found


def bounce(to: str = "", action: str = "failed", *, status: str = "5.1.1", original: str = "", extra: str = ""):
    text = extra + REPORT.format(action=action).replace("5.1.1", status)
    if original:
        text = text.replace("\n--b--", f"\n--b\nContent-Type: text/rfc822-headers\n\n{original}\n\n--b--")
    raw = text.replace("\n", "\r\n").encode()
    return make_message(raw, envelope_to=f"abuse@isp.example\n{to}", state="read")


def rows() -> list[tuple[str, str, int, str]]:
    found = Notice.objects.order_by("pk")
    return list(found.values_list("step", "to_email", "recipient", "state"))


def test_a_mail_that_came_back_is_failed_with_the_servers_reason_and_the_customer_is_not_told(notice):
    assert record_bounces([bounce(bounce_address(notice.pk))], now=NOON) == [notice.case_id]
    notice.refresh_from_db()
    assert (notice.state, notice.problem) == (Notice.State.FAILED, "came back: smtp; 550 5.1.1 no such user")
    assert notice.case.events.filter(kind=EventKind.NOTICE_FAILED).count() == 1
    assert Case.objects.get().customer_status == CustomerStatus.NONE


def test_the_same_bounce_read_twice_counts_once(notice):
    back = bounce(bounce_address(notice.pk))
    assert [record_bounces([back], now=NOON) for _ in range(2)] == [[notice.case_id], []]


@pytest.mark.parametrize("action", ["delayed", "delivered", "relayed", "expanded"])
def test_a_report_of_anything_but_failure_changes_nothing(notice, action):
    assert record_bounces([bounce(bounce_address(notice.pk), action)], now=NOON) == []


def test_a_bounce_to_an_address_we_never_wrote_changes_nothing(notice):
    assert record_bounces([bounce(f"bounce+{notice.pk}-0123456789@localhost")], now=NOON) == []
    assert record_bounces([bounce(bounce_address(notice.pk + 1), "FAILED")], now=NOON) == []


def test_a_customer_who_got_an_earlier_mail_stays_told(real_smtp, notice):
    second = queued(notice.case, "remind")
    deliver_due(now=NOON)
    record_bounces([bounce(bounce_address(second.pk))], now=NOON)
    assert Case.objects.get().customer_status == CustomerStatus.NOTIFIED


def test_the_letter_goes_to_the_next_contact_by_role_and_the_bad_address_is_marked(real_smtp, notice):
    contract = notice.case.contract
    make_contact(contract, email="it@brenn.example", role="technical", name="Ivo", language="en")
    make_contact(contract, email="gone@brenn.example", role="abuse", problem="bounced")
    record_bounces([bounce(bounce_address(notice.pk))], now=NOON)
    assert rows() == [
        ("notify", "m.brenn@brenn.example", 1, "failed"),
        ("notify", "it@brenn.example", 2, "queued"),
    ]
    assert Contact.objects.get(email="m.brenn@brenn.example").problem == "bounced"
    assert Case.objects.get().owner["contact_email"] == "it@brenn.example"
    assert DeskTask.objects.count() == 0
    deliver_due(now=NOON)
    assert [caught.rcpt_tos for caught in real_smtp.messages] == [["m.brenn@brenn.example"], ["it@brenn.example"]]


def test_when_no_contact_is_left_a_person_is_asked_once(real_smtp, notice):
    make_contact(notice.case.contract, email="it@brenn.example", role="technical")
    record_bounces([bounce(bounce_address(notice.pk))], now=NOON)
    deliver_due(now=NOON)
    back = bounce(bounce_address(Notice.objects.get(recipient=2).pk), extra="X-Try: 2\n")
    for _ in range(2):
        record_bounces([back], now=NOON)
    assert [row[3] for row in rows()] == ["failed", "failed"]
    task = DeskTask.objects.get()
    assert (task.kind, task.case_id) == ("nobody_reached", notice.case_id)


def test_an_address_refused_while_sending_is_marked_and_the_next_contact_gets_the_letter(real_smtp):
    case = make_relay_case(state=CaseState.NOTIFIED)
    make_contact(case.contract, email="it@brenn.example", role="technical")
    queued(case)
    real_smtp.rcpt_answers["m.brenn@brenn.example"] = "550 5.1.1 no such user"
    deliver_due(now=NOON)
    deliver_due(now=NOON)
    assert [row[1:] for row in rows()] == [("m.brenn@brenn.example", 1, "failed"), ("it@brenn.example", 2, "sent")]
    assert Contact.objects.get(email="m.brenn@brenn.example").problem == "bounced"


@pytest.mark.parametrize("status", ["5.7.1", "5.2.3", "5.6.1", "4.4.7"])
def test_a_refusal_of_the_mail_says_nothing_against_the_address(notice, status):
    record_bounces([bounce(bounce_address(notice.pk), status=status)], now=NOON)
    assert Notice.objects.get(pk=notice.pk).state == "failed"
    assert Contact.objects.get().problem == ""


def test_a_delay_is_waited_for_and_shown(notice):
    assert record_bounces([bounce(bounce_address(notice.pk), "delayed", status="4.4.1")], now=NOON) == []
    notice.refresh_from_db()
    assert (notice.state, notice.problem) == ("sent", "late: smtp; 550 4.4.1 no such user")
    assert rows() == [("notify", "m.brenn@brenn.example", 1, "sent")]


def test_a_bounce_to_our_address_is_known_by_the_original_in_it(notice):
    original = f"From: a@isp.example\nMessage-ID: {notice.message_id}\nX-Abuse-Case: {notice.case.number}"
    assert record_bounces([bounce(original=original)], now=NOON) == [notice.case_id]
    assert Notice.objects.get(pk=notice.pk).state == "failed"


def test_earlier_letters_of_the_thread_that_the_original_names_did_arrive(real_smtp, notice):
    second = queued(notice.case, "remind")
    deliver_due(now=NOON)
    original = f"Message-ID: {second.message_id}\nReferences: {notice.message_id}"
    record_bounces([bounce(original=original)], now=NOON)
    assert [row[3] for row in rows()] == ["sent", "failed"]


def test_a_guessed_case_number_changes_nothing_and_a_person_looks_once(notice):
    for _ in range(3):
        forged = bounce(original=f"Subject: x {time.monotonic_ns()}\nX-Abuse-Case: {notice.case.number}")
        assert record_bounces([forged], now=NOON) == []
    assert rows() == [("notify", "m.brenn@brenn.example", 1, "sent")]
    assert Contact.objects.get().problem == ""
    assert DeskTask.objects.get().kind == "perhaps_undelivered"


def test_no_next_letter_when_the_customer_has_answered_already(notice):
    make_contact(notice.case.contract, email="it@brenn.example", role="technical")
    Case.objects.update(customer_status=CustomerStatus.CLAIMS_FIXED)
    record_bounces([bounce(bounce_address(notice.pk))], now=NOON)
    assert rows() == [("notify", "m.brenn@brenn.example", 1, "failed")]


def test_ten_thousand_forged_bounces_change_nothing_and_one_true_one_counts(notice):
    number, domain = notice.case.number, bounce_address(notice.pk).rpartition("@")[2]
    forged = [
        Message(
            pk=10_000 + n,
            packed=pack(
                REPORT.format(action="failed").encode()
                + f"--b\nContent-Type: message/rfc822\n\nX-Abuse-Case: {number}\n"
                f"Message-ID: <case-{number}.notify-1.{n:016x}@{domain}>\n\n--b--\n".encode()
            ),
            envelope_to=f"bounce+{notice.pk}-{n:010x}@{domain}",
        )
        for n in range(10_000)
    ]
    began = time.process_time()
    for start in range(0, len(forged), 500):
        assert record_bounces(forged[start : start + 500], now=NOON) == []
    seconds = time.process_time() - began
    assert rows() == [("notify", "m.brenn@brenn.example", 1, "sent")]
    assert DeskTask.objects.count() == 0
    assert notice.case.events.filter(kind=EventKind.NOTICE_FAILED).count() == 0
    assert seconds < 60, f"{seconds:.1f} s"
    assert record_bounces([bounce(bounce_address(notice.pk))], now=NOON) == [notice.case_id]
