"""Claiming runs, and asking the safety rules again before they start: since the order, much may have changed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from complaints.cases.transitions import MACHINE, record
from complaints.checking.rules import Asked, refusals
from complaints.checks import load_checks, queue_of
from complaints.claims import dead_claims, new_claim
from complaints.models import Case, CheckRun
from complaints.models.text import storable
from complaints.vocabulary import EventKind

State = CheckRun.State
RUN_LASTS = timedelta(minutes=15)  # longer than any check may take: then its worker is taken for dead
IN_FLIGHT = 200


def due_runs(now: datetime, *, limit: int = IN_FLIGHT, queues: Collection[str] = ()) -> list[int]:
    """Ids of what should be started: due and queued, or held by a worker that must be dead. queues: only of these."""
    due = CheckRun.objects.filter(Q(state=State.QUEUED, due_at__lte=now) | is_lost(now))
    if queues:
        due = due.filter(check_name__in=[each.NAME for each in load_checks() if queue_of(each.NAME) in queues])
    return list(due.order_by("due_at").values_list("pk", flat=True)[:limit])


def is_lost(now: datetime) -> Q:
    return Q(state=State.RUNNING, started_at__lt=now - RUN_LASTS)


def by_queue(ids: Collection[int]) -> dict[str, list[int]]:
    """`ids` apart by the workers that run them."""
    found: dict[str, list[int]] = defaultdict(list)
    for pk, name in CheckRun.objects.filter(pk__in=ids).order_by("pk").values_list("pk", "check_name"):
        found[queue_of(name)].append(pk)
    return found


def claim_runs(ids: Iterable[int], *, now: datetime) -> list[CheckRun]:
    """Those of `ids` that are ours to run now. One run a check and address at a time: the others stay queued."""
    claim = new_claim()
    claim_some(list(ids), claim=claim, now=now)
    return list(CheckRun.objects.filter(claim=claim, state=State.RUNNING).select_related("case__contract"))


def claim_some(ids: list[int], *, claim: str, now: datetime) -> None:
    """In one statement; only where another worker is quicker for one of them, half by half."""
    if not ids:
        return
    under_way = CheckRun.objects.filter(
        check_name=OuterRef("check_name"), address=OuterRef("address"), state__in=[State.RUNNING, State.WAITING]
    ).exclude(pk=OuterRef("pk"))
    free = CheckRun.objects.filter(Q(state=State.QUEUED, due_at__lte=now) | is_lost(now), pk__in=ids)
    try:
        with transaction.atomic():
            free.exclude(Exists(under_way)).update(state=State.RUNNING, claim=claim, started_at=now)
    except IntegrityError:  # check_one_in_flight: two of them ask the same address, or another worker has just begun
        if len(ids) > 1:
            half = len(ids) // 2
            claim_some(ids[:half], claim=claim, now=now)
            claim_some(ids[half:], claim=claim, now=now)


def allowed(runs: Sequence[CheckRun], *, now: datetime) -> list[CheckRun]:
    """Those that the safety rules still allow: since it was ordered, the line may have changed hands.

    A run without a case was ordered by hand a moment ago, and its consent asked there.
    """
    asked = [Asked(run.check_name, bytes(run.address), run.port or None, run.case, run.case is None) for run in runs]
    rules = refusals(asked, now=now) if asked else []
    for run, rule in zip(runs, rules, strict=True):
        if rule is not None:
            refuse_by_now(run, rule, now=now)
    return [run for run, rule in zip(runs, rules, strict=True) if rule is None]


def refuse_by_now(run: CheckRun, rule: str, *, now: datetime) -> None:
    with transaction.atomic():
        held = CheckRun.objects.filter(pk=run.pk, state=State.RUNNING, claim=run.claim)
        if held.update(state=State.REFUSED, reason=storable(rule, 2000), finished_at=now, due_at=None) and run.case:
            kept = {"check": run.pk, "name": run.check_name, "refused": rule}
            record(run.case, EventKind.CHECK_QUEUED, actor=MACHINE, now=now, **kept)
            Case.objects.active().filter(pk=run.case.pk).update(due_at=now)


def release_dead() -> None:
    """Queue the runs of workers that died once more."""
    held = CheckRun.objects.filter(state=State.RUNNING)
    dead = dead_claims(held.order_by().values_list("claim", flat=True).distinct())
    if dead:
        held.filter(claim__in=dead).update(state=State.QUEUED, due_at=timezone.now())
