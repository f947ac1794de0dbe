"""The simulated world's servers: the customers' mail servers, their mailboxes, and the blacklists. Loopback only."""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from urllib.parse import urlsplit

from django.conf import settings

from complaints.checks import DnsblList, load_lists
from complaints.demo.dns_server import DnsServer
from complaints.demo.smtp_hosts import Envelope, SmtpHost
from complaints.demo.world import SEED, Host, World, build_world

Endpoint = tuple[str, int]
Wanted = tuple[str, int, str, str]
# Two lists of the catalogue are ill, as some always are: the check must say so instead of trusting them.
ILL_LISTS = {"spfbl": "refuses", "interserver": "servfail"}
LISTED_BY = 3


class PlaceTaken(Exception):
    """An address or port of the simulated world cannot be had; the text says which."""


def wanted_places() -> Iterator[Wanted]:
    """Where the demo's world will listen: (address, port, what for, the variable that changes it)."""
    yield *mailbox_place(), "the simulated customers' mailbox", "EMAIL_URL"
    yield *settings.DNS_RESOLVERS[0], "the simulated blacklists", "ABUSEDESK_DNS"
    for host in build_world(SEED, born_at=datetime.now(UTC)).hosts:  # which addresses does not depend on the birth
        if host.trouble.healthy is not None:
            yield host.address, settings.RELAY_PORT, f"the simulated {host.name}", "ABUSEDESK_RELAY_PORT"


def mailbox_place() -> Endpoint:
    mail = urlsplit(settings.EMAIL_URL)
    return mail.hostname or "127.0.0.1", mail.port or 25


class Mailboxes(SmtpHost):
    """Takes every mail and hands it to its reader. When that fails there is no 250, and the desk sends it again."""

    def __init__(self, address: str, port: int, on_mail: Callable[[str, bytes], None]) -> None:
        super().__init__(address, port, "accept_and_drop", name="mailboxes.example")
        self.on_mail = on_mail

    def take(self, envelope: Envelope) -> None:
        for recipient in envelope.recipients:
            self.on_mail(recipient, envelope.data)


class Places:
    """All servers of a world. `async with places:` they serve in the running loop.

    next_server: where relays hand mail on to: our own listener, the only way out of this world.
    Raises PlaceTaken on start.
    """

    def __init__(
        self, world: World, *, relay_port: int, next_server: Endpoint, dns: Endpoint, mailbox: Endpoint,
        on_mail: Callable[[str, bytes], None],
    ) -> None:  # fmt: skip
        self.lists = load_lists()
        self.servers = {
            host.contract: SmtpHost(host.address, relay_port, host.trouble.healthy, next_server, name=host.name)
            for host in world.hosts
            if host.trouble.healthy is not None
        }
        self.mailboxes = Mailboxes(*mailbox, on_mail)
        self.dns = DnsServer(*dns, zones=[zone for each in self.lists for zone in zones_of(each)])
        for each in self.lists:
            if each.name in ILL_LISTS:
                self.dns.set_mode(each.zone, ILL_LISTS[each.name])
        self.stack = AsyncExitStack()

    async def __aenter__(self) -> Places:
        for server in (self.dns, self.mailboxes, *self.servers.values()):
            try:
                await self.stack.enter_async_context(server)
            except OSError as exc:
                await self.stack.aclose()
                where, why = f"{server.address}:{server.port}", os.strerror(exc.errno or 0).lower()
                raise PlaceTaken(f"the simulated ISP cannot use {where}: {why}") from exc
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stack.aclose()

    def trouble(self, host: Host) -> None:
        if host.trouble.behaviour:
            self.servers[host.contract].behaviour = host.trouble.behaviour

    def heal(self, host: Host) -> None:
        if host.trouble.healthy:
            self.servers[host.contract].behaviour = host.trouble.healthy

    def list_host(self, host: Host) -> None:
        for zone, code, meaning in listings(self.lists, host):
            self.dns.list_address(zone, host.address, [code], meaning)

    def delist(self, host: Host) -> None:
        for each in self.lists:
            self.dns.unlist_address(each.zone, host.address)

    def forget_traffic(self) -> None:
        """The servers keep all they saw, for tests; a world that lives for days must not."""
        self.dns.questions.clear()
        for server in self.servers.values():
            server.accepted.clear()
            server.undelivered.clear()


def zones_of(each: DnsblList) -> set[str]:
    return {each.zone, each.zone6 or each.zone}


def listings(lists: tuple[DnsblList, ...], host: Host) -> list[tuple[str, str, str]]:
    """Which lists name the host: (zone, answer, words). The same ones every time; some lists are never fooled."""
    cause = host.trouble.listed
    fitting = [
        (each.zone, str(code.first), code.meaning)
        for each in lists
        if each.enabled and each.name not in ILL_LISTS and "ipv4" in each.families
        for code in each.codes[:3]
        if code.causes == (cause,)
    ]
    once = list({zone: row for row in fitting for zone in (row[0],)}.values())
    return random.Random(host.address).sample(once, min(LISTED_BY, len(once)))
