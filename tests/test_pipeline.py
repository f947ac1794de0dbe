from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError

from complaints import pipeline
from complaints.models import Case, Complaint, Reading
from complaints.pipeline import Processed, process_messages
from tests.factories import NOON, make_assignment, make_message, make_network

pytestmark = pytest.mark.django_db

ARF = b"""From: feedback@provider.example
To: abuse@isp.example
Subject: complaint
Date: Tue, 10 Mar 2026 11:58:00 +0000
MIME-Version: 1.0
Content-Type: multipart/report; report-type=feedback-report; boundary="b"

--b
Content-Type: text/plain

This is an abuse report.
--b
Content-Type: message/feedback-report

Feedback-Type: abuse
User-Agent: Loop/1.0
Version: 1
Source-IP: ADDRESS
Arrival-Date: Tue, 10 Mar 2026 11:50:00 +0000

--b
Content-Type: message/rfc822

Received: from mail.brenn.example (mail.brenn.example [ADDRESS])
\tby mx.provider.example; Tue, 10 Mar 2026 11:50:00 +0000
From: a@spam.example
To: b@provider.example
Subject: offer NUMBER
Message-ID: <NUMBER@spam.example>

buy
--b--
"""


def arf(number: int = 1, address: str = "192.0.2.10") -> bytes:
    return ARF.replace(b"NUMBER", str(number).encode()).replace(b"ADDRESS", address.encode())


@pytest.fixture(autouse=True)
def _line() -> None:
    make_network("192.0.2.0/24")
    make_assignment("C-1", "192.0.2.10/32")


def states() -> dict[int, str]:
    return dict(Reading.objects.values_list("message_id", "state"))


def test_a_report_becomes_a_complaint_with_its_owner_in_a_case() -> None:
    message = make_message(arf())
    done = process_messages([message.pk], now=NOON)

    case, complaint = Case.objects.get(), Complaint.objects.get()
    assert done == Processed(read=1, complaints=1, cases={case.pk}, opened=1)
    assert (complaint.case, complaint.address_text, complaint.contract.reference) == (case, "192.0.2.10", "C-1")
    assert complaint.seen_at == NOON - timedelta(minutes=10)
    assert states() == {message.pk: "read"}


def test_processing_twice_has_the_effect_of_once() -> None:
    message = make_message(arf())
    process_messages([message.pk], now=NOON)
    assert process_messages([message.pk], now=NOON) == Processed()


@pytest.mark.parametrize(
    ("address", "answer"), [("203.0.113.5", "not-ours"), ("192.0.2.11", "nobody"), ("192.0.2.10", "owner")]
)
def test_the_answers_of_attribution_are_kept_apart(address: str, answer: str) -> None:
    process_messages([make_message(arf(address=address)).pk], now=NOON)
    assert Complaint.objects.get().answer == answer


def test_a_broken_mail_is_shown_as_unread_and_holds_nobody_up() -> None:
    broken, good = make_message(b"\0" * 50), make_message(arf())
    done = process_messages([broken.pk, good.pk], now=NOON)

    assert (done.unread, done.complaints) == (1, 1)
    assert states() == {broken.pk: "unread", good.pk: "read"}
    assert Reading.objects.get(pk=broken.pk).problem != ""


def test_a_message_whose_raw_bytes_cannot_be_unpacked_is_parked_alone() -> None:
    messages = [make_message(arf(number)) for number in range(5)]
    poisoned = messages[3]
    poisoned.packed = b"not zstd"
    poisoned.save()

    done = process_messages([message.pk for message in messages], now=NOON)

    assert (done.read, done.unread, done.complaints) == (4, 1, 4)
    assert states() == {m.pk: "unread" if m == poisoned else "read" for m in messages}
    assert "ZstdError" in Reading.objects.get(pk=poisoned.pk).problem
    assert Case.objects.get().complaint_count == 4


def test_what_another_worker_holds_is_left_to_it_until_its_claim_is_stale() -> None:
    message = make_message(arf())
    Reading.objects.filter(pk=message.pk).update(claim="other", claimed_at=NOON)

    assert process_messages([message.pk], now=NOON + timedelta(minutes=9)) == Processed()
    assert process_messages([message.pk], now=NOON + timedelta(minutes=11)).complaints == 1


def test_a_worker_that_lost_its_claim_writes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    message = make_message(arf())

    def take_over(reads: Any) -> Any:
        Reading.objects.filter(pk=message.pk).update(claim="other")
        return accuse(reads)

    accuse = pipeline.accuse
    monkeypatch.setattr(pipeline, "accuse", take_over)

    assert process_messages([message.pk], now=NOON) == Processed()
    assert (states(), Complaint.objects.count()) == ({message.pk: "waiting"}, 0)


def test_a_database_that_is_away_leaves_the_messages_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    message = make_message(arf())

    def away(*_: Any, **__: Any) -> None:
        raise OperationalError("gone")

    monkeypatch.setattr(pipeline, "file_complaints", away)
    with pytest.raises(OperationalError):
        process_messages([message.pk], now=NOON)
    assert states() == {message.pk: "waiting"}


def test_a_time_that_has_not_come_yet_is_replaced_by_the_time_we_got_the_mail() -> None:
    future = arf().replace(b"Arrival-Date: Tue, 10 Mar 2026", b"Arrival-Date: Sat, 10 Mar 2096")
    process_messages([make_message(future).pk], now=NOON)
    assert Complaint.objects.get().seen_at == NOON
