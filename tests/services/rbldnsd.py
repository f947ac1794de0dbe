"""The DNS server that real blacklists run on, with zones of the tests' own, on loopback.

Debian: apt-get install rbldnsd. Where it is missing the tests that want it are skipped, and say so.
"""

from __future__ import annotations

import dataclasses
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import dns.exception
import dns.message
import dns.query
import pytest

from abusedesk.processes import die_with
from tests.services.ports import free_ports

SOA = "$SOA 60 ns.example.org desk.example.org 1 600 300 86400 60\n$NS 60 ns.example.org\n"
TEST_POINTS = {"ip4set": "127.0.0.2\n", "ip4trie": "127.0.0.2\n", "ip6trie": "::ffff:7f00:2\n"}
Dataset = tuple[str, str]  # type, and the entries without SOA


@dataclasses.dataclass(frozen=True, slots=True)
class Rbldnsd:
    host: str
    port: int


def find_rbldnsd() -> str | None:
    return shutil.which("rbldnsd") or shutil.which("rbldnsd", path="/usr/sbin:/usr/local/sbin")


def healthy(kind: str, entries: str = "") -> Dataset:
    """A dataset with its test entry (RFC 5782 section 5)."""
    return kind, TEST_POINTS[kind] + entries


@contextmanager
def rbldnsd(zones: Mapping[str, Sequence[Dataset]]) -> Iterator[Rbldnsd]:
    """Serves `zones`; any other name is refused, as by a lame server. Skips where there is no rbldnsd."""
    program = find_rbldnsd()
    if program is None:
        pytest.skip("no rbldnsd: apt-get install rbldnsd")
    home = Path(tempfile.mkdtemp(prefix="abusedesk-rbldnsd-"))
    home.chmod(0o755)  # started by root it becomes another user
    try:
        arguments = []
        for zone, datasets in zones.items():
            for number, (kind, entries) in enumerate(datasets):
                name = f"{zone}.{number}"
                (home / name).write_text(SOA + entries)
                arguments.append(f"{zone}:{kind}:{name}")
        [port] = free_ports(1)
        account = ["-u", "nobody:nogroup"] if os.geteuid() == 0 else []
        command = [program, "-n", *account, "-r", str(home), "-b", f"127.0.0.1/{port}", "-c", "0", *arguments]
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, preexec_fn=die_with(os.getpid())
        ) as process:
            try:
                wait_until_it_answers(process, port, next(iter(zones)))
                yield Rbldnsd("127.0.0.1", port)
            finally:
                process.terminate()
                process.wait()
    finally:
        shutil.rmtree(home, ignore_errors=True)


def wait_until_it_answers(process: subprocess.Popen[bytes], port: int, zone: str) -> None:
    question = dns.message.make_query(f"2.0.0.127.{zone}", "A")
    for _ in range(400):
        if process.poll() is not None:
            said = process.stdout.read().decode(errors="replace") if process.stdout else ""
            raise RuntimeError(f"rbldnsd ended with {process.returncode}: {said}")
        try:
            dns.query.udp(question, "127.0.0.1", port=port, timeout=0.2)
            return
        except (dns.exception.Timeout, OSError):
            time.sleep(0.05)
    raise RuntimeError("rbldnsd does not answer")
