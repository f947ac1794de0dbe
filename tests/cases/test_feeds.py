"""Feeds that fall silent, formats that start failing, and their tasks, which end by themselves."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest

from complaints.cases.feed_habits import is_failing, longest_usual
from complaints.cases.feeds import forget_feeds, no_longer_expected, watch_feeds
from complaints.models import DeskTask, Feed, Reading
from tests.factories import NOON, make_message

HOUR = timedelta(hours=1)
NOW = timedelta(0)
DAY = 24


@pytest.mark.parametrize(
    ("gaps", "hours"),
    [
        ([], None),
        ([1] * 11, None),
        ([1] * 12, 6),
        ([DAY] * 14, 48),
        ([1] * 200 + [14] * 2, 28),  # nothing at night
        ([1] * 60 + [62, 63], 124),  # nothing at week-ends
        ([1] * 200 + [300], 6),  # one outage of ours is no habit
        ([168] * 14, 336),  # once a week
        ([1, 1, 165, 1, 2, 167] * 4, 334),  # once a week, in several mails
        ([1, 5, 200, 3, 700, 2, 40, 90, 12, 300, 8, 600], None),  # a person who reports now and then
    ],
)
def test_how_long_a_feed_may_be_silent(gaps: list[int], hours: int | None) -> None:
    assert longest_usual(gaps) == hours


def gaps_of(hours: Callable[[datetime], bool], *, days: int) -> Iterator[tuple[list[int], timedelta, int]]:
    """A feed that writes in these hours, from a Monday on: its gaps, how long it is known, how long it is silent."""
    began = last = datetime(2026, 3, 9, 9, tzinfo=UTC)
    gaps: list[int] = []
    for hour in range(1, days * 24):
        now = began + hour * HOUR
        silent = (now - last) // HOUR
        yield gaps, last - began, silent
        if hours(now):
            gaps.append(silent)
            last = now


@pytest.mark.parametrize(
    "hours",
    [
        lambda at: at.weekday() < 5 and 9 <= at.hour < 17,  # an office
        lambda at: at.hour == 4,
        lambda at: at.hour in (4, 5, 6, 7) and at.weekday() < 6,
        lambda at: at.weekday() == 2 and at.hour < 3,  # once a week, in three parts
        lambda at: True,
    ],
    ids=["office hours", "each night", "four in each night but one", "once a week", "always"],
)
def test_a_feed_that_keeps_its_habit_is_never_called_silent(hours: Callable[[datetime], bool]) -> None:
    called = [
        (known.days, silent)
        for gaps, known, silent in gaps_of(hours, days=90)
        if (usual := longest_usual(gaps, known=known)) is not None and silent > usual
    ]
    assert called == []


@pytest.mark.parametrize(
    ("outcomes", "fails_now", "fails"),
    [
        ("", False, False),
        ("-------", False, False),  # too few to say
        ("--------", False, True),
        ("+" * 60, False, False),
        ("+" * 40 + "+++++++++++++++-----", False, True),
        ("+" * 40 + "+++++++++++++-+-+-+-", False, False),
        ("+" * 20 + "----", False, True),  # four in a row, after none
        ("+" * 20 + "---", False, False),
        ("+-" * 30, False, False),  # it was never better
        ("+" * 40 + "-" * 10 + "+" * 10, True, False),  # mended
        ("+" * 40 + "-" * 13 + "+" * 7, True, True),
    ],
)
def test_when_a_format_fails(outcomes: str, fails_now: bool, fails: bool) -> None:
    assert is_failing([each == "+" for each in outcomes], fails_now=fails_now) is fails


def mail(at: datetime, *, sender: str = "fbl@x.example", form: str = "arf", state: str = "read") -> Reading:
    made = make_message(f"{at}{sender}{form}{Reading.objects.count()}".encode(), state=state, received_at=at)
    told = {"format": form, "sender": sender, "disposition": "complaint" if state == "read" else "unreadable"}
    Reading.objects.filter(message=made).update(**told)
    return made.reading


def watch(at: datetime) -> int:
    return watch_feeds(now=at, lag=NOW)


def tasks() -> list[tuple[str, str]]:
    return sorted(DeskTask.objects.filter(done_at=None).values_list("kind", "key"))


@pytest.fixture
def hourly(db: None) -> datetime:
    """Two senders that wrote every hour for a day, until NOON; watched at each hour. Another one goes on."""
    for back in range(24, -1, -1):
        mail(NOON - back * HOUR)
        mail(NOON - back * HOUR, sender="other@y.example", form="xarf4")
    watch(NOON)
    Feed.objects.update(first_at=NOON - timedelta(days=15))
    return NOON


def test_a_sender_that_falls_silent_becomes_a_task_and_ends_it_when_it_comes_again(hourly: datetime) -> None:
    for hours in range(1, 8):
        mail(NOON + hours * HOUR, sender="other@y.example", form="xarf4")
    watch(NOON + 6 * HOUR)
    assert tasks() == []
    watch(NOON + 7 * HOUR)
    watch(NOON + 7 * HOUR)
    assert tasks() == [("feed-silent", "fbl@x.example")]

    mail(NOON + 8 * HOUR)
    watch(NOON + 8 * HOUR)
    assert tasks() == []
    assert DeskTask.objects.filter(done_by="machine").count() == 1


def test_the_task_names_who_writes_instead(hourly: datetime) -> None:
    for hours in range(1, 8):
        mail(NOON + hours * HOUR, sender="other@y.example", form="xarf4")
        mail(NOON + hours * HOUR, sender="reports@fbl.x.example")
    watch(NOON + 7 * HOUR)

    assert tasks() == [("feed-silent", "fbl@x.example")]
    told = "Since 2026-03-10 mail comes from reports@fbl.x.example: perhaps the address was changed."
    assert told in DeskTask.objects.get().text


def test_a_feed_that_is_known_for_two_days_may_rest_at_the_week_end(hourly: datetime) -> None:
    Feed.objects.update(first_at=NOON - timedelta(days=2))
    for hours in range(1, 82):
        mail(NOON + hours * HOUR, sender="other@y.example", form="xarf4")
    watch(NOON + 80 * HOUR)
    assert tasks() == []
    watch(NOON + 81 * HOUR)
    assert tasks() == [("feed-silent", "fbl@x.example")]


def test_when_nothing_comes_from_anybody_one_task_says_so(hourly: datetime) -> None:
    watch(NOON + 7 * HOUR)
    assert tasks() == [("feed-silent", "all feeds")]

    mail(NOON + 8 * HOUR)
    mail(NOON + 8 * HOUR, sender="other@y.example", form="xarf4")
    watch(NOON + 8 * HOUR)
    assert tasks() == []


def test_a_person_knows_that_it_has_stopped(hourly: datetime) -> None:
    for hours in range(1, 8):
        mail(NOON + hours * HOUR, sender="other@y.example", form="xarf4")
    watch(NOON + 7 * HOUR)
    no_longer_expected(Feed.objects.get(sender="fbl@x.example"), actor="ada", now=NOON)

    assert tasks() == []
    watch(NOON + 8 * HOUR)
    assert tasks() == [("feed-silent", "format arf")]


def test_a_format_that_starts_failing_becomes_a_task_until_its_mails_are_read(hourly: datetime) -> None:
    bad = [mail(NOON + HOUR, state="unread") for _ in range(10)]
    watch(NOON + HOUR)
    assert tasks() == [("feed-failing", "format arf")]

    Reading.objects.filter(pk__in=[each.pk for each in bad]).update(state="read")
    watch(NOON + 2 * HOUR)
    assert tasks() == []


def test_people_who_write_by_hand_are_no_feed(db: None) -> None:
    for hours in range(30):
        mail(NOON + hours * HOUR, form="freetext", sender="anna@x.example")
    watch(NOON + 30 * HOUR)

    assert Feed.objects.count() == 0


def test_a_mail_that_still_waits_is_heard_when_it_was_read(db: None) -> None:
    late = mail(NOON, state="waiting")
    mail(NOON)
    assert watch(NOON) == 0
    Reading.objects.filter(pk=late.pk).update(state="read", disposition="complaint")

    assert watch(NOON) == 2


def test_each_mail_is_heard_once(hourly: datetime) -> None:
    watch(NOON)
    feed = Feed.objects.get(sender="fbl@x.example")
    assert (len(feed.outcomes), feed.gaps) == (25, [1] * 24)


def test_what_nobody_heard_of_for_months_is_forgotten(hourly: datetime) -> None:
    assert forget_feeds(now=NOON + timedelta(days=91)) == 4
