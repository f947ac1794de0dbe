"""Thresholds that were reached though nobody noticed: looked for by the sweep."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import Count, Exists, OuterRef

from complaints.cases.grouping import is_divided
from complaints.cases.rules import MOST_FILED, file_ids
from complaints.cases.rules_match import THRESHOLD, Line, is_reached
from complaints.cases.rulings import held_before, read_lines, seen_of
from complaints.models import Case, Complaint
from complaints.vocabulary import Category

MOST_GROUPS = 500


def ripen(*, now: datetime) -> list[int]:
    """Open the cases whose thresholds are reached, and let what is held join a case that is open anyway; ids to wake.

    Two workers that each file one complaint at the same moment do not see the other's, a threshold may have been
    lowered, and a complaint that no threshold is about may have opened the case. Safe to repeat. A rule that was
    switched off or has ended opens nothing: what it holds is brought back by a person.
    """
    cases: list[int] = []
    for line in read_lines():
        if line.kind == THRESHOLD and (line.until is None or line.until > now):
            cases += file_ids([*ripe_ids(line, now=now), *homed_ids(line, now=now)], now=now)[1]
    return cases


def ripe_ids(line: Line, *, now: datetime) -> list[int]:
    since = now - timedelta(days=line.days)
    held = Complaint.objects.filter(rule=line.id, ruling=Complaint.Ruling.HELD, seen_at__gt=since)
    groups = held.order_by().values_list("contract", "category").annotate(n=Count("pk"))
    found: list[int] = []
    for contract, category, _ in groups.filter(n__gte=max(line.complaints, line.reporters_needed))[:MOST_GROUPS]:
        for together in held_before(contract, category, since=since).values():
            if is_reached(line, seen_of(together)):
                found += [each.pk for each in together]
    return sorted(found)


def homed_ids(line: Line, *, now: datetime) -> list[int]:
    """What is held though its contract has an open case of that category: it is evidence there, and opens nothing."""
    since = now - timedelta(days=line.days)
    whole = [category.value for category in Category if not is_divided(category)]
    held = Complaint.objects.filter(rule=line.id, ruling=Complaint.Ruling.HELD, seen_at__gt=since, category__in=whole)
    opened = Case.objects.active().filter(contract=OuterRef("contract"), category=OuterRef("category"), grouping="")
    return list(held.filter(Exists(opened)).order_by("pk").values_list("pk", flat=True)[:MOST_FILED])
