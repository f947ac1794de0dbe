"""Does a domain take mail? RFC 5321 section 5.1: its MX, else its own address. RFC 7505: "MX 0 ." takes none. Pure.

Unknown is an answer: a resolver that does not answer says nothing about the domain.
"""

from __future__ import annotations

import dataclasses
import socket
from collections.abc import Sequence

import dns.exception
import dns.message
import dns.name
import dns.query
import dns.rcode
import dns.rdatatype

TRIES = 2
Resolver = tuple[str, int]  # numeric host, and port
TAKES, REFUSES, UNKNOWN = "takes", "refuses", "unknown"


@dataclasses.dataclass(frozen=True, slots=True)
class Finding:
    verdict: str
    reason: str


class NoAnswer(Exception):
    """Says why nobody knows."""


def takes_mail(domain: str, *, resolvers: Sequence[Resolver], timeout_s: float) -> Finding:
    """`domain`: A-labels. Asks up to three questions, each at most twice."""
    try:
        exchangers = ask(domain, "MX", resolvers, timeout_s)
        if exchangers is None:
            return Finding(REFUSES, f"{domain} does not exist")
        hosts = [text.split()[-1].rstrip(".") for text in exchangers]
        if hosts == [""]:
            return Finding(REFUSES, f"{domain} says that it takes no mail (null MX)")
        if any(hosts):
            return Finding(TAKES, f"mail goes to {next(host for host in hosts if host)}"[:300])
        if ask(domain, "A", resolvers, timeout_s) or ask(domain, "AAAA", resolvers, timeout_s):
            return Finding(TAKES, "has no MX but an address, which takes mail then")
    except NoAnswer as exc:
        return Finding(UNKNOWN, str(exc)[:300])
    return Finding(REFUSES, f"{domain} has neither MX nor address")


def ask(domain: str, kind: str, resolvers: Sequence[Resolver], timeout_s: float) -> list[str] | None:
    """The records as text; None when the name does not exist. Raises NoAnswer."""
    problem = "no resolver is configured (ABUSEDESK_DNS)"
    for attempt in range(TRIES if resolvers else 0):
        host, port = resolvers[attempt % len(resolvers)]
        try:
            question = dns.message.make_query(domain, kind)
            reply, _ = dns.query.udp_with_fallback(question, host, timeout=timeout_s, port=port)
        except dns.exception.Timeout:
            problem = f"no answer within {timeout_s:g} s"
        except (dns.exception.DNSException, OSError, socket.gaierror) as exc:
            problem = f"no answer: {type(exc).__name__}"
        else:
            if reply.rcode() == dns.rcode.NXDOMAIN:
                return None
            if reply.rcode() == dns.rcode.NOERROR:
                wanted = dns.rdatatype.from_text(kind)
                return [record.to_text() for part in reply.answer if part.rdtype == wanted for record in part]
            problem = f"the resolver says {dns.rcode.to_text(reply.rcode())}"
    raise NoAnswer(problem)
