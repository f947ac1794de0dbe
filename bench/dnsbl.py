"""Blacklist look-ups a second against a local rbldnsd, next to pydnsbl in the same run.

    python -m bench.dnsbl --peers FOLDER       # FOLDER: an own virtual environment for pydnsbl, made when missing

Asked are 2,000 addresses at 5 lists with at most 200 questions under way, the same ones of both, in turns. A look-up is
what one list says of one address. Ours asks for the reason (TXT) of every listing besides, and tells what the answer
means; pydnsbl takes every answer for a listing. Needs rbldnsd (apt-get install rbldnsd).
"""

from __future__ import annotations

import argparse
import asyncio
import ipaddress
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ADDRESSES, ZONES, ROUNDS, IN_FLIGHT = 2_000, 5, 5, 200
PEER = "pydnsbl==1.1.7"  # it wants aiodns 3, which must not come into our own environment
CODES = {
    "127.0.0.2": {"meaning": "trap hit", "cause": "spam-source"},
    "127.0.0.4": {"meaning": "infected host", "cause": "bot"},
    "127.0.0.10": {"meaning": "dynamic range", "cause": "policy"},
    "127.0.0.1": {"meaning": "trusted", "cause": "allow"},
}
# Of ten addresses five are in the list, each with another answer; the last is the list's "we do not serve you".
ANSWERS = (
    ("127.0.0.2", "listed"),
    ("127.0.0.4", "listed"),
    ("127.0.0.10", "policy"),
    ("127.0.0.1", "allow"),
    ("127.255.255.254", "unknown"),
)
ASK_PYDNSBL = """
import asyncio, json, sys, time
import aiodns, pydnsbl
from pydnsbl.providers import Provider
addresses, zones, port, in_flight = json.load(sys.stdin)
loop = asyncio.new_event_loop()
asyncio.set_event_loop(loop)
checker = pydnsbl.DNSBLIpChecker(
    providers=[Provider(zone) for zone in zones], timeout=2, tries=2, concurrency=in_flight, loop=loop
)
checker._resolver = aiodns.DNSResolver(
    nameservers=["127.0.0.1"], udp_port=port, tcp_port=port, timeout=2, tries=2, loop=loop
)
started = time.perf_counter()
found = checker.bulk_check(addresses)
seconds = time.perf_counter() - started
listed = {each.addr: sorted(each.detected_by) for each in found}
failed = sum(len(each.failed_providers) for each in found)
print(json.dumps({"seconds": seconds, "listed": listed, "failed": failed}))
"""


def addresses() -> list[str]:
    first = int(ipaddress.IPv4Address("198.18.0.0"))  # RFC 2544: for benches
    return [str(ipaddress.IPv4Address(first + n)) for n in range(ADDRESSES)]


def truth(number: int) -> str:
    return ANSWERS[number % 10][1] if number % 10 < len(ANSWERS) else "not-listed"


def dataset() -> str:
    lines = ["127.0.0.2"]
    for number, address in enumerate(addresses()):
        if number % 10 < len(ANSWERS):
            lines.append(f"{address} :{ANSWERS[number % 10][0]}:see https://bl.example.org/?$")
    return "\n".join(lines) + "\n"


def ask_ours(zones: list[str], port: int) -> tuple[float, dict[tuple[str, str], str]]:
    """Seconds, and the status by address and zone."""
    from complaints.checks import Inquiry, read_entry
    from complaints.checks.dnsbl import real_address, say_all

    lists = [
        read_entry(
            {"name": f"list-{n}", "zone": zone, "families": ["ipv4"], "codes": CODES, "enabled": True,
             "source": "bench", "in_flight": IN_FLIGHT},
            "bench",
        )
        for n, zone in enumerate(zones)
    ]  # fmt: skip

    pairs = [(each, real_address(text)) for text in addresses() for each in lists]
    started = time.perf_counter()
    found = asyncio.run(say_all(pairs, Inquiry((("127.0.0.1", port),), 2.0)))
    took = time.perf_counter() - started
    return took, {
        (str(address), each.zone): finding.reading.status.value
        for (each, address), finding in zip(pairs, found, strict=True)
    }


def ask_pydnsbl(python: Path, zones: list[str], port: int) -> tuple[float, dict[tuple[str, str], str]]:
    asked = json.dumps([addresses(), zones, port, IN_FLIGHT])
    done = subprocess.run([python, "-c", ASK_PYDNSBL], input=asked, capture_output=True, text=True, check=True)
    found = json.loads(done.stdout)
    listed = {address: set(hosts) for address, hosts in found["listed"].items()}
    statuses = {
        (address, zone): "listed" if zone in listed[address] else "not-listed"
        for address in addresses()
        for zone in zones
    }
    if found["failed"]:
        print(f"pydnsbl: {found['failed']} look-ups failed", file=sys.stderr)
    return found["seconds"], statuses


def wrong(statuses: dict[tuple[str, str], str]) -> int:
    """Look-ups called listed that are not, or not listed that are. Ours may say more than that, never less."""
    expected = {address: truth(number) for number, address in enumerate(addresses())}
    return sum((status == "listed") != (expected[address] == "listed") for (address, _), status in statuses.items())


def exactly_right(statuses: dict[tuple[str, str], str]) -> int:
    expected = {address: truth(number) for number, address in enumerate(addresses())}
    return sum(status == expected[address] for (address, _), status in statuses.items())


def python_of_peer(folder: Path) -> Path:
    python = folder / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    if subprocess.run([python, "-c", "import pydnsbl"], capture_output=True).returncode:
        subprocess.run([python, "-m", "pip", "install", "-q", PEER], check=True)
    return python


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peers", type=Path, help="folder of pydnsbl's own environment (default: a new one)")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    from tests.services.rbldnsd import find_rbldnsd, rbldnsd

    if find_rbldnsd() is None:
        sys.exit("no rbldnsd: apt-get install rbldnsd")
    python = python_of_peer(options.peers or Path(tempfile.mkdtemp(prefix="pydnsbl-")))
    zones = [f"list{n}.example.org" for n in range(ZONES)]
    seconds: dict[str, list[float]] = {"ours": [], "pydnsbl": []}
    faults = dict.fromkeys(seconds, 0)
    right = dict.fromkeys(seconds, 0)
    with rbldnsd({zone: [("ip4set", dataset())] for zone in zones}) as server:
        ask_ours(zones, server.port)  # what is imported and opened once is not measured
        for _ in range(ROUNDS):
            for name in seconds:
                took, found = (
                    ask_ours(zones, server.port) if name == "ours" else ask_pydnsbl(python, zones, server.port)
                )
                seconds[name].append(took)
                faults[name] = max(faults[name], wrong(found))
                right[name] = exactly_right(found)
    report(seconds, faults, right, as_json=options.json)


def report(seconds: dict[str, list[float]], faults: dict[str, int], right: dict[str, int], *, as_json: bool) -> None:
    asked = ADDRESSES * ZONES
    rates = {name: asked / statistics.median(took) for name, took in seconds.items()}
    ratio = rates["ours"] / rates["pydnsbl"]
    if as_json:
        print(json.dumps({"look_ups": asked, "per_second": rates, "ratio": ratio, "wrong": faults, "right": right}))
    else:
        print(f"{asked:,} look-ups, {ROUNDS} rounds in turns, medians")
        print(f"{'':10} {'look-ups/s':>11} {'fastest':>9} {'slowest':>9} {'wrong':>7} {'meaning right':>14}")
        for name, took in seconds.items():
            best, worst = asked / min(took), asked / max(took)
            print(f"{name:10} {rates[name]:11,.0f} {best:9,.0f} {worst:9,.0f} {faults[name]:7,} {right[name]:14,}")
        print(f"ours / pydnsbl: {ratio:.2f} (goal: 1 or more, and nothing wrong)")
    sys.exit(0 if ratio >= 1 and not faults["ours"] else 1)


if __name__ == "__main__":
    main()
