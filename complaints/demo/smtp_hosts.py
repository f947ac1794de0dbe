"""Mail servers of the simulated world: closed ones, open relays, and what lies between. Real SMTP on loopback.

A host that relays really does: it takes the message, puts its Received line on top and hands it to the next
server by SMTP, from its own address and with the envelope it was given.
"""

from __future__ import annotations

import abc
import asyncio
import contextlib
import ipaddress
import re
import smtplib

from complaints.demo.loopback import LoopbackPeer
from complaints.demo.smtp_behaviours import BEHAVIOURS, Behaviour, Envelope, bounced, relayed

PATH = re.compile(r"(?:FROM|TO):\s*(?:<(.*)>|(\S+))", re.IGNORECASE)
MAX_MESSAGE = 10_000_000
RETRIES = 5


class MailServer(abc.ABC):
    """How a mail server behaves, wherever its streams come from. `behaviour` may be changed while it runs.

    accepted: every message it took, oldest first.
    """

    def __init__(self, address: str, behaviour: str, name: str) -> None:
        self.address, self.behaviour, self.name = address, behaviour, name
        self.greylist_s = 300.0
        self.delay_s = 20.0
        self.accepted: list[Envelope] = []
        self.connections = 0
        self.first_seen: dict[tuple[str, str | None, str], float] = {}
        self.tasks: set[asyncio.Task[None]] = set()

    @property
    def behaviour(self) -> str:
        return self._behaviour

    @behaviour.setter
    def behaviour(self, name: str) -> None:
        if name not in BEHAVIOURS:
            raise ValueError(f"SMTP host: behaviour {name!r} is none of {', '.join(sorted(BEHAVIOURS))}")
        self._behaviour = name

    @property
    def now(self) -> Behaviour:
        return BEHAVIOURS[self._behaviour]

    @abc.abstractmethod
    def hand_on(self, envelope: Envelope) -> None:
        """Pass on what was taken for somebody else, without keeping the client waiting."""

    def is_own(self, domain: str) -> bool:
        literals = {"", "localhost", f"[{self.address}]", f"[ipv6:{self.address}]"}
        return domain.lower() in literals | {self.name, self.name.partition(".")[2]}

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self.tasks.add(task)
        self.connections += 1
        try:
            with contextlib.suppress(ConnectionError, ValueError, asyncio.IncompleteReadError, asyncio.CancelledError):
                await Session(self, reader, writer).talk()
        finally:
            self.tasks.discard(task)
            writer.close()

    def take(self, envelope: Envelope) -> None:
        """Do with an accepted message what the behaviour says, without keeping the client waiting."""
        self.accepted.append(envelope)
        handlers = {"relay": relayed, "bounce": bounced}
        if (handler := handlers.get(self.now.then)) and (onward := handler(self, envelope)):
            self.hand_on(onward)


class SmtpHost(LoopbackPeer, MailServer):
    """A mail server with a real socket on loopback.

    deliver_to: host and port of the next server, the only one this host ever connects to.
    undelivered: why a relayed message got no further.
    """

    def __init__(
        self,
        address: str = "127.0.0.1",
        port: int = 0,
        behaviour: str = "closed",
        deliver_to: tuple[str, int] | None = None,
        *,
        name: str = "mail.customer.example",
    ) -> None:
        LoopbackPeer.__init__(self, address, port)
        MailServer.__init__(self, address, behaviour, name)
        self.deliver_to = deliver_to
        self.retry_s = 1.0
        self.undelivered: list[str] = []

    async def start(self) -> None:
        self.server = await asyncio.start_server(self.serve, self.address, self.port)
        self.port = self.server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Close; a message not yet handed on is lost, as with a machine that is switched off."""
        self.server.close()
        for task in tuple(self.tasks):
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)

    def hand_on(self, envelope: Envelope) -> None:
        task = asyncio.create_task(self.deliver(envelope))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def deliver(self, envelope: Envelope) -> None:
        """Hand on; try again while the next server says "later"."""
        for _ in range(RETRIES):
            try:
                return await asyncio.to_thread(self.hand_over, envelope)
            except smtplib.SMTPResponseException as exc:
                problem = f"{exc.smtp_code} {exc.smtp_error!r}"
                if exc.smtp_code >= 500:
                    break
            except OSError as exc:  # smtplib's other errors are OSErrors too
                problem = str(exc)
            await asyncio.sleep(self.retry_s)
        self.undelivered.append(f"<{envelope.sender}> to {envelope.recipients}: {problem}")

    def hand_over(self, envelope: Envelope) -> None:
        """By SMTP, the envelope byte for byte: smtplib's own methods would tidy strange addresses."""
        if self.deliver_to is None or not ipaddress.ip_address(self.deliver_to[0]).is_loopback:
            raise smtplib.SMTPResponseException(550, f"no next server on loopback: {self.deliver_to}")
        same_family = (":" in self.address) == (":" in self.deliver_to[0])
        source = (self.address, 0) if same_family else None
        with smtplib.SMTP(*self.deliver_to, local_hostname=self.name, timeout=10, source_address=source) as smtp:
            smtp.ehlo_or_helo_if_needed()
            for command in (f"MAIL FROM:<{envelope.sender}>", *(f"RCPT TO:<{to}>" for to in envelope.recipients)):
                expect(smtp.docmd(command))
            expect(smtp.data(envelope.data))


class Session:
    """One connection, RFC 5321 as far as the world needs it."""

    def __init__(self, host: MailServer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.host, self.reader, self.writer = host, reader, writer
        self.peer = writer.get_extra_info("peername")[0]
        self.helo = ""
        self.envelope = Envelope(self.peer)
        self.verbs = {"EHLO": self.ehlo, "HELO": self.ehlo, "MAIL": self.mail, "RCPT": self.rcpt, "RSET": self.rset}

    async def talk(self) -> None:
        banner = self.host.now.banner
        await self.say(f"{banner} {self.host.name} {'ESMTP' if banner == 220 else 'No SMTP service for you'}")
        while line := await self.reader.readline():
            verb, _, argument = line.decode("utf-8", "replace").rstrip("\r\n").partition(" ")
            if verb.upper() == "QUIT":
                await self.say("221 2.0.0 Bye")
                return
            if verb.upper() == "DATA":
                await self.data()
            elif verb.upper() == "AUTH":
                await self.say("535 5.7.8 Authentication failed")
            else:
                method = self.verbs.get(verb.upper())
                await self.say(method(argument) if method else "502 5.5.2 Command not recognized")

    async def say(self, reply: str) -> None:
        if self.host.now.slow:
            await asyncio.sleep(self.host.delay_s)
        self.writer.write(reply.encode() + b"\r\n")
        await self.writer.drain()

    def ehlo(self, argument: str) -> str:
        self.helo = argument
        self.envelope = Envelope(self.peer, argument)
        log_in = "250-AUTH PLAIN LOGIN\r\n" if self.host.now.asks_log_in else ""
        return f"250-{self.host.name}\r\n{log_in}250-8BITMIME\r\n250 SIZE {MAX_MESSAGE}"

    def rset(self, argument: str) -> str:
        self.envelope = Envelope(self.peer, self.helo)
        return "250 2.0.0 Ok"

    def mail(self, argument: str) -> str:
        found = PATH.match(argument)
        if not found:
            return "501 5.5.4 Syntax: MAIL FROM:<address>"
        if refusal := self.host.now.mail:
            return refusal
        self.envelope = Envelope(self.peer, self.helo, sender=found[1] or found[2] or "")
        return "250 2.1.0 Ok"

    def rcpt(self, argument: str) -> str:
        found = PATH.match(argument)
        recipient = found and (found[1] or found[2])
        if not recipient:
            return "501 5.5.4 Syntax: RCPT TO:<address>"
        if self.envelope.sender is None:
            return "503 5.5.1 Need MAIL before RCPT"
        if self.host.now.greylists and self.is_new(recipient):
            return "450 4.2.0 Greylisted, please try again later"
        if not self.host.now.relays(self.host, self.envelope, recipient):
            return f"554 5.7.1 <{recipient}>: Relay access denied"
        self.envelope.recipients.append(recipient)
        return "250 2.1.5 Ok"

    def is_new(self, recipient: str) -> bool:
        """Greylisting as RFC 6647 section 2.3 has it: by client, sender and recipient."""
        now = asyncio.get_running_loop().time()
        first = self.host.first_seen.setdefault((self.peer, self.envelope.sender, recipient), now)
        return now - first < self.host.greylist_s

    async def data(self) -> None:
        if not self.envelope.recipients:
            return await self.say("554 5.5.1 No valid recipients")
        if refusal := self.host.now.data:
            return await self.say(refusal)
        await self.say("354 End data with <CR><LF>.<CR><LF>")
        lines, size = [], 0
        while (line := await self.reader.readline()).rstrip(b"\r\n") != b".":
            if not line:
                return
            size += len(line)
            if size <= MAX_MESSAGE:
                lines.append(line.removeprefix(b"."))
        envelope, self.envelope = self.envelope, Envelope(self.peer, self.helo)
        if size > MAX_MESSAGE:
            return await self.say("552 5.3.4 Message too big")
        envelope.data = b"".join(lines)
        self.host.take(envelope)
        await self.say(f"250 2.0.0 Ok: queued as {len(self.host.accepted):08X}")


def expect(answer: tuple[int, bytes]) -> None:
    if not 200 <= answer[0] < 300:
        raise smtplib.SMTPResponseException(answer[0], answer[1])
