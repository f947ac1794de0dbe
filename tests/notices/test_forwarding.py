"""Complaints on their way to a reseller's own abuse desk."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from complaints.formats import read_message
from complaints.formats.xarf_schema import schema_problems
from complaints.models import Case, Complaint, Forward, Notice, Product, Reporter
from complaints.notices.bounces import record_bounces
from complaints.notices.delivery import deliver_due
from complaints.notices.forwarding import forward_complaints
from complaints.notices.redaction import Redactor
from complaints.notices.replies import record_replies
from complaints.notices.verp import forward_bounce_address
from complaints.playbooks.actions import notify
from complaints.playbooks.documents import Step
from complaints.playbooks.runner import advance_case
from complaints.vocabulary import CaseState, Category, CustomerStatus, ParsedComplaint
from tests.factories import NOON, make_case, make_contact, make_contract, make_message
from tests.notices.test_bounces import bounce

pytestmark = pytest.mark.django_db
DESK = "abuse@reseller.example"
REPORTER, TRAP, MESSAGE_ID = "victim@reporter.example", "trap-7@spamtrap.example", "secret-token-99@mx.spamtrap.example"
SECRETS = (REPORTER, "reporter.example", TRAP, "trap-7", "spamtrap.example", "secret-token")


def reseller_case(*, forwarding: str = "xarf", kind: str = "reseller", count: int = 1, **columns) -> Case:
    Product.objects.get_or_create(name="wholesale", defaults={"kind": kind})
    contract = make_contract("R-1", product="wholesale")
    make_contact(contract, email=DESK, role="abuse", forwarding=forwarding)
    case = make_case(contract, **{"state": CaseState.NOTIFIED, "stay": 2, **columns})
    for number in range(count):
        add_complaint(case, number)
    return case


def add_complaint(case: Case, number: int = 0) -> Complaint:
    reporter, _ = Reporter.objects.get_or_create(address=REPORTER, defaults={"first_seen_at": NOON})
    return Complaint.objects.create(
        message=make_message(f"Subject: {number}\r\n\r\n{TRAP} {case.category}".encode(), state="read"),
        address=case.address, port=4711, seen_at=NOON + timedelta(seconds=number), received_at=NOON,
        category=case.category, format="arf", subject=f"pills for {TRAP}", original_message_id=MESSAGE_ID,
        evidence={"original_rcpt_to": [TRAP], "original_mail_from": "b-trap-7=spamtrap.example@shop.example",
                  "reporter": REPORTER, "received": [f"from x by mx.spamtrap.example for {TRAP}"],
                  "reported_uris": [f"https://shop.example/?{TRAP}", "https://shop.example/"],
                  "extra": {"evidence": [{"payload": "dHJhcA=="}], "reporter": {"org": REPORTER}, "protocol": "smtp"}},
        reporter=reporter, answer="owner", contract=case.contract, case=case,
    )  # fmt: skip


def sent(real_smtp):
    deliver_due(model=Forward, now=NOON)
    (caught,) = real_smtp.messages
    return caught


def report_in(caught) -> dict:
    return json.loads(next(part for part in caught.mail.walk() if part.get_filename() == "xarf.json").get_content())


def test_a_complaint_goes_as_valid_xarf_and_names_nobody(real_smtp):
    case = reseller_case()
    forward_complaints(case, now=NOON)
    caught = sent(real_smtp)
    report = report_in(caught)
    assert schema_problems(report) == []
    assert caught.rcpt_tos == [DESK]
    assert (report["source_identifier"], report["source_port"]) == ("192.0.2.10", 4711)
    assert (report["timestamp"], report["category"]) == ("2026-03-10T12:00:00Z", "messaging")
    whole = caught.raw.decode() + json.dumps(report)
    assert [secret for secret in SECRETS if secret in whole] == []
    assert case.number in caught.mail["Subject"]
    assert Case.objects.get().customer_status == CustomerStatus.NOTIFIED


def test_it_goes_as_arf_that_our_own_reader_understands(real_smtp):
    forward_complaints(reseller_case(forwarding="arf"), now=NOON)
    caught = sent(real_smtp)
    read = read_message(caught.raw)
    (complaint,) = read.complaints
    assert (read.format, complaint.source_ip, complaint.arrival_date) == ("arf", "192.0.2.10", NOON)
    assert caught.mail.get_content_type() == "multipart/report"
    assert caught.mail.get_param("report-type") == "feedback-report"
    assert [secret for secret in SECRETS if secret in caught.raw.decode()] == []


@pytest.mark.parametrize("category", list(Category))
@pytest.mark.parametrize("forwarding", ["xarf", "arf"])
def test_every_category_can_be_written(real_smtp, category, forwarding):
    forward_complaints(reseller_case(forwarding=forwarding, category=category), now=NOON)
    caught = sent(real_smtp)
    if Forward.objects.get().format == "xarf":
        assert schema_problems(report_in(caught)) == []
    else:
        assert caught.mail.get_content_type() == "multipart/report"
    assert [secret for secret in SECRETS if secret in caught.raw.decode()] == []


def test_the_same_address_has_the_same_mark_and_another_key_gives_another():
    one, other = Redactor(b"k" * 32), Redactor(b"x" * 32)
    assert one.address(TRAP) == one.address(TRAP.upper()) != one.address(REPORTER)
    assert one.address(TRAP) != other.address(TRAP)
    redacted = one.complaint(ParsedComplaint(original_rcpt_to=(TRAP,), original_subject=f"for {TRAP}"))
    assert redacted.original_subject == f"for {redacted.original_rcpt_to[0]}"


def test_the_first_letter_is_replaced_and_later_complaints_follow(real_smtp):
    case = reseller_case(state=CaseState.INVESTIGATING, stay=1)
    step = Step(id="notify", in_state=CaseState.INVESTIGATING, action="notify",
                params={"notice": "notify", "move_to": "notified", "deadline": "72h", "reason": "x"})  # fmt: skip
    notify.carry_out(case, step, now=NOON)
    assert (Notice.objects.count(), Forward.objects.count()) == (0, 1)
    add_complaint(case, 1)
    for _ in range(2):
        advance_case(case.pk, now=NOON)
    assert Forward.objects.count() == 2


@pytest.mark.parametrize("columns", [{"kind": "business"}, {"forwarding": ""}])
def test_only_a_reseller_that_wants_reports_gets_them(columns):
    assert forward_complaints(reseller_case(**columns), now=NOON) == []


def test_each_complaint_goes_once_and_the_days_limit_holds(real_smtp, settings):
    settings.FORWARDS_A_DAY = 3
    case = reseller_case(count=5)
    for _ in range(2):
        forward_complaints(case, now=NOON)
    assert Forward.objects.count() == 5
    for minutes in range(3):
        deliver_due(model=Forward, now=NOON + timedelta(minutes=minutes))
    assert len(real_smtp.messages) == 3
    deliver_due(model=Forward, now=NOON + timedelta(days=1))
    assert len(real_smtp.messages) == 5
    assert len({caught.mail["Message-ID"] for caught in real_smtp.messages}) == 5


def test_their_answer_stands_in_the_case_and_a_bounce_too(real_smtp):
    case = reseller_case()
    (made,) = forward_complaints(case, now=NOON)
    sent(real_smtp)
    raw = f"From: {DESK}\r\nSubject: Re: x\r\nIn-Reply-To: {made.message_id}\r\n\r\nCustomer cut off.\r\n"
    assert record_replies([make_message(raw.encode(), state="read")], now=NOON).cases == [case.pk]
    event = case.events.get(kind="customer_answered")
    assert (event.data["text"], event.data["forward"]) == ("Customer cut off.", made.pk)
    record_bounces([bounce(forward_bounce_address(made.pk))], now=NOON)
    made.refresh_from_db()
    assert made.state == Forward.State.FAILED
    assert case.events.filter(kind="forwarded", data__problem__startswith="came back").count() == 1


def test_a_closed_case_sends_nothing_more(real_smtp):
    forward_complaints(reseller_case(), now=NOON)
    Case.objects.update(state="closed", closed_at=NOON, resolution="not_abuse")
    deliver_due(model=Forward, now=NOON)
    assert real_smtp.messages == []
    assert Forward.objects.get().state == Forward.State.FAILED
