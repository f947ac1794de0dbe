"""Complaints whose owner cannot be known now: when each is asked again, and how the waiting ends.

A wait is a row, so nothing is forgotten; its tries are counted and bounded, so nothing is asked for ever; and a
wait that ended without an answer stays for the desk to see.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db.models import F

from complaints.attribution import Holding
from complaints.cases.accusations import IDENTITY, Accusation
from complaints.models import AttributionWait, Complaint
from complaints.models.text import storable
from complaints.vocabulary import Answer

Why, Outcome = AttributionWait.Why, AttributionWait.Outcome
# Between two tries; some five days together. Logs of leases come late, and outages last a weekend.
PAUSES = [timedelta(minutes=minutes) for minutes in (5, 10, 20, 40, 80, 160, 320, 640, 1440, 1440, 1440, 1440)]
TRY_LASTS = timedelta(minutes=10)  # the worker that asks and has not answered by then is taken for dead


def begin_waits(accusations: Sequence[Accusation], *, now: datetime) -> None:
    """For complaints that have just been filed and whose answer says when to ask again."""
    if not accusations:
        return
    holdings = {accusation.identity: accusation.holding for accusation in accusations}
    rows = Complaint.objects.filter(message__in={identity[0] for identity in holdings}, case=None)
    begin(
        {
            pk: holdings[message, bytes(address), *rest]
            for pk, message, address, *rest in rows.values_list("pk", *IDENTITY)
            if (message, bytes(address), *rest) in holdings
        },
        now=now,
    )


def begin(holdings: Mapping[int, Holding], *, now: datetime) -> None:
    """By complaint id; those that wait already, or waited in vain, are left as they are."""
    rows = [
        AttributionWait(
            complaint_id=pk,
            why=Why.RESOLVER,
            resolver=storable(holding.resolver, 40),
            reason=storable(holding.reason, 500),
            started_at=now,
            due_at=holding.again_at or now + PAUSES[0],
        )
        for pk, holding in sorted(holdings.items())
    ]
    AttributionWait.objects.bulk_create(rows, ignore_conflicts=True)


def wait_for_reporter(complaint_ids: Iterable[int], *, reason: str, until: datetime, now: datetime) -> None:
    """The reporter was asked for what is missing: parked until the answer, and until then at most. May be repeated."""
    rows = [
        AttributionWait(
            complaint_id=pk, why=Why.REPORTER, reason=storable(reason, 500), started_at=now, due_at=until, tries=0
        )
        for pk in sorted(set(complaint_ids))
    ]
    columns = ["why", "resolver", "reason", "started_at", "due_at", "tries", "ended_at", "outcome"]
    AttributionWait.objects.bulk_create(rows, update_conflicts=True, unique_fields=["complaint"], update_fields=columns)


def due_waits(now: datetime, *, limit: int) -> list[int]:
    """Ids of the complaints whose waits are over."""
    due = AttributionWait.objects.filter(outcome="", due_at__lte=now).order_by("due_at")
    return list(due.values_list("complaint_id", flat=True)[:limit])


def claim_due(complaint_ids: Collection[int], *, now: datetime) -> list[int]:
    """Those of them that are ours to ask now. The try is counted before it is made: one that kills us counts too."""
    return [
        pk
        for pk in sorted(set(complaint_ids))
        if AttributionWait.objects.filter(complaint=pk, outcome="", due_at__lte=now).update(
            due_at=now + TRY_LASTS, tries=F("tries") + 1
        )
    ]


def settle(asked: Mapping[int, Holding], *, due: Collection[int], now: datetime) -> None:
    """End or postpone the waits of complaints (by id) that have been asked again; `due`: those whose time was up."""
    waits = {wait.complaint_id: wait for wait in AttributionWait.objects.filter(complaint__in=list(asked))}
    for pk, holding in asked.items():
        wait = waits.get(pk)
        changes = after_asking(wait, holding, is_due=pk in due, now=now) if wait and not wait.outcome else None
        if wait and changes:
            AttributionWait.objects.filter(pk=wait.pk, outcome="", tries=wait.tries).update(**changes)
    begin({pk: holding for pk, holding in asked.items() if holding.again_at and pk not in waits}, now=now)


def after_asking(wait: AttributionWait, holding: Holding, *, is_due: bool, now: datetime) -> dict[str, Any] | None:
    """What becomes of a wait by an answer. None: it goes on as it is."""
    unknown_now = holding.answer is Answer.UNSURE if wait.why == Why.REPORTER else holding.again_at is not None
    if not unknown_now:
        return {"ended_at": now, "outcome": Outcome.ANSWERED}
    if not is_due:
        return None
    if wait.why == Why.REPORTER:
        return {"ended_at": now, "outcome": Outcome.SILENT}
    if wait.tries > len(PAUSES):
        return {"ended_at": now, "outcome": Outcome.EXHAUSTED, "reason": storable(holding.reason, 500)}
    again = max(holding.again_at or now, now + PAUSES[wait.tries - 1])
    return {"due_at": again, "reason": storable(holding.reason, 500)}


def try_again(complaint_ids: Collection[int], *, now: datetime) -> int:
    """An analyst has it asked once more, now: also what was given up. Returns how many that are."""
    waits = AttributionWait.objects.filter(complaint__in=list(complaint_ids), why=Why.RESOLVER)
    return waits.exclude(outcome=Outcome.ANSWERED).update(due_at=now, tries=0, ended_at=None, outcome="")


def leave(complaint_ids: Collection[int], *, now: datetime) -> int:
    """An analyst has seen that it ended in vain: it is shown no more. Returns how many that are."""
    in_vain = AttributionWait.objects.filter(
        complaint__in=list(complaint_ids), outcome__in=[Outcome.SILENT, Outcome.EXHAUSTED]
    )
    return in_vain.update(outcome=Outcome.LEFT)
