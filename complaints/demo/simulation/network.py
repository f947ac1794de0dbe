"""The Internet of the simulated world, put under asyncio: connections end at its servers, and waiting takes no time.

Checks open their sockets by the running event loop. Here that loop hands them streams in memory whose other end is a
server of the world, and its clock jumps to the next thing that is due, so a tarpit costs no minutes. The code of the
checks, their time-outs and verdicts run as they are, and no packet can leave the machine.
"""

from __future__ import annotations

import asyncio
import contextlib
import selectors
import socket
from collections.abc import Awaitable, Callable, Iterator, Mapping
from typing import Any, Protocol

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
Place = tuple[str, int]
OUR_TESTER = ("192.0.2.77", 40000)
STANDS_STILL_S = 60.0
LIMIT = 2**16
RESOLUTION_S = 0.001


class Internet(Protocol):
    """What lies behind an address."""

    def server(self, address: str, port: int) -> Serve | None:
        """Who answers a connection; None: nobody, the packets are lost. Raises OSError when it is refused."""

    def datagram(self, to: Place, data: bytes) -> bytes | None:
        """The answer to one packet; None: silence."""

    def seconds(self) -> float:
        """The time of the world when a loop begins."""

    def next_arrival(self) -> float:
        """When something reaches us by itself next, in seconds; infinity when nothing will."""

    def passed(self, seconds: float) -> None:
        """The loop has stopped for a moment, and its clock shows this."""


class InMemory(asyncio.Transport):
    """One end of a connection; what is written comes out at `peer`."""

    peer: InMemory

    def __init__(self, loop: asyncio.AbstractEventLoop, protocol: asyncio.Protocol, extra: Mapping[str, Any]) -> None:
        super().__init__(extra)
        self.loop, self.protocol, self.is_closed = loop, protocol, False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        if not self.is_closed:
            self.loop.call_soon(self.peer.receive, bytes(data))

    def receive(self, data: bytes) -> None:
        if not self.is_closed:
            self.protocol.data_received(data)

    def write_eof(self) -> None:
        self.loop.call_soon(self.peer.receive_eof)

    def receive_eof(self) -> None:
        if not self.is_closed and not self.protocol.eof_received():
            self.close()

    def close(self) -> None:
        if not self.is_closed:
            self.is_closed = True
            self.loop.call_soon(self.protocol.connection_lost, None)
            self.loop.call_soon(self.peer.receive_eof)

    def abort(self) -> None:
        self.close()

    def is_closing(self) -> bool:
        return self.is_closed

    def can_write_eof(self) -> bool:
        return True

    def get_protocol(self) -> asyncio.BaseProtocol:
        return self.protocol

    def get_write_buffer_size(self) -> int:
        return 0

    def pause_reading(self) -> None:
        """What is said here is short: nothing has to wait."""

    def resume_reading(self) -> None:
        """See pause_reading."""


class NoSocket:
    """What is set on sockets has no meaning in memory."""

    def setsockopt(self, *_: Any) -> None: ...


class Datagrams(asyncio.DatagramTransport):
    def __init__(
        self, loop: asyncio.AbstractEventLoop, protocol: asyncio.DatagramProtocol, internet: Internet, to: Place | None
    ) -> None:
        super().__init__({"peername": to, "sockname": OUR_TESTER, "socket": NoSocket()})
        self.loop, self.protocol, self.internet, self.to, self.is_closed = loop, protocol, internet, to, False

    def sendto(self, data: bytes | bytearray | memoryview, addr: Any = None) -> None:
        to = addr or self.to
        assert to is not None, "a datagram needs somewhere to go"
        host, port, *_ = to
        answer = self.internet.datagram((host, port), bytes(data))
        if answer is not None:
            self.loop.call_soon(self.deliver, answer, (host, port))

    def deliver(self, answer: bytes, sender: Any) -> None:
        if not self.is_closed:
            self.protocol.datagram_received(answer, sender)

    def close(self) -> None:
        if not self.is_closed:
            self.is_closed = True
            self.loop.call_soon(self.protocol.connection_lost, None)

    def abort(self) -> None:
        self.close()

    def is_closing(self) -> bool:
        return self.is_closed


class InstantSelector(selectors.DefaultSelector):
    """Looks at real files (threads wake the loop by one), and instead of waiting puts the loop's clock forward."""

    def __init__(self) -> None:
        super().__init__()
        self.passed_s = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        found = super().select(0)
        if found or timeout == 0:
            return found
        if timeout is not None:
            self.passed_s += timeout
            return []
        found = super().select(STANDS_STILL_S)
        if not found:
            raise RuntimeError("simulation: everybody waits, and nothing will ever happen")
        return found


class SimulatedLoop(asyncio.SelectorEventLoop):
    def __init__(self, internet: Internet) -> None:
        self.internet, self.began_s, self.instant = internet, internet.seconds(), InstantSelector()
        super().__init__(self.instant)
        # Epoch seconds as a float are good to a quarter of a microsecond: a timer nearer than that would never be due.
        self._clock_resolution = RESOLUTION_S

    def time(self) -> float:
        return self.began_s + self.instant.passed_s

    def run_until_complete(self, future: Any) -> Any:
        """Checks are run in turns, with looks at the database between them. While nothing is ready, that takes time:
        until the next timer, or the next mail that comes to us."""
        timers = [timer.when() for timer in self._scheduled if not timer.cancelled()]  # type: ignore[attr-defined]
        if timers and len(self._ready) <= 1:  # type: ignore[attr-defined]  # the first step of the turn itself
            self.instant.passed_s += max(0.0, min([*timers, self.internet.next_arrival()]) - self.time())
            self.internet.passed(self.time())
        try:
            return super().run_until_complete(future)
        finally:
            self.internet.passed(self.time())

    async def create_connection(self, protocol_factory: Any, host: Any = None, port: Any = None, **_: Any) -> Any:
        serve = self.internet.server(host, port)
        if serve is None:
            await self.create_future()  # until the caller's patience ends
        reader = asyncio.StreamReader(limit=LIMIT, loop=self)
        behind = asyncio.StreamReaderProtocol(reader, serve, loop=self)
        protocol = protocol_factory()
        here = InMemory(self, protocol, {"peername": (host, port), "sockname": OUR_TESTER})
        there = InMemory(self, behind, {"peername": OUR_TESTER, "sockname": (host, port)})
        here.peer, there.peer = there, here
        behind.connection_made(there)
        protocol.connection_made(here)
        return here, protocol

    async def create_datagram_endpoint(
        self, protocol_factory: Any, local_addr: Any = None, remote_addr: Any = None, **_: Any
    ) -> Any:
        protocol = protocol_factory()
        transport = Datagrams(self, protocol, self.internet, remote_addr)
        protocol.connection_made(transport)
        return transport, protocol

    async def sock_connect(self, sock: socket.socket, address: Any) -> None:
        raise OSError("simulation: a real socket would leave the simulated world")


class SimulatedPolicy(asyncio.DefaultEventLoopPolicy):
    def __init__(self, internet: Internet) -> None:
        super().__init__()
        self.internet = internet

    def new_event_loop(self) -> asyncio.AbstractEventLoop:
        return SimulatedLoop(self.internet)


@contextlib.contextmanager
def connected_to(internet: Internet) -> Iterator[None]:
    """Inside, every event loop that asyncio makes reaches the simulated world and nothing else."""
    before = asyncio.get_event_loop_policy()
    asyncio.set_event_loop_policy(SimulatedPolicy(internet))
    try:
        yield
    finally:
        asyncio.set_event_loop_policy(before)
