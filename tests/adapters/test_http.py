"""One question to an HTTP service, whatever it does."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from complaints.adapters.http import NoAnswer, Reply, exchange, follow
from tests.services.http import Response, http_service

CERTIFICATE = Path(__file__).parents[1] / "checks" / "mail.customer.example.pem"


def ask(url: str, timeout_s: float = 0.5, most_bytes: int = 1000) -> Reply:
    return exchange(url, body=b"{}", headers={"X-One": "1"}, timeout_s=timeout_s, most_bytes=most_bytes)


def test_body_and_header_arrive_and_the_answer_comes_back():
    with http_service(lambda _: Response(201, (b"yes",))) as service:
        assert ask(service.url) == Reply(201, b"yes", "")

    [request] = service.requests
    assert (request.method, request.path, request.body, request.headers["X-One"]) == ("POST", "/answers", b"{}", "1")


@pytest.mark.parametrize("pause", ["before the answer", "inside it", "byte by byte"])
def test_a_slow_service_is_left_in_time(pause: str):
    def wait() -> None:
        time.sleep(0.2)

    pieces = {
        "before the answer": (),
        "inside it": (b"beginning", lambda: time.sleep(3), b"end"),
        "byte by byte": tuple(each for _ in range(20) for each in (b"x", wait)),  # each within the time of one wait
    }[pause]

    def answer(_: object) -> Response:
        if not pieces:
            time.sleep(3)
        return Response(200, pieces, {"Content-Length": "1000"})

    with http_service(answer) as service:
        began = time.monotonic()
        with pytest.raises(NoAnswer, match=r"no answer within 0\.5 s"):
            ask(service.url)
        assert time.monotonic() - began < 2.5  # what it says takes three seconds and more


@pytest.mark.parametrize("length", [1000, 1001])
def test_an_answer_is_read_up_to_a_size(length: int):
    with http_service(lambda _: Response(200, (b"x" * length,))) as service:
        if length == 1000:
            assert len(ask(service.url).body) == 1000
        else:
            with pytest.raises(NoAnswer, match="more than 1000 bytes"):
                ask(service.url)


def test_an_endless_answer_ends():
    with (
        http_service(lambda _: Response(200, (b"x" * 2**20,) * 1000)) as service,
        pytest.raises(NoAnswer, match="more than 1000 bytes"),
    ):
        ask(service.url)


def test_nobody_there_is_no_answer():
    with http_service(lambda _: Response()) as service:
        pass

    with pytest.raises(NoAnswer, match="ConnectionRefusedError"):
        ask(service.url)


def test_a_certificate_of_another_name_is_refused():
    with http_service(lambda _: Response(), certificate=CERTIFICATE) as service, pytest.raises(NoAnswer, match="SSL"):
        ask(service.url)
    assert service.requests == []


def test_a_redirect_is_followed_where_the_protocol_has_them_and_never_to_the_clear():
    def answer(request: object) -> Response:
        return Response(200, (b"there",)) if request.path == "/there" else Response(302, headers={"Location": "/there"})

    with http_service(answer) as service:
        assert follow(service.url, headers={}, timeout_s=1, most_bytes=100).body == b"there"
        assert ask(service.url).status == 302

        service.answer = lambda _: Response(302, headers={"Location": "ftp://127.0.0.1/"})
        with pytest.raises(NoAnswer, match="nowhere safe"):
            follow(service.url, headers={}, timeout_s=1, most_bytes=100)
        service.answer = lambda _: Response(302, headers={"Location": "/round"})
        with pytest.raises(NoAnswer, match="more than 3 redirects"):
            follow(service.url, headers={}, timeout_s=1, most_bytes=100)
