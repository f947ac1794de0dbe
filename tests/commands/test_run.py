"""`manage.py run` asks its web process whether it is ready."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from pytest_django import Settings

from abusedesk.processes import ChildFailed
from complaints.management.commands.run import web_answers


@contextmanager
def answering(status: int) -> Iterator[tuple[int, list[str]]]:
    """A server, its port, and the names by which it was asked."""
    asked: list[str] = []

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.headers["Host"])
            self.send_response(status)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Silent."""

    server = HTTPServer(("127.0.0.1", 0), Answer)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server.server_port, asked
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize(("status", "is_ready"), [(200, True), (503, False)])
def test_web_is_ready_when_it_says_so_and_may_still_wait_for_its_database(
    settings: Settings, status: int, is_ready: bool
) -> None:
    with answering(status) as (port, _):
        settings.WEB_LISTEN = ("127.0.0.1", port)
        assert web_answers() is is_ready


def test_a_web_process_that_fails_ends_the_start_at_once(settings: Settings) -> None:
    with answering(500) as (port, _):
        settings.WEB_LISTEN = ("127.0.0.1", port)
        with pytest.raises(ChildFailed, match="web answers 500"):
            web_answers()


def test_it_is_asked_by_a_name_that_it_may_answer_to(settings: Settings) -> None:
    settings.ALLOWED_HOSTS = ["abuse.isp.example"]
    with answering(200) as (port, asked):
        settings.WEB_LISTEN = ("127.0.0.1", port)
        web_answers()
    assert asked == ["abuse.isp.example"]
