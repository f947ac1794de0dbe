"""A mail client that sends exactly the bytes it is told to."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from complaints.listeners.server import Listener

WAIT_S = 20
ENVELOPE = b"MAIL FROM:<loop@reporter.example>\r\nRCPT TO:<abuse@isp.example>\r\n"


class Client:
    def __init__(self, port: int, *, hello: bytes = b"") -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=WAIT_S)
        self.file = self.socket.makefile("rb")
        self.greeting = self.reply()
        if hello:
            self.extensions = self.say(hello)

    def reply(self) -> str:
        """One reply, its lines joined; empty when the server has closed the connection."""
        lines = [self.file.readline()]
        while lines[-1][3:4] == b"-":
            lines.append(self.file.readline())
        return b"".join(lines).decode().rstrip("\r\n").replace("\r\n", "\n")

    def say(self, line: bytes) -> str:
        self.write(line + b"\r\n")
        return self.reply()

    def write(self, data: bytes) -> None:
        self.socket.sendall(data)

    def begin(
        self, *, sender: bytes = b"loop@reporter.example", to: tuple[bytes, ...] = (b"abuse@isp.example",)
    ) -> None:
        """Up to the server's "go on" for the mail's text."""
        assert self.say(b"MAIL FROM:<%s>" % sender).startswith("250 ")
        assert [self.say(b"RCPT TO:<%s>" % one)[:4] for one in to] == ["250 "] * len(to)
        assert self.say(b"DATA").startswith("354 ")

    def send(self, data: bytes, **envelope: object) -> str:
        """`data` is what stands on the wire before the final dot."""
        self.begin(**envelope)  # type: ignore[arg-type]
        self.write(data + b".\r\n")
        return self.reply()

    def close(self) -> None:
        self.file.close()
        self.socket.close()


@contextmanager
def running(listener: Listener) -> Iterator[None]:
    """The listener runs on an event loop of its own and is stopped at the end."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()

    def on_loop(what):
        return asyncio.run_coroutine_threadsafe(what, loop).result(WAIT_S)

    try:
        on_loop(listener.start("127.0.0.1", 0))
        yield
    finally:
        if not listener.stopping:
            on_loop(listener.stop())
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def stop(listener: Listener) -> threading.Thread:
    """Ask it to stop, as SIGTERM does; the thread ends when it has."""
    done = asyncio.run_coroutine_threadsafe(listener.stop(), listener.loop)
    thread = threading.Thread(target=done.result, args=(WAIT_S,))
    thread.start()
    return thread


def message_id(reply: str) -> int:
    assert reply.startswith("250 2.0.0 "), reply
    return int(reply.rpartition(" ")[2])


def wait_until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.005)
