"""python -m tests.services.mailbox_server PORT FOLDER: a mail server of its own process, made to be killed.

A mail is a file before the server says 250, so what it took is known after any end.
"""

from __future__ import annotations

import asyncio
import os
import re
import secrets
import sys
from pathlib import Path

from aiosmtpd.smtp import SMTP, Envelope, Session

MESSAGE_ID = re.compile(rb"^Message-ID:\s*<([^>]+)>", re.I | re.M)


class Mailbox:
    def __init__(self, folder: Path) -> None:
        self.folder = folder

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        found = MESSAGE_ID.search(envelope.original_content or b"")
        assert found
        (self.folder / f"{found[1].decode()}#{os.getpid()}-{secrets.token_hex(4)}").touch()
        await asyncio.sleep(0.002)  # so that some are killed between taking a mail and saying so
        return "250 2.0.0 taken"


async def serve(port: int, folder: Path) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(Mailbox(folder), loop=loop), "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), Path(sys.argv[2])))
