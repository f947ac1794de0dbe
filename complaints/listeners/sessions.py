"""One SMTP (RFC 5321) or LMTP (RFC 2033) session: everything is accepted for our own store, nothing is passed on.

aiosmtpd speaks the protocol; replaced are the parts that would refuse or change mail: DATA is taken
byte for byte whatever its lines look like, and addresses need not be well-formed.
"""

from __future__ import annotations

import asyncio
import collections
import logging
import re
from typing import Any, Protocol

from aiosmtpd.lmtp import LMTP
from aiosmtpd.smtp import SMTP

from complaints.intake import Arrival, StorageUnavailable, Stored
from complaints.listeners.incoming import Incoming, Memory

log = logging.getLogger(__name__)

CHUNK = 64 * 1024
END = b"\r\n.\r\n"
MAX_RECIPIENTS = 1000  # RFC 5321 section 4.5.3.1.8 asks for 100 at least
COMMAND_BYTES = 4096  # section 4.5.3.1.4 asks for 512 at least; UTF-8 addresses and parameters need more

SIZE = re.compile(r"\bSIZE=(\d+)", re.IGNORECASE)  # RFC 1870
ANGLE_ADDRESS = re.compile(r'\s*<((?:[^<>"]|"(?:[^"\\]|\\.)*")*|[^<>]*)>(.*)', re.DOTALL)
BARE_ADDRESS = re.compile(r"\s*([^\s<>]+)(.*)", re.DOTALL)
SOURCE_ROUTE = re.compile(r"@[^:]*:")  # RFC 5321 section 4.1.1.3: to be ignored
NULL_SENDER = "<>"  # aiosmtpd takes an empty text for "there was no MAIL yet"

NEEDS_ENHANCED_CODE = re.compile(r"([245])\d\d (?!\1\.\d+\.\d+)")
ENHANCED = {"500": "5.5.2", "501": "5.5.4", "502": "5.5.1", "503": "5.5.1", "555": "5.5.4"}  # RFC 3463; else x.0.0


class Desk(Memory, Protocol):
    """What a session needs from the listener it belongs to."""

    stopping: bool

    async def store(self, arrival: Arrival) -> Stored: ...
    def is_full(self) -> bool: ...
    def opened(self, session: DeskSMTP) -> None: ...
    def lost(self, session: DeskSMTP) -> None: ...


class DeskSMTP(SMTP):
    channel = "smtp"
    line_length_limit = CHUNK  # of the reader's buffer; lines of mail may have any length

    def __init__(self, desk: Desk, *, hostname: str, timeout_s: float, loop: asyncio.AbstractEventLoop) -> None:
        # An own table: the library's is shared by all sessions and grows with every EHLO.
        self.command_size_limits = collections.defaultdict(lambda: COMMAND_BYTES)
        super().__init__(
            self,
            hostname=hostname,
            ident=self.channel.upper(),
            data_size_limit=desk.max_bytes,
            enable_SMTPUTF8=True,
            timeout=timeout_s,
            loop=loop,
        )
        self.desk = desk
        self.heard_at = loop.time()
        self.answering = False  # a whole mail is here and its reply is not yet out

    # --- connection

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.desk.opened(self)
        super().connection_made(transport)

    def _reset_timeout(self, duration: float | None = None) -> None:
        """The library calls it whenever the client has said something."""
        self.heard_at = self.loop.time()
        super()._reset_timeout(duration)

    def connection_lost(self, error: Exception | None) -> None:
        self.desk.lost(self)
        super().connection_lost(error)

    def say_goodbye(self, why: str = "the server stops") -> None:
        """RFC 5321 section 3.8: 421 at any time, and the client comes again later."""
        if self.transport is not None:
            self._writer.write(f"421 4.3.2 {why}\r\n".encode())
            self.transport.close()

    @property
    def peer(self) -> str:
        address = self.session.peer if self.session else None
        return str(address[0]) if isinstance(address, tuple) else ""

    # --- replies

    async def push(self, status: Any) -> None:
        """RFC 2034: replies of classes 2, 4 and 5 carry an enhanced status code."""
        if isinstance(status, str) and NEEDS_ENHANCED_CODE.match(status):
            status = f"{status[:3]} {ENHANCED.get(status[:3], f'{status[0]}.0.0')}{status[3:]}"
        await super().push(status)

    async def handle_exception(self, error: Exception) -> str:
        log.error("%s: the session failed", self.peer, exc_info=error)
        return "451 4.3.0 local error, try again later"

    # --- commands

    async def smtp_HELO(self, hostname: str) -> None:
        await self.greet(hostname, [])

    async def smtp_EHLO(self, hostname: str) -> None:
        size = f"SIZE {self.desk.max_bytes}"
        await self.greet(hostname, [size, "8BITMIME", "SMTPUTF8", "PIPELINING", "ENHANCEDSTATUSCODES", "HELP"])

    async def greet(self, hostname: str, extensions: list[str]) -> None:
        if not hostname:
            await self.push("501 5.5.4 a host name is needed")
            return
        self._set_rset_state()
        assert self.session is not None
        self.session.host_name, self.session.extended_smtp = hostname, bool(extensions)
        *lines, last = [self.hostname, *extensions]
        reply = "".join(f"250-{line}\r\n" for line in lines) + f"250 {last}"
        await self.push(reply.encode())

    async def smtp_MAIL(self, arg: str | None) -> None:
        if self.desk.stopping:
            self.say_goodbye()
        elif self.desk.is_full():
            await self.push("452 4.3.1 too much mail waits to be stored, try again later")
        elif (size := SIZE.search(arg or "")) and int(size[1]) > self.desk.max_bytes:
            await self.push(self.too_large())
        else:
            await super().smtp_MAIL(arg)

    async def handle_RCPT(self, _server: Any, _session: Any, envelope: Any, address: str, options: list[str]) -> str:
        if address == NULL_SENDER:
            return "553 5.1.3 a recipient is needed"
        if len(envelope.rcpt_tos) >= MAX_RECIPIENTS:
            return f"452 4.5.3 more than {MAX_RECIPIENTS} recipients"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    def _getaddr(self, arg: str) -> tuple[str | None, str | None]:
        found = ANGLE_ADDRESS.match(arg) or BARE_ADDRESS.match(arg)
        if not found:
            return ("", "") if not arg else (None, None)
        return SOURCE_ROUTE.sub("", found[1], count=1) if found[1][:1] == "@" else found[1] or NULL_SENDER, found[2]

    # --- DATA

    async def smtp_DATA(self, arg: str | None) -> None:
        if await self.check_helo_needed():
            return
        assert self.envelope is not None
        if arg:
            await self.push("501 5.5.4 DATA takes no argument")
        elif not self.envelope.rcpt_tos:
            await self.push("503 5.5.1 no valid recipients")
        else:
            await self.push("354 End data with <CR><LF>.<CR><LF>")
            await self.take_mail()

    async def take_mail(self) -> None:
        incoming = Incoming(self.desk)
        try:
            await self.read_data(incoming)
            self.answering = True
            reply = self.too_large() if incoming.is_too_large() else await self.store(incoming)
            replies = self.replies(reply)
            self._set_post_data_state()
            await self.push("\r\n".join(replies))
        except (asyncio.CancelledError, asyncio.IncompleteReadError):
            self.log_loss(incoming)
            raise
        finally:
            self.answering = False
            incoming.release()

    async def read_data(self, incoming: Incoming) -> None:
        """Only <CRLF>.<CRLF> ends a mail (RFC 5321 section 4.1.1.4): a bare LF or CR is a part of it.

        Whatever else looks like an end would let a mail smuggle in a second one.
        """
        # The CRLF of the DATA command begins the mail's first line, which may be the end already.
        self._reader._buffer[:0] = b"\r\n"  # type: ignore[attr-defined]
        while not incoming.complete:
            try:
                incoming.add(await self._reader.readuntil(END), complete=True)
            except asyncio.LimitOverrunError as exc:
                incoming.add(await self._reader.readexactly(exc.consumed))
            self._reset_timeout()  # a slow line is no idle line, as long as a chunk arrives now and then

    async def store(self, incoming: Incoming) -> str:
        if incoming.refused:
            return "451 4.3.1 too much mail waits to be stored, try again later"
        assert self.envelope is not None
        sender = self.envelope.mail_from or ""
        arrival = Arrival(
            incoming.raw,
            self.channel,
            self.peer,
            "" if sender == NULL_SENDER else sender,
            tuple(self.envelope.rcpt_tos),
        )
        try:
            stored = await self.desk.store(arrival)
        except StorageUnavailable:
            return "451 4.3.0 the mail could not be stored, try again later"
        return f"250 2.0.0 stored as message {stored.message_id}"

    def replies(self, reply: str) -> list[str]:
        return [reply]

    def too_large(self) -> str:
        return f"552 5.3.4 a mail may have {self.desk.max_bytes} octets"

    def log_loss(self, incoming: Incoming) -> None:
        if incoming.complete:
            log.warning("%s: the client left before its mail was answered", self.peer)
            return
        octets = incoming.size + len(self._reader._buffer) - len(b"\r\n")  # type: ignore[attr-defined]
        log.warning("%s: the client left in the middle of a mail, %d octets dropped", self.peer, octets)


class DeskLMTP(LMTP, DeskSMTP):
    channel = "lmtp"

    async def smtp_LHLO(self, hostname: str) -> None:
        await DeskSMTP.smtp_EHLO(self, hostname)

    def replies(self, reply: str) -> list[str]:
        """RFC 2033 section 4.2: one reply for each RCPT that was accepted. All share one row, and so one fate."""
        assert self.envelope is not None
        return [reply] * len(self.envelope.rcpt_tos)
