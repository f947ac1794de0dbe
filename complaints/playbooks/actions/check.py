"""Order the named checks on the addresses complained about: `with: {checks: [relay, dnsbl]}`."""

from __future__ import annotations

from datetime import datetime

from complaints.checking import addresses_of, queue_check
from complaints.models import Case
from complaints.playbooks.documents import Step

NAME = "check"


def carry_out(case: Case, step: Step, *, now: datetime) -> None:
    for address in addresses_of(case):
        for check in step.params["checks"]:
            queue_check(case, check, address, occasion=f"{step.id}.{case.stay}", now=now)
