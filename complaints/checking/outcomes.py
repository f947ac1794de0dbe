"""What a run found, written once, and the case woken.

Only a probe that arrives in our own mailbox proves an open relay; acceptance makes a run wait for it.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet

from complaints.cases.transitions import MACHINE
from complaints.models import Case, CaseEvent, CheckRun, ProbeArrival
from complaints.models.bulk import update_rows
from complaints.models.text import storable, storable_json
from complaints.vocabulary import CheckOutcome, EventKind, Verdict

State = CheckRun.State
MOST_TRIES = 3
LATE = timedelta(hours=24)  # a probe that arrives later says nothing of the server as it was
A_ROUND = 200  # runs that one call stops waiting for
SUSPECTED = "suspected: the server accepted our test mail, but it did not arrive; it may discard or hold it"
BACKSCATTER = (
    "backscatter: the server takes mail for anybody and then returns it to the sender. Our test mail came back as a"
    " bounce and was not delivered, so nothing proves a relay; but such bounces hit people who never wrote"
)


def record_outcome(run: CheckRun, outcome: CheckOutcome, *, now: datetime) -> bool:
    """Write what the run found; False when another worker has taken it over. Wakes the case."""
    held = CheckRun.objects.filter(pk=run.pk, state=State.RUNNING, claim=run.claim)
    details, reason = storable_json(dict(outcome.details)), storable(outcome.reason, 2000)
    # A probe that came back while we still talked proves the relay, whatever the server said to us.
    arrived = run.arrivals.exists()
    if details.get("retry") and run.tries + 1 < MOST_TRIES and not arrived:
        again = {"state": State.QUEUED, "due_at": now + retry_after(run.tries), "tries": run.tries + 1}
        written = bool(held.update(reason=reason, details=details, **again))
    elif outcome.waiting or arrived:
        until = now + timedelta(seconds=settings.PROBE_WAIT)
        written = bool(held.update(state=State.WAITING, reason=reason, details=details, due_at=until))
    else:
        written = finish(held, run, verdict=outcome.verdict, reason=reason, now=now, details=details)
    if written and not settle_arrival(run.pk, now=now):
        settle_bounce(run.pk, now=now)
    return written


def record_outcomes(results: Sequence[tuple[CheckRun, CheckOutcome]], *, now: datetime) -> list[int]:
    """`record_outcome` of many, the plain ones in one transaction. Returns the ids of the cases to wake."""
    arrived = set(ProbeArrival.objects.filter(run__in=[run.pk for run, _ in results]).values_list("run", flat=True))
    plain = [(run, outcome) for run, outcome in results if is_plain(run, outcome) and run.pk not in arrived]
    written = finish_many(plain, now=now)
    late = ProbeArrival.objects.filter(run__in=[run.pk for run in written]).values_list("run", flat=True)
    for run_id in set(late):  # it came while we wrote
        settle_arrival(run_id, now=now)
    rest = [(run, outcome) for run, outcome in results if run not in written]
    written += [run for run, outcome in rest if record_outcome(run, outcome, now=now)]
    return sorted({run.case_id for run in written if run.case_id is not None})


def is_plain(run: CheckRun, outcome: CheckOutcome) -> bool:
    """A verdict, once and for all."""
    return not outcome.waiting and not (outcome.details.get("retry") and run.tries + 1 < MOST_TRIES)


def finish_many(results: Sequence[tuple[CheckRun, CheckOutcome]], *, now: datetime) -> list[CheckRun]:
    """All verdicts in one transaction, or none where a worker has taken one of the runs over: then one by one."""
    columns = ("state", "verdict", "reason", "details", "finished_at", "due_at")
    rows: dict[str, list[tuple[Any, ...]]] = defaultdict(list)
    for run, outcome in sorted(results, key=lambda each: each[0].pk):
        told = (storable(outcome.reason, 2000), storable_json(dict(outcome.details)))
        rows[run.claim].append((run.pk, State.DONE.value, outcome.verdict.value, *told, now, None))
    with transaction.atomic():
        for claim, claimed in rows.items():
            held = {"claim": claim, "state": State.RUNNING.value}
            if update_rows(CheckRun, "id", columns, claimed, only=held) != len(claimed):
                transaction.set_rollback(True)
                return []
        cases = cases_now([run for run, _ in results])
        of_cases = [(cases[run.pk], run, outcome.verdict) for run, outcome in results if run.pk in cases]
        CaseEvent.objects.bulk_create(done_line(case, run, verdict, now) for case, run, verdict in of_cases)
        Case.objects.active().filter(pk__in={case for case, _, _ in of_cases}).update(due_at=now)
    return [run for run, _ in results]


def cases_now(runs: Sequence[CheckRun]) -> dict[int, int]:
    """The id of each run's case by the run's: while it ran, its case may have been merged into another."""
    of_cases = CheckRun.objects.filter(pk__in=[run.pk for run in runs], case__isnull=False)
    return dict(of_cases.values_list("pk", "case"))


def done_line(case: int, run: CheckRun, verdict: Verdict, now: datetime) -> CaseEvent:
    data = {"check": run.pk, "name": run.check_name, "verdict": verdict}
    return CaseEvent(case_id=case, at=now, kind=EventKind.CHECK_DONE, actor=MACHINE, data=data)


def retry_after(tries: int) -> timedelta:
    """Greylisting servers want minutes, not hours (RFC 6647 section 4.5). A fifth off or on keeps runs apart."""
    return timedelta(seconds=settings.CHECK_RETRY * 2**tries * random.uniform(0.8, 1.2))


def finish(
    held: QuerySet[CheckRun], run: CheckRun, *, verdict: Verdict, reason: str, now: datetime, **changes: Any
) -> bool:
    """The verdict, its history line and the wake-up of the case, in one transaction."""
    reason = storable(reason, 2000)
    with transaction.atomic():
        if not held.update(state=State.DONE, verdict=verdict, reason=reason, finished_at=now, due_at=None, **changes):
            return False
        for case in cases_now([run]).values():
            done_line(case, run, verdict, now).save()
            Case.objects.active().filter(pk=case).update(due_at=now)
    return True


def stop_waiting(*, now: datetime) -> list[int]:
    """Close the runs whose probe did not come in time. Returns the ids of their cases."""
    cases = []
    for run in CheckRun.objects.filter(state=State.WAITING, due_at__lte=now).select_related("case")[:A_ROUND]:
        if settle_arrival(run.pk, now=now):
            cases.append(run.case_id)
            continue
        held = CheckRun.objects.filter(pk=run.pk, state=State.WAITING)
        if finish(held, run, verdict=Verdict.UNKNOWN, now=now, **given_up(run)):
            cases.append(run.case_id)
    return [case for case in cases if case is not None]


def given_up(run: CheckRun) -> dict[str, Any]:
    """Reason and details of a run whose probe never arrived."""
    returned = run.bounces.exists()
    details = {**run.details, "backscatter": True} if returned else run.details
    return {"reason": BACKSCATTER if returned else SUSPECTED, "details": details}


def settle_arrival(run_id: int, *, now: datetime) -> bool:
    """If a probe of this run has arrived within a day, its verdict is bad, also after it was given up.

    True when it is so now.
    """
    run = CheckRun.objects.select_related("case").get(pk=run_id)
    arrival = run.arrivals.order_by("arrived_at").first()
    began = run.started_at or run.queued_at
    if arrival is None or arrival.arrived_at > began + LATE:
        return False
    held = CheckRun.objects.filter(pk=run_id, state__in=[State.QUEUED, State.WAITING, State.DONE]).exclude(
        verdict=Verdict.BAD
    )
    took = round((arrival.arrived_at - began).total_seconds()) if run.started_at else 0
    reason = how_it_came(run, form=arrival.form, port=arrival.port, peer=arrival.peer, took=max(0, took))
    finish(held, run, verdict=Verdict.BAD, reason=reason, now=now)
    return True


def how_it_came(run: CheckRun, *, form: str, port: int, peer: str, took: int) -> str:
    """One sentence that names both hosts where the tested one hands its mail to another."""
    address = run.address_text
    peer = peer.split(":")[0] if peer.count(":") == 1 else peer  # "192.0.2.1:4000"
    by_port = f", taken on port {port}" if port not in (0, run.port) else ""
    if peer in ("", address):
        return f"our test mail (form “{form}”{by_port}) came back through {address} after {took} s"
    return f"{address} relays through {peer}: our test mail (form “{form}”{by_port}) came back after {took} s"


def settle_bounce(run_id: int, *, now: datetime) -> None:
    """A run that waits for nothing but probes that have been returned need not wait; one that is over says why."""
    run = CheckRun.objects.select_related("case").get(pk=run_id)
    returned = set(run.bounces.values_list("form", "port"))
    if not returned or run.arrivals.exists():
        return
    accepted = accepted_by(run.details.get("forms") or [], run.port)
    if run.state == State.WAITING and (accepted <= returned or len(accepted) == 1):
        held = CheckRun.objects.filter(pk=run_id, state=State.WAITING)
        finish(held, run, verdict=Verdict.UNKNOWN, now=now, **given_up(run))
    elif run.state == State.DONE and run.verdict == Verdict.UNKNOWN:
        CheckRun.objects.filter(pk=run_id, state=State.DONE, verdict=Verdict.UNKNOWN).update(**given_up(run))


def accepted_by(forms: Sequence[dict[str, Any]], port: int) -> set[tuple[str, int]]:
    """(form, port) of the probes that may be on their way: taken, or sent and never answered."""
    sent = [row for row in forms if row.get("stage") == "end" and (row.get("code") or 250) < 400]
    return {(str(row.get("form")), int(row.get("port") or port)) for row in sent}
