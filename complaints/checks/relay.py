"""Open relay check: offer a foreign recipient in every spelling that some server once relayed.

Only a probe that arrives in our own mailbox proves a relay, so this check never says "bad". It says "clean"
when every form met a permanent refusal on every port that has a mail server, else "unknown"; `waiting` when a
probe may be on its way. To repeat a greylisted check use the same nonce: greylisting (RFC 6647) remembers sender
and recipient.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import ipaddress

from complaints.checks._config import CheckConfig
from complaints.checks._mail_hosts import mail_hosts
from complaints.checks._smtp import ConversationFailed, NoServer, Transcript, Unreachable
from complaints.checks._verdict import judge_relay
from complaints.checks._visit import Findings, Visit
from complaints.vocabulary import CheckOutcome, CheckTarget, Verdict

NAME = "relay"
RANK = 10
QUEUE = "smtp"  # slow peers: apart from what is done in milliseconds


async def run(target: CheckTarget, config: CheckConfig) -> CheckOutcome:
    """Raises ValueError for a target or configuration that no probe may be sent with; else always an outcome."""
    if not config.probe_domain:
        raise ValueError("relay check: no probe domain is configured, a probe could not come back")
    tour = Tour(target, config)
    if str(tour.ip) in await mail_hosts(config):
        reason = f"{tour.ip} takes mail for {config.probe_domain} by its MX record: what it delivers proves nothing"
        return CheckOutcome(verdict=Verdict.UNKNOWN, reason=reason, details={"takes_our_mail": True})
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(config.timeouts.overall):
            await tour.visit_all()
    outcome = judge_relay(tour.found, is_proven=tour.is_proven)
    details = {**outcome.details, **tour.as_details()}
    return dataclasses.replace(outcome, details=details)


class Tour:
    """All ports of one server, one after the other."""

    def __init__(self, target: CheckTarget, config: CheckConfig) -> None:
        self.config, self.nonce = config, target.nonce
        self.ip = ipaddress.ip_address(target.address)
        first = target.port or config.relay_port
        self.ports = [first, *(config.more_ports if first == config.relay_port else ())]
        self.transcript = Transcript()
        self.found: list[Findings] = []
        self.is_proven = False

    async def visit_all(self) -> None:
        for port in self.ports:
            visit = Visit(self.config, self.nonce, self.ip, port, self.transcript, self.proven)
            self.found.append(visit.found)
            limit = f"not finished within {self.config.timeouts.overall:g} s"
            visit.found.stopped = ConversationFailed(limit, for_now=True)  # unless we get to the end of it
            try:
                await visit.try_all()
                visit.found.stopped = None
            except (NoServer, Unreachable) as exc:
                visit.found.stopped = exc
                if isinstance(exc, Unreachable) and port == self.ports[0]:
                    return  # a host that drops our packets drops them on every port
            except ConversationFailed as exc:
                visit.found.stopped = exc
            if self.is_proven:
                return

    async def proven(self) -> bool:
        """Give an accepted probe a moment to come back."""
        if self.config.proof is not None:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self.config.timeouts.proof):
                    await self.config.proof(self.nonce)
                    self.is_proven = True
        return self.is_proven

    def as_details(self) -> dict[str, object]:
        first = self.found[0]
        return {
            "forms": [attempt.as_details() for found in self.found for attempt in found.attempts],
            "transcript": self.transcript.entries,
            "banner": first.banner,
            "tls": first.tls,
            "connections": first.connections,
            "ports": [found.as_details() for found in self.found],
        }
