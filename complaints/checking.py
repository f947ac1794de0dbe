"""Checks as rows: ordered under the safety rules, claimed, run, and recorded. A refusal is a recorded answer.

Only a probe that arrives in our own mailbox proves an open relay; acceptance makes a run wait for it.
"""

from __future__ import annotations

import asyncio
import dataclasses
import hashlib
import hmac
import logging
import time
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from email import message_from_bytes
from functools import lru_cache
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from complaints.cases.transitions import MACHINE, record
from complaints.check_rules import refusal
from complaints.checks import (
    RETURN_PATH,
    CheckConfig,
    DnsblList,
    load_checks,
    load_lists,
    match_probe,
    nonce_of_probe,
    token_in,
    verify_probe,
)
from complaints.claims import dead_claims, new_claim
from complaints.models import Case, CheckRun, Message, ProbeArrival
from complaints.models.text import storable, storable_json
from complaints.registry import by_name
from complaints.vocabulary import CaseState, CheckOutcome, CheckTarget, EventKind, Verdict

log = logging.getLogger(__name__)
State = CheckRun.State
RUN_LASTS = timedelta(minutes=15)  # longer than any check may take: then its worker is taken for dead
RETRY_AFTER = timedelta(minutes=10)  # greylisting: RFC 6647 section 4.5 has servers wait minutes, not hours
MOST_TRIES = 3
IN_FLIGHT = 200


def queue_check(
    case: Case, check: str, address: bytes, *, occasion: str, now: datetime, actor: str = MACHINE
) -> CheckRun:
    """Order one run, once for (case, check, address, occasion). Where a safety rule forbids it, the row says which."""
    port = settings.RELAY_PORT if check == "relay" else 0
    refused = refusal(check, address, now=now, case=case, port=port)
    with transaction.atomic():
        run, created = CheckRun.objects.get_or_create(
            case=case,
            check_name=check,
            address=address,
            port=port,
            occasion=occasion,
            defaults={
                "queued_at": now,
                "due_at": None if refused else paced(check, address, now),
                "state": State.REFUSED if refused else State.QUEUED,
                "reason": refused or "",
                "finished_at": now if refused else None,
            },
        )
        if created:
            record(case, EventKind.CHECK_QUEUED, actor=actor, now=now, check=run.pk, name=check, refused=refused)
    return run


def paced(check: str, address: bytes, now: datetime) -> datetime:
    """Not before: a host is not asked more often than the pace of its kind of check allows."""
    if check != "relay":
        return now
    last = (
        CheckRun.objects.filter(check_name=check, address=address)
        .exclude(state=State.REFUSED)
        .order_by("-queued_at", "-pk")
        .first()
    )
    if last is None:
        return now
    begins = last.started_at or last.queued_at
    if last.state == State.QUEUED and last.due_at:
        begins = last.due_at
    return max(now, begins + timedelta(seconds=settings.RELAY_PACE))


def order_check(check: str, address: bytes, *, port: int | None, now: datetime) -> CheckRun:
    """One run by hand that belongs to no case. The caller has asked `refusal` first."""
    port = port or (settings.RELAY_PORT if check == "relay" else 0)
    return CheckRun.objects.create(
        check_name=check,
        address=address,
        port=port,
        occasion="by-hand",
        queued_at=now,
        due_at=paced(check, address, now),
    )


def run_now(run: CheckRun) -> None:
    """Claim and run one check in this process, once its pace allows it."""
    wait_s = (run.due_at - timezone.now()).total_seconds() if run.due_at else 0
    time.sleep(max(0.0, wait_s))
    now = timezone.now()
    for claimed, outcome in run_claimed(allowed(claim_runs([run.pk], now=now), now=now)):
        record_outcome(claimed, outcome, now=timezone.now())


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
    for run in CheckRun.objects.filter(state=State.WAITING, due_at__lte=now).select_related("case")[:IN_FLIGHT]:
        if settle_arrival(run.pk, now=now):
            cases.append(run.case_id)
            continue
        reason = "suspected: the server accepted our test mail, but it did not arrive; it may discard or hold it"
        held = CheckRun.objects.filter(pk=run.pk, state=State.WAITING)
        if finish(held, run, verdict=Verdict.UNKNOWN, reason=reason, now=now):
            cases.append(run.case_id)
    return [case for case in cases if case is not None]


@dataclasses.dataclass(frozen=True, slots=True)
class Arrivals:
    """cases: ids of those whose runs are proven bad. strays: messages for the probe mailbox that are no probes."""

    cases: Sequence[int]
    strays: Sequence[Message]


def record_arrivals(messages: Sequence[Message], *, now: datetime) -> Arrivals:
    """Probes among `messages` prove their runs bad."""
    cases, strays = set(), []
    for message in messages:
        probes = [probe for to in recipients_of(message) if (probe := read_probe(to))]
        cases |= {record_arrival(message, run, form, now=now) for run, form in probes if form != RETURN_PATH}
        if not probes:
            strays.append(message)
    return Arrivals(sorted(case for case in cases if case is not None), strays)


def recipients_of(message: Message) -> list[str]:
    """A pipe tells no envelope; then the token that the probe itself carries, which is signed as well."""
    if message.envelope_to:
        return message.envelope_to.splitlines()
    token = message_from_bytes(message.raw).get("X-Relay-Check-Token")
    return [f"{str(token).strip()}@{settings.PROBE_DOMAIN}"] if token else []


def read_probe(recipient: str) -> tuple[CheckRun, str] | None:
    """The run and the form whose probe has this recipient; the form is RETURN_PATH for the sender we gave it."""
    token, domain = token_in(recipient), recipient.rpartition("@")[2]
    nonce = nonce_of_probe(token) if token else None
    run = CheckRun.objects.filter(nonce=nonce).first() if nonce else None
    if run is None or token is None or domain.lower() != settings.PROBE_DOMAIN:
        return None
    signed = (probe_secret(), token, run.nonce, run.address_text, run.port)
    form = RETURN_PATH if verify_probe(*signed, RETURN_PATH) else match_probe(*signed)
    if form is None:
        log.warning("%r claims to be a probe of run %s, but its signature is wrong", recipient[:100], run.pk)
        return None
    return run, form


def record_arrival(message: Message, run: CheckRun, form: str, *, now: datetime) -> int | None:
    with transaction.atomic():
        # Locks the row: whoever writes the run's outcome at this moment comes before or after, and sees the arrival.
        CheckRun.objects.filter(pk=run.pk).update(tries=F("tries"))
        ProbeArrival.objects.get_or_create(
            run=run, form=form, defaults={"message": message, "peer": message.peer, "arrived_at": message.received_at}
        )
        settle_arrival(run.pk, now=now)
    return run.case_id


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


def config() -> CheckConfig:
    return CheckConfig(
        helo=settings.HELO,
        secret=probe_secret(),
        probe_domain=settings.PROBE_DOMAIN,
        resolvers=settings.DNS_RESOLVERS,
        relay_port=settings.RELAY_PORT,
        lists=blacklists(),
        info_url=f"{settings.BASE_URL}/relay-check",
        contact=settings.DESK_EMAIL,
    )


@lru_cache(maxsize=1)
def blacklists() -> tuple[DnsblList, ...]:
    return load_lists(Path(settings.CHECK_LISTS_FILE) if settings.CHECK_LISTS_FILE else None)


def probe_secret() -> bytes:
    """Empty where there is no key: then `refusal` has forbidden the relay check."""
    return (
        hmac.digest(settings.SECRET_KEY.encode(), b"relay probes", hashlib.sha256) if settings.HAS_SECRET_KEY else b""
    )


def addresses_of(case: Case, *, most: int = 4) -> list[bytes]:
    """The addresses complained about in the case, the youngest first; those are what its checks look at."""
    seen: dict[bytes, None] = {}
    for address in case.complaints.exclude(address=b"").order_by("-seen_at").values_list("address", flat=True)[:200]:
        seen.setdefault(bytes(address))
    return list(seen)[:most] or ([bytes(case.address)] if case.address else [])
