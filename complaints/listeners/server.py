"""A listener: sessions in, committed messages out, until SIGTERM."""

from __future__ import annotations

import asyncio
import logging
import signal
import socket

from complaints.listeners.group_commit import GroupCommit, OnStored
from complaints.listeners.sessions import DeskSMTP

log = logging.getLogger(__name__)

MAX_SESSIONS = 200
IDLE_S = 30  # whoever is silent for so long gives way when all sessions are taken; a mail server comes again
TIMEOUT_S = 300  # RFC 5321 section 4.5.3.2.7: the server waits five minutes for a command
HELD_BYTES = 128 * 1024 * 1024  # mail in memory, of all sessions together
STOP_S = 5


class Listener:
    def __init__(
        self,
        session_class: type[DeskSMTP],
        on_stored: OnStored,
        *,
        max_bytes: int,
        max_sessions: int = MAX_SESSIONS,
        timeout_s: float = TIMEOUT_S,
        idle_s: float = IDLE_S,
        held_bytes: int = HELD_BYTES,
    ) -> None:
        self.session_class = session_class
        self.commits = GroupCommit(on_stored)
        self.store = self.commits.store
        self.max_bytes = max_bytes
        self.max_sessions = max_sessions
        self.timeout_s = timeout_s
        self.idle_s = idle_s
        self.held_limit = max(held_bytes, 2 * max_bytes)
        self.held = 0
        self.sessions: set[DeskSMTP] = set()
        self.stopping = False
        self.hostname = socket.gethostname()
        self.port = 0

    async def start(self, host: str, port: int) -> None:
        """Listen; with port 0 the system chooses one, see `.port`.

        Raises:
            OSError: the address cannot be had.
        """
        logging.getLogger("mail.log").setLevel(logging.WARNING)  # aiosmtpd writes a line for every command
        self.loop = asyncio.get_running_loop()
        self.server = await self.loop.create_server(self.new_session, host, port, backlog=256)
        self.commits.start()
        self.port = self.server.sockets[0].getsockname()[1]

    def new_session(self) -> asyncio.Protocol:
        if self.stopping or (len(self.sessions) >= self.max_sessions and not self.make_room()):
            return Refusal()
        return self.session_class(self, hostname=self.hostname, timeout_s=self.timeout_s, loop=self.loop)

    def make_room(self) -> bool:
        """Send the longest silent client away: connections that say nothing must not shut the others out."""
        silent_since = self.loop.time() - self.idle_s
        idle = [session for session in self.sessions if not session.answering and session.heard_at < silent_since]
        if idle:
            longest = min(idle, key=lambda session: session.heard_at)
            longest.say_goodbye("silent for too long, and others wait")
            self.sessions.discard(longest)
        return bool(idle)

    async def stop(self) -> None:
        """Whoever has handed in a whole mail gets its answer; the others are told to come again."""
        self.stopping = True
        self.server.close()
        for session in list(self.sessions):
            if not session.answering:
                session.say_goodbye()
        await self.commits.stop()
        await self.wait_for_answers()
        for session in list(self.sessions):
            session.say_goodbye()
        await asyncio.sleep(0)

    async def wait_for_answers(self) -> None:
        deadline = self.loop.time() + STOP_S
        while any(session.answering for session in self.sessions) and self.loop.time() < deadline:
            await asyncio.sleep(0.01)

    # --- what the sessions ask for

    def opened(self, session: DeskSMTP) -> None:
        self.sessions.add(session)

    def lost(self, session: DeskSMTP) -> None:
        self.sessions.discard(session)

    def hold(self, octets: int) -> bool:
        self.held += octets
        return self.held <= self.held_limit

    def is_full(self) -> bool:
        return self.held > self.held_limit

    def release(self, octets: int) -> None:
        self.held -= octets


class Refusal(asyncio.Protocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        transport.write(b"421 4.3.2 too many sessions, try again later\r\n")
        transport.close()


async def serve(listener: Listener, host: str, port: int) -> None:
    """Listen until SIGTERM or SIGINT."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await listener.start(host, port)
    log.info("%s: listening on %s port %d", listener.session_class.channel.upper(), host, listener.port)
    await stop.wait()
    await listener.stop()
    log.info("%s: stopped", listener.session_class.channel.upper())
