"""Measures on their way to the line: a real HTTP service, a real RADIUS server, a real program."""

from __future__ import annotations

import hashlib
import hmac
import io
import json
import socket
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from pyrad import packet
from pyrad.dictionary import Dictionary
from pyrad.server import RemoteHost, Server

from complaints.adapters.measures import AskHuman, Order, Refused, TryLater, command, radius_coa, webhook
from complaints.vocabulary import MeasureKind
from tests.services.http import Request, Response, http_service


def order(**changes: Any) -> Order:
    given: dict[str, Any] = {
        "key": "11111111-2222-3333-4444-555555555555",
        "kind": MeasureKind.LIMIT_25,
        "lift": False,
        "contract": "C-1",
        "customer": "K-1",
        "case": "2026-00007",
        "prefixes": ("192.0.2.10/32",),
        "reason": "late",
    }
    return Order(**(given | changes))


# --- webhook


def post(status: int, body: bytes = b"", sent: list[Request] | None = None) -> str:
    with http_service(lambda request: Response(status, (body,))) as service:
        try:
            return webhook.carry_out(order(), {"url": f"{service.url}/measures", "key": "k" * 16})
        finally:
            if sent is not None:
                sent += service.requests


def test_a_webhook_gets_the_signed_order_with_its_key() -> None:
    sent: list[Request] = []
    assert post(201, b"ticket 4711", sent) == "the service said 201 ticket 4711"

    (request,) = sent
    headers = {name.lower(): value for name, value in request.headers.items()}
    assert json.loads(request.body)["contract"] == "C-1"
    assert headers["idempotency-key"] == order().key
    signed = headers["x-abusedesk-timestamp"].encode() + b"." + request.body
    assert headers["x-abusedesk-signature"] == "v1=" + hmac.new(b"k" * 16, signed, hashlib.sha256).hexdigest()


@pytest.mark.parametrize("status", [408, 409, 429, 500, 503])
def test_a_busy_service_is_tried_again(status: int) -> None:
    with pytest.raises(TryLater, match=f"said {status} wait"):
        post(status, b"wait")


@pytest.mark.parametrize("status", [302, 400, 401, 404, 422])
def test_a_no_is_a_persons_work(status: int) -> None:
    with pytest.raises(Refused, match=f"said {status}"):
        post(status)


def test_a_service_that_is_away_is_tried_again(free_port: int) -> None:
    with pytest.raises(TryLater, match="gave no answer"):
        webhook.carry_out(order(), {"url": f"http://127.0.0.1:{free_port}/", "key": "k" * 16})


# --- command


def run(script: str, tmp_path: Path) -> str:
    path = tmp_path / "block it.py"
    path.write_text(script)
    return command.carry_out(order(), {"command": f"{sys.executable} '{path}' $(id)"})


def test_a_program_gets_the_order_and_no_shell(tmp_path: Path) -> None:
    said = run("import json, sys; print(json.load(sys.stdin)['contract'], sys.argv[1:])", tmp_path)

    assert said == "C-1 ['$(id)']"


def test_a_program_does_not_see_our_secrets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ABUSEDESK_SECRET_KEY", "hush")

    assert run("import os; print('hush' in str(os.environ))", tmp_path) == "False"


@pytest.mark.parametrize(("status", "raised"), [(75, TryLater), (1, Refused), (-9, Refused)])
def test_what_the_exit_status_means(status: int, raised: type[Exception], tmp_path: Path) -> None:
    ends = "os.kill(os.getpid(), 9)" if status < 0 else f"sys.exit({status})"
    with pytest.raises(raised, match=f"exit status {status}: no such line"):
        run(f"import os, sys; print('no such line', flush=True); {ends}", tmp_path)


def test_a_program_that_is_not_there_is_told() -> None:
    with pytest.raises(Refused, match="/nowhere/block cannot be run"):
        command.carry_out(order(), {"command": "/nowhere/block"})


def test_a_program_that_hangs_is_ended_with_what_it_started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "TIMEOUT_S", 1)
    with pytest.raises(TryLater, match="did not end within 1 s"):
        run("import subprocess; subprocess.run(['sleep', '60'])", tmp_path)


# --- RADIUS


class Nas(Server):  # type: ignore[misc]  # pyrad has no types
    """A NAS that knows one session, 192.0.2.10, and refuses to touch 192.0.2.66."""

    def __init__(self, port: int) -> None:
        hosts = {"127.0.0.1": RemoteHost("127.0.0.1", b"secret", "desk")}
        dictionary = Dictionary(io.StringIO(radius_coa.ATTRIBUTES))
        super().__init__(
            addresses=["127.0.0.1"], coaport=port, hosts=hosts, dict=dictionary,
            auth_enabled=False, acct_enabled=False, coa_enabled=True,
        )  # fmt: skip
        self.told: list[tuple[int, str, str]] = []

    def HandleCoaPacket(self, pkt: Any) -> None:
        self.answer(pkt, packet.CoAACK, packet.CoANAK)

    def HandleDisconnectPacket(self, pkt: Any) -> None:
        self.answer(pkt, packet.DisconnectACK, packet.DisconnectNAK)

    def answer(self, pkt: Any, yes: int, no: int) -> None:
        address = pkt["Framed-IP-Address"][0]
        filter_id = pkt["Filter-Id"][0] if "Filter-Id" in pkt else ""
        self.told.append((pkt.code, str(address), filter_id))
        reply = self.CreateReplyPacket(pkt)
        reply.code = yes
        if str(address) != "192.0.2.10":
            reply.code = no
            reply["Error-Cause"] = 501 if str(address) == "192.0.2.66" else 503
        self.SendReplyPacket(pkt.fd, reply)


@pytest.fixture
def nas() -> tuple[Nas, dict[str, str]]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = Nas(port)
    threading.Thread(target=server.Run, daemon=True).start()
    return server, {"server": f"127.0.0.1:{port}", "secret": "secret", "filters": "limit_25=abuse-25, lift=default"}


def test_a_session_is_put_under_the_filter_and_taken_out(nas: tuple[Nas, dict[str, str]]) -> None:
    server, config = nas

    assert radius_coa.carry_out(order(), config) == "192.0.2.10: acknowledged"
    assert radius_coa.carry_out(order(lift=True), config) == "192.0.2.10: acknowledged"

    assert server.told == [
        (packet.CoARequest, "192.0.2.10", "abuse-25"),
        (packet.CoARequest, "192.0.2.10", "default"),
    ]


def test_suspension_ends_the_session(nas: tuple[Nas, dict[str, str]]) -> None:
    server, config = nas
    radius_coa.carry_out(order(kind=MeasureKind.SUSPEND), config)

    assert server.told == [(packet.DisconnectRequest, "192.0.2.10", "")]


def test_nobody_online_is_no_fault(nas: tuple[Nas, dict[str, str]]) -> None:
    assert radius_coa.carry_out(order(prefixes=("192.0.2.11/32",)), nas[1]) == "192.0.2.11: not online now"


def test_a_nas_that_refuses_is_a_persons_work(nas: tuple[Nas, dict[str, str]]) -> None:
    with pytest.raises(Refused, match=r"192\.0\.2\.66: the RADIUS server refused, Error-Cause 501"):
        radius_coa.carry_out(order(prefixes=("192.0.2.66/32",)), nas[1])


@pytest.mark.parametrize("prefix", ["192.0.2.0/29", "2001:db8::/56", "192.0.2.1:1024-2047"])
def test_what_is_not_one_lines_address_is_never_cut(nas: tuple[Nas, dict[str, str]], prefix: str) -> None:
    with pytest.raises(AskHuman, match="holds no single IPv4 address"):
        radius_coa.carry_out(order(prefixes=(prefix,)), nas[1])
    assert nas[0].told == []


def test_a_measure_without_a_filter_is_a_persons_work(nas: tuple[Nas, dict[str, str]]) -> None:
    with pytest.raises(AskHuman, match="No RADIUS filter is named for quarantine"):
        radius_coa.carry_out(order(kind=MeasureKind.QUARANTINE), nas[1])


def test_a_wrong_secret_is_no_answer(nas: tuple[Nas, dict[str, str]], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(radius_coa, "TIMEOUT_S", 0.2)
    with pytest.raises(TryLater, match="gave no valid answer"):
        radius_coa.carry_out(order(), nas[1] | {"secret": "other"})
