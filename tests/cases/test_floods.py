"""A sender who sends too much: the rest is read later, by itself, and nobody else waits for it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from complaints.cases import floods
from complaints.cases.floods import Gauge, end_floods, later_ids, let_through, sender_of
from complaints.models import DeskTask, Flood, Message, Reading, Reporter, SenderMinute
from complaints.pipeline import process_messages
from tests.factories import NOON, make_message

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def limits(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.FLOOD_PER_MINUTE, settings.FLOOD_PER_HOUR = 8, 100
    monkeypatch.setattr(floods, "GAUGE", Gauge())


def mails(count: int, sender: str = "bot@noise.example", *, at: datetime = NOON) -> list[Message]:
    first = Message.objects.count()
    return [
        make_message(f"From: Bot <{sender}>\r\nSubject: {n}\r\n\r\nhello\r\n".encode(), received_at=at)
        for n in range(first, first + count)
    ]


def passed(messages: list[Message], gauge: Gauge, *, now: datetime = NOON) -> int:
    for message in messages:
        Reading.objects.filter(pk=message.pk).update(claim="c", claimed_at=now)
    return len(let_through(messages, claim="c", now=now, gauge=gauge))


def test_what_is_beyond_the_limit_is_given_back_and_marked() -> None:
    gauge = Gauge()

    assert passed(mails(8), gauge) == 8
    assert passed(mails(5), gauge) == 0
    late = Reading.objects.filter(later=True)
    assert list(late.values_list("state", "claim", "claimed_at")) == [("waiting", "", None)] * 5


def test_the_oldest_of_a_batch_are_read_at_once() -> None:
    batch = mails(10)
    assert passed(batch, Gauge()) == 8
    assert later_ids(limit=9) == [message.pk for message in batch[8:]]


def test_one_at_a_time_they_are_held_back_as_well() -> None:
    gauge = Gauge()
    assert [passed(mails(1), gauge) for _ in range(12)] == [1] * 8 + [0] * 4


def test_processes_count_together() -> None:
    one, other = Gauge(), Gauge()
    assert passed(mails(5), one) == 5
    assert passed(mails(5), other) == 3


def test_others_are_not_held_back() -> None:
    gauge = Gauge()
    passed(mails(20), gauge)
    assert passed(mails(8, "lena@fine.example"), gauge) == 8


def test_a_new_minute_begins_anew_and_the_hour_goes_on() -> None:
    gauge = Gauge()
    through = [passed(mails(8, at=NOON + timedelta(minutes=n)), gauge) for n in range(14)]
    assert through == [8] * 12 + [4, 0]


def test_a_backlog_that_came_over_hours_is_no_flood() -> None:
    batch = [message for n in range(5) for message in mails(8, at=NOON + timedelta(minutes=n))]
    assert passed(batch, Gauge(), now=NOON + timedelta(hours=3)) == 40


def test_a_trusted_reporter_has_no_limit() -> None:
    Reporter.objects.create(address="bot@noise.example", first_seen_at=NOON, trust="trusted")
    assert passed(mails(30), Gauge()) == 30


def test_without_limits_nothing_is_counted(settings: Any) -> None:
    settings.FLOOD_PER_MINUTE = settings.FLOOD_PER_HOUR = 0
    assert passed(mails(30), Gauge()) == 30
    assert not SenderMinute.objects.exists()


def test_ordinary_mail_costs_no_statement(django_assert_num_queries: Any, settings: Any) -> None:
    settings.FLOOD_PER_MINUTE = settings.FLOOD_PER_HOUR = 800
    batch = mails(50)
    with django_assert_num_queries(0):
        let_through(batch, claim="c", now=NOON, gauge=Gauge())


def test_a_flood_is_one_task_and_ends_by_itself_when_all_is_read() -> None:
    gauge = Gauge()
    passed(mails(10), gauge)
    passed(mails(10), gauge)

    flood, task = Flood.objects.get(), DeskTask.objects.get()
    assert (flood.sender, flood.put_off, task.title) == ("bot@noise.example", 12, "Flood from bot@noise.example")
    assert end_floods(now=NOON + timedelta(hours=1)) == 0  # some still wait

    again = Message.objects.filter(pk__in=later_ids(limit=50))
    assert passed(list(again), gauge) == 12  # put off once, and not again
    Reading.objects.update(state="read")
    assert end_floods(now=NOON + timedelta(minutes=15)) == 0
    assert end_floods(now=NOON + timedelta(minutes=15, seconds=1)) == 1
    task.refresh_from_db()
    assert task.done_by == "machine"


def test_all_of_a_flood_is_read_in_the_end() -> None:
    ids = [message.pk for message in mails(30)]
    assert process_messages(ids, now=NOON).read == 8
    assert process_messages(later_ids(limit=50), now=NOON).read == 22
    assert not Reading.objects.filter(state="waiting").exists()


@pytest.mark.parametrize(
    ("raw", "sender"),
    [
        (b"Subject: x\r\nFrom: A <A@X.example>\r\n\r\nFrom: b@y.example\r\n", "a@x.example"),
        (b"from: a@x.example\n\n", "a@x.example"),
        (b"From: nobody\r\n\r\n", "env@z.example"),
        (b"X: 1\r\n\r\nFrom: b@y.example\r\n", "env@z.example"),
        (b"", "env@z.example"),
    ],
)
def test_the_sender_is_whom_the_mail_names_or_its_envelope(raw: bytes, sender: str) -> None:
    assert sender_of(make_message(raw, envelope_from="env@z.example")) == sender
