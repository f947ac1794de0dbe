"""What a run found, written once, and the case woken.

Only a probe that arrives in our own mailbox proves an open relay; acceptance makes a run wait for it.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet

from complaints.cases.transitions import MACHINE, record
from complaints.models import Case, CheckRun
from complaints.models.text import storable, storable_json
from complaints.vocabulary import CaseState, CheckOutcome, EventKind, Verdict

State = CheckRun.State
RETRY_AFTER = timedelta(minutes=10)  # greylisting: RFC 6647 section 4.5 has servers wait minutes, not hours
MOST_TRIES = 3
A_ROUND = 200  # runs that one call stops waiting for


def record_outcome(run: CheckRun, outcome: CheckOutcome, *, now: datetime) -> bool:
    """Write what the run found; False when another worker has taken it over. Wakes the case."""
    held = CheckRun.objects.filter(pk=run.pk, state=State.RUNNING, claim=run.claim)
    details, reason = storable_json(dict(outcome.details)), storable(outcome.reason, 2000)
    # A probe that came back while we still talked proves the relay, whatever the server said to us.
    arrived = run.arrivals.exists()
    if details.get("retry") and run.tries + 1 < MOST_TRIES and not arrived:
        again = {"state": State.QUEUED, "due_at": now + RETRY_AFTER, "tries": run.tries + 1}
        written = bool(held.update(reason=reason, details=details, **again))
    elif outcome.waiting or arrived:
        until = now + timedelta(seconds=settings.PROBE_WAIT)
        written = bool(held.update(state=State.WAITING, reason=reason, details=details, due_at=until))
    else:
        written = finish(held, run, verdict=outcome.verdict, reason=reason, now=now, details=details)
    if written:
        settle_arrival(run.pk, now=now)
    return written


def finish(
    held: QuerySet[CheckRun], run: CheckRun, *, verdict: Verdict, reason: str, now: datetime, **changes: Any
) -> bool:
    """The verdict, its history line and the wake-up of the case, in one transaction."""
    reason = storable(reason, 2000)
    with transaction.atomic():
        if not held.update(state=State.DONE, verdict=verdict, reason=reason, finished_at=now, due_at=None, **changes):
            return False
        if run.case is not None:
            record(
                run.case,
                EventKind.CHECK_DONE,
                actor=MACHINE,
                now=now,
                check=run.pk,
                name=run.check_name,
                verdict=verdict,
            )
            Case.objects.filter(pk=run.case.pk).exclude(state=CaseState.CLOSED).update(due_at=now)
    return True


def stop_waiting(*, now: datetime) -> list[int]:
    """Close the runs whose probe did not come in time. Returns the ids of their cases."""
    cases = []
    for run in CheckRun.objects.filter(state=State.WAITING, due_at__lte=now).select_related("case")[:A_ROUND]:
        if settle_arrival(run.pk, now=now):
            cases.append(run.case_id)
            continue
        reason = "suspected: the server accepted our test mail, but it did not arrive; it may discard or hold it"
        held = CheckRun.objects.filter(pk=run.pk, state=State.WAITING)
        if finish(held, run, verdict=Verdict.UNKNOWN, reason=reason, now=now):
            cases.append(run.case_id)
    return [case for case in cases if case is not None]


def settle_arrival(run_id: int, *, now: datetime) -> bool:
    """If a probe of this run has arrived, its verdict is bad, also after it was given up. True when it is so now."""
    run = CheckRun.objects.select_related("case").get(pk=run_id)
    arrival = run.arrivals.order_by("arrived_at").first()
    if arrival is None:
        return False
    held = CheckRun.objects.filter(pk=run_id, state__in=[State.QUEUED, State.WAITING, State.DONE]).exclude(
        verdict=Verdict.BAD
    )
    took = round((arrival.arrived_at - run.started_at).total_seconds()) if run.started_at else 0
    peer = arrival.peer.split(":")[0] if arrival.peer.count(":") == 1 else arrival.peer  # "192.0.2.1:4000"
    through = "" if peer in ("", run.address_text) else f", delivered to us by {arrival.peer}"
    reason = f"our test mail (form “{arrival.form}”) came back through {run.address_text} after {took} s{through}"
    finish(held, run, verdict=Verdict.BAD, reason=reason, now=now)
    return True
