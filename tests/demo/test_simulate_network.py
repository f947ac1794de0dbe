"""The Internet and the clock of the simulation: what checks see, at no cost of time and without a packet."""

from __future__ import annotations

import ast
import asyncio
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.utils import timezone

import complaints
from complaints.checks._dns import NoAnswer, ask
from complaints.demo.dns_server import DnsServer
from complaints.demo.simulation.clock import VirtualClock
from complaints.demo.simulation.network import Place, Serve, connected_to

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


class Village:
    """A world with one server that greets, one closed door, and a name server."""

    def __init__(self) -> None:
        self.dns = DnsServer(zones=["bl.example"])
        self.arrives_at = float("inf")
        self.moments: list[float] = []

    def server(self, address: str, port: int) -> Serve | None:
        if address == "198.18.0.1":
            raise ConnectionRefusedError(111, "refused")
        return greet if address == "198.18.0.2" else None

    def datagram(self, to: Place, data: bytes) -> bytes | None:
        return self.dns.answer(data, 1232) if to == ("192.0.2.53", 53) else None

    def seconds(self) -> float:
        return NOON.timestamp()

    def next_arrival(self) -> float:
        return self.arrives_at

    def passed(self, seconds: float) -> None:
        self.moments.append(seconds)


async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"220 hello\r\n")
    writer.write(b"you said " + await reader.readline())
    writer.close()


@pytest.fixture
def village() -> Iterator[Village]:
    made = Village()
    with connected_to(made):
        yield made


def test_a_connection_ends_at_the_servers_of_the_world(village: Village) -> None:
    async def talk() -> bytes:
        reader, writer = await asyncio.open_connection("198.18.0.2", 25)
        writer.write(b"EHLO tester\r\n")
        said = await reader.read()
        writer.close()
        await writer.wait_closed()
        return said

    assert asyncio.run(talk()) == b"220 hello\r\nyou said EHLO tester\r\n"


def test_a_closed_door_refuses_and_a_silent_one_costs_patience_but_no_time(village: Village) -> None:
    async def knock(address: str) -> float:
        began = asyncio.get_running_loop().time()
        async with asyncio.timeout(600):
            await asyncio.open_connection(address, 25)
        return began

    before = time.monotonic()
    with pytest.raises(ConnectionRefusedError):
        asyncio.run(knock("198.18.0.1"))
    with pytest.raises(TimeoutError):
        asyncio.run(knock("198.18.0.3"))
    assert time.monotonic() - before < 5


def test_the_clock_of_a_loop_is_that_of_the_world_and_jumps(village: Village) -> None:
    async def sleep() -> tuple[float, float]:
        loop = asyncio.get_running_loop()
        before = loop.time()
        await asyncio.sleep(3600)
        return before, loop.time()

    before, after = asyncio.run(sleep())

    assert before == NOON.timestamp()
    assert after - before == pytest.approx(3600, abs=0.01)


def test_between_two_turns_of_a_loop_time_goes_on_to_the_next_mail(village: Village) -> None:
    async def wait(seconds: float) -> None:
        await asyncio.sleep(seconds)

    with asyncio.Runner() as runner:
        waiting = runner.get_loop().create_task(wait(60))
        runner.run(wait(0.05))
        village.arrives_at = NOON.timestamp() + 7
        runner.run(wait(0.05))
        assert village.moments[-2] == pytest.approx(NOON.timestamp() + 7, abs=0.01)
        village.arrives_at = float("inf")
        runner.run(wait(0.05))
        assert waiting.done()


def test_questions_to_blacklists_are_answered_by_the_world(village: Village) -> None:
    village.dns.list_address("bl.example", "198.18.0.2")

    listed = asyncio.run(ask("2.0.18.198.bl.example", "A", (("192.0.2.53", 53),), 2.0))
    with pytest.raises(NoAnswer):
        asyncio.run(ask("2.0.18.198.bl.example", "A", (("192.0.2.99", 53),), 2.0))

    assert {str(address) for address in listed.addresses} == {"127.0.0.2"}


def test_no_real_socket_gets_out_by_such_a_loop(village: Village) -> None:
    async def leave() -> None:
        await asyncio.get_running_loop().sock_connect(None, ("192.0.2.1", 25))  # type: ignore[arg-type]

    with pytest.raises(OSError, match="simulated"):
        asyncio.run(leave())


def test_the_virtual_clock_rules_all_that_asks_django_and_never_goes_back() -> None:
    clock = VirtualClock(NOON)
    real = timezone.now
    with clock.ruling():
        clock.go_to(NOON + timedelta(days=3))
        clock.go_to(NOON)
        assert timezone.now() == NOON + timedelta(days=3)
    assert timezone.now is real


def test_the_product_asks_the_time_by_the_one_name_that_the_simulation_changes() -> None:
    """`from django.utils.timezone import now` or datetime.now() would read the wall clock in the middle of March.

    Adapters talk to machines of today: their signatures bear the time of the wall."""
    root = Path(complaints.__file__).parent
    found = [
        f"{path.relative_to(root)}:{node.lineno}"
        for path in sorted(root.rglob("*.py"))
        if not {"demo", "migrations", "adapters"} & set(path.relative_to(root).parts)
        for node in ast.walk(ast.parse(path.read_text()))
        if reads_another_clock(node)
    ]
    assert found == []


def reads_another_clock(node: ast.AST) -> bool:
    if isinstance(node, ast.ImportFrom):
        return node.module == "django.utils.timezone" and any(name.name == "now" for name in node.names)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        called = ast.unparse(node.func)
        return called in {"datetime.now", "datetime.utcnow", "datetime.today", "date.today", "time.time"}
    return False
