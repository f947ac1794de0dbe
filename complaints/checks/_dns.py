"""One question to the configured resolvers, twice at most, and what came back. RFC 5782 sections 2.1 and 2.4."""

from __future__ import annotations

import asyncio
import dataclasses
import ipaddress
from weakref import WeakKeyDictionary

import dns.asyncquery
import dns.exception
import dns.message
import dns.rcode
import dns.rdatatype

from complaints.checks._smtp import printable

IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
TRIES = 2
MAX_RECORDS = 64
MAX_TXT = 512
SOCKETS = 100  # open at once in one event loop, however many checks run in it
_rooms: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Semaphore] = WeakKeyDictionary()


@dataclasses.dataclass(frozen=True, slots=True)
class Answer:
    """The records of a name; none means the name or the type does not exist."""

    addresses: frozenset[ipaddress.IPv4Address] = frozenset()
    texts: tuple[str, ...] = ()


class NoAnswer(Exception):
    """Nobody said yes or no; the text says what happened instead."""


def list_name(address: IPAddress, zone: str) -> str:
    """`4.3.2.1.zone`, or 32 reversed nibbles and the zone."""
    reverse = address.reverse_pointer.removesuffix(".in-addr.arpa").removesuffix(".ip6.arpa")
    return f"{reverse}.{zone}"


async def ask(name: str, kind: str, resolvers: tuple[tuple[str, int], ...], timeout_s: float) -> Answer:
    """Raises NoAnswer after TRIES tries, the second one at the next resolver when there are several."""
    problem = "no resolver is configured"
    for attempt in range(TRIES if resolvers else 0):
        host, port = resolvers[attempt % len(resolvers)]
        try:
            return await ask_once(name, kind, host, port, timeout_s)
        except NoAnswer as exc:
            problem = str(exc)
    raise NoAnswer(problem)


async def ask_once(name: str, kind: str, host: str, port: int, timeout_s: float) -> Answer:
    query = dns.message.make_query(name, kind)
    try:
        # dnspython bounds each of UDP and TCP; the outer limit bounds both together.
        async with room(), asyncio.timeout(timeout_s):
            response, _ = await dns.asyncquery.udp_with_fallback(
                query, host, timeout=timeout_s, port=port, ignore_unexpected=True, ignore_errors=True
            )
    except (TimeoutError, dns.exception.Timeout):
        raise NoAnswer(f"no answer within {timeout_s:g} s") from None
    except (OSError, EOFError, dns.exception.DNSException) as exc:
        raise NoAnswer(f"the resolver cannot be asked: {exc or type(exc).__name__}") from exc
    return read_response(response)


def room() -> asyncio.Semaphore:
    """A semaphore belongs to its loop, and every batch of checks brings a new one."""
    return _rooms.setdefault(asyncio.get_running_loop(), asyncio.Semaphore(SOCKETS))


def read_response(response: dns.message.Message) -> Answer:
    """CNAMEs are followed by taking all A and TXT records of the answer section."""
    if response.rcode() not in (dns.rcode.NOERROR, dns.rcode.NXDOMAIN):
        raise NoAnswer(f"the resolver says {dns.rcode.to_text(response.rcode())}")
    records = [record for rrset in response.answer for record in rrset][:MAX_RECORDS]
    return Answer(
        addresses=frozenset(
            ipaddress.IPv4Address(record.address) for record in records if record.rdtype == dns.rdatatype.A
        ),
        texts=tuple(
            printable(b"".join(record.strings))[:MAX_TXT] for record in records if record.rdtype == dns.rdatatype.TXT
        ),
    )
