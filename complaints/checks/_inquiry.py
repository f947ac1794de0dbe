"""What a batch of checks knows of the lists before it asks, what it may ask, and what it has learnt afterwards.

No database in here: who starts the batch fills it and keeps what it brings home, so that all worker processes share
one memory and one budget.
"""

from __future__ import annotations

import asyncio
import dataclasses
import ipaddress
import time
from collections.abc import Callable, Mapping

from complaints.checks._dns import Answer, IPAddress, NoAnswer, OverLimit, Resolver, ask, list_name
from complaints.checks._lists import DnsblList
from complaints.checks._selftest import FAILED_S, PASSED_S, test_list

MOST_KEPT_S = 6 * 3600.0  # whatever the TTL: a listing that goes must be seen to go within the day
WAIT_MOST_S = 240.0
Test = tuple[str, int]  # a list's name, and 4 or 6
Place = tuple[str, bytes]  # a list's name, and the prefix key of what was asked about


@dataclasses.dataclass(frozen=True, slots=True)
class Health:
    """problem: why the list's answers must not be believed, None when it passed. until: seconds since 1970."""

    problem: str | None
    until: float


@dataclasses.dataclass(frozen=True, slots=True)
class Kept:
    """An answer that is still good. until: seconds since 1970."""

    codes: tuple[ipaddress.IPv4Address, ...]
    text: str
    until: float


@dataclasses.dataclass(slots=True)
class Allowance:
    """left: questions this batch may put to the list, None: no limit. not_before: seconds since 1970."""

    left: int | None = None
    per_second: float = 0.0
    not_before: float = 0.0
    asked: int = 0
    refusal: str = "its daily limit of questions is used up; it is asked again after midnight UTC"


class Inquiry:
    """health, kept: what is known. allowances: by name of the list; one that is missing is not limited.

    clock: seconds since 1970.
    """

    def __init__(
        self,
        resolvers: tuple[Resolver, ...] = (),
        timeout_s: float = 2.0,
        *,
        health: Mapping[Test, Health] | None = None,
        kept: Mapping[Place, Kept] | None = None,
        allowances: Mapping[str, Allowance] | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.resolvers, self.timeout_s, self.clock = resolvers, timeout_s, clock
        self.health = dict(health or {})
        self.kept = dict(kept or {})
        self.allowances = dict(allowances or {})
        self.tested: dict[Test, str | None] = {}  # what this batch has learnt: problems, None where it passed
        self.learnt: dict[Place, Kept] = {}
        self.testing: dict[Test, asyncio.Task[str | None]] = {}
        self.rooms: dict[str, asyncio.Semaphore] = {}

    async def problem_of(self, each: DnsblList, version: int) -> str | None:
        """Why the list's answers must not be believed now, or None. Checks that run at once share one test."""
        test = (each.name, version)
        known = self.health.get(test)
        if known and self.clock() < known.until:
            return known.problem
        if test not in self.testing:
            self.testing[test] = task = asyncio.create_task(self.test(each, version))
            task.add_done_callback(lambda _: self.testing.pop(test, None))
        return await asyncio.shield(self.testing[test])

    async def test(self, each: DnsblList, version: int) -> str | None:
        try:
            problem = await test_list(each, version, lambda address: self.ask(each, address, "A"))
        except OverLimit as exc:
            return str(exc)
        lasts = FAILED_S if problem else PASSED_S  # one lost packet shall not cost a list for an hour
        self.health[each.name, version] = Health(problem, self.clock() + lasts)
        self.tested[each.name, version] = problem
        return problem

    async def look_up(self, each: DnsblList, address: IPAddress) -> Kept:
        """What the list says of the address, remembered as long as its TTL allows. Raises NoAnswer."""
        place = (each.name, place_of(each, address))
        known = self.kept.get(place)
        if known and self.clock() < known.until:
            return known
        answer = await self.ask(each, address, "A")
        codes = tuple(sorted(answer.addresses))
        text = await self.reason_of(each, address) if codes else ""
        found = Kept(codes, text, self.clock() + min(answer.ttl_s, MOST_KEPT_S))
        if answer.ttl_s > 0:
            self.kept[place] = self.learnt[place] = found
        return found

    async def reason_of(self, each: DnsblList, address: IPAddress) -> str:
        """The list's own words. They are an extra: a listing without them stays a listing."""
        try:
            answer = await self.ask(each, address, "TXT")
        except NoAnswer:
            return ""
        return " ".join(answer.texts)[:512]

    async def ask(self, each: DnsblList, address: IPAddress, kind: str) -> Answer:
        """One question within the list's limits. Raises NoAnswer."""
        name = list_name(address, each.asked_zone(address.version))
        room = self.rooms.get(each.name)
        if room is None:
            room = self.rooms[each.name] = asyncio.Semaphore(each.in_flight)
        async with room:
            if allowance := self.allowances.get(each.name):
                await self.take_turn(allowance)
            return await ask(name, kind, self.resolvers, self.timeout_s)

    async def take_turn(self, allowance: Allowance) -> None:
        if allowance.left is not None and allowance.left <= 0:
            raise OverLimit(allowance.refusal)
        now = self.clock()
        mine = max(now, allowance.not_before) if allowance.per_second else now
        if mine - now > WAIT_MOST_S:
            raise OverLimit(f"its rate allows a question only in {mine - now:.0f} s; it is asked again later")
        if allowance.left is not None:
            allowance.left -= 1
        allowance.asked += 1
        if allowance.per_second:
            allowance.not_before = mine + 1 / allowance.per_second
            await asyncio.sleep(max(0.0, mine - now))


def place_of(each: DnsblList, address: IPAddress) -> bytes:
    """Prefix key of what an answer is true of: the address, or its /64 where the list names those."""
    if address.version == 4:
        return b"\x20" + address.packed
    if each.six_by == 64:
        return b"\x40" + address.packed[:8] + bytes(8)
    return b"\x80" + address.packed
