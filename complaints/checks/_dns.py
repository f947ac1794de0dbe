"""One question to the configured resolvers, twice at most, and what came back. RFC 5782 sections 2.1 and 2.4.

All questions of an event loop share a few connected sockets to each resolver, each with a port of the system's choice;
a socket a question costs five times as much as the question itself.
"""

from __future__ import annotations

import asyncio
import dataclasses
import ipaddress
import os
import socket
from typing import cast
from weakref import WeakKeyDictionary

import dns.asyncquery
import dns.exception
import dns.message
import dns.rcode

from complaints.checks._printable import printable
from complaints.checks._wire import MAX_TXT, Reply, Unreadable, answers, question, read_by_dnspython, read_reply

IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolver = tuple[str, int]  # numeric host, and port
TRIES = 2
SOCKETS = 8  # to each resolver
IN_FLIGHT = 200  # questions at once in one event loop: more, and answers are lost before we read them
RECEIVE_BUFFER = 1 << 20
TICK_S = 0.05


@dataclasses.dataclass(frozen=True, slots=True)
class Answer:
    """The records of a name; none means the name or the type does not exist. ttl_s: how long this stays true."""

    addresses: frozenset[ipaddress.IPv4Address] = frozenset()
    texts: tuple[str, ...] = ()
    ttl_s: int = 0


class NoAnswer(Exception):
    """Nobody said yes or no; the text says what happened instead."""


class OverLimit(NoAnswer):
    """Our own budget of questions forbids it: nothing is said about the list."""


def list_name(address: IPAddress, zone: str) -> str:
    """`4.3.2.1.zone`, or 32 reversed nibbles and the zone."""
    if address.version == 4:
        return ".".join(str(address).split(".")[::-1]) + f".{zone}"
    return ".".join(address.packed.hex()[::-1]) + f".{zone}"


async def ask(name: str, kind: str, resolvers: tuple[Resolver, ...], timeout_s: float) -> Answer:
    """Raises NoAnswer after TRIES tries, the second one at the next resolver when there are several."""
    problem = "no resolver is configured"
    with sockets() as pool:
        for attempt in range(TRIES if resolvers else 0):
            try:
                return await ask_once(pool, name, kind, resolvers[attempt % len(resolvers)], timeout_s)
            except NoAnswer as exc:
                problem = str(exc)
    raise NoAnswer(problem)


async def ask_once(pool: Sockets, name: str, kind: str, resolver: Resolver, timeout_s: float) -> Answer:
    try:
        async with pool.room:
            lines = pool.lines.get(resolver) or await pool.open(resolver)
            reply = await lines[random_number() % SOCKETS].ask(name, kind, timeout_s)
        if reply.truncated:
            reply = await ask_by_tcp(name, kind, resolver, timeout_s)
    except (TimeoutError, dns.exception.Timeout):
        raise NoAnswer(f"no answer within {timeout_s:g} s") from None
    except Unreadable as exc:
        raise NoAnswer(str(exc)) from exc
    except (OSError, EOFError, ValueError, dns.exception.DNSException) as exc:
        raise NoAnswer(f"the resolver cannot be asked: {exc or type(exc).__name__}") from exc
    if reply.rcode not in (dns.rcode.NOERROR, dns.rcode.NXDOMAIN):
        raise NoAnswer(f"the resolver says {dns.rcode.to_text(dns.rcode.Rcode(reply.rcode))}")
    return Answer(reply.addresses, tuple(printable(text)[:MAX_TXT] for text in reply.texts), reply.ttl_s)


async def ask_by_tcp(name: str, kind: str, resolver: Resolver, timeout_s: float) -> Reply:
    async with asyncio.timeout(timeout_s):
        message = await dns.asyncquery.tcp(
            dns.message.make_query(name, kind), resolver[0], port=resolver[1], timeout=timeout_s
        )
    return dataclasses.replace(read_by_dnspython(message.to_wire(max_size=65535)), truncated=False)


class Sockets:
    """The sockets of one event loop: `with sockets():` they stay open. Closed when nobody asks any more."""

    def __init__(self) -> None:
        self.users = 0
        self.room = asyncio.Semaphore(IN_FLIGHT)
        self.lines: dict[Resolver, list[Line]] = {}
        self.opening = asyncio.Lock()

    def __enter__(self) -> Sockets:
        self.users += 1
        return self

    def __exit__(self, *_: object) -> None:
        self.users -= 1
        if self.users:
            return
        for line in (line for lines in self.lines.values() for line in lines):
            line.close()
        self.lines.clear()

    async def open(self, resolver: Resolver) -> list[Line]:
        async with self.opening:
            if resolver not in self.lines:
                self.lines[resolver] = [await open_line(resolver) for _ in range(SOCKETS)]
        return self.lines[resolver]


_pools: WeakKeyDictionary[asyncio.AbstractEventLoop, Sockets] = WeakKeyDictionary()


def sockets() -> Sockets:
    """Those of this loop; whoever asks much holds them open around all its questions."""
    loop = asyncio.get_running_loop()
    return _pools.get(loop) or _pools.setdefault(loop, Sockets())


async def open_line(resolver: Resolver) -> Line:
    loop = asyncio.get_running_loop()
    transport, line = await loop.create_datagram_endpoint(Line, remote_addr=resolver)
    transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
    return line


class Line(asyncio.DatagramProtocol):
    """One connected socket and the questions that wait on it, by their number.

    One timer for all of them: they give up in the order they began, give or take TICK_S.
    """

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.waiting: dict[int, tuple[bytes, float, asyncio.Future[Reply]]] = {}
        self.timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.DatagramTransport, transport)  # asyncio's own class does not derive from it

    async def ask(self, name: str, kind: str, timeout_s: float) -> Reply:
        number = random_number()
        while number in self.waiting:
            number = random_number()
        asked, found = question(name, kind, number), self.loop.create_future()
        self.waiting[number] = (asked, self.loop.time() + timeout_s, found)
        if self.timer is None:
            self.timer = self.loop.call_later(TICK_S, self.give_up)
        try:
            self.transport.sendto(asked)
            return cast(Reply, await found)
        finally:
            del self.waiting[number]

    def give_up(self) -> None:
        """On those whose time is over."""
        now = self.loop.time()
        for _, until, found in list(self.waiting.values()):
            if until <= now and not found.done():
                found.set_exception(TimeoutError())
        self.timer = self.loop.call_later(TICK_S, self.give_up) if self.waiting else None

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """An answer to none of our questions is no answer: the true one may still come."""
        waiting = self.waiting.get(int.from_bytes(data[:2], "big"))
        if waiting is None or waiting[2].done() or not answers(waiting[0], data):
            return
        try:
            waiting[2].set_result(read_reply(waiting[0], data))
        except Unreadable as exc:
            waiting[2].set_exception(exc)

    def error_received(self, exc: Exception) -> None:
        """Nobody listens there: told once, and true for all that wait."""
        for _, _, found in self.waiting.values():
            if not found.done():
                found.set_exception(exc)

    def close(self) -> None:
        if self.timer is not None:
            self.timer.cancel()
        self.transport.close()


_random_bytes = bytearray()


def random_number() -> int:
    """16 bits that nobody can guess; a question to the system each time would cost more than the rest of it."""
    if not _random_bytes:
        _random_bytes.extend(os.urandom(4096))
    return _random_bytes.pop() << 8 | _random_bytes.pop()
