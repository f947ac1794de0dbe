"""`manage.py demo_world` as a program: it starts, remembers, stops, and says what it needs."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from complaints.demo.story import STORY
from tests.services.ports import free_ports

ROOT = Path(__file__).parents[2]
WAIT_S = 90


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    listener, mailbox, dns, relay = free_ports(4)
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ABUSEDESK_")}
    kept.pop("DJANGO_SETTINGS_MODULE", None)  # the product's own settings, not those of the tests
    return kept | {
        "ABUSEDESK_DEMO": "1",
        "ABUSEDESK_DATA_DIR": str(tmp_path),
        "ABUSEDESK_SMTP_LISTEN": f"127.0.0.1:{listener}",
        "ABUSEDESK_DNS": f"127.0.0.1:{dns}",
        "ABUSEDESK_RELAY_PORT": str(relay),
        "EMAIL_URL": f"smtp://127.0.0.1:{mailbox}",
        "PYTHONUNBUFFERED": "1",
    }


@contextmanager
def running(environment: dict[str, str]) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "manage.py", "demo_world"]
    program = subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True)
    try:
        yield program
    finally:
        program.kill()
        program.communicate()


def first_line(program: subprocess.Popen[str]) -> str:
    assert program.stderr is not None
    return program.stderr.readline()


def stop(program: subprocess.Popen[str]) -> tuple[int, str]:
    program.send_signal(signal.SIGTERM)
    _, rest = program.communicate(timeout=WAIT_S)
    return program.returncode, rest


def remembered(environment: dict[str, str]) -> dict[str, Any]:
    return dict(json.loads(Path(environment["ABUSEDESK_DATA_DIR"], "world.json").read_text()))


def begun(environment: dict[str, str]) -> list[str]:
    tasks = remembered(environment)["tasks"]
    return [task["args"]["contract"] for task in tasks if task["verb"] == "begin"]


def test_world_begins_stops_at_once_and_goes_on_where_it_was(environment):
    with running(environment) as program:
        assert "Atelier Brenn's relay at 127.77.0." in first_line(program)
        assert stop(program)[0] == 0
    rest_of_story = [what for _, verb, what in STORY if verb == "begin"][1:]
    assert begun(environment) == rest_of_story
    assert remembered(environment)["troubled"] == ["C-2001"]

    with running(environment) as program:
        assert "Kessler Metalworks' relay" in first_line(program)
        assert stop(program)[0] == 0
    assert begun(environment) == rest_of_story[1:]


def test_port_that_is_taken_is_named(environment):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with running({**environment, "EMAIL_URL": f"smtp://127.0.0.1:{port}"}) as program:
            _, said = program.communicate(timeout=WAIT_S)

    assert program.returncode == 1
    assert f"CommandError: the simulated ISP cannot use 127.0.0.1:{port}: address already in use" in said


def test_outside_the_demo_it_refuses(environment):
    with running({**environment, "ABUSEDESK_DEMO": "0"}) as program:
        _, said = program.communicate(timeout=WAIT_S)

    assert program.returncode == 1
    assert "demo_world belongs to the demo" in said


@pytest.mark.parametrize(
    ("what", "variable"),
    [
        ("the simulated customers' mailbox", "EMAIL_URL"),
        ("the simulated blacklists", "ABUSEDESK_DNS"),
        ("the simulated mail.atelier-brenn.example", "ABUSEDESK_RELAY_PORT"),
    ],
)
def test_the_start_names_the_place_that_is_taken(environment: dict[str, str], what: str, variable: str) -> None:
    web, lmtp = free_ports(2)
    environment |= {"ABUSEDESK_WEB_LISTEN": f"127.0.0.1:{web}", "ABUSEDESK_LMTP_LISTEN": f"127.0.0.1:{lmtp}"}
    port = int(environment[variable].rpartition(":")[2])
    address = "127.77.0.214" if variable == "ABUSEDESK_RELAY_PORT" else "127.0.0.1"
    with socket.create_server((address, port)):
        command = [sys.executable, "manage.py", "run", "--demo"]
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=WAIT_S)

    assert done.returncode == 1
    assert f"{what} wants {address} port {port}: Address already in use; set {variable}" in done.stderr


def test_the_story_is_told_in_sentences(environment: dict[str, str]) -> None:
    with running(environment) as program:
        assert re.fullmatch(r"\d\d:\d\d:\d\d Atelier Brenn's relay at \S+ begins to send spam\n", first_line(program))
