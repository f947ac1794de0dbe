"""The rows that go with complaints from case to case, and back again: checks, links, measures, tasks, corrections.

What goes is remembered with the column that had to change, so that each row can return exactly as it was.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db.models import Count, Max, Min

from complaints.cases.moving import recount
from complaints.models import Case, CheckRun, Complaint, DeskTask, Intervention, Notice, PortalLink, Reattribution
from complaints.models.bulk import update_rows

MERGED = "merged"  # an occasion of no step: such a run is evidence, and ends no step of the case that it came to
TAKEN_BACK = "the case was merged into another before this went"
Rows = dict[str, list[list[Any]]]


def take_along(case: Case, to: Case, ids: Sequence[int], *, now: datetime, whole: bool = True) -> Rows:
    """Move these complaints, and with a whole case also all that belongs to it, except letters that went out."""
    update_rows(Complaint, "id", ("case_id",), [(pk, to.pk) for pk in ids])
    asked = Reattribution.objects.filter(complaint__in=ids, from_case=case, state=Reattribution.State.PROPOSED)
    rows: Rows = {"corrections": [[pk] for pk in asked.values_list("pk", flat=True)]}
    Reattribution.objects.filter(pk__in=firsts(rows["corrections"])).update(from_case=to)
    if not whole:
        rows["checks"] = take_checks(case.checks.filter(address__in=only_theirs(case, ids)), to)
        return rows
    rows["checks"] = take_checks(case.checks.all(), to)
    rows["measures"] = take_measures(case, to)
    for name, found in (("links", case.links.all()), ("tasks", case.tasks.filter(done_at=None))):
        rows[name] = [[pk] for pk in found.values_list("pk", flat=True)]
    PortalLink.objects.filter(pk__in=firsts(rows["links"])).update(case=to)
    DeskTask.objects.filter(pk__in=firsts(rows["tasks"])).update(case=to)
    # What went out stays with the case that it was about. What has not gone would speak of a case that is no more.
    case.notices.filter(state=Notice.State.QUEUED).update(state=Notice.State.WITHDRAWN, problem=TAKEN_BACK)
    return rows


def only_theirs(case: Case, ids: Sequence[int]) -> list[bytes]:
    """Addresses that these complaints name and none that stays in the case."""
    stay = set(map(bytes, case.complaints.exclude(pk__in=ids).values_list("address", flat=True).distinct()))
    went = set(map(bytes, Complaint.objects.filter(pk__in=ids).values_list("address", flat=True).distinct()))
    return sorted(went - stay - {b""})


def take_checks(runs: Any, to: Case) -> list[list[Any]]:
    rows = [[pk, occasion] for pk, occasion in runs.order_by("pk").values_list("pk", "occasion")]
    update_rows(CheckRun, "id", ("case_id", "occasion"), [(pk, to.pk, f"{MERGED}-{pk}") for pk, _ in rows])
    return rows


def take_measures(case: Case, to: Case) -> list[list[Any]]:
    """A measure stands on the line as before; the case that it now belongs to lifts it."""
    rows = [[pk, step] for pk, step in case.interventions.order_by("pk").values_list("pk", "step")]
    update_rows(Intervention, "id", ("case_id", "step"), [(pk, to.pk, f"{MERGED}-{pk}") for pk, _ in rows])
    return rows


def give_back(case: Case, rows: Mapping[str, Sequence[Sequence[Any]]]) -> None:
    """All of `rows` to `case`, as they were."""
    checks = [(pk, case.pk, occasion) for pk, occasion in rows.get("checks", ())]
    update_rows(CheckRun, "id", ("case_id", "occasion"), checks)
    measures = [(pk, case.pk, step) for pk, step in rows.get("measures", ())]
    update_rows(Intervention, "id", ("case_id", "step"), measures)
    PortalLink.objects.filter(pk__in=firsts(rows.get("links", ()))).update(case=case)
    DeskTask.objects.filter(pk__in=firsts(rows.get("tasks", ()))).update(case=case)
    proposed = Reattribution.objects.filter(pk__in=firsts(rows.get("corrections", ())))
    proposed.filter(state=Reattribution.State.PROPOSED).update(from_case=case)


def firsts(rows: Sequence[Sequence[Any]]) -> list[int]:
    return [row[0] for row in rows]


def count_again(*cases: Case) -> None:
    """What a case's row says of its complaints, after some came or went. One without any counts none."""
    for case in cases:
        found = case.complaints.aggregate(
            n=Count("pk"), first=Min("seen_at"), last=Max("seen_at"), confidence=Max("confidence")
        )
        reporters = case.complaints.exclude(reporter=None).values("reporter").distinct().count()
        if found["n"]:
            recount(case, found)
        else:
            Case.objects.filter(pk=case.pk).update(complaint_count=0)
        Case.objects.filter(pk=case.pk).update(reporter_count=reporters)
        case.refresh_from_db(fields=["complaint_count", "reporter_count", "first_seen_at", "last_seen_at", "address"])


def newest_complaint(case: Case) -> int:
    """The id of the case's youngest complaint: what comes later has a higher one."""
    return case.complaints.aggregate(last=Max("pk"))["last"] or 0
