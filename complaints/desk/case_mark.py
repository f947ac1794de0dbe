"""Whether an open case has news: one small look, so that a page which asks every three seconds costs next to nothing.

What moves a case writes its row or its history, and that is what is looked at; so are checks under way, acts that
wait for their minute, and who else is here. Everything else on the page, ages above all, is looked at every minute.
"""

from __future__ import annotations

import dataclasses
import hashlib
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.db.models import Case as When
from django.db.models import F, IntegerField, OuterRef, QuerySet, Subquery, Sum, Value
from django.db.models import When as If
from django.http import Http404, HttpRequest
from django.shortcuts import get_object_or_404

from complaints.desk.access import cases_to_show, visible
from complaints.desk.presence import HERE
from complaints.models import Case, CaseEvent, CaseViewer, CheckRun, DeskActionCase, User

HAS = "has"  # what the page was drawn from: the mark, and when it was taken
RENEWED = timedelta(seconds=60)
OF_THE_CASE = (
    "stay", "customer_status", "complaint_count", "reporter_count", "last_seen_at", "due_at", "deadline_at",
    "assignee_id", "team", "priority", "cause", "cause_confidence", "confidence", "merged_into_id", "parent_id",
)  # fmt: skip
COLUMNS = (*OF_THE_CASE, "newest_event", "unfinished", "waiting_acts", "others_here", "here_since", "here_seen")
# A sum tells how many are in each state: there are never a thousand.
UNFINISHED = {CheckRun.State.QUEUED: 1, CheckRun.State.RUNNING: 1_000, CheckRun.State.WAITING: 1_000_000}


@dataclasses.dataclass(frozen=True, slots=True)
class Mark:
    """`mine`: since when the reader has the case open, and when their page last asked."""

    digest: str
    mine: tuple[datetime, datetime] | None = None

    def given(self, now: datetime) -> str:
        return f"{self.digest}.{int(now.timestamp())}"


def mark_of(user: User | AnonymousUser, pk: int, now: datetime) -> Mark:
    """Raises Http404 for a case that is not there, or not for this reader."""
    found = marked(visible(user, Case), user, now).filter(pk=pk).values_list(*COLUMNS).first()
    if found is None:
        raise Http404(f"case {pk}")
    return mark_from(*found)


def access_marked(user: User | AnonymousUser, pk: int, now: datetime) -> tuple[Case, Mark]:
    """As access_case, with the mark of this very moment: what comes later is news to the page."""
    case = get_object_or_404(marked(cases_to_show(user), user, now), pk=pk)
    return case, mark_from(*(getattr(case, name) for name in COLUMNS))


def mark_from(*told: Any) -> Mark:
    *rest, since, seen = told
    digest = hashlib.blake2b(repr(rest).encode(), digest_size=8).hexdigest()
    return Mark(digest, (since, seen) if since and seen else None)


def marked(cases: QuerySet[Case], user: User | AnonymousUser, now: datetime) -> QuerySet[Case]:
    own = {"case": OuterRef("pk")}
    here = CaseViewer.objects.filter(**own, seen_at__gt=now - HERE)
    mine = here.filter(user=user.pk or 0)
    return cases.order_by().annotate(
        newest_event=Subquery(CaseEvent.objects.filter(**own).order_by("-at", "-id").values("id")[:1]),
        unfinished=summed(CheckRun.objects.filter(**own, state__in=UNFINISHED), weight()),
        waiting_acts=summed(DeskActionCase.objects.filter(**own, state=DeskActionCase.State.WAITING), F("pk")),
        others_here=summed(here.exclude(user=user.pk or 0), F("pk")),
        here_since=Subquery(mine.values("since")),
        here_seen=Subquery(mine.values("seen_at")),
    )


def weight() -> When:
    cases = [If(state=state, then=Value(number)) for state, number in UNFINISHED.items()]
    return When(*cases, default=Value(0), output_field=IntegerField())


def summed(rows: QuerySet[Any], what: Any) -> Subquery:
    return Subquery(rows.order_by().values("case").annotate(told=Sum(what)).values("told"))


def is_new(request: HttpRequest, mark: Mark, now: datetime) -> bool:
    """Whether the page that asks may show something else than it does. Nonsense is answered with the page."""
    digest, _, taken = request.GET.get(HAS, "").partition(".")
    if digest != mark.digest or not (taken.isascii() and taken.isdigit() and len(taken) < 12):
        return True
    return not 0 <= now.timestamp() - int(taken) < RENEWED.total_seconds()
