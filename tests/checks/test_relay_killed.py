"""kill -9 of the workers in the middle of 200 checks: every one gets its verdict, and none is run twice at a time."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.services.desk import Desk
from tests.services.ports import free_ports

pytestmark = [pytest.mark.processes, pytest.mark.timeout(500)]
COUNT = 200
ORDER = """
from django.utils import timezone
from complaints.addresses import address_key
from complaints.checking import order_check
for number in range({count}):
    order_check("relay", address_key(f"127.78.0.{{number + 1}}"), port={port}, now=timezone.now())
"""


class Peers:
    """A closed mail server at every address of loopback, each taking its time; counts what is going on at once."""

    def __init__(self, port: int, delay_s: float) -> None:
        self.port, self.delay_s = port, delay_s
        self.open, self.most, self.connections = Counter[str](), Counter[str](), 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        here = writer.get_extra_info("sockname")[0]
        self.connections += 1
        self.open[here] += 1
        self.most[here] = max(self.most[here], self.open[here])
        try:
            writer.write(b"220 mail.customer.example\r\n")
            while line := await reader.readline():
                await asyncio.sleep(self.delay_s)
                code = {b"RCPT": b"554 5.7.1 no relaying", b"QUIT": b"221 bye"}.get(line[:4], b"250 ok")
                writer.write(code + b"\r\n")
        except ConnectionError:
            pass
        finally:
            self.open[here] -= 1
            writer.close()

    async def run(self, ready: threading.Event, stop: asyncio.Event) -> None:
        async with await asyncio.start_server(self.serve, "0.0.0.0", self.port, backlog=1024):
            ready.set()
            await stop.wait()


@pytest.fixture
def peers() -> Iterator[Peers]:
    peers, ready = Peers(free_ports(1)[0], delay_s=0.04), threading.Event()
    loop, stop = asyncio.new_event_loop(), asyncio.Event()
    thread = threading.Thread(target=loop.run_until_complete, args=(peers.run(ready, stop),))
    thread.start()
    assert ready.wait(10)
    yield peers
    loop.call_soon_threadsafe(stop.set)
    thread.join(10)


def test_kill_9_of_the_workers_in_the_middle_of_200_checks(tmp_path: Path, migrated: Path, peers: Peers) -> None:
    desk = Desk(tmp_path, ABUSEDESK_DNS="")
    desk.take_tables(migrated)
    networks = tmp_path / "networks.csv"
    networks.write_text("prefix,name\n127.78.0.0/16,ours\n")
    contracts = tmp_path / "contracts.csv"
    contracts.write_text(
        "contract,customer,customer_name,product,brand,contact_name,contact_email,contact_role,language\n"
        "C-1,K-1,Atelier Brenn,business,isp,Nora Brenn,nora@atelier-brenn.example,holder,en\n"
    )
    assignments = tmp_path / "assignments.csv"
    assignments.write_text(
        "contract,prefix,kind,valid_from,valid_until,port_first,port_last\n"
        "C-1,127.78.0.0/16,static,2024-01-01T00:00:00Z,,,\n"
    )
    for words in (
        ("import_networks", str(networks)),
        ("import_contracts", str(contracts)),
        ("import_assignments", str(assignments)),
    ):
        done = desk.manage(*words)
        assert done.returncode == 0, done.stderr.decode()
    with desk.running():
        ordered = desk.manage("shell", "-v0", "-c", ORDER.format(count=COUNT, port=peers.port))
        assert ordered.returncode == 0, ordered.stderr.decode()
        for _ in range(2):
            begun = peers.connections
            desk.wait_until(lambda begun=begun: peers.connections >= begun + COUNT, within_s=120)
            assert desk.kill("-n checker@") > 0
        desk.wait_until(lambda: states(desk) == {("done", "clean"): COUNT}, within_s=200)

    assert peers.connections > 2 * COUNT  # they were in the middle of it
    assert Counter(peers.most.values()) == {1: COUNT}


def states(desk: Desk) -> dict[tuple[str, str], int]:
    return Counter(desk.rows("SELECT state, verdict FROM complaints_checkrun"))  # type: ignore[arg-type]
