"""Running checks: sockets and DNS, up to 200 at once in one loop; results come out as soon as they are there."""

from __future__ import annotations

import asyncio
import dataclasses
import logging
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import django.db
from django.utils import timezone

from complaints.blacklists import Batch
from complaints.checking.earlier_listings import of_their_own
from complaints.checking.outcomes import record_outcome, record_outcomes
from complaints.checking.runs import IN_FLIGHT, allowed, claim_runs, due_runs
from complaints.checking.setup import config
from complaints.checks import CheckConfig, load_checks, queue_of
from complaints.claims import insist
from complaints.models import CheckRun, ProbeArrival
from complaints.registry import by_name
from complaints.vocabulary import CheckOutcome, CheckTarget, Verdict

log = logging.getLogger(__name__)
Result = tuple[CheckRun, CheckOutcome]
TURN_S = 0.05  # the loop runs so long between two looks at the database
REFILLED_S = 120.0  # so long a batch takes up what comes due meanwhile; then it comes to an end
REFILL_FROM = IN_FLIGHT // 4  # free places worth a claim


def run_claimed(
    runs: Sequence[CheckRun],
    *,
    settled: CheckConfig | None = None,
    more: Callable[[int], Sequence[CheckRun]] = lambda room: (),
) -> Iterator[list[Result]]:
    """All of `runs` at once in one loop; yields what has finished, turn by turn.

    settled: what the checks are told, instead of the settings. more: claimed runs to fill so many free places.
    Whatever uses the database does so between two turns, so that the loop itself never waits for it.
    """
    checks, watch = by_name(load_checks()), ProofWatch()
    settled = settled or config()
    lists = Batch()
    settled = dataclasses.replace(settled, proof=settled.proof or watch.wait, inquiry=settled.inquiry or lists.inquiry)

    async def one(run: CheckRun) -> CheckOutcome:
        target = CheckTarget(address=run.address_text, port=run.port or None, nonce=run.nonce)
        try:
            return await checks[run.check_name].run(target, settled)
        except Exception as exc:  # a fault in a check must not lose the other 199; the verdict says what happened
            log.exception("check %s of %s failed", run.check_name, run.address_text)
            return CheckOutcome(verdict=Verdict.UNKNOWN, reason=f"the check itself failed: {exc!r}")

    with asyncio.Runner() as runner:
        start = runner.get_loop().create_task
        lists.expect(to_lists(runs))
        tasks = {start(one(run)): run for run in runs}
        try:
            while tasks:
                runner.run(a_turn(list(tasks)))
                if done := [task for task in tasks if task.done()]:
                    results = [(tasks.pop(task), task.result()) for task in done]
                    lists.keep(said_by_lists(results))
                    yield results
                watch.look()
                fresh = more(IN_FLIGHT - len(tasks))
                lists.expect(to_lists(fresh))
                tasks |= {start(one(run)): run for run in fresh}
        finally:
            lists.end()


def to_lists(runs: Sequence[CheckRun]) -> list[str]:
    """The addresses about which blacklists will be asked."""
    return [run.address_text for run in runs if run.check_name == "dnsbl"]


def said_by_lists(results: Sequence[Result]) -> list[dict[str, Any]]:
    found = (outcome.details.get("lists", []) for run, outcome in results if run.check_name == "dnsbl")
    return [row for rows in found for row in rows]


async def a_turn(tasks: list[asyncio.Task[CheckOutcome]]) -> None:
    await asyncio.wait(tasks, timeout=TURN_S)


class ProofWatch:
    """Checks that wait for their probe to come back; looked for in the database between two turns of the loop."""

    def __init__(self) -> None:
        self.wanted: dict[str, asyncio.Event] = {}

    async def wait(self, nonce: str) -> None:
        event = self.wanted.setdefault(nonce, asyncio.Event())
        try:
            await event.wait()
        finally:
            self.wanted.pop(nonce, None)

    def look(self) -> None:
        if not self.wanted:
            return
        arrived = ProbeArrival.objects.filter(run__nonce__in=list(self.wanted))
        for nonce in arrived.values_list("run__nonce", flat=True).distinct():
            self.wanted[nonce].set()


def work_off(ids: Sequence[int], *, settled: CheckConfig | None = None) -> Iterator[list[int]]:
    """Claim, run and record `ids`, and what else comes due for the same workers while there is room.

    Yields the ids of cases whose results are in. Runs beside other workers: every row is claimed.
    """
    runs = claim_allowed(ids)
    for results in run_claimed(runs, settled=settled, more=refill({queue_of(run.check_name) for run in runs})):
        yield record_all(results)


def claim_allowed(ids: Sequence[int]) -> list[CheckRun]:
    now = timezone.now()
    return allowed(claim_runs(ids, now=now), now=now)


def refill(queues: set[str]) -> Callable[[int], Sequence[CheckRun]]:
    """A few slow peers must not keep a whole batch of places: what they leave free goes to what is due."""
    until, looked = time.monotonic() + REFILLED_S, [time.monotonic()]

    def more(room: int) -> Sequence[CheckRun]:
        now = time.monotonic()
        if room < REFILL_FROM or now > until or now < looked[0] + TURN_S:
            return ()
        found = claim_allowed(due_runs(timezone.now(), limit=room, queues=queues))
        looked[0] = now if found else now + 1
        return found

    return more


def record_all(results: Sequence[Result]) -> list[int]:
    """What was found is written also when the database went away meanwhile. Returns the ids of the cases."""
    try:
        return insist(lambda: record_outcomes(of_their_own(results), now=timezone.now()))
    except (django.db.OperationalError, django.db.InterfaceError):
        raise
    except Exception:  # one that cannot be written must not lose the others
        log.exception("%d outcomes cannot be recorded at once; one by one", len(results))
    return [run.case_id for run, outcome in results if record_one(run, outcome) and run.case_id is not None]


def record_one(run: CheckRun, outcome: CheckOutcome) -> bool:
    """One that the database refuses is unknown: it must not be run for ever."""
    try:
        own = insist(lambda: of_their_own([(run, outcome)]))[0][1]
        return insist(lambda: record_outcome(run, own, now=timezone.now()))
    except (django.db.OperationalError, django.db.InterfaceError):
        raise
    except Exception as exc:
        log.exception("the outcome of check %s cannot be recorded", run.pk)
        lost = CheckOutcome(verdict=Verdict.UNKNOWN, reason=f"the outcome cannot be recorded: {type(exc).__name__}")
        return record_outcome(run, lost, now=timezone.now())


def run_now(run: CheckRun) -> None:
    """Claim and run one check in this process, once its pace allows it."""
    wait_s = (run.due_at - timezone.now()).total_seconds() if run.due_at else 0
    time.sleep(max(0.0, wait_s))
    for results in run_claimed(claim_allowed([run.pk])):
        record_all(results)
