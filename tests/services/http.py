"""A real HTTP server on loopback that answers as a test tells it."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


@dataclass
class Request:
    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Response:
    """pieces: what is sent after the header, one at a time; a callable among them is called (to wait)."""

    status: int = 200
    pieces: tuple[bytes | Callable[[], None], ...] = ()
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class Service:
    url: str
    answer: Callable[[Request], Response]
    requests: list[Request] = field(default_factory=list)


@contextmanager
def http_service(answer: Callable[[Request], Response], *, certificate: Path | None = None) -> Iterator[Service]:
    """certificate: key and certificate in one file, for https."""

    class Handler(BaseHTTPRequestHandler):
        def handle_any(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            request = Request(self.command, self.path, dict(self.headers.items()), body)
            service.requests.append(request)
            response = service.answer(request)
            self.send_response(response.status)
            for name, value in response.headers.items():
                self.send_header(name, value)
            self.end_headers()
            for piece in response.pieces:
                if callable(piece):
                    self.wfile.flush()
                    piece()
                else:
                    self.wfile.write(piece)

        do_GET = do_POST = handle_any

        def log_message(self, *_: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: object) -> None:
            pass  # a client that hung up, as it should

    server = Server(("127.0.0.1", 0), Handler)
    scheme = "http"
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True)
        scheme = "https"
    service = Service(f"{scheme}://127.0.0.1:{server.server_port}/answers", answer)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield service
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
