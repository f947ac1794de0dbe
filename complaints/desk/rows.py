"""A row of the queue: the case as the table shows it. Two queries for a page, however long."""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from django.db.models import Case as When
from django.db.models import F, JSONField, Value
from django.db.models import When as If
from django.utils import timezone

from complaints.cases.states import Turn, turn_of
from complaints.desk import when, words
from complaints.models import Case, CaseEvent, CheckRun
from complaints.vocabulary import CaseState, Cause, CustomerStatus, EventKind, Resolution, Verdict

HIGH, MIDDLE = 70, 40
FIRST_NOTICE = (CaseState.INVESTIGATING, CaseState.NOTIFIED)
WHOSE_PROMISE = {
    Turn.ANALYST: "The desk's deadline",
    Turn.MACHINE: "The desk's deadline",
    Turn.CUSTOMER: "The customer's deadline",
    Turn.NOBODY: "",
}


@dataclasses.dataclass(frozen=True, slots=True)
class Row:
    """What the queue shows of one case."""

    case: Case
    title: str
    why: str
    cause: str
    sureness: words.Word | None
    checks: Sequence[words.Word]
    promise: when.Promise
    level: str

    @property
    def owner(self) -> dict[str, Any]:
        return self.case.owner


def rows_of(cases: Sequence[Case], now: datetime) -> list[Row]:
    ids = [case.pk for case in cases]
    chips, reasons = check_chips(ids), last_reasons(ids)
    return [row_of(case, chips[case.pk], now, reason=reasons.get(case.pk, "")) for case in cases]


def row_of(case: Case, checks: Sequence[words.Word], now: datetime, *, reason: str = "") -> Row:
    known = case.cause != Cause.UNKNOWN
    return Row(
        case=case,
        title=title_of(case),
        why=f"{reason or state_line(case, now)} · {voices(case, now)}",
        cause=words.CAUSES[Cause(case.cause)],
        sureness=words.confidence_word(case.cause_confidence) if known else None,
        checks=checks,
        promise=promise_of(case, now),
        level="hi" if case.priority >= HIGH else "mid" if case.priority >= MIDDLE else "",
    )


def title_of(case: Case) -> str:
    return words.case_title(
        category=case.category,
        cause=case.cause,
        ladder=case.ladder,
        customer_status=case.customer_status,
        state=case.state,
    )


def state_line(case: Case, now: datetime) -> str:
    """The reason line of a case that nobody wrote one for: where it stands and since when."""
    state = words.STATES[CaseState(case.state)]
    if case.state == CaseState.CLOSED:
        return f"Closed {when.age(case.state_since, now)}: {words.RESOLUTIONS[Resolution(case.resolution)].lower()}"
    said = "" if case.customer_status == CustomerStatus.NONE else f": {customer_words(case)}"
    return f"{state}, {when.age(case.state_since, now)}{said}"


def voices(case: Case, now: datetime) -> str:
    count = "1 complaint" if case.complaint_count == 1 else f"{case.complaint_count} complaints"
    return f"{count}, last {when.age(case.last_seen_at, now)}"


def last_reasons(cases: Sequence[int]) -> dict[int, str]:
    """Why each case stands where it stands: the reason of its last move.

    None after the first notice: that the cause was known is told by the chips; what the customer did since is not.
    """
    moves = CaseEvent.objects.filter(case__in=cases, kind=EventKind.MOVED).order_by("at", "id")
    return {
        case: "" if (data.get("from"), data.get("to")) == FIRST_NOTICE else str(data.get("reason", ""))
        for case, data in moves.values_list("case_id", "data")
    }


def customer_words(case: Case) -> str:
    text = words.CUSTOMER[CustomerStatus(case.customer_status)]
    return text[0].lower() + text[1:]


def promise_of(case: Case, now: datetime) -> when.Promise:
    if case.state == CaseState.CLOSED:
        return when.Promise(words.RESOLUTIONS[Resolution(case.resolution)])
    deadline = timezone.localtime(case.deadline_at) if case.deadline_at else None
    return when.promise(deadline, now, whose=WHOSE_PROMISE[turn_of(CaseState(case.state))])


def check_chips(cases: Iterable[int]) -> dict[int, list[words.Word]]:
    """The last finished run of each check of each case, as chips. Transcripts stay in the database."""
    found: dict[int, dict[str, words.Word]] = defaultdict(dict)
    lists_if_bad = When(
        If(check_name="dnsbl", verdict=Verdict.BAD, then=F("details__lists")), default=Value(None, JSONField())
    )
    runs = CheckRun.objects.filter(case__in=list(cases), state=CheckRun.State.DONE).order_by("id")
    for case, check, verdict, reason, lists in runs.values_list(
        "case_id", "check_name", "verdict", "reason", lists_if_bad
    ):
        found[case][check] = chip(check, verdict, reason, lists)
    return defaultdict(
        list, {case: [chips[name] for name in sorted(chips, reverse=True)] for case, chips in found.items()}
    )


def chip(check: str, verdict: str, reason: str, lists: Sequence[Any] | None) -> words.Word:
    word = words.verdict_word(check, verdict)
    listed = sum(1 for each in lists or () if each.get("status") == "listed")
    text = ("1 list" if listed == 1 else f"{listed} lists") if listed else word.text
    return words.Word(text, word.tone, reason)
