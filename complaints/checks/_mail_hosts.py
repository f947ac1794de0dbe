"""Who takes mail for a domain by DNS: for our probes' own, and for the name that a server gives itself."""

from __future__ import annotations

import asyncio
import ipaddress
import time

import dns.asyncresolver
import dns.exception
import dns.nameserver
import dns.resolver

from complaints.checks._config import CheckConfig

KEPT_S = 600.0
MOST_KEPT = 2_000
MOST_NAMES = 20
Key = tuple[str, tuple[tuple[str, int], ...]]
Hosts = frozenset[str] | None  # None: no resolver answered
NOBODY: frozenset[str] = frozenset()
known: dict[Key, tuple[float, Hosts]] = {}


async def mail_hosts(config: CheckConfig) -> frozenset[str]:
    """Addresses that take mail for the probe domain: such a host delivers our probes rightly, open or closed.

    Empty where no resolver is configured, or none answers: then the operator's own list of hosts must do.
    """
    return await hosts_of(config.probe_domain, config) or NOBODY


async def may_be_written_to(name: str, ip: str, config: CheckConfig) -> bool:
    """Whether a recipient at `name`, which the server at `ip` gave itself, leads to nobody but that server.

    A server may call itself anything: mail to a name that others take mail for would be a test mail to strangers.
    Where no resolver answers, a server is believed its name (RFC 5321 section 4.1.1.1).
    """
    return (await hosts_of(name, config) or NOBODY) <= {ip}


async def hosts_of(domain: str, config: CheckConfig) -> Hosts:
    """Addresses of the domain's MX, or its own (RFC 5321 section 5.1), remembered for ten minutes."""
    key = (domain, config.resolvers)
    until, found = known.get(key, (0.0, NOBODY))
    if time.monotonic() < until or not config.resolvers:
        return found
    found = await look_up(domain, config)
    if len(known) >= MOST_KEPT:
        known.clear()
    known[key] = (time.monotonic() + KEPT_S, found)
    return found


async def look_up(domain: str, config: CheckConfig) -> Hosts:
    resolver = dns.asyncresolver.Resolver(configure=False)
    resolver.nameservers = [dns.nameserver.Do53Nameserver(host, port) for host, port in config.resolvers]
    resolver.lifetime = config.timeouts.dns
    try:
        exchangers = await texts(resolver, domain, "MX")
        names = [line.split()[-1] for line in exchangers][:MOST_NAMES] or [domain]
        answers = await asyncio.gather(*(texts(resolver, name, kind) for name in names for kind in ("A", "AAAA")))
    except (dns.exception.DNSException, OSError):
        return None
    return frozenset(str(ipaddress.ip_address(text)) for answer in answers for text in answer)


async def texts(resolver: dns.asyncresolver.Resolver, name: str, kind: str) -> list[str]:
    """Empty when there is no such name or record."""
    try:
        answer = await resolver.resolve(name, kind, search=False)
    except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
        return []
    return [record.to_text() for record in answer]
