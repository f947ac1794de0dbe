"""The order of the queue, and its pages: most urgent first, each page after the last row seen. No COUNT, no OFFSET."""
# ruff: noqa: S608, S611 - every piece of this SQL is what the ORM wrote, or a name of this file

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from datetime import datetime

from django.db.models import Q, QuerySet
from django.db.models.expressions import RawSQL

from complaints.cases.branches import all_of
from complaints.cases.counting import late_before
from complaints.cases.states import TURNS, Turn
from complaints.models import Case

PAGE = 50
LATE_CAP = 2_000
DESK = [state for state, turn in TURNS.items() if turn is Turn.ANALYST]
# What no row shows. Of who has a case, the name alone.
UNSEEN = ("cause_reasons", "weighed", "assignee__password", "assignee__email", "assignee__first_name",
          "assignee__last_name", "assignee__only_networks", "assignee__only_brands")  # fmt: skip
Branches = Sequence[QuerySet[Case]]


def needs_desk(now: datetime) -> QuerySet[Case]:
    """The analysts' turn, or late beyond what the playbook takes care of."""
    # The late ones as ids: with a plain OR, neither database would use an index for each half.
    late = Case.objects.active().filter(deadline_at__lt=late_before(now)).order_by("deadline_at").values("pk")
    return Case.objects.filter(Q(state__in=DESK) | Q(pk__in=late[:LATE_CAP]))


@dataclasses.dataclass(frozen=True, slots=True)
class Page:
    """Some rows in the queue's order, and where the next page begins ("" at the end)."""

    cases: list[Case]
    next: str = ""


class BadCursor(ValueError):
    """The place to continue from is none that this program gave out."""


def page_of(cases: QuerySet[Case] | Branches, *, after: str = "", newest_first: bool = False, size: int = PAGE) -> Page:
    """The page behind cursor `after`: most urgent first, or by newest number. Raises BadCursor.

    cases: or several sets that may overlap, each quick to walk in this order by an index of its own.
    """
    branches = [cases] if isinstance(cases, QuerySet) else cases
    if after:
        behind = beyond(after, newest_first)
        branches = [branch.filter(behind) for branch in branches]
    order = ("-id",) if newest_first else ("-priority", "id")
    wanted = branches[0] if len(branches) == 1 else first_of(branches, order, size + 1)
    rows = wanted.select_related("assignee").defer(*UNSEEN)
    found = list(rows.order_by(*order)[: size + 1])
    if len(found) <= size:
        return Page(found)
    last = found[size - 1]
    return Page(found[:size], f"{last.priority}.{last.pk}")


def first_of(branches: Branches, order: tuple[str, ...], size: int) -> QuerySet[Case]:
    """The first `size` of all branches together: those are among the first of each. Each is walked by its own index."""
    names = [name.lstrip("-") for name in order]
    wanted = dict.fromkeys(["id", *names])
    # UNION, not UNION ALL: a case that stands in two branches is one of the first but once.
    sql, params = all_of((branch.order_by(*order).values(*wanted)[:size] for branch in branches), "UNION")
    if not sql:
        return Case.objects.none()
    by = ", ".join(f"{name} DESC" if name != each else name for name, each in zip(names, order, strict=True))
    return Case.objects.filter(pk__in=RawSQL(f"SELECT id FROM ({sql}) AS found ORDER BY {by} LIMIT {size}", params))


def beyond(cursor: str, newest_first: bool) -> Q:
    priority, _, pk = cursor.partition(".")
    if not (priority.isascii() and priority.isdigit() and pk.isascii() and pk.isdigit() and len(cursor) < 25):
        raise BadCursor(f"{cursor[:40]!r} is no place in the queue")
    if newest_first:
        return Q(pk__lt=int(pk))
    # The first half is what an index range needs; the second parts those of equal priority.
    return Q(priority__lte=int(priority)) & (Q(priority__lt=int(priority)) | Q(pk__gt=int(pk)))


def next_of(cases: Branches, case: Case) -> Case | None:
    """The case that stands behind `case` among `cases`; at the end the first again, unless it is the same."""
    others = [branch.exclude(pk=case.pk) for branch in cases]
    found = page_of(others, after=f"{case.priority}.{case.pk}", size=1).cases or page_of(others, size=1).cases
    return found[0] if found else None
