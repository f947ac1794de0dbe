"""A careful SMTP client (RFC 5321) for peers that may be broken or hostile.

Every reply is bounded in time, lines and bytes. What cannot be a reply ends the conversation with a sentence
that says what came. Both sides go into a transcript that is safe to store and to show.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import hashlib
import re
import ssl
import time
from collections.abc import AsyncGenerator, Sequence
from functools import lru_cache
from typing import Self

from complaints.checks._config import CheckConfig, Timeouts
from complaints.checks._printable import MAX_TEXT, printable

REPLY_LINE = re.compile(rb"([2-5]\d\d)(?:([ -])(.*))?", re.DOTALL)
MAX_LINE = 2048  # section 4.5.3.1.5 says 512 octets; real servers go over
MAX_LINES = 100
MAX_ENTRIES = 1000  # three ports, some forty forms each, two lines a command
MAX_SAID = 120_000  # characters
QUIT_S = 2.0


class ConversationFailed(Exception):
    """No further command makes sense on this connection; the text says why.

    for_now: the same call may well go through later.
    """

    def __init__(self, why: str, *, for_now: bool = False) -> None:
        super().__init__(why)
        self.for_now = for_now


class HungUp(ConversationFailed):
    """The server closed the connection, with 421 (section 3.8) or without a word."""

    def __init__(self, why: str) -> None:
        super().__init__(why, for_now=True)


class NoServer(ConversationFailed):
    """The connection was refused: nothing listens there."""


class Unreachable(ConversationFailed):
    """Nobody says yes or no on that port."""

    def __init__(self, why: str) -> None:
        super().__init__(why, for_now=True)


class TlsFailed(ConversationFailed):
    """The handshake did not come about; the connection is of no use any more."""


@dataclasses.dataclass(frozen=True, slots=True)
class Reply:
    code: int
    lines: tuple[str, ...]

    @property
    def text(self) -> str:
        return " ".join(self.lines)[:MAX_TEXT]

    @property
    def ok(self) -> bool:
        return 200 <= self.code < 300

    def __str__(self) -> str:
        return f"{self.code} {self.text}".strip()


class Transcript:
    """What was said, with seconds since the start; bounded, so that a flood cannot fill the database."""

    def __init__(self) -> None:
        self.entries: list[dict[str, object]] = []
        self.started = time.monotonic()
        self.room = MAX_SAID

    def add(self, direction: str, text: str) -> None:
        if self.room <= 0:
            return
        said = text[:MAX_TEXT]
        self.room -= len(said)
        if self.room <= 0 or len(self.entries) >= MAX_ENTRIES - 1:
            self.room, said = 0, "(the rest was cut)"
        self.entries.append({"t": round(time.monotonic() - self.started, 3), "dir": direction, "text": said})


class Connection:
    """One connection; use `open_connection` to get one. Not to be shared between tasks."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, timeouts: Timeouts, transcript: Transcript
    ) -> None:
        self.reader, self.writer = reader, writer
        self.timeouts, self.transcript = timeouts, transcript
        self.unread = bytearray()
        self.offers: frozenset[str] = frozenset()  # keywords of the last EHLO reply
        self.in_transaction = False  # there was a MAIL since the greeting, or since the last message

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close. Callers say QUIT first where the server still listens."""
        self.writer.close()
        with contextlib.suppress(OSError, TimeoutError):
            await asyncio.wait_for(self.writer.wait_closed(), QUIT_S)

    async def command(self, line: str, *, step: str) -> Reply:
        """Send one line, return the reply. `step` names the moment in error sentences."""
        self.transcript.add(">", line)
        return await self.send(line.encode("ascii") + b"\r\n", step=step)

    async def exchange(self, lines: Sequence[str]) -> AsyncGenerator[Reply, None]:
        """The replies to `lines`, one after the other; all lines in one packet where RFC 2920 allows it.

        Else each line is sent when the reply before it was taken: who stops asking has not said the rest.
        """
        together = "PIPELINING" in self.offers and len(lines) > 1
        if together:
            data = "".join(f"{line}\r\n" for line in lines).encode("ascii")
            await self.write(data, step=lines[0].partition(":")[0])
        for number, line in enumerate(lines, start=1):
            step = line.partition(":")[0]
            if together:
                self.transcript.add(">", line)  # beside its answer, which is how people read it
            reply = await (self.reply(step) if together else self.command(line, step=step))
            try:
                yield reply
            except GeneratorExit:
                for _ in lines[number:] if together else ():  # said already, so they will be answered
                    await self.reply(step)
                raise

    async def message(self, content: bytes, *, step: str) -> Reply:
        """Send a whole message after 354, dots stuffed (section 4.5.2), and wait for the reply after the last dot."""
        self.transcript.add(">", f"(probe message, {len(content)} bytes)")
        stuffed = re.sub(rb"(?m)^\.", b"..", content)
        return await self.send(stuffed.removesuffix(b"\r\n") + b"\r\n.\r\n", step=step)

    async def send(self, data: bytes, *, step: str) -> Reply:
        await self.write(data, step=step)
        return await self.reply(step)

    async def write(self, data: bytes, *, step: str) -> None:
        if self.unread and not self.unread.startswith(b"421"):
            raise ConversationFailed(f"the server spoke out of turn before {step}")
        try:
            self.writer.write(data)
            if self.writer.transport.get_write_buffer_size():
                await asyncio.wait_for(self.writer.drain(), self.timeouts.command)
        except TimeoutError:
            raise ConversationFailed(f"the server stopped reading at {step}", for_now=True) from None
        except OSError as exc:
            raise HungUp(f"the server hung up at {step}: {exc}") from exc

    async def reply(self, step: str) -> Reply:
        """The next reply. 421 comes back as HungUp: whatever it answers, the server is leaving."""
        try:
            reply = await self.read_reply(step, until=asyncio.get_running_loop().time() + self.timeouts.command)
        except TimeoutError:
            why = f"no answer to {step} within {self.timeouts.command:g} s"
            raise ConversationFailed(why, for_now=True) from None
        except OSError as exc:
            raise HungUp(f"the server hung up at {step}: {exc}") from exc
        if reply.code == 421:
            raise HungUp(f"the server ended the conversation at {step}: {reply}")
        return reply

    async def read_reply(self, step: str, *, until: float) -> Reply:
        codes: set[bytes] = set()
        texts: list[str] = []
        while len(texts) < MAX_LINES:
            line = await self.read_line(step, until=until)
            self.transcript.add("<", printable(line))
            found = REPLY_LINE.fullmatch(line)
            if not found or b"\0" in line:
                raise ConversationFailed(f"no SMTP reply to {step}: {printable(line)[:80]!r}")
            codes.add(found[1])
            texts.append(printable(found[3] or b""))
            if len(codes) > 1:
                raise ConversationFailed(f"one reply to {step} with two codes: {printable(b', '.join(sorted(codes)))}")
            if found[2] != b"-":
                return Reply(int(found[1]), tuple(texts))
        raise ConversationFailed(f"the reply to {step} has more than {MAX_LINES} lines")

    async def read_line(self, step: str, *, until: float) -> bytes:
        while b"\n" not in self.unread:
            if len(self.unread) > MAX_LINE:
                self.transcript.add("<", printable(bytes(self.unread)))
                raise ConversationFailed(f"the reply to {step} has a line of more than {MAX_LINE} bytes")
            async with asyncio.timeout_at(until):
                chunk = await self.reader.read(MAX_LINE)
            if not chunk:
                raise HungUp(f"the server hung up at {step}")
            self.unread += chunk
        line, _, rest = bytes(self.unread).partition(b"\n")
        self.unread = bytearray(rest)
        return line.rstrip(b"\r")

    async def start_tls(self) -> None:
        """RFC 3207: whatever was said before the handshake counts for nothing after it."""
        if self.unread:
            raise TlsFailed("the server spoke between STARTTLS and the handshake")
        try:
            await asyncio.wait_for(self.writer.start_tls(any_certificate()), self.timeouts.command)
        except (OSError, TimeoutError) as exc:
            raise TlsFailed(f"the TLS handshake failed: {str(exc) or 'no answer'}") from exc
        self.offers = frozenset()

    @property
    def tls(self) -> dict[str, object] | None:
        """What was agreed on, and whose certificate it was; it was not verified."""
        session = self.writer.get_extra_info("ssl_object")
        if session is None:
            return None
        certificate, cipher = session.getpeercert(binary_form=True), session.cipher()
        fingerprint = hashlib.sha256(certificate).hexdigest() if certificate else None
        return {"version": session.version(), "cipher": cipher and cipher[0], "certificate_sha256": fingerprint}

    async def quit(self) -> None:
        """Be polite; what the server makes of it no longer matters."""
        with contextlib.suppress(ConversationFailed, TimeoutError):
            async with asyncio.timeout(QUIT_S):
                await self.command("QUIT", step="QUIT")


async def open_connection(
    config: CheckConfig, address: str, port: int, transcript: Transcript, *, implicit_tls: bool = False
) -> Connection:
    """implicit_tls: RFC 8314, as on port 465.

    Raises NoServer when refused, Unreachable when nobody answers, TlsFailed when the port speaks no TLS.
    """
    timeouts = config.timeouts
    try:
        async with asyncio.timeout(timeouts.connect):
            reader, writer = await config.connect(address, port, any_certificate() if implicit_tls else None)
    except ConnectionRefusedError as exc:
        raise NoServer(f"no mail server reachable on port {port}") from exc
    except ssl.SSLError as exc:
        raise TlsFailed(f"the TLS handshake failed: {exc}") from exc
    except TimeoutError:
        raise Unreachable(f"no answer on port {port} within {timeouts.connect:g} s") from None
    except OSError as exc:
        raise Unreachable(f"cannot connect to port {port}: {exc.strerror or exc}") from exc
    return Connection(reader, writer, timeouts, transcript)


@lru_cache(maxsize=1)
def any_certificate() -> ssl.SSLContext:
    """Any certificate and any age of TLS will do: we look for relays, we tell no secrets."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    return context
