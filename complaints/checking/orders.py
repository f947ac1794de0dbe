"""Ordering checks: a row, once an occasion, under the safety rules. A refusal is a recorded answer."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction

from complaints.cases.transitions import MACHINE, record
from complaints.checking.rules import refusal
from complaints.models import Case, CheckRun
from complaints.vocabulary import EventKind

State = CheckRun.State


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


def addresses_of(case: Case, *, most: int = 4) -> list[bytes]:
    """The addresses complained about in the case, the youngest first; those are what its checks look at."""
    seen: dict[bytes, None] = {}
    for address in case.complaints.exclude(address=b"").order_by("-seen_at").values_list("address", flat=True)[:200]:
        seen.setdefault(bytes(address))
    return list(seen)[:most] or ([bytes(case.address)] if case.address else [])
