"""The other end of a probe: a third party's SMTP server (aiosmtpd) that keeps what arrives."""

from __future__ import annotations

import asyncio
import dataclasses
from typing import Any, Self

from aiosmtpd.smtp import SMTP, Envelope, Session


@dataclasses.dataclass(frozen=True)
class Caught:
    peer: str
    sender: str
    recipient: str
    content: bytes


class Mailbox:
    def __init__(self, **options: Any) -> None:
        self.options = options
        self.caught: list[Caught] = []

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        for recipient in envelope.rcpt_tos:
            peer, content = session.peer or ("",), envelope.original_content or b""
            self.caught.append(Caught(peer[0], envelope.mail_from or "", recipient, content))
        return "250 2.0.0 kept"

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        self.server = await loop.create_server(
            lambda: SMTP(self, hostname="probe.isp.example", **self.options), "127.0.0.1", 0
        )
        self.at: tuple[str, int] = self.server.sockets[0].getsockname()[:2]
        return self

    async def __aexit__(self, *_: object) -> None:
        self.server.close()

    async def wait_for(self, count: int) -> list[Caught]:
        async with asyncio.timeout(5):
            while len(self.caught) < count:
                await asyncio.sleep(0.01)
        return self.caught
