"""A careful SMTP client (RFC 5321) for peers that may be broken or hostile.

Every reply is bounded in time, lines and bytes. What cannot be a reply ends the conversation with a sentence
that says what came. Both sides go into a transcript that is safe to store and to show.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import re
import ssl
import time
from typing import Self

from complaints.checks._config import Timeouts

REPLY_LINE = re.compile(rb"([2-5]\d\d)(?:([ -])(.*))?", re.DOTALL)
MAX_LINE = 2048  # section 4.5.3.1.5 says 512 octets; real servers go over
MAX_LINES = 100
MAX_TEXT = 512
MAX_ENTRIES = 500
QUIT_S = 2.0


class ConversationFailed(Exception):
    """No further command makes sense on this connection; the text says why."""


class HungUp(ConversationFailed):
    """The server closed the connection, with 421 (section 3.8) or without a word."""


class NoServer(ConversationFailed):
    """The connection was refused: nothing listens there."""


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
    """What was said, with seconds since the start; at most MAX_ENTRIES lines, so a flood cannot fill the database."""

    def __init__(self) -> None:
        self.entries: list[dict[str, object]] = []
        self.started = time.monotonic()

    def add(self, direction: str, text: str) -> None:
        if len(self.entries) < MAX_ENTRIES:
            said = text[:MAX_TEXT] if len(self.entries) < MAX_ENTRIES - 1 else "(the rest was cut)"
            self.entries.append({"t": round(time.monotonic() - self.started, 3), "dir": direction, "text": said})


class Connection:
    """One connection; use `open_connection` to get one. Not to be shared between tasks."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, timeouts: Timeouts, transcript: Transcript
    ) -> None:
        self.reader, self.writer = reader, writer
        self.timeouts, self.transcript = timeouts, transcript
        self.unread = bytearray()
        self.tls: str | None = None

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

    async def message(self, content: bytes, *, step: str) -> Reply:
        """Send a whole message after 354, dots stuffed (section 4.5.2), and wait for the reply after the last dot."""
        self.transcript.add(">", f"(probe message, {len(content)} bytes)")
        stuffed = re.sub(rb"(?m)^\.", b"..", content)
        return await self.send(stuffed.removesuffix(b"\r\n") + b"\r\n.\r\n", step=step)

    async def send(self, data: bytes, *, step: str) -> Reply:
        if self.unread and not self.unread.startswith(b"421"):
            raise ConversationFailed(f"the server spoke out of turn before {step}")
        try:
            self.writer.write(data)
            await asyncio.wait_for(self.writer.drain(), self.timeouts.command)
        except TimeoutError:
            raise ConversationFailed(f"the server stopped reading at {step}") from None
        except OSError as exc:
            raise HungUp(f"the server hung up at {step}: {exc}") from exc
        return await self.reply(step)

    async def reply(self, step: str) -> Reply:
        """The next reply. 421 comes back as HungUp: whatever it answers, the server is leaving."""
        try:
            async with asyncio.timeout(self.timeouts.command):
                reply = await self.read_reply(step)
        except TimeoutError:
            raise ConversationFailed(f"no answer to {step} within {self.timeouts.command:g} s") from None
        except OSError as exc:
            raise HungUp(f"the server hung up at {step}: {exc}") from exc
        if reply.code == 421:
            raise HungUp(f"the server ended the conversation at {step}: {reply}")
        return reply

    async def read_reply(self, step: str) -> Reply:
        codes: set[bytes] = set()
        texts: list[str] = []
        while len(texts) < MAX_LINES:
            line = await self.read_line(step)
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

    async def read_line(self, step: str) -> bytes:
        while b"\n" not in self.unread:
            if len(self.unread) > MAX_LINE:
                self.transcript.add("<", printable(bytes(self.unread)))
                raise ConversationFailed(f"the reply to {step} has a line of more than {MAX_LINE} bytes")
            chunk = await self.reader.read(MAX_LINE)
            if not chunk:
                raise HungUp(f"the server hung up at {step}")
            self.unread += chunk
        line, _, rest = bytes(self.unread).partition(b"\n")
        self.unread = bytearray(rest)
        return line.rstrip(b"\r")

    async def start_tls(self) -> None:
        """RFC 3207. Any certificate will do: we look for relays, we tell no secrets."""
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        try:
            await asyncio.wait_for(self.writer.start_tls(context), self.timeouts.command)
        except (OSError, TimeoutError) as exc:
            raise ConversationFailed(f"the TLS handshake failed: {str(exc) or 'no answer'}") from exc
        session = self.writer.get_extra_info("ssl_object")
        self.tls = session.version() if session else None

    async def quit(self) -> None:
        """Be polite; what the server makes of it no longer matters."""
        with contextlib.suppress(ConversationFailed, TimeoutError):
            async with asyncio.timeout(QUIT_S):
                await self.command("QUIT", step="QUIT")


async def open_connection(address: str, port: int, timeouts: Timeouts, transcript: Transcript) -> Connection:
    """Raises NoServer when refused, ConversationFailed when the address does not answer."""
    try:
        async with asyncio.timeout(timeouts.connect):
            reader, writer = await asyncio.open_connection(address, port, limit=MAX_LINE * 4)
    except ConnectionRefusedError as exc:
        raise NoServer(f"no mail server reachable on port {port}") from exc
    except TimeoutError:
        raise ConversationFailed(f"no answer on port {port} within {timeouts.connect:g} s") from None
    except OSError as exc:
        raise ConversationFailed(f"cannot connect to port {port}: {exc.strerror or exc}") from exc
    return Connection(reader, writer, timeouts, transcript)


def printable(data: bytes) -> str:
    """Text without control characters: PostgreSQL's jsonb takes no NUL and a terminal no escape sequence."""
    text = data[: MAX_TEXT * 2].decode("utf-8", "backslashreplace")
    return "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in text)[:MAX_TEXT]
