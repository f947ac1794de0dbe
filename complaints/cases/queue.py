"""The queue: which cases stand in which tab, how many, and the page after this one.

No COUNT over the table and no OFFSET: counts stop at a cap, pages continue after the last row seen.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from datetime import datetime, timedelta

from django.db import connection
from django.db.models import Q, QuerySet

from complaints.cases.states import TURNS, Turn
from complaints.models import Case
from complaints.vocabulary import CaseState

PAGE = 50
COUNT_CAP = 1000
# The playbook gets the first go at a passed deadline; a case that is still late after this needs a human.
GRACE = timedelta(minutes=2)
DESK = [state for state, turn in TURNS.items() if turn is Turn.ANALYST]


Visible = Callable[[QuerySet[Case]], QuerySet[Case]]


def everything(cases: QuerySet[Case]) -> QuerySet[Case]:
    return cases


@dataclasses.dataclass(frozen=True, slots=True)
class Tab:
    name: str
    title: str
    cases: Callable[[datetime], QuerySet[Case]]
    newest_first: bool = False


def in_state(state: CaseState) -> Callable[[datetime], QuerySet[Case]]:
    return lambda now: Case.objects.filter(state=state)


def needs_desk(now: datetime) -> QuerySet[Case]:
    """The analysts' turn, or late beyond what the playbook takes care of."""
    # The late ones as ids: with a plain OR, neither database would use an index for each half.
    late = Case.objects.active().filter(deadline_at__lt=now - GRACE).order_by("deadline_at").values("pk")
    return Case.objects.filter(Q(state__in=DESK) | Q(pk__in=late[:COUNT_CAP]))


TABS = (
    Tab("you", "Needs you", needs_desk),
    Tab("triage", "Triage", in_state(CaseState.TRIAGE)),
    Tab("answered", "Answered", in_state(CaseState.ANSWERED)),
    Tab("customers", "With customers", in_state(CaseState.NOTIFIED)),
    Tab("verifying", "Being verified", in_state(CaseState.VERIFYING)),
    Tab("investigating", "Investigating", in_state(CaseState.INVESTIGATING)),
    Tab("open", "All open", lambda now: Case.objects.active()),
    Tab("closed", "Closed", in_state(CaseState.CLOSED), newest_first=True),
)
TAB = {tab.name: tab for tab in TABS}


@dataclasses.dataclass(frozen=True, slots=True)
class Page:
    """Some rows in the queue's order, and where the next page begins ("" at the end)."""

    cases: list[Case]
    next: str = ""


class BadCursor(ValueError):
    """The place to continue from is none that this program gave out."""


def page_of(cases: QuerySet[Case], *, after: str = "", newest_first: bool = False, size: int = PAGE) -> Page:
    """The page behind cursor `after`: most urgent first, or by newest number. Raises BadCursor."""
    if after:
        cases = cases.filter(beyond(after, newest_first))
    order = ("-id",) if newest_first else ("-priority", "id")
    found = list(cases.select_related("assignee").defer("cause_reasons").order_by(*order)[: size + 1])
    if len(found) <= size:
        return Page(found)
    last = found[size - 1]
    return Page(found[:size], f"{last.priority}.{last.pk}")


def beyond(cursor: str, newest_first: bool) -> Q:
    priority, _, pk = cursor.partition(".")
    if not (priority.isascii() and priority.isdigit() and pk.isascii() and pk.isdigit() and len(cursor) < 25):
        raise BadCursor(f"{cursor[:40]!r} is no place in the queue")
    if newest_first:
        return Q(pk__lt=int(pk))
    # The first half is what an index range needs; the second parts those of equal priority.
    return Q(priority__lte=int(priority)) & (Q(priority__lt=int(priority)) | Q(pk__gt=int(pk)))


def counts(now: datetime, *, visible: Visible = everything) -> dict[str, int]:
    """Cases in each tab, each counted to COUNT_CAP at most; one round trip. `visible`: what the reader may see."""
    pieces, params = [], []
    for tab in TABS:
        limited = visible(tab.cases(now)).order_by().values("pk")[:COUNT_CAP]
        sql, values = limited.query.get_compiler(connection=connection).as_sql()
        # Only SQL that the ORM wrote, its values still parameters.
        pieces.append(f"(SELECT COUNT(*) FROM ({sql}) AS {connection.ops.quote_name(tab.name)})")  # noqa: S608
        params += values
    with connection.cursor() as cursor:
        cursor.execute("SELECT " + ", ".join(pieces), params)
        return dict(zip((tab.name for tab in TABS), cursor.fetchone(), strict=True))


def count_text(count: int) -> str:
    return f"{COUNT_CAP - 1}+" if count >= COUNT_CAP else str(count)


def next_for_desk(case: Case, *, now: datetime, visible: Visible = everything) -> Case | None:
    """The case that stands behind `case` in "needs you"; at the end the first again, unless it is the same."""
    waiting = visible(needs_desk(now)).exclude(pk=case.pk).order_by("-priority", "id")
    behind = waiting.filter(beyond(f"{case.priority}.{case.pk}", newest_first=False)).first()
    return behind or waiting.first()
