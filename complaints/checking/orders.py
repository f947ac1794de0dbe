"""Ordering checks: a row, once an occasion, under the safety rules. A refusal is a recorded answer."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.db import models as dbm
from django.db import transaction
from django.db.models import Max
from django.db.models.functions import Coalesce

from complaints.addresses import family_of
from complaints.cases.transitions import MACHINE, record
from complaints.checking.rules import refusal
from complaints.models import Case, CheckRun
from complaints.vocabulary import EventKind

State = CheckRun.State
LOOKED_BACK = timedelta(days=2)  # longer than the longest pace
OF_A_CONTRACT, NEIGHBOURS = 3, 12  # so many checks of one contract, of one /24, in the time of one of the same host
# A run that has not been tried begins when it is due; one that waits for another try has begun already.
BEGINS = dbm.Case(
    dbm.When(state=State.QUEUED, tries=0, then=Coalesce("due_at", "queued_at")),
    default=Coalesce("started_at", "queued_at"),
    output_field=dbm.DateTimeField(),
)


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
                "due_at": None if refused else paced(check, address, now, case.contract_id),
                "state": State.REFUSED if refused else State.QUEUED,
                "reason": refused or "",
                "finished_at": now if refused else None,
            },
        )
        if created:
            record(case, EventKind.CHECK_QUEUED, actor=actor, now=now, check=run.pk, name=check, refused=refused)
    return run


def paced(check: str, address: bytes, now: datetime, contract_id: int | None = None) -> datetime:
    """Not before: neither a host, nor a contract, nor a neighbourhood is asked more often than its pace allows."""
    if check != "relay" or not settings.RELAY_PACE:
        return now
    recent = CheckRun.objects.filter(check_name=check, queued_at__gt=now - LOOKED_BACK).exclude(state=State.REFUSED)
    first, last = neighbourhood(address)
    paces = [
        (recent.filter(address=address), 1),
        (recent.filter(address__gte=first, address__lte=last), NEIGHBOURS),
    ]
    if contract_id is not None:
        paces.append((recent.filter(case__contract=contract_id), OF_A_CONTRACT))
    begins = [(rows.aggregate(at=Max(BEGINS))["at"], share) for rows, share in paces]
    return max([now, *(at + timedelta(seconds=settings.RELAY_PACE / share) for at, share in begins if at)])


def neighbourhood(address: bytes) -> tuple[bytes, bytes]:
    """First and last address of the /24 or /48."""
    kept = 15 if family_of(address) == 4 else 6
    return address[:kept].ljust(16, b"\0"), address[:kept].ljust(16, b"\xff")


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
