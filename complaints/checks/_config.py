"""What every check is told: who we are, where our probes arrive, which resolvers and lists to ask."""

from __future__ import annotations

import asyncio
import dataclasses
import ssl
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from complaints.checks._lists import DnsblList

if TYPE_CHECKING:  # it asks by _dns, whose neighbours are told this configuration
    from complaints.checks._inquiry import Inquiry

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
Connect = Callable[[str, int, ssl.SSLContext | None], Awaitable[Streams]]  # address, port, TLS from the start
Proof = Callable[[str], Awaitable[None]]


async def connect_by_tcp(address: str, port: int, tls: ssl.SSLContext | None) -> Streams:
    return await asyncio.open_connection(address, port, ssl=tls, limit=8192)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Timeouts:
    """Seconds. `command` bounds one whole reply, so a peer that drips bytes gains nothing.

    RFC 5321 section 4.5.3.2 would wait five minutes for a reply; `overall` is what one host may cost us.
    """

    connect: float = 15.0
    command: float = 60.0
    overall: float = 240.0
    dns: float = 2.0  # one question; every question is put twice before we give up
    proof: float = 5.0  # how long an accepted probe is waited for before other forms are tried


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class CheckConfig:
    """probe_domain: without trailing dot; mail for it and for bounce.<probe_domain> reaches our listener.

    probe_address: the address whose literal, as user@[192.0.2.1], reaches our listener too; empty: none does.
    more_ports: tried beside `relay_port`, where they answer. contact: a mail address where somebody reads.
    resolvers: numeric host and port.
    inquiry: what is known of the lists and may be asked; None: nothing, and no limits.
    connect: how a peer is reached; a simulated world brings its own.
    proof: returns when a probe with this nonce has come back; None: it cannot be known while the check runs.
    """

    helo: str
    secret: bytes
    probe_domain: str = ""
    probe_address: str = ""
    resolvers: tuple[tuple[str, int], ...] = ()
    relay_port: int = 25
    more_ports: tuple[int, ...] = ()
    lists: tuple[DnsblList, ...] = ()
    inquiry: Inquiry | None = None
    info_url: str = ""
    contact: str = ""
    timeouts: Timeouts = Timeouts()
    connect: Connect = connect_by_tcp
    proof: Proof | None = None
