"""Filing: complaints join the active case of their contract and category, or open it. Batch-shaped, safe to repeat."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import transaction

from complaints.cases.accusations import COLUMNS, IDENTITY, Accusation, by_case, complaint_row, reporter_key
from complaints.cases.placing import place
from complaints.cases.rulings import RULED, bring_back, give_away, judge
from complaints.cases.waits import begin_waits
from complaints.models import Complaint, Reporter
from complaints.models.bulk import insert_rows


@dataclasses.dataclass(frozen=True, slots=True)
class Filed:
    complaints: int  # new ones; those filed before are not counted again
    opened: list[int]  # case ids
    touched: list[int]  # case ids, the opened ones among them


def file_complaints(accusations: Sequence[Accusation], *, now: datetime) -> Filed:
    """Write the complaints and the cases they belong to, in one transaction."""
    with transaction.atomic():
        fresh = without_known(accusations)
        if not fresh:
            return Filed(0, [], [])
        reporters = reporter_ids(fresh, now)
        ruled = judge(fresh, now=now)
        grouped = by_case([*(a for a in fresh if a not in ruled.out), *ruled.earlier])
        cases, opened = place(grouped, now) if grouped else ({}, [])
        rows = ((*complaint_row(a, reporters, cases), *ruled.columns(a)) for a in fresh)
        insert_rows(Complaint, (*COLUMNS, *RULED), rows)
        if ruled.lines:
            bring_back(ruled, cases)
            give_away(ruled, cases, opened, now=now)
        begin_waits([a for a in fresh if a.holding.again_at], now=now)
    return Filed(len(fresh), opened, sorted(set(cases.values())))


def without_known(accusations: Sequence[Accusation]) -> list[Accusation]:
    """Those not in the database yet, each once. The constraint stands behind this."""
    messages = {a.identity[0] for a in accusations}
    known = Complaint.objects.filter(message__in=messages).values_list(*IDENTITY) if messages else ()
    there = {(message, bytes(address), *rest) for message, address, *rest in known}
    fresh: dict[tuple[Any, ...], Accusation] = {}
    for accusation in accusations:
        if accusation.identity not in there:
            fresh.setdefault(accusation.identity, accusation)
    return list(fresh.values())


def reporter_ids(accusations: Sequence[Accusation], now: datetime) -> dict[str, int]:
    """Ids by lower-case address; unknown reporters are added, and those now proven are marked so."""
    wanted = {reporter_key(a.parsed) for a in accusations if a.parsed.reporter}
    found = dict(Reporter.objects.filter(address__in=wanted).values_list("address", "id"))
    if missing := sorted(wanted - found.keys()):
        rows = [Reporter(address=address, first_seen_at=now) for address in missing]
        Reporter.objects.bulk_create(rows, ignore_conflicts=True)
        found |= dict(Reporter.objects.filter(address__in=missing).values_list("address", "id"))
    if proven := {reporter_key(a.parsed) for a in accusations if a.authenticated}:
        Reporter.objects.filter(address__in=proven, authenticated=False).update(authenticated=True)
    return found
