"""Durable LMTP intake beside aiosmtpd with an empty handler: mails a second, CPU and p99 of the answer.

    python -m bench.intake                    # SQLite in a temporary directory
    DATABASE_URL=postgresql://… python -m bench.intake
    python -m bench.intake --kills 50         # kill -9 in full stream: is everything that got a 250 stored?

Server and client are processes of their own; the rounds of the two servers take turns; medians are printed.
The database named by DATABASE_URL is migrated and keeps the mails: give a scratch one.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import hashlib
import json
import os
import random
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SESSIONS, MAIL_BYTES = 20, 5_800
GOAL_RATIO, GOAL_RATE, GOAL_P99_MS = 0.75, 900, 50
WORDS = [hashlib.sha256(str(n).encode()).hexdigest()[: 3 + n % 8] for n in range(2000)]


# --- the servers


def serve_null(port: int) -> None:
    """aiosmtpd as it is, keeping nothing."""
    import logging

    from aiosmtpd.lmtp import LMTP

    class Nothing:
        async def handle_DATA(self, *_: object) -> str:
            return "250 OK"

    async def run() -> None:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: LMTP(Nothing(), hostname="null.example"), "127.0.0.1", port)
        await server.serve_forever()

    logging.getLogger("mail.log").setLevel(logging.WARNING)
    asyncio.run(run())


def serve_desk(port: int) -> None:
    """The product's listener. Nobody is woken: there is no broker here, and the sweep would find the mails."""
    import django

    django.setup()
    from django.conf import settings

    from complaints.listeners.server import Listener, serve
    from complaints.listeners.sessions import DeskLMTP

    asyncio.run(serve(Listener(DeskLMTP, lambda ids: None, max_bytes=settings.MAX_MESSAGE_BYTES), "127.0.0.1", port))


SERVERS = {"null": serve_null, "desk": serve_desk}


# --- the client


class Sender(asyncio.Protocol):
    """One session that hands in mails until there are no more. Not pipelined, as most clients."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.rest = b""
        self.done = asyncio.get_running_loop().create_future()
        self.steps = iter(self.script())
        next(self.steps)  # waits for the greeting

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def connection_lost(self, error: Exception | None) -> None:
        if not self.done.done():
            self.done.set_result(None)

    def data_received(self, data: bytes) -> None:
        *lines, self.rest = (self.rest + data).split(b"\r\n")
        for line in lines:
            if line[3:4] != b"-":
                self.reply = line
                next(self.steps, None)

    def script(self) -> Iterator[None]:
        yield
        self.transport.write(b"LHLO client.example\r\n")
        yield
        for raw in self.run.mails:
            for command in (b"MAIL FROM:<loop@reporter.example>", b"RCPT TO:<abuse@isp.example>", b"DATA"):
                self.transport.write(command + b"\r\n")
                yield
            began = time.perf_counter()
            self.transport.write(raw + b".\r\n")
            yield
            self.run.answered(raw, self.reply, time.perf_counter() - began)
        self.transport.write(b"QUIT\r\n")
        yield


class Run:
    def __init__(self, count: int, report: bool) -> None:
        self.mails = generated_mails(count)
        self.report = report
        self.waits: list[float] = []
        self.refused = 0

    def answered(self, raw: bytes, reply: bytes, wait: float) -> None:
        if not reply.startswith(b"250"):
            self.refused += 1
            return
        self.waits.append(wait)
        if self.report:
            print(hashlib.sha256(raw).hexdigest(), flush=True)


def generated_mails(count: int) -> Iterator[bytes]:
    """Feedback reports of about MAIL_BYTES, no two alike."""
    source = random.Random(count)
    run = os.urandom(8).hex()
    bodies = [body(source) for _ in range(50)]
    for number in range(count):
        head = (
            f"From: <loop@reporter.example>\r\nMessage-ID: <{run}.{number}@reporter.example>\r\nSubject: complaint\r\n"
        )
        yield head.encode() + bodies[number % len(bodies)]


def body(source: random.Random) -> bytes:
    lines = ["Content-Type: multipart/report; report-type=feedback-report; boundary=b", "", "Feedback-Type: abuse"]
    while sum(len(line) + 2 for line in lines) < MAIL_BYTES - 120:
        lines.append(" ".join(source.choices(WORDS, k=9)))
    return "\r\n".join([*lines, ""]).encode()


async def send(port: int, count: int, sessions: int, report: bool) -> None:
    run = Run(count, report)
    loop = asyncio.get_running_loop()
    began = time.perf_counter()
    senders = []
    for _ in range(sessions):
        with contextlib.suppress(ConnectionError):
            senders.append((await loop.create_connection(lambda: Sender(run), "127.0.0.1", port))[1])
    await asyncio.gather(*(sender.done for sender in senders))
    if not report:
        seconds = time.perf_counter() - began
        print(json.dumps({"seconds": seconds, "waits": run.waits, "refused": run.refused}))


# --- the comparison


@contextlib.contextmanager
def server(name: str) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen([sys.executable, "-m", "bench.intake", "--serve", name, "--port", str(port)], cwd=ROOT)
    try:
        wait_for(process, port)
        yield process, port
    finally:
        process.terminate()
        process.wait()


def wait_for(process: subprocess.Popen[bytes], port: int) -> None:
    while process.poll() is None:
        with contextlib.suppress(ConnectionError), socket.create_connection(("127.0.0.1", port)):
            return
        time.sleep(0.02)
    raise SystemExit(f"the server ended with {process.returncode}")


def client(port: int, count: int, *more: str) -> list[str]:
    words = ["--send", str(count), "--port", str(port), *more]
    return [sys.executable, "-m", "bench.intake", *words]


def cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def measure(process: subprocess.Popen[bytes], port: int, count: int, sessions: int) -> dict[str, float]:
    was = cpu_seconds(process.pid)
    out = subprocess.run(client(port, count, "--sessions", str(sessions)), cwd=ROOT, check=True, capture_output=True)
    found = json.loads(out.stdout)
    assert not found["refused"], f"{found['refused']} mails were refused"
    assert len(found["waits"]) == count
    waits = sorted(found["waits"])
    return {
        "rate": count / found["seconds"],
        "cpu_us": (cpu_seconds(process.pid) - was) / count * 1e6,
        "p50_ms": waits[len(waits) // 2] * 1e3,
        "p99_ms": waits[int(len(waits) * 0.99)] * 1e3,
    }


def compare(rounds: int, count: int, sessions: int) -> dict[str, object]:
    results: dict[str, list[dict[str, float]]] = {name: [] for name in SERVERS}
    with server("null") as null, server("desk") as desk:
        for _, one in (("null", null), ("desk", desk)):
            measure(*one, count // 4, sessions)  # warm
        for _ in range(rounds):
            for name, one in (("null", null), ("desk", desk)):
                results[name].append(measure(*one, count, sessions))
    medians = {
        name: {key: round(statistics.median(run[key] for run in runs), 1) for key in runs[0]}
        for name, runs in results.items()
    }
    ratio = statistics.median(d["rate"] / n["rate"] for d, n in zip(results["desk"], results["null"], strict=True))
    return {"sessions": sessions, **medians, "ratio": round(ratio, 2)}


# --- kill -9


def kill_and_count(kills: int, sessions: int) -> dict[str, int]:
    """Digests that got a 250 and are not in the database afterwards: must be none."""
    accepted: list[str] = []
    for number in range(kills):
        with server("desk") as (process, port):
            sender = subprocess.Popen(
                client(port, 10**6, "--sessions", str(sessions), "--report"),
                cwd=ROOT,
                stdout=subprocess.PIPE,
                text=True,
            )
            assert sender.stdout is not None
            accepted.append(sender.stdout.readline().strip())
            time.sleep(random.Random(number).uniform(0.05, 0.5))
            process.kill()
            accepted += sender.stdout.read().split()
            sender.wait()
    return {"kills": kills, "accepted": len(accepted), "lost": len(set(accepted) - stored_digests())}


def stored_digests() -> set[str]:
    from complaints.models import Message

    return {bytes(digest).hex() for digest in Message.objects.values_list("sha256", flat=True).iterator()}


# --- the command line


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--count", type=int, default=4000, help="mails a round")
    parser.add_argument("--sessions", type=int, default=SESSIONS)
    parser.add_argument("--kills", type=int, default=0)
    for inner in ("--serve", "--port", "--send"):
        parser.add_argument(inner, help=argparse.SUPPRESS)
    parser.add_argument("--report", action="store_true", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "abusedesk.settings")
    os.environ.setdefault("ABUSEDESK_SECRET_KEY", "of-a-benchmark")
    if chosen.serve:
        SERVERS[chosen.serve](int(chosen.port))
        return 0
    if chosen.send:
        asyncio.run(send(int(chosen.port), int(chosen.send), chosen.sessions, chosen.report))
        return 0
    with tempfile.TemporaryDirectory() as scratch:
        os.environ["ABUSEDESK_DATA_DIR"] = scratch
        import django
        from django.core.management import call_command

        django.setup()
        call_command("migrate", verbosity=0, skip_checks=True)
        if chosen.kills:
            found = kill_and_count(chosen.kills, chosen.sessions)
            print(json.dumps(found))
            return int(bool(found["lost"]))
        result = compare(chosen.rounds, chosen.count, chosen.sessions)
        desk = result["desk"]
        assert isinstance(desk, dict)
        result["goal"] = f"ratio >= {GOAL_RATIO}, >= {GOAL_RATE}/s, p99 <= {GOAL_P99_MS} ms"
        result["reached"] = bool(
            float(str(result["ratio"])) >= GOAL_RATIO and desk["rate"] >= GOAL_RATE and desk["p99_ms"] <= GOAL_P99_MS
        )
        print(json.dumps(result, indent=1))
        return int(not result["reached"])


if __name__ == "__main__":
    sys.exit(main())
