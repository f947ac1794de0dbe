"""When a letter goes, by the table."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from complaints.notices.timing import (
    MOST_IN_DIGEST,
    Letter,
    QuietHours,
    Rules,
    day_began,
    first_due,
    goes_at_once,
    in_mails,
    may_go,
    next_digest,
    waits_until,
)

PARIS = ZoneInfo("Europe/Paris")
NIGHT = QuietHours.parse("21:00-07:00")
SIESTA = QuietHours.parse("12:00-14:00")


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=PARIS).astimezone(UTC)


@pytest.mark.parametrize(
    ("quiet", "decided", "due"),
    [
        (None, "2026-03-10 23:00:00", "2026-03-10 23:01:00"),
        (NIGHT, "2026-03-10 20:58:00", "2026-03-10 20:59:00"),
        (NIGHT, "2026-03-10 20:59:00", "2026-03-11 07:00:00"),
        (NIGHT, "2026-03-10 23:59:30", "2026-03-11 07:00:00"),
        (NIGHT, "2026-03-11 06:58:59", "2026-03-11 07:00:00"),
        (NIGHT, "2026-03-11 06:59:00", "2026-03-11 07:00:00"),
        (NIGHT, "2026-03-11 07:00:00", "2026-03-11 07:01:00"),
        (SIESTA, "2026-03-11 11:59:00", "2026-03-11 14:00:00"),
        (SIESTA, "2026-03-11 14:00:00", "2026-03-11 14:01:00"),
        # The night in which clocks go forward, and the one in which they go back.
        (NIGHT, "2026-03-28 22:00:00", "2026-03-29 07:00:00"),
        (NIGHT, "2026-10-24 22:00:00", "2026-10-25 07:00:00"),
    ],
)
def test_a_letter_waits_for_the_undo_time_and_for_the_morning(quiet, decided, due):
    rules = Rules(PARIS, undo=timedelta(minutes=1), quiet=quiet)
    assert first_due(at(decided), at_once=False, rules=rules) == at(due)


def test_what_is_urgent_goes_at_night_but_can_be_taken_back_too():
    rules = Rules(PARIS, undo=timedelta(minutes=1), quiet=NIGHT)
    assert first_due(at("2026-03-10 23:00:07"), at_once=True, rules=rules) == at("2026-03-10 23:01:07")


@pytest.mark.parametrize(
    ("quiet", "now", "sent_today", "at_once", "until"),
    [
        (NIGHT, "2026-03-10 20:59:59", 1, False, None),
        (NIGHT, "2026-03-10 21:00:00", 1, False, "2026-03-11 07:00:00"),
        (NIGHT, "2026-03-11 06:59:59", 0, False, "2026-03-11 07:00:00"),
        (NIGHT, "2026-03-11 07:00:00", 0, False, None),
        (NIGHT, "2026-03-10 23:00:00", 9, True, None),
        (NIGHT, "2026-03-10 12:00:00", 2, False, "2026-03-11 07:00:00"),
        (None, "2026-03-10 23:00:00", 1, False, None),
        (None, "2026-03-10 23:00:00", 2, False, "2026-03-11 08:00:00"),
    ],
)
def test_what_becomes_free_at_night_waits_for_the_morning(quiet, now, sent_today, at_once, until):
    """After an outage or a hold the moment that was right once is over."""
    rules = Rules(PARIS, undo=timedelta(minutes=1), quiet=quiet, a_day=2)
    found = waits_until(at(now), sent_today=sent_today, at_once=at_once, rules=rules)
    assert found == (at(until) if until else None)


def test_letters_decided_in_the_same_minute_are_due_together_and_none_sooner_than_the_undo_time():
    rules = Rules(PARIS, undo=timedelta(minutes=1))
    decided = [at("2026-03-10 10:00:00") + timedelta(seconds=s) for s in (1, 20, 59, 60)]
    assert {first_due(each, at_once=False, rules=rules) for each in decided} == {at("2026-03-10 10:02:00")}


def test_without_an_undo_time_it_is_due_at_once():
    now = at("2026-03-10 10:00:07")
    assert first_due(now, at_once=False, rules=Rules(PARIS)) == now


@pytest.mark.parametrize(
    ("step", "category", "minutes", "urgent"),
    [
        ("notify", "spam", None, False),
        ("remind", "spam", None, False),
        ("escalated", "spam", None, True),
        ("notify", "phishing", None, True),
        ("solved", "spam", 60, True),
        ("still_open", "spam", 5, True),
        ("solved", "spam", 61, False),
    ],
)
def test_what_wakes_people_up(step, category, minutes, urgent):
    since = None if minutes is None else timedelta(minutes=minutes)
    assert goes_at_once(step=step, category=category, since_answer=since) is urgent


@pytest.mark.parametrize("text", ["21-7", "21:00-21:00", "24:00-07:00", "night", "21:00-07:00, 12:00-13:00"])
def test_no_hours(text):
    with pytest.raises(ValueError, match="write 21:00-07:00"):
        QuietHours.parse(text)


def test_no_quiet_hours():
    assert QuietHours.parse("  ") is None


def test_the_next_digest_is_tomorrow_when_the_day_begins():
    now = at("2026-03-10 00:30:00")
    assert next_digest(now, Rules(PARIS, quiet=NIGHT)) == at("2026-03-11 07:00:00")
    assert next_digest(now, Rules(PARIS)) == at("2026-03-11 08:00:00")
    assert day_began(now, Rules(PARIS)) == at("2026-03-10 00:00:00")


@pytest.mark.parametrize(
    ("sent", "a_day", "at_once", "goes"),
    [(9, 10, False, True), (10, 10, False, False), (10, 10, True, True), (999, 0, False, True)],
)
def test_the_limit_of_a_day(sent, a_day, at_once, goes):
    assert may_go(sent_today=sent, at_once=at_once, rules=Rules(PARIS, a_day=a_day)) is goes


def letter(key: int, to: str = "anna@x.example", language: str = "en", *, case: int | None = None, **more) -> Letter:
    return Letter(key, key if case is None else case, to, language, **more)


def test_one_mail_an_address_and_language_and_what_stands_alone_alone():
    others = [letter(3, "bob@x.example"), letter(4, language="fr")]
    alone = [letter(5, alone=True), letter(6, at_once=True)]
    found = in_mails([letter(1), *others, letter(2), *alone, letter(7)])
    assert [[each.key for each in mail] for mail in found] == [[1, 2, 7], [3], [4], [5], [6]]


def test_two_letters_of_one_case_are_two_mails():
    found = in_mails([letter(1, case=9), letter(2, case=9), letter(3)])
    assert [[each.key for each in mail] for mail in found] == [[1], [2, 3]]


def test_a_digest_has_an_end():
    found = in_mails(letter(n) for n in range(MOST_IN_DIGEST + 1))
    assert [len(mail) for mail in found] == [MOST_IN_DIGEST, 1]
