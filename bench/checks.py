"""Checks: how many run at a time, how fast, and how often right.

    python -m bench.checks waiting [--checks 10000]   # real Celery, two worker processes, SQLite and PostgreSQL
    python -m bench.checks relay [--rounds 5]         # 50 Postfix servers of six kinds, beside nmap's smtp-open-relay
    python -m bench.checks slow                       # 600 mail servers that take a fifth of a second for each reply

Peers run beside us on the same processors, so only the ratios of one run mean something. `relay` needs root and the
packages postfix and nmap, which are downloaded and unpacked, not installed.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import dataclasses
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from complaints.checks import CheckConfig

GOAL_S = 8.0
NETWORK = "127.96.0.0/11"


# --- waiting: the cost of running checks


def waiting(count: int) -> bool:
    from tests.services.postgres import postgres_server

    in_time = []
    with postgres_server() as postgres:
        for name, url in (("SQLite", "sqlite:///{}/bench.sqlite3"), ("PostgreSQL", postgres)):
            with tempfile.TemporaryDirectory(prefix="bench-checks-") as home:
                command = [sys.executable, "-m", "bench.checks", "one-database", "--checks", str(count)]
                environment = {**os.environ, **environment_of(home, url.replace("{}", home))}
                done = subprocess.run(command, env=environment, capture_output=True, text=True)
            if done.returncode:
                raise SystemExit(done.stderr)
            seconds = float(done.stdout.split()[-1])
            in_time.append(seconds <= GOAL_S * count / 10_000)
            rate = f"{count / seconds:.0f} a second"
            print(f"{name:10}: {count} checks of 0.2 s in {seconds:.2f} s, {rate}; goal {GOAL_S:g} s for 10,000")
    return all(in_time)


def environment_of(home: str, url: str) -> dict[str, str]:
    keys = {"ABUSEDESK_DATA_DIR": home, "DATABASE_URL": url, "ABUSEDESK_SECRET_KEY": "bench" * 10}
    return {**keys, "ABUSEDESK_PROBE_DOMAIN": "probe.isp.example", "DJANGO_SETTINGS_MODULE": "abusedesk.settings"}


def one_database(count: int) -> float:
    """Orders all checks, then rings for them; seconds until the last verdict is written."""
    prepare_django()
    from django.conf import settings

    from complaints.models import CheckRun
    from complaints.tasks import wake_checks
    from tests.services.valkey import valkey_server

    order(count)
    with valkey_server(settings.DATA_DIR), workers():
        begun = time.monotonic()
        wake_checks(CheckRun.objects.values_list("pk", flat=True))
        while CheckRun.objects.exclude(state="done").exists():
            time.sleep(0.05)
        return time.monotonic() - begun


def prepare_django() -> None:
    import django

    import complaints.checks

    complaints.checks.__path__.append(str(Path(__file__).with_name("plugins")))
    django.setup()


def order(count: int) -> None:
    from django.core.management import call_command
    from django.utils import timezone

    from complaints.addresses import MAPPED, prefix_key
    from complaints.models import Assignment, CheckRun, Contract, Customer, Network, PrefixLength

    call_command("migrate", verbosity=0)
    now = timezone.now()
    Network.objects.create(key=prefix_key(NETWORK), name="bench")
    PrefixLength.objects.create(family=4, length=11)
    contract = Contract.objects.create(reference="C-1", customer=Customer.objects.create(reference="K-1", name="K"))
    Assignment.objects.create(contract=contract, key=prefix_key(NETWORK), valid_from=now)
    CheckRun.objects.bulk_create(
        CheckRun(check_name="wait", address=MAPPED + bytes((127, 96, n >> 8, n & 255)), occasion="bench",
                 queued_at=now, due_at=now) for n in range(count)
    )  # fmt: skip


@contextlib.contextmanager
def workers() -> Iterator[None]:
    command = [sys.executable, "-m", "bench.checks", "worker"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as worker:
        try:
            time.sleep(5)  # until it is up; the clock starts later
            yield
        finally:
            worker.terminate()


def worker() -> None:
    prepare_django()
    from abusedesk.celery import app

    app.worker_main(["worker", "-Q", "checks-smtp", "-c", "2", "-l", "ERROR", "--without-mingle", "--without-gossip"])


# --- relay: beside nmap

OPEN, CLOSED = "-o mynetworks=0.0.0.0/0", "-o smtpd_relay_restrictions=permit_mynetworks,reject_unauth_destination"
KINDS = {
    "open": (OPEN, "bad"),
    "closed": (CLOSED, "clean"),
    "refuses at DATA": (f"{OPEN} -o smtpd_data_restrictions=reject", "clean"),
    "takes all, delivers nothing": (f"{OPEN} -o content_filter=discard:", "unknown"),
    "takes odd local names": (f"{CLOSED} -o local_recipient_maps= -o allow_percent_hack=no -o swap_bangpath=no "
                              "-o resolve_dequoted_address=no", "unknown"),
    "wants a log-in": ("-o smtpd_relay_restrictions=permit_sasl_authenticated,reject", "clean"),
}  # fmt: skip
NO_LIMITS = """
smtpd_error_sleep_time = 0
smtpd_soft_error_limit = 10000
smtpd_hard_error_limit = 10000
smtpd_junk_command_limit = 10000
smtpd_client_connection_count_limit = 0
smtpd_client_connection_rate_limit = 0
in_flow_delay = 0
default_process_limit = 200
"""
SERVERS = 50
PROOF_S = 0.03  # here a probe is back in a few hundredths of a second; the product waits for five seconds


def relay(rounds: int) -> bool:
    from tests.services.mail_servers import postfix
    from tests.services.packages import unpacked

    nmap = unpacked("nmap", "usr/bin/nmap", "nmap-common")
    kinds = [list(KINDS)[number % len(KINDS)] for number in range(SERVERS)]
    hosts = {f"127.96.1.{number + 1}": kind for number, kind in enumerate(kinds)}
    port, mailbox = 26025, ("127.0.0.1", 26026)
    servers = {(host, port): KINDS[kind][0] for host, kind in hosts.items()}
    with postfix(servers, onward=mailbox, settings=NO_LIMITS):
        rates, said, verdicts = asyncio.run(take_turns(rounds, nmap, hosts, port, mailbox))
    right = sum(verdicts[host] == KINDS[kind][1] for host, kind in hosts.items())
    right_nmap = sum(said.get(host) == KINDS[kind][1] for host, kind in hosts.items())
    middle = {name: statistics.median(found) for name, found in rates.items()}
    print(f"nmap smtp-open-relay: {middle['nmap']:.1f} servers a second, right on {right_nmap}/{SERVERS}, 16 forms")
    print(
        f"relay check         : {middle['ours']:.1f} servers a second, right on {right}/{SERVERS}, 35 forms, with proof"
    )
    print(f"ratio {middle['ours'] / middle['nmap']:.2f}, goal 1.0; rounds: {rates}")
    for kind in KINDS:
        host = next(host for host, each in hosts.items() if each == kind)
        print(f"  {kind:28}: {KINDS[kind][1]:8} we say {verdicts[host]:8} nmap says {said.get(host, 'unknown')}")
    return right == SERVERS and middle["ours"] >= middle["nmap"]


async def take_turns(
    rounds: int, nmap: Path, hosts: dict[str, str], port: int, mailbox: tuple[str, int]
) -> tuple[dict[str, list[float]], dict[str, str], dict[str, str]]:
    """Servers a second of each round, and what nmap and we said in the last one. The mailbox is open all the time."""
    rates: dict[str, list[float]] = {"nmap": [], "ours": []}
    arrived: set[str] = set()
    async with await asyncio.start_server(catcher(arrived), *mailbox, backlog=512):
        for number in range(rounds + 1):
            seconds, said = await asyncio.to_thread(ask_nmap, nmap, list(hosts), port)
            ours, verdicts = await ask_ourselves(hosts, port, arrived)
            await asyncio.sleep(1)  # what the sinks and relays still do with our probes is nobody's time
            if number:  # the first round warms the servers up
                rates["nmap"].append(SERVERS / seconds)
                rates["ours"].append(SERVERS / ours)
    return rates, said, verdicts


def ask_nmap(root: Path, hosts: list[str], port: int) -> tuple[float, dict[str, str]]:
    from tests.services.packages import library_path

    environment = {**os.environ, "LD_LIBRARY_PATH": library_path(root), "NMAPDIR": str(root / "usr/share/nmap")}
    command = [root / "usr/bin/nmap", "-n", "-Pn", "-p", str(port), "--script", "+smtp-open-relay", *hosts]
    begun = time.monotonic()
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=600)
    seconds = time.monotonic() - begun
    said = {}
    for part in done.stdout.split("Nmap scan report for ")[1:]:
        if found := re.search(r"smtp-open-relay: (.*)", part):
            said[part.split()[0]] = verdict_of_nmap(found[1])
    return seconds, said


def verdict_of_nmap(text: str) -> str:
    if "open relay" in text and "doesn't seem" not in text:
        return "bad"
    return "clean" if "doesn't seem" in text else "unknown"


async def ask_ourselves(hosts: dict[str, str], port: int, arrived: set[str]) -> tuple[float, dict[str, str]]:
    """All at once; the time ends when every check has ended and every probe of an open relay is here."""
    from complaints.checks import Timeouts, new_nonce, relay
    from complaints.vocabulary import CheckTarget

    nonces = {host: new_nonce() for host in hosts}
    wanted = {nonces[host] for host, kind in hosts.items() if KINDS[kind][1] == "bad"}

    async def proof(nonce: str) -> None:
        while nonce not in arrived:
            await asyncio.sleep(0.01)

    config = dataclasses.replace(relay_config(port), proof=proof, timeouts=Timeouts(proof=PROOF_S))
    begun = time.monotonic()
    checks = (relay.run(CheckTarget(address=host, port=port, nonce=nonces[host]), config) for host in hosts)
    outcomes = dict(zip(hosts, await asyncio.gather(*checks), strict=True))
    while not wanted <= arrived and time.monotonic() < begun + 30:
        await asyncio.sleep(0.005)
    seconds = time.monotonic() - begun
    return seconds, {
        host: "bad" if nonces[host] in arrived else outcome.verdict.value for host, outcome in outcomes.items()
    }


def relay_config(port: int) -> CheckConfig:
    from complaints.checks import CheckConfig

    return CheckConfig(
        helo="relaycheck.isp.example", secret=b"bench", probe_domain="probe.isp.example", relay_port=port
    )


def catcher(arrived: set[str]) -> object:
    """The mailbox of the probes: a few lines of SMTP that note whose probe came."""
    from complaints.checks import nonce_of_probe, token_in

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 probe.isp.example\r\n")
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            while line := await reader.readline():
                reply = b"250 ok"
                if line.startswith(b"DATA"):
                    writer.write(b"354 go on\r\n")
                    mail = await reader.readuntil(b"\r\n.\r\n")
                    token = token_in(mail.decode("ascii", "replace").partition("X-Relay-Check-Token:")[2])
                    arrived.add(nonce_of_probe(token or "") or "")
                writer.write(reply + b"\r\n")
        writer.close()

    return serve


# --- slow: many servers that take their time


def slow(count: int = 600, delay_s: float = 0.2, in_flight: int = 200) -> bool:
    from tests.checks.test_relay_killed import Peers

    async def run() -> tuple[float, int]:
        from complaints.checks import new_nonce, relay
        from complaints.vocabulary import CheckTarget

        peers, room, most, now = Peers(26027, delay_s), asyncio.Semaphore(in_flight), 0, 0
        config = relay_config(26027)

        async def one(number: int) -> None:
            nonlocal most, now
            async with room:
                now, most = now + 1, max(most, now + 1)
                target = CheckTarget(address=f"127.96.{number >> 8}.{number & 255}", port=26027, nonce=new_nonce())
                assert (await relay.run(target, config)).verdict == "clean"
                now -= 1

        async with await asyncio.start_server(peers.serve, "0.0.0.0", 26027, backlog=2048):
            begun = time.monotonic()
            await asyncio.gather(*(one(number) for number in range(1, count + 1)))
            return time.monotonic() - begun, most

    begun = time.process_time()
    seconds, most = asyncio.run(run())
    cpu = time.process_time() - begun
    print(
        f"{count} checks of 35 forms, {delay_s:g} s a reply: {most} in flight, {count / seconds:.1f} a second, "
        f"{seconds:.1f} s in all; {cpu / count * 1000:.1f} ms of processor a check, the peers' share included"
    )
    return True


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", choices=["waiting", "relay", "slow", "one-database", "worker"])
    parser.add_argument("--checks", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    if options.part == "worker":
        worker()
    elif options.part == "one-database":
        print(one_database(options.checks))
    else:
        good = {"waiting": lambda: waiting(options.checks), "relay": lambda: relay(options.rounds), "slow": slow}
        sys.exit(0 if good[options.part]() else 1)


if __name__ == "__main__":
    main()
