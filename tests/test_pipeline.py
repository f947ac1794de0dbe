import subprocess
import sys
from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError
from pytest_django import Settings

from complaints import pipeline
from complaints.models import Assignment, Case, Complaint, Reading, Reporter
from complaints.notices.compose import queue_notice
from complaints.notices.verp import bounce_address
from complaints.pipeline import Processed, process_messages
from complaints.playbooks.runner import advance_case
from complaints.vocabulary import ParsedComplaint
from complaints.waiting import claim_waiting, free, portions, release_dead
from tests.factories import NOON, make_assignment, make_case, make_message, make_network
from tests.notices.test_bounces import REPORT

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


def test_mail_to_the_probe_mailbox_that_is_no_probe_is_shown() -> None:
    complaint = arf().replace(b"To: abuse@isp.example", b"To: postmaster@probe.example")
    message = make_message(complaint, envelope_to="postmaster@probe.example")
    process_messages([message.pk], now=NOON)
    assert list(Reading.objects.values_list("state", "problem")) == [
        ("unread", "sent to the mailbox of the relay probes, and no probe of ours")
    ]


def test_the_case_of_a_mail_that_came_back_becomes_an_analysts_turn() -> None:
    case = make_case("C-1", state="notified", stay=2)
    queue_notice(case, "notify", occurrence=1, now=NOON)
    case.notices.update(state="sent")
    back = REPORT.format(action="failed").replace("\n", "\r\n").encode()
    message = make_message(back, envelope_to=bounce_address(case.notices.get().pk))

    assert process_messages([message.pk], now=NOON).cases == {case.pk}
    case.refresh_from_db()
    assert case.due_at == NOON
    advance_case(case.pk, now=NOON)
    case.refresh_from_db()
    assert (case.state, case.events.last().data["reason"]) == ("triage", "No mail has reached the customer")


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
    assert list(Reading.objects.values_list("claim", "claimed_at")) == [("", None)]  # the next sweep may read them


def dead_worker() -> str:
    """A claim of a process of this machine that is gone."""
    code = "from complaints.claims import new_claim; print(new_claim())"
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()


def dies_reading(*pks: int) -> None:
    """A worker takes these messages together and is killed."""
    claim = dead_worker()
    assert claim_waiting(pks, claim=claim, now=NOON).count == len(pks)
    release_dead(now=NOON)


def test_messages_of_a_dead_worker_are_read_alone_so_that_only_the_deadly_one_is_parked() -> None:
    good, deadly = make_message(arf(1)), make_message(arf(2))
    dies_reading(good.pk, deadly.pk)
    again = claim_waiting([good.pk, deadly.pk], claim="mine", now=NOON)
    assert (again.portions, again.suspects) == ([], [good.pk, deadly.pk])

    free("mine", [good.pk, deadly.pk])
    assert process_messages([good.pk], now=NOON).read == 1
    dies_reading(deadly.pk)
    assert states() == {good.pk: "read", deadly.pk: "waiting"}
    dies_reading(deadly.pk)
    assert states() == {good.pk: "read", deadly.pk: "unread"}
    assert Reading.objects.get(pk=deadly.pk).problem == "3 workers died while they read this"


def test_a_message_that_survived_a_dead_worker_is_read_without_a_trace_of_it() -> None:
    messages = [make_message(arf(number)) for number in range(3)]
    dies_reading(*(message.pk for message in messages))
    assert process_messages([message.pk for message in messages], now=NOON).complaints == 3
    assert set(Reading.objects.values_list("state", "problem")) == {("read", "")}


def test_a_batch_holds_no_more_mail_in_memory_than_fits() -> None:
    megabytes = [(1, 40 * 2**20), (2, 40 * 2**20), (3, 20 * 2**20), (4, 200 * 2**20), (5, 1)]
    assert list(portions(megabytes)) == [[1], [2, 3], [4], [5]]


@pytest.mark.parametrize(
    ("minutes", "seen", "exactly"), [(-1, -1, True), (5, 0, True), (5.1, 0, False), (60 * 23, 0, False)]
)
def test_abuse_is_never_later_than_the_mail_that_tells_of_it(minutes: float, seen: int, exactly: bool) -> None:
    """Else a clock that is wrong would make new abuse after a fix; one that is far off does not tell when it was."""
    message = make_message()
    told = ParsedComplaint(arrival_date=NOON + timedelta(minutes=minutes))
    assert pipeline.seen_at(message, told) == NOON + timedelta(minutes=seen)
    assert pipeline.tells_when(told, received_at=message.received_at) == exactly


@pytest.mark.parametrize(("hours", "exactly"), [(14, True), (14.1, False)])
def test_a_time_without_a_zone_may_seem_to_lie_ahead(hours: float, exactly: bool) -> None:
    """Ten in the evening in Kiribati is eight in the morning in UTC."""
    message = make_message()
    told = ParsedComplaint(arrival_date=NOON + timedelta(hours=hours), zone_known=False)
    assert pipeline.seen_at(message, told) == NOON
    assert pipeline.tells_when(told, received_at=message.received_at) == exactly


def test_a_clock_within_the_tolerance_of_a_change_of_holder_accuses_nobody(settings: Settings) -> None:
    """The report says 11:50, the line changed hands four minutes later."""
    changes = NOON - timedelta(minutes=6)
    Assignment.objects.update(valid_until=changes)
    make_assignment("C-2", "192.0.2.10/32", valid_from=changes)
    process_messages([make_message(arf(1)).pk], now=NOON)
    assert Complaint.objects.get().attribution["candidates"] == ["C-1", "C-2"]
    assert not Case.objects.exists()

    settings.CLOCK_TOLERANCE = 239
    process_messages([make_message(arf(2)).pk], now=NOON)
    assert Case.objects.get().contract.reference == "C-1"


def test_a_time_without_a_zone_is_as_unsure_as_the_zones_are_wide() -> None:
    changes = NOON - timedelta(hours=14)
    Assignment.objects.update(valid_until=changes)
    make_assignment("C-2", "192.0.2.10/32", valid_from=changes)
    zoneless = arf().replace(b"Arrival-Date: Tue, 10 Mar 2026 11:50:00 +0000", b"Arrival-Date: 2026-03-10 11:50:00")
    process_messages([make_message(zoneless).pk], now=NOON)
    process_messages([make_message(arf(2)).pk], now=NOON)
    first, second = Complaint.objects.order_by("message_id")
    assert (first.answer, first.attribution["candidates"]) == ("unsure", ["C-1", "C-2"])
    assert (second.answer, second.contract.reference) == ("owner", "C-2")


def test_a_time_that_has_not_come_yet_makes_the_owner_less_sure() -> None:
    future = arf().replace(b"Arrival-Date: Tue, 10 Mar 2026", b"Arrival-Date: Wed, 11 Mar 2026")
    process_messages([make_message(future).pk], now=NOON)
    complaint = Complaint.objects.get()
    assert (complaint.seen_at, complaint.seen_exactly, complaint.confidence) == (NOON, False, 0.855)


def test_a_time_that_has_not_come_yet_is_replaced_by_the_time_we_got_the_mail() -> None:
    future = arf().replace(b"Arrival-Date: Tue, 10 Mar 2026", b"Arrival-Date: Sat, 10 Mar 2096")
    process_messages([make_message(future).pk], now=NOON)
    assert Complaint.objects.get().seen_at == NOON


def test_a_stranger_who_names_a_case_is_shown_to_a_human() -> None:
    process_messages([make_message(arf()).pk], now=NOON)
    number = Case.objects.get().number
    stranger = make_message(f"From: a@b.example\r\nSubject: Re: Spam (case {number})\r\n\r\nIt is fixed.\r\n".encode())
    process_messages([stranger.pk], now=NOON)

    assert states()[stranger.pk] == "unread"
    assert Reading.objects.get(pk=stranger.pk).problem.startswith("speaks of a case of ours")


@pytest.mark.parametrize(
    ("result", "authenticated"),
    [
        (b"mx.isp.example; dkim=pass header.d=provider.example", True),
        (b"mx.isp.example; dkim=fail header.d=provider.example", False),
        (b"mx.stranger.example; dkim=pass header.d=provider.example", False),
        (b"mx.isp.example; dkim=pass header.d=spammer.example", False),
    ],
)
def test_only_our_own_mail_server_vouches_for_a_reporter(
    settings: Settings, result: bytes, authenticated: bool
) -> None:
    settings.AUTHSERV_ID = "mx.isp.example"
    process_messages([make_message(b"Authentication-Results: " + result + b"\n" + arf()).pk], now=NOON)
    assert Reporter.objects.get(address="feedback@provider.example").authenticated is authenticated
    assert Complaint.objects.get().evidence.get("authenticated") == ("provider.example" if authenticated else None)


def test_report_that_says_no_time_is_about_the_days_before_its_mail() -> None:
    silent = arf().replace(b"Arrival-Date: Tue, 10 Mar 2026", b"X-Then: Tue, 10 Mar 2026")
    silent = silent.replace(b"Received: ", b"X-Received: ")
    process_messages([make_message(silent).pk], now=NOON)
    complaint = Complaint.objects.get()
    assert (complaint.seen_exactly, complaint.confidence) == (False, 0.855)
    assert "gives no time" in complaint.attribution["reason"]
