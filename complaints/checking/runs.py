"""Claiming and running checks: sockets and DNS, many in one loop. The rules are asked again before each starts."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone

from complaints.cases.transitions import MACHINE, record
from complaints.checking.outcomes import record_outcome
from complaints.checking.rules import refusal
from complaints.checking.setup import config
from complaints.checks import load_checks
from complaints.claims import dead_claims, new_claim
from complaints.models import Case, CheckRun
from complaints.models.text import storable
from complaints.registry import by_name
from complaints.vocabulary import CheckOutcome, CheckTarget, EventKind, Verdict

log = logging.getLogger(__name__)
State = CheckRun.State
RUN_LASTS = timedelta(minutes=15)  # longer than any check may take: then its worker is taken for dead
IN_FLIGHT = 200


def due_runs(now: datetime, *, limit: int = IN_FLIGHT) -> list[int]:
    """Ids of what should be started: due and queued, or held by a worker that must be dead."""
    dead = Q(state=State.RUNNING, started_at__lt=now - RUN_LASTS)
    return list(
        CheckRun.objects.filter(Q(state=State.QUEUED, due_at__lte=now) | dead)
        .order_by("due_at")
        .values_list("pk", flat=True)[:limit]
    )


def claim_runs(ids: Iterable[int], *, now: datetime) -> list[CheckRun]:
    """Those of `ids` that are ours to run now. One run a check and address at a time: the others stay queued."""
    claim, mine = new_claim(), []
    free = Q(state=State.QUEUED, due_at__lte=now) | Q(state=State.RUNNING, started_at__lt=now - RUN_LASTS)
    for pk in ids:
        try:
            with transaction.atomic():
                found = CheckRun.objects.filter(free, pk=pk).update(state=State.RUNNING, claim=claim, started_at=now)
        except IntegrityError:
            continue  # check_one_in_flight: the sweep comes back to it
        if found:
            mine.append(pk)
    return list(CheckRun.objects.filter(pk__in=mine, claim=claim).select_related("case__contract"))


def allowed(runs: Iterable[CheckRun], *, now: datetime) -> list[CheckRun]:
    """Those that the safety rules still allow: since it was ordered, the line may have changed hands.

    A run without a case was ordered by hand a moment ago, and its consent asked there.
    """
    return [run for run in runs if not refuse_by_now(run, now=now)]


def refuse_by_now(run: CheckRun, *, now: datetime) -> bool:
    address, by_hand = bytes(run.address), run.case is None
    rule = refusal(run.check_name, address, now=now, case=run.case, consent=by_hand, port=run.port or None)
    if rule is None:
        return False
    with transaction.atomic():
        held = CheckRun.objects.filter(pk=run.pk, state=State.RUNNING, claim=run.claim)
        if held.update(state=State.REFUSED, reason=storable(rule, 2000), finished_at=now, due_at=None) and run.case:
            kept = {"check": run.pk, "name": run.check_name, "refused": rule}
            record(run.case, EventKind.CHECK_QUEUED, actor=MACHINE, now=now, **kept)
            Case.objects.active().filter(pk=run.case.pk).update(due_at=now)
    return True


def release_dead() -> None:
    """Queue the runs of workers that died once more."""
    held = CheckRun.objects.filter(state=State.RUNNING)
    dead = dead_claims(held.order_by().values_list("claim", flat=True).distinct())
    if dead:
        held.filter(claim__in=dead).update(state=State.QUEUED, due_at=timezone.now())


def run_claimed(runs: Sequence[CheckRun]) -> list[tuple[CheckRun, CheckOutcome]]:
    """All of `runs` at once in one loop; sockets and DNS only, no database."""
    checks, settled = by_name(load_checks()), config()

    async def one(run: CheckRun) -> CheckOutcome:
        target = CheckTarget(address=run.address_text, port=run.port or None, nonce=run.nonce)
        try:
            return await checks[run.check_name].run(target, settled)
        except Exception as exc:  # a fault in a check must not lose the other 199; the verdict says what happened
            log.exception("check %s of %s failed", run.check_name, run.address_text)
            return CheckOutcome(verdict=Verdict.UNKNOWN, reason=f"the check itself failed: {exc!r}")

    async def every() -> list[CheckOutcome]:
        return await asyncio.gather(*(one(run) for run in runs))

    return list(zip(runs, asyncio.run(every()), strict=True))


def run_now(run: CheckRun) -> None:
    """Claim and run one check in this process, once its pace allows it."""
    wait_s = (run.due_at - timezone.now()).total_seconds() if run.due_at else 0
    time.sleep(max(0.0, wait_s))
    now = timezone.now()
    for claimed, outcome in run_claimed(allowed(claim_runs([run.pk], now=now), now=now)):
        record_outcome(claimed, outcome, now=timezone.now())
