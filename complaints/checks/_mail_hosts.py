"""Who takes mail for our probe domain by DNS: a host that does so delivers our probes rightly, open or closed."""

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
MOST_NAMES = 20
Key = tuple[str, tuple[tuple[str, int], ...]]
known: dict[Key, tuple[float, frozenset[str]]] = {}


async def mail_hosts(config: CheckConfig) -> frozenset[str]:
    """Addresses of the probe domain's MX (RFC 5321 section 5.1), remembered for ten minutes.

    Empty where no resolver is configured, or none answers: then the operator's own list of hosts must do.
    """
    key = (config.probe_domain, config.resolvers)
    until, found = known.get(key, (0.0, frozenset()))
    if time.monotonic() < until or not config.resolvers:
        return found
    found = await look_up(config)
    known[key] = (time.monotonic() + KEPT_S, found)
    return found


async def look_up(config: CheckConfig) -> frozenset[str]:
    resolver = dns.asyncresolver.Resolver(configure=False)
    resolver.nameservers = [dns.nameserver.Do53Nameserver(host, port) for host, port in config.resolvers]
    resolver.lifetime = config.timeouts.dns
    try:
        exchangers = await texts(resolver, config.probe_domain, "MX")
        names = [line.split()[-1] for line in exchangers][:MOST_NAMES] or [config.probe_domain]
        answers = await asyncio.gather(*(texts(resolver, name, kind) for name in names for kind in ("A", "AAAA")))
    except (dns.exception.Timeout, dns.resolver.NoNameservers, OSError):
        return frozenset()
    return frozenset(str(ipaddress.ip_address(text)) for answer in answers for text in answer)


async def texts(resolver: dns.asyncresolver.Resolver, name: str, kind: str) -> list[str]:
    """Empty when there is no such name or record."""
    try:
        answer = await resolver.resolve(name, kind, search=False)
    except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
        return []
    return [record.to_text() for record in answer]
