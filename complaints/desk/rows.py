"""A row of the queue: the case as the table shows it. Two queries for a page, however long; three while acts wait."""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from django.db.models import Case as When
from django.db.models import F, JSONField, OuterRef, Subquery, Value, Window
from django.db.models import When as If
from django.db.models.functions import JSONObject, RowNumber
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from complaints.cases.states import Turn, turn_of
from complaints.desk import when, words
from complaints.models import Case, CaseEvent, CheckRun, DeskAction, DeskActionCase
from complaints.vocabulary import CaseState, Cause, CustomerStatus, EventKind, Resolution, Verdict

HIGH, MIDDLE = 70, 40
NOBODYS = ("machine", "customer", "")
LAST = {
    EventKind.COMPLAINTS: "more complaints",
    EventKind.CHECK_QUEUED: "check ordered",
    EventKind.CHECK_DONE: "checked",
    EventKind.DIAGNOSED: "cause found",
    EventKind.NOTICE_QUEUED: "letter written",
    EventKind.NOTICE_SENT: "customer told",
    EventKind.NOTICE_FAILED: "letter failed",
    EventKind.CUSTOMER_SAW: "page opened",
    EventKind.CUSTOMER_ANSWERED: "customer answered",
    EventKind.NOTE: "note",
}
FIRST_NOTICE = (CaseState.INVESTIGATING, CaseState.NOTIFIED)
DESKS = "The desk's deadline"
WHOSE_PROMISE = {
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
    age: str
    last: str
    pending: str = ""  # what a colleague, or the reader, is about to do to it

    @property
    def owner(self) -> dict[str, Any]:
        return self.case.owner


def rows_of(cases: Sequence[Case], now: datetime) -> list[Row]:
    ids = [case.pk for case in cases]
    if not ids:
        return []
    chips, lasts = check_chips(ids), last_events(ids)
    pending = pending_of(act for _, _, act in lasts.values())
    return [
        dataclasses.replace(
            row_of(case, chips[case.pk], now, reason=reason_of(lasts[case.pk][1])),
            last=last_line(lasts[case.pk][0], now),
            pending=pending.get(lasts[case.pk][2], ""),
        )
        for case in cases
    ]


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
        age=when.span(now - case.opened_at),
        last="",
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


def last_events(cases: Sequence[int]) -> dict[int, tuple[Any, Any, int | None]]:
    """The youngest event of each case, its last move, and the action that waits for it: a step along an index each."""
    events = CaseEvent.objects.filter(case=OuterRef("pk")).order_by("-at", "-id")
    told = events.annotate(told=JSONObject(kind="kind", actor="actor", at="at"))
    moves = events.filter(kind=EventKind.MOVED)
    waiting = DeskActionCase.objects.filter(case=OuterRef("pk"), state=DeskActionCase.State.WAITING)
    rows = Case.objects.filter(pk__in=cases).annotate(
        last=Subquery(told.values("told")[:1]),
        move=Subquery(moves.values("data")[:1]),
        act=Subquery(waiting.values("action")[:1]),
    )
    return {pk: (last, move, act) for pk, last, move, act in rows.values_list("pk", "last", "move", "act")}


def pending_of(acts: Iterable[int | None]) -> dict[int | None, str]:
    """What is about to happen, by the id of the action; asked only where something is."""
    ids = {act for act in acts if act}
    found = DeskAction.objects.filter(pk__in=ids).values_list("pk", "kind", "user__username") if ids else []
    return {pk: f"{words.ABOUT_TO[kind]} by {who}" for pk, kind, who in found}


def reason_of(move: Any) -> str:
    """Why a case stands where it stands: the reason of its last move.

    None after the first notice: that the cause was known is told by the chips; what the customer did since is not.
    """
    if not move or (move.get("from"), move.get("to")) == FIRST_NOTICE:
        return ""
    return str(move.get("reason", ""))


def last_line(event: Any, now: datetime) -> str:
    """What happened last, by whom and when: "moved by carla, 3 h ago"."""
    if not event:
        return ""
    at = parse_datetime(str(event["at"]).replace(" ", "T"))
    if at is None:
        return ""
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    by = "" if event["actor"] in NOBODYS else f" by {event['actor']}"
    return f"{LAST.get(event['kind'], event['kind'].replace('_', ' '))}{by}, {when.age(at, now)}"


def customer_words(case: Case) -> str:
    text = words.CUSTOMER[CustomerStatus(case.customer_status)]
    return text[0].lower() + text[1:]


def promise_of(case: Case, now: datetime) -> when.Promise:
    if case.state == CaseState.CLOSED:
        return when.Promise(words.RESOLUTIONS[Resolution(case.resolution)])
    deadline = timezone.localtime(case.deadline_at) if case.deadline_at else None
    return when.promise(deadline, now, whose=WHOSE_PROMISE.get(turn_of(CaseState(case.state)), DESKS))


def check_chips(cases: Iterable[int]) -> dict[int, list[words.Word]]:
    """The last finished run of each check of each case, as chips. Transcripts stay in the database."""
    found: dict[int, dict[str, words.Word]] = defaultdict(dict)
    lists_if_bad = When(
        If(check_name="dnsbl", verdict=Verdict.BAD, then=F("details__lists")), default=Value(None, JSONField())
    )
    newest = Window(RowNumber(), partition_by=[F("case"), F("check_name")], order_by=F("id").desc())
    done = CheckRun.objects.filter(case__in=list(cases), state=CheckRun.State.DONE)
    runs = done.annotate(place=newest).filter(place=1).order_by("id")
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
