"""The listeners as real processes: killed in full stream, stopped, and started where somebody sits already."""

from __future__ import annotations

import hashlib
import itertools
import os
import random
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from tests.listeners.client import Client

ROOT = Path(__file__).resolve().parents[2]
KILLS = int(os.environ.get("ABUSEDESK_TEST_KILLS", "4"))


@pytest.fixture
def environment(tmp_path, migrated) -> dict[str, str]:
    """Of an installation with a database of its own."""
    kept = {name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "DJANGO_SETTINGS_MODULE")}
    found = {
        **kept,
        "ABUSEDESK_DATA_DIR": str(tmp_path),
        "ABUSEDESK_SECRET_KEY": "test",
        "BROKER_URL": "redis://127.0.0.1:9/0",
    }
    shutil.copyfile(migrated, tmp_path / "abusedesk.sqlite3")
    return found


@pytest.fixture
def launch(environment, free_port):
    started: list[subprocess.Popen[str]] = []

    def launch(command: str = "run_lmtp") -> subprocess.Popen[str]:
        words = [sys.executable, "manage.py", command, "--listen", f"127.0.0.1:{free_port}"]
        process = subprocess.Popen(words, cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True)
        started.append(process)
        assert process.stderr is not None
        assert "listening" in process.stderr.readline()
        threading.Thread(target=process.stderr.read, daemon=True).start()
        return process

    yield launch
    for process in started:
        process.kill()
        process.wait()


def stored(folder: Path) -> set[bytes]:
    with sqlite3.connect(folder / "abusedesk.sqlite3") as database:
        return {row[0] for row in database.execute("SELECT sha256 FROM complaints_message")}


def stream(port: int, accepted: set[bytes], numbers: itertools.count) -> None:
    """Send until the server is gone."""
    try:
        client = Client(port, hello=b"LHLO client.example")
        while True:
            mail = b"mail %d\r\n" % next(numbers)
            if client.send(mail).startswith("250 "):
                accepted.add(hashlib.sha256(mail).digest())
    except (OSError, AssertionError):
        return


def test_whatever_got_a_250_survives_kill_9(launch, free_port, tmp_path):
    accepted: set[bytes] = set()
    numbers = itertools.count()
    for _ in range(KILLS):
        process = launch()
        senders = [threading.Thread(target=stream, args=(free_port, accepted, numbers)) for _ in range(8)]
        before = len(accepted)
        for sender in senders:
            sender.start()
        while len(accepted) < before + 20:
            time.sleep(0.01)
        time.sleep(random.uniform(0, 0.2))
        process.kill()
        for sender in senders:
            sender.join()
        process.wait()

    assert accepted - stored(tmp_path) == set()
    assert len(accepted) >= 20 * KILLS


@pytest.mark.parametrize("command", ["run_smtp", "run_lmtp"])
def test_sigterm_ends_it_cleanly(launch, free_port, command):
    process = launch(command)
    client = Client(free_port)
    process.send_signal(signal.SIGTERM)

    assert process.wait(timeout=60) == 0
    assert client.reply() == "421 4.3.2 the server stops"


def test_a_port_that_is_taken_is_named(environment):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        words = [sys.executable, "manage.py", "run_smtp", "--listen", f"127.0.0.1:{port}"]
        result = subprocess.run(words, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=90)

    assert result.returncode == 1
    assert result.stderr.splitlines()[-1].startswith(f"CommandError: cannot listen on 127.0.0.1 port {port}: ")
    assert "ABUSEDESK_SMTP_LISTEN" in result.stderr


def test_an_address_that_is_none_is_refused(environment):
    words = [sys.executable, "manage.py", "run_smtp", "--listen", "nonsense"]
    result = subprocess.run(words, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=90)

    assert result.returncode == 2
    assert "'nonsense' is not host:port, as 127.0.0.1:8025" in result.stderr
