"""Is a list alive? RFC 5782 section 5: 127.0.0.2 must be listed and 127.0.0.1 must not.

Lists die by being emptied, by their domain lapsing into a wildcard that lists the world, or by silence; and
they refuse resolvers they do not know. Only this test tells such a list from an honest one.
"""

from __future__ import annotations

import asyncio
import dataclasses
import ipaddress
import time
from collections.abc import Callable

from complaints.checks._answers import error_among
from complaints.checks._config import CheckConfig
from complaints.checks._dns import IPAddress, NoAnswer, ask, list_name
from complaints.checks._lists import DnsblList

LISTED = {4: ipaddress.ip_address("127.0.0.2"), 6: ipaddress.ip_address("::ffff:7f00:2")}
UNLISTED = {4: ipaddress.ip_address("127.0.0.1"), 6: ipaddress.ip_address("::ffff:7f00:1")}
PASSED_S = 3600.0
FAILED_S = 300.0  # one lost packet shall not cost a list for an hour

Key = tuple[str, int, tuple[tuple[str, int], ...]]


@dataclasses.dataclass(frozen=True, slots=True)
class Health:
    problem: str | None  # None: passed
    until: float


class SelfTests:
    """The results of this process, kept for an hour (failures: five minutes). `reset()` forgets them.

    Checks that run at the same time share one test of a list. clock: seconds that only grow.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock = clock
        self.results: dict[Key, Health] = {}
        self.running: dict[tuple[int, Key], asyncio.Task[str | None]] = {}

    def reset(self) -> None:
        self.results.clear()

    async def problem_of(self, each: DnsblList, version: int, config: CheckConfig) -> str | None:
        """Why the list's answers must not be believed now, or None."""
        key = (each.zone_for(version) or each.zone, version, config.resolvers)
        known = self.results.get(key)
        if known and self.clock() < known.until:
            return known.problem
        return await asyncio.shield(self.test_shared(key, each, version, config))

    def test_shared(self, key: Key, each: DnsblList, version: int, config: CheckConfig) -> asyncio.Task[str | None]:
        # A task belongs to its event loop, and every Celery task brings a new loop.
        slot = (id(asyncio.get_running_loop()), key)
        if slot not in self.running:
            task = asyncio.create_task(self.test_and_keep(key, each, version, config))
            self.running[slot] = task
            task.add_done_callback(lambda _: self.running.pop(slot, None))
        return self.running[slot]

    async def test_and_keep(self, key: Key, each: DnsblList, version: int, config: CheckConfig) -> str | None:
        problem = await test_list(each, version, config)
        self.results[key] = Health(problem, self.clock() + (FAILED_S if problem else PASSED_S))
        return problem


async def test_list(each: DnsblList, version: int, config: CheckConfig) -> str | None:
    zone = each.zone_for(version) or each.zone

    async def addresses_of(test_address: IPAddress) -> frozenset[ipaddress.IPv4Address]:
        name = list_name(test_address, zone)
        return (await ask(name, "A", config.resolvers, config.timeouts.dns)).addresses

    try:
        listed = await addresses_of(LISTED[version])
        unlisted = await addresses_of(UNLISTED[version])
    except NoAnswer as exc:
        return f"self-test: {exc}"
    if not listed:
        return f"self-test: does not list its own test address {LISTED[version]}: emptied, or no list at all"
    if error := error_among(each, listed):
        return f"self-test: {error}"
    if unlisted:
        return f"self-test: lists even {UNLISTED[version]}: it lists the world"
    return None
