from __future__ import annotations

from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

import pytest

from complaints.desk import words
from complaints.desk.turn import stages, turn_in_words
from complaints.desk.when import age, day_and_time, promise, span, until
from complaints.formats.reading import all_formats
from complaints.models import Message
from complaints.vocabulary import (
    Answer,
    CaseState,
    Category,
    Cause,
    CustomerStatus,
    Resolution,
    Verdict,
)

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
S, C = CaseState, CustomerStatus
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


@pytest.mark.parametrize(
    ("table", "vocabulary"),
    [
        (words.STATES, CaseState),
        (words.CATEGORIES, Category),
        (words.CAUSES, Cause),
        (words.CUSTOMER, CustomerStatus),
        (words.RESOLUTIONS, Resolution),
        (words.WHOSE, Answer),
        (words.PLAIN_VERDICTS, Verdict),
        (words.REMARKS, Verdict),
    ],
)
def test_no_word_is_missing(table: dict[str, object], vocabulary: type[StrEnum]) -> None:
    assert set(table) == set(vocabulary)


@pytest.mark.parametrize(
    ("confidence", "word"), [(0.95, "proven"), (0.949, "likely"), (0.6, "likely"), (0.599, "guess")]
)
def test_a_confidence_is_said_as_a_word(confidence: float, word: str) -> None:
    assert words.confidence_word(confidence).text == word


@pytest.mark.parametrize(
    ("delta", "text"),
    [(59, "59 s"), (60, "1 min"), (3599, "59 min"), (3600, "1 h"), (86399, "23 h"), (86400, "1 d"), (8.64e6, "100 d")],
)
def test_a_span_has_one_unit(delta: float, text: str) -> None:
    assert span(timedelta(seconds=delta)) == text


@pytest.mark.parametrize(("hours", "text"), [(1, "1 h"), (47, "47 h"), (71.9, "71 h"), (72, "3 d")])
def test_of_a_span_of_few_days_the_hours_can_be_said(hours: float, text: str) -> None:
    assert span(timedelta(hours=hours), days_from=3) == text


def test_what_lies_behind_is_coarse_below_a_minute() -> None:
    assert [age(NOON - timedelta(seconds=s), NOON) for s in (0, 59, 60)] == ["just now", "just now", "1 min ago"]
    assert [until(NOON + timedelta(seconds=s), NOON) for s in (59, 60)] == ["in less than a minute", "in 1 min"]


@pytest.mark.parametrize(
    ("at", "text"),
    [
        (NOON - HOUR, "today 11:00"),
        (NOON - 13 * HOUR, "yesterday 23:00"),
        (NOON - 2 * DAY, "8 Mar 12:00"),
        (NOON - 300 * DAY, "14 May 2025 12:00"),
        (NOON + DAY, "11 Mar 12:00"),
    ],
)
def test_the_days_near_have_names(at: datetime, text: str) -> None:
    assert day_and_time(at, NOON) == text


@pytest.mark.parametrize(
    ("deadline", "text", "late"),
    [
        (None, "none", False),
        (NOON, "in < 1 min", False),
        (NOON + 2 * HOUR, "in 2 h", False),
        (NOON - timedelta(seconds=1), "just over", True),
        (NOON - 2 * HOUR, "2 h over", True),
    ],
)
def test_a_promise_says_what_is_left_or_how_late_it_is(deadline: datetime | None, text: str, late: bool) -> None:
    found = promise(deadline, NOON, whose="The desk's deadline")

    assert (found.text, found.late) == (text, late)


@pytest.mark.parametrize(
    ("facts", "action"),
    [
        ({"sure_owner": False, "proven": True}, "whose"),  # nobody is told while the owner is not sure
        ({"proven": True, "checked": True}, "notify"),
        ({"proven": False, "checked": False}, "check"),
        ({"proven": False, "checked": True}, "notify"),
        ({"proven": False, "checked": True, "suspected": False}, "close"),  # nothing was found: no button that accuses
    ],
)
def test_the_next_best_action_in_triage(facts: dict[str, bool], action: str) -> None:
    filled: dict[str, Any] = {"sure_owner": True, "proven": False, "checked": False, "suspected": True} | facts

    assert turn_in_words(state=S.TRIAGE, customer=C.NONE, **filled).action == action


@pytest.mark.parametrize(
    ("state", "customer", "action"),
    [
        (S.INVESTIGATING, C.NONE, ""),  # the machine's turn: waiting is best
        (S.NOTIFIED, C.NOTIFIED, ""),
        (S.NOTIFIED, C.SEEN, ""),
        (S.ANSWERED, C.SEEN, "notify"),
        (S.ANSWERED, C.CLAIMS_FIXED, "notify"),
        (S.ANSWERED, C.ASKS_HELP, "notify"),
        (S.ANSWERED, C.DISPUTES, "check"),
        (S.VERIFYING, C.CLAIMS_FIXED, ""),
        (S.ESCALATED, C.NOTIFIED, "verify"),
        (S.CLOSED, C.SEEN, ""),
    ],
)
def test_the_next_best_action_by_state_and_what_the_customer_says(
    state: CaseState, customer: CustomerStatus, action: str
) -> None:
    turn = turn_in_words(
        state=state, customer=customer, proven=True, checked=True, sure_owner=True, suspected=True, ended="Stale"
    )

    assert (turn.action, bool(turn.label)) == (action, bool(action))
    assert turn.text.endswith(".")  # a button always comes with its reason


def marks(state: CaseState, **facts: bool) -> list[str]:
    filled = {"told": False, "checked": False, "claimed": False, "fixed": False} | facts
    return [stage.mark for stage in stages(state=state, **filled)]


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (marks(S.INVESTIGATING), ["done", "now", "todo", "todo", "todo", "todo"]),
        (marks(S.NOTIFIED, told=True, checked=True), ["done", "done", "done", "now", "todo", "todo"]),
        (marks(S.TRIAGE, told=True, checked=True), ["done", "now", "done", "todo", "todo", "todo"]),
        (marks(S.VERIFYING, told=True, checked=True, claimed=True), ["done"] * 4 + ["now", "todo"]),
        (marks(S.VERIFYING, told=True, checked=True), ["done", "done", "done", "skipped", "now", "todo"]),
        (marks(S.CLOSED, told=True, checked=True, fixed=True), ["done"] * 6),
        (marks(S.CLOSED, told=True, claimed=True), ["done", "skipped", "done", "skipped", "skipped", "done"]),
        (marks(S.CLOSED), ["done", "skipped", "skipped", "skipped", "skipped", "done"]),
    ],
)
def test_the_bar_shows_what_really_happened(found: list[str], expected: list[str]) -> None:
    assert found == expected


def test_every_format_and_every_way_in_has_a_name() -> None:
    assert {each.NAME for each in all_formats()} - set(words.FORMATS) == set()
    assert set(Message.Channel.values) - set(words.CHANNELS) == set()
