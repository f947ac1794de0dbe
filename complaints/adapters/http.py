"""One question to one HTTP service, bounded in time and size: the standard library's client with a clock beside it.

http.client bounds each wait of the socket, not the whole; a server that sends a byte a second would hold a worker for
ever. So a timer shuts the socket when the time is up.
"""

from __future__ import annotations

import contextlib
import http.client
import socket
import ssl
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Final
from urllib.parse import urljoin, urlsplit

MOST_REDIRECTS: Final = 3
MOVED: Final = (301, 302, 303, 307, 308)


class NoAnswer(Exception):
    """It could not be reached, was too slow, or said what cannot be used; the text says which, and is for the desk."""


@dataclass(frozen=True, slots=True)
class Reply:
    status: int
    body: bytes
    location: str  # where a redirect leads; empty elsewhere


def exchange(
    url: str,
    *,
    body: bytes | None = None,
    headers: Mapping[str, str] | None = None,
    timeout_s: float,
    most_bytes: int,
) -> Reply:
    """GET, or POST where there is a body. The answer comes within `timeout_s`, finding the address apart.

    Raises:
        NoAnswer: no connection, no answer in time, no HTTP, or more than `most_bytes`.
    """
    parts = urlsplit(url)
    ends = time.monotonic() + timeout_s
    connection = connection_to(parts.scheme, parts.hostname or "", parts.port, timeout_s)
    is_late = threading.Event()
    clock: threading.Timer | None = None
    try:
        connection.connect()
        clock = threading.Timer(max(ends - time.monotonic(), 0), hang_up, (connection.sock, is_late))
        clock.daemon = True
        clock.start()
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        connection.request("POST" if body is not None else "GET", target, body=body, headers=dict(headers or {}))
        response = connection.getresponse()
        content = response.read(most_bytes + 1)
        if is_late.is_set():
            raise NoAnswer(f"no answer within {timeout_s:g} s")
        if len(content) > most_bytes:
            raise NoAnswer(f"an answer of more than {most_bytes} bytes")
        return Reply(response.status, content, response.getheader("Location") or "")
    except TimeoutError:
        raise NoAnswer(f"no answer within {timeout_s:g} s") from None
    except (OSError, http.client.HTTPException, ValueError) as exc:
        words = f"no answer within {timeout_s:g} s" if is_late.is_set() else f"{type(exc).__name__}: {exc}"[:200]
        raise NoAnswer(words) from None
    finally:
        if clock is not None:
            clock.cancel()
        connection.close()


def follow(url: str, *, headers: Mapping[str, str], timeout_s: float, most_bytes: int) -> Reply:
    """GET where the service sends on to another, as RDAP's bootstrap services do (RFC 7480 section 5.2).

    Never from https to http. Each step has its own time.
    """
    for _ in range(MOST_REDIRECTS + 1):
        reply = exchange(url, headers=headers, timeout_s=timeout_s, most_bytes=most_bytes)
        if reply.status not in MOVED:
            return reply
        there = urljoin(url, reply.location)
        if not reply.location or urlsplit(there).scheme not in ("https", urlsplit(url).scheme):
            raise NoAnswer("a redirect that leads nowhere safe")
        url = there
    raise NoAnswer(f"more than {MOST_REDIRECTS} redirects")


def connection_to(scheme: str, host: str, port: int | None, timeout_s: float) -> http.client.HTTPConnection:
    if scheme == "https":
        return http.client.HTTPSConnection(host, port, timeout=timeout_s, context=trust())
    return http.client.HTTPConnection(host, port, timeout=timeout_s)


@cache
def trust() -> ssl.SSLContext:
    """The system's certificate authorities; a name that does not match is refused."""
    return ssl.create_default_context()


def hang_up(taken: socket.socket, is_late: threading.Event) -> None:
    """Of the socket itself: the connection forgets it as soon as the answer's header is read."""
    is_late.set()
    with contextlib.suppress(OSError):  # it was just closed
        # The plain one: ssl's own shutdown would take the encryption away under the reader's hands.
        socket.socket.shutdown(taken, socket.SHUT_RDWR)
