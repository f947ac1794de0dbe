"""A world of one customer with one host, for tests of the whole loop: real servers on chosen or free ports."""

from __future__ import annotations

import asyncio
import threading
import time
from datetime import UTC, datetime
from typing import Any, Self

from complaints.demo.customers import Notice
from complaints.demo.life import Desk, Life
from complaints.demo.memory import Memory
from complaints.demo.people import Resident
from complaints.demo.places import Endpoint, Places, PlaceTaken
from complaints.demo.seed import import_world
from complaints.demo.world import SEED, Host, Line, World

START_S = 10.0


class SmallWorld:
    """`with SmallWorld(desk, relay_port=…) as world: world.begin()` lives in a thread of its own.

    mailbox, dns: where the customer reads mail and the blacklists answer; port 0 takes a free one, which the
    attributes of the same names say after the start. The desk's EMAIL_URL and resolvers must point to them.
    habit: one of customers.HABITS. pace: 0.1 makes the customer ten times as quick.
    """

    def __init__(
        self, desk: Desk, *, relay_port: int, address: str = "127.77.0.25", trouble: str = "open_relay",
        habit: str = "fixes_quickly", mailbox: Endpoint = ("127.0.0.1", 0), dns: Endpoint = ("127.0.0.1", 0),
        pace: float = 0.1,
    ) -> None:  # fmt: skip
        resident = Resident(
            "C-1", "K-1", "Atelier Brenn", "Nora Brenn", "nora@atelier-brenn.example", "static", trouble, habit
        )
        self.host = Host(resident, address, "mail.atelier-brenn.example")
        prefix = f"{address}/32"
        line = Line("C-1", prefix, "static")
        self.world = World((resident,), (line,), (self.host,), ((prefix, "Small world"),))
        self.mailbox, self.dns = mailbox, dns
        self.relay_port, self.desk, self.pace = relay_port, desk, pace
        self.memory = Memory(None, SEED, datetime.now(UTC).replace(microsecond=0))

    def seed(self) -> None:
        """Network, contract and line into the database, by the product's own imports."""
        import_world(self.world)

    def __enter__(self) -> Self:
        self.loop = asyncio.new_event_loop()
        self.ready, self.problem = threading.Event(), None
        self.thread = threading.Thread(target=self.loop.run_until_complete, args=(self.live(),), daemon=True)
        self.thread.start()
        if not self.ready.wait(START_S):
            raise TimeoutError(f"the small world did not start within {START_S:g} s")
        if self.problem is not None:
            self.thread.join()
            raise self.problem
        return self

    def __exit__(self, *_: object) -> None:
        self.loop.call_soon_threadsafe(self.stop.set)
        self.thread.join()
        self.loop.close()

    problem: PlaceTaken | None

    async def live(self) -> None:
        self.stop = asyncio.Event()
        self.life = Life(self.world, self.memory, self.desk, pace=self.pace, wanders=False)
        self.places = Places(
            self.world, relay_port=self.relay_port, next_server=self.desk.listener, dns=self.dns,
            mailbox=self.mailbox, on_mail=self.life.receive,
        )  # fmt: skip
        try:
            async with self.places:
                self.mailbox = (self.mailbox[0], self.places.mailboxes.port)
                self.dns = (self.dns[0], self.places.dns.port)
                self.ready.set()
                await self.life.live(self.places, self.stop)
        except PlaceTaken as exc:
            self.problem = exc
            self.ready.set()

    def begin(self) -> None:
        """The trouble begins, and the first complaint is on its way."""
        self.do("begin")

    def repair(self) -> None:
        self.do("repair")

    def do(self, verb: str, **args: Any) -> None:
        self.loop.call_soon_threadsafe(lambda: self.life.plan(0, verb, contract="C-1", **args))

    @property
    def notices(self) -> list[Notice]:
        """The desk's mails that the customer got, oldest first."""
        return self.life.notices

    def wait_for_notice(self, step: str, *, timeout_s: float = 60.0) -> Notice:
        """Raises TimeoutError, naming what came instead."""
        until = time.monotonic() + timeout_s
        while time.monotonic() < until:
            for notice in self.notices:
                if notice.step == step:
                    return notice
            time.sleep(0.05)
        raise TimeoutError(f"no mail {step!r} within {timeout_s:g} s, only {[n.step for n in self.notices]}")
