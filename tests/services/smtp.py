"""A mail server that catches what is sent to it, and answers as a test wants it to."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session


@dataclasses.dataclass(frozen=True)
class Caught:
    """One delivered mail: the envelope and the bytes as they came."""

    mail_from: str
    rcpt_tos: list[str]
    raw: bytes

    @property
    def mail(self) -> EmailMessage:
        return message_from_bytes(self.raw, policy=policy.default)


@dataclasses.dataclass
class Sink:
    """rcpt_answers: what RCPT of that address gets instead of 250, as "550 5.1.1 no such user"."""

    host: str = "127.0.0.1"
    port: int = 0
    messages: list[Caught] = dataclasses.field(default_factory=list)
    rcpt_answers: dict[str, str] = dataclasses.field(default_factory=dict)
    data_answer: str = "250 2.0.0 caught"
    hangs_up: str = ""  # "rcpt", "data": there the connection breaks without an answer; "answer": the mail is there

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.hangs_up == "rcpt":
            hang_up(server)
        answer = self.rcpt_answers.get(address, "250 2.1.5 OK")
        if answer.startswith("2"):
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        if self.hangs_up == "data":
            hang_up(server)
        if self.data_answer.startswith("2"):
            content = envelope.original_content or b""
            self.messages.append(Caught(envelope.mail_from or "", list(envelope.rcpt_tos), content))
        if self.hangs_up == "answer":
            hang_up(server)
        return self.data_answer


def hang_up(server: SMTP) -> None:
    assert isinstance(server.transport, asyncio.Transport)
    server.transport.abort()
    raise ConnectionResetError


class AnyPort(Controller):
    """The system chooses the port, so no two tests can want the same one."""

    def _trigger_server(self) -> None:
        assert isinstance(self.server, asyncio.Server)
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()


@contextmanager
def sink() -> Iterator[Sink]:
    found = Sink()
    controller = AnyPort(found, hostname=found.host, port=0)
    controller.start()
    try:
        found.port = controller.port
        yield found
    finally:
        controller.stop()
