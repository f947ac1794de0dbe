"""The story of a case: one list of entries, youngest first, from complaints, checks, notices and history lines.

A handful of queries however long the case; the newest of each kind, and of a row only what is read at once: the
evidence of complaints and the words of letters stay in the database until somebody opens them. What a row shows
better than its history line (a check, a notice) is told by the row.
"""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple

from django.db.models import QuerySet
from django.utils import timezone

from complaints.addresses import address_text
from complaints.cases.answers import CUSTOMER
from complaints.models import Case, CaseEvent, CheckRun, Complaint, Notice, ProbeArrival
from complaints.vocabulary import EventKind, Verdict

MOST = 200  # complaints that are looked at
SHOWN = 40  # entries; who wants to read further asks for more
MOST_SHOWN = 1000
MOST_RUNS = 60
TOLD_BY_ROWS = (
    EventKind.COMPLAINTS,
    EventKind.CHECK_QUEUED,
    EventKind.CHECK_DONE,
    EventKind.NOTICE_QUEUED,
    EventKind.NOTICE_SENT,
)
AROUND = 3  # transcript lines shown before and after the one that decides


@dataclasses.dataclass(frozen=True, slots=True)
class Entry:
    """One thing that happened. `kind` names its template, `what` is what that shows, `key` its place on the page."""

    at: datetime
    kind: str
    key: str
    what: Any
    tone: str = ""


class Accusation(NamedTuple):
    """A complaint as the story tells it, one of hundreds: what is read at once, and no more."""

    pk: int
    message_id: int
    address: bytes
    port: int
    seen_at: datetime
    seen_exactly: bool
    subject: str
    confidence: float
    rule_id: int | None
    reporter_id: int | None
    reporter: str | None

    @property
    def address_text(self) -> str:
        return address_text(self.address)


COLUMNS = [name if name != "reporter" else "reporter__address" for name in Accusation._fields]


@dataclasses.dataclass(frozen=True, slots=True)
class Day:
    """The complaints of one day, youngest first."""

    day: date
    complaints: Sequence[Accusation]
    reporters: int


@dataclasses.dataclass(frozen=True, slots=True)
class Line:
    """One line of a conversation; `said` is ">" for us, "<" for them."""

    said: str
    text: str
    decides: bool = False


@dataclasses.dataclass(frozen=True, slots=True)
class CheckStory:
    """A run and what was said in it: (">" or "<", text); `deciding` is the place of the line that decided."""

    run: CheckRun
    arrivals: Sequence[ProbeArrival]
    said: Sequence[tuple[str, str]]
    deciding: int | None

    @property
    def lines(self) -> list[Line]:
        return self.part(0, len(self.said))

    @property
    def excerpt(self) -> list[Line]:
        """The lines around the one that decided."""
        at = self.deciding
        return [] if at is None else self.part(max(0, at - AROUND), at + AROUND)

    def part(self, begin: int, end: int) -> list[Line]:
        return [Line(who, text, begin + n == self.deciding) for n, (who, text) in enumerate(self.said[begin:end])]

    @property
    def lists(self) -> list[dict[str, Any]]:
        """What each blacklist said, listings first, then those that could not answer."""
        order = {"listed": 0, "earlier": 1, "policy": 1, "unknown": 2, "not-listed": 3, "allow": 4}
        return sorted(self.run.details.get("lists") or [], key=lambda each: order.get(each.get("status"), 5))


@dataclasses.dataclass(frozen=True, slots=True)
class Story:
    entries: Sequence[Entry]
    complaints: Sequence[Accusation]  # the newest MOST
    checks: Sequence[CheckStory]
    notices: Sequence[Notice]
    has_more: bool


def accusations_of(case: Case) -> QuerySet[Complaint, tuple[Any, ...]]:
    """Rows of COLUMNS, the youngest first."""
    return case.complaints.order_by("-seen_at", "-id").values_list(*COLUMNS)


def newest_complaints(case: Case, *, most: int = SHOWN) -> list[Accusation]:
    """Those of a story of `most` entries: the complaints of a day are one entry."""
    return list(map(Accusation._make, accusations_of(case)[: max(MOST, most * 5)]))


def arrivals_of(case: Case) -> QuerySet[ProbeArrival]:
    """The probes of the case's checks that came back, the first that came first."""
    return ProbeArrival.objects.filter(run__case=case).order_by("arrived_at")[:MOST]


def tell(
    case: Case,
    complaints: Sequence[Accusation] | None = None,
    arrivals: Iterable[ProbeArrival] | None = None,
    *,
    most: int = SHOWN,
) -> Story:
    """The `most` newest entries.

    `complaints`, `arrivals`: as newest_complaints and arrivals_of find them, where they were asked for before.
    """
    if complaints is None:
        complaints = newest_complaints(case, most=most)
    events = list(case.events.exclude(kind__in=TOLD_BY_ROWS).order_by("-at", "-id")[: most + 1])
    checks = checks_of(case, arrivals_of(case) if arrivals is None else arrivals)
    letters = case.notices.select_related("link").defer("text", "html", "given")
    notices = list(letters.order_by("-queued_at", "-id")[:MOST_RUNS])
    entries = [
        *(complaint_entry(day) for day in by_day(complaints)),
        *(Entry(e.at, e.kind, f"event-{e.pk}", e, tone_of(e)) for e in events if not told_by_answer(e)),
        *(
            Entry(moment(check.run), "check", f"check-{check.run.pk}", check, verdict_tone(check.run))
            for check in checks
        ),
        *(
            Entry(notice.sent_at or notice.queued_at, "notice", f"notice-{notice.pk}", notice, "us")
            for notice in notices
        ),
    ]
    entries.sort(key=lambda entry: entry.at, reverse=True)
    has_more = len(entries) > most or len(events) > most or case.complaint_count > len(complaints) >= MOST
    return Story(entries[:most], complaints, checks, notices, has_more)


def checks_of(case: Case, arrivals: Iterable[ProbeArrival]) -> list[CheckStory]:
    runs = list(case.checks.order_by("-queued_at", "-id")[:MOST_RUNS])
    arrived: dict[int, list[ProbeArrival]] = defaultdict(list)
    for arrival in arrivals:
        arrived[arrival.run_id].append(arrival)
    return [check_story(run, arrived[run.pk]) for run in runs]


def check_story(run: CheckRun, arrivals: Sequence[ProbeArrival]) -> CheckStory:
    said = [(str(row.get("dir", "")), str(row.get("text", ""))) for row in run.details.get("transcript") or []]
    return CheckStory(run, arrivals, said, deciding_line(said, run.verdict, forms_that_arrived(run, arrivals)))


def forms_that_arrived(run: CheckRun, arrivals: Iterable[ProbeArrival]) -> set[str]:
    """The recipients of the probes that came back."""
    names = {arrival.form for arrival in arrivals}
    return {str(row.get("recipient")) for row in run.details.get("forms") or [] if row.get("form") in names}


def deciding_line(said: Sequence[tuple[str, str]], verdict: str, recipients: Iterable[str]) -> int | None:
    """Where the conversation decided: the recipient taken whose probe came back, or the last refusal. Pure."""
    if verdict == Verdict.BAD:
        return answer_to_recipient(said, list(recipients))
    if verdict == Verdict.CLEAN:
        refusals = [index for index, (who, text) in enumerate(said) if who == "<" and text[:1] == "5"]
        return refusals[-1] if refusals else None
    delays = [index for index, (who, text) in enumerate(said) if who == "<" and text[:1] in "45" and text]
    return delays[-1] if delays else None


def answer_to_recipient(said: Sequence[tuple[str, str]], recipients: Sequence[str]) -> int | None:
    for index, (who, text) in enumerate(said):
        asked = who == ">" and text.upper().startswith("RCPT TO:") and any(each in text for each in recipients)
        if asked and index + 1 < len(said) and said[index + 1][1].startswith("2"):
            return index + 1
    return None


def complaint_entry(day: Day) -> Entry:
    return Entry(day.complaints[0].seen_at, "complaints", f"day-{day.day:%Y%m%d}", day, "bad")


def by_day(complaints: Iterable[Accusation]) -> list[Day]:
    """Days of the reader's zone; `complaints` youngest first."""
    days: dict[date, list[Accusation]] = defaultdict(list)
    for complaint in complaints:
        days[timezone.localtime(complaint.seen_at).date()].append(complaint)
    return [Day(day, found, len({c.reporter_id for c in found if c.reporter_id})) for day, found in days.items()]


def moment(run: CheckRun) -> datetime:
    return run.finished_at or run.started_at or run.queued_at


def verdict_tone(run: CheckRun) -> str:
    return {Verdict.BAD: "bad", Verdict.CLEAN: "good"}.get(Verdict(run.verdict), "") if run.verdict else ""


def told_by_answer(event: CaseEvent) -> bool:
    """The customer's own answer stands in the story; that it moved the case need not be said again."""
    return event.kind == EventKind.MOVED and event.actor == CUSTOMER


def tone_of(event: CaseEvent) -> str:
    if event.kind == EventKind.NOTICE_FAILED:
        return "bad"
    if event.kind == EventKind.MOVED and event.data.get("to") == "closed":
        return "good" if str(event.data.get("resolution", "")).startswith("fixed") else ""
    return "us" if event.kind in (EventKind.NOTE, EventKind.ASSIGNED) else ""
