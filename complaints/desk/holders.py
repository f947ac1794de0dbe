"""Who held a case's address from a month before the first complaint until now: contracts by reference alone.

Names are for Who had it, where each look is logged.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q, QuerySet

from complaints.addresses import enclosing_keys, family_of
from complaints.desk.access import visible
from complaints.models import Assignment, Case, Contract

BEFORE = timedelta(days=30)
MOST = 6


@dataclasses.dataclass(frozen=True, slots=True)
class Holder:
    contract: Contract
    row: Assignment
    is_this: bool


def looks(case: Case, user: Any, now: datetime) -> dict[str, QuerySet[Any]]:
    address = bytes(case.address)
    lengths = range(8, 33) if address and family_of(address) == 4 else range(32, 129)
    keys = enclosing_keys(address, lengths) if address else []
    then = Q(valid_until=None) | Q(valid_until__gt=case.first_seen_at - BEFORE)
    rows = Assignment.objects.filter(then, key__in=keys, valid_from__lte=now).order_by("-valid_from", "-pk")[:MOST]
    contracts = visible(user, Contract).filter(pk__in=rows.values("contract"))
    return {"holders": rows, "holding_contracts": contracts.only("reference")}


def holders_of(case: Case, rows: Sequence[Assignment], contracts: Sequence[Contract]) -> list[Holder]:
    """The last one first; those of contracts that the reader may not see are left out."""
    by_pk = {each.pk: each for each in contracts}
    return [
        Holder(by_pk[row.contract_id], row, row.contract_id == case.contract_id)
        for row in rows
        if row.contract_id in by_pk
    ]
