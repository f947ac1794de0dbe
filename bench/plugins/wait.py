"""A check that waits for a fifth of a second and finds nothing: what is left is the cost of running checks."""

from __future__ import annotations

import asyncio

from complaints.checks import CheckConfig
from complaints.vocabulary import CheckOutcome, CheckTarget, Verdict

NAME = "wait"
RANK = 90
QUEUE = "smtp"


async def run(target: CheckTarget, config: CheckConfig) -> CheckOutcome:
    await asyncio.sleep(0.2)
    return CheckOutcome(verdict=Verdict.CLEAN, reason="waited")
