"""What every check is told: who we are, where our probes arrive, which resolvers and lists to ask."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from complaints.checks._lists import DnsblList

if TYPE_CHECKING:  # it asks by _dns, whose neighbours are told this configuration
    from complaints.checks._inquiry import Inquiry


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Timeouts:
    """Seconds. `command` bounds one whole reply, so a peer that drips bytes gains nothing."""

    connect: float = 10.0
    command: float = 30.0
    overall: float = 300.0
    dns: float = 2.0  # one question; every question is put twice before we give up


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class CheckConfig:
    """probe_domain: without trailing dot; mail for it and for bounce.<probe_domain> reaches our listener.

    contact: a mail address where somebody reads. resolvers: numeric host and port.
    inquiry: what is known of the lists and may be asked; None: nothing, and no limits.
    """

    helo: str
    secret: bytes
    probe_domain: str = ""
    resolvers: tuple[tuple[str, int], ...] = ()
    relay_port: int = 25
    lists: tuple[DnsblList, ...] = ()
    inquiry: Inquiry | None = None
    info_url: str = ""
    contact: str = ""
    timeouts: Timeouts = Timeouts()
