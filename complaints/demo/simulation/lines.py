"""Who held which address and port, to the second: the truth, and when the ISP's own systems tell of it. Pure.

198.18.0.0/15 is kept for tests (RFC 2544) and has room for a whole ISP; the documentation networks are the rest of the
world. Leases change hands within seconds, port blocks within hours, and a reseller's addresses within weeks.
"""

from __future__ import annotations

import dataclasses
import heapq
import ipaddress
import random
from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from complaints.demo.simulation.population import Customer, Kind, of_kind

NETWORKS = (("198.18.0.0/15", "Simulated lines"), ("2001:db8:7700::/40", "Simulated IPv6 lines"))
FIXED, HOSTED, RESOLD, POOL, SHARED = 0x00_0000, 0x00_4000, 0x00_8000, 0x01_0000, 0x01_8000  # places in the network
BASE = int(ipaddress.ip_address("198.18.0.0"))
BASE6 = int(ipaddress.ip_address("2001:db8:7700::"))
HOSTED_SIZE, RESOLD_SIZE = 64, 256
LONG_AGO = timedelta(days=400)
FORCED_DAILY = 0.15  # of the homes: their line is cut once a night, as some ISPs do
STICKY_DAYS = 12.0
SAME_AGAIN = 0.2
SPARE = 1.08  # addresses of a pool for each customer
WITH_IPV6 = 0.3
FIXED_BLOCK, LENT_BLOCK = 1024, 512  # ports
RADIUS_LAG = timedelta(seconds=60)
MOVED_SHARE = 0.03  # of the fixed lines: the contract ends and another takes the address over
BOOKED_LATE = 0.1  # of those moves: the ISP's own books follow days later


@dataclasses.dataclass(frozen=True, slots=True)
class Span:
    """A contract's hold on a prefix (and ports). lag: after which the ISP's systems tell of its begin and its end."""

    contract: str
    prefix: str
    kind: str
    since: datetime
    until: datetime | None = None
    port_first: int | None = None
    port_last: int | None = None
    begin_lag: timedelta = timedelta(0)
    end_lag: timedelta = timedelta(0)

    def covers(self, at: datetime) -> bool:
        return self.since <= at and (self.until is None or at < self.until)

    def has_port(self, port: int | None) -> bool:
        if self.port_first is None or self.port_last is None:
            return True
        return port is not None and self.port_first <= port <= self.port_last


def histories(customers: Sequence[Customer], *, seed: object, since: datetime, until: datetime) -> list[Span]:
    dice = random.Random(f"{seed}/lines")
    return [
        *fixed_lines(of_kind(customers, Kind.BUSINESS), dice, since, until),
        *blocks(of_kind(customers, Kind.HOSTER), HOSTED, HOSTED_SIZE, since),
        *blocks(of_kind(customers, Kind.RESELLER), RESOLD, RESOLD_SIZE, since),
        *tenants(of_kind(customers, Kind.TENANT), len(of_kind(customers, Kind.RESELLER)), dice, since, until),
        *homes(of_kind(customers, Kind.HOME), dice, since, until),
        *shared(of_kind(customers, Kind.SHARED), dice, since, until),
    ]


def address(place: int) -> str:
    number = BASE + place
    return f"{number >> 24}.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"


def fixed_lines(customers: Sequence[Customer], dice: random.Random, since: datetime, until: datetime) -> Iterator[Span]:
    """One address each; a few contracts end, and one that had none yet takes the address over."""
    newcomers = list(customers[: round(len(customers) * MOVED_SHARE)])
    for place, each in enumerate(customers[len(newcomers) :], start=16):
        prefix = f"{address(FIXED + place)}/32"
        if not newcomers or dice.random() >= MOVED_SHARE * 1.1:
            yield Span(each.contract, prefix, "static", since - LONG_AGO)
            continue
        change, gap = moment(dice, since, until), timedelta(minutes=dice.choice((0, 0, 5, 60, 1440)))
        lag = timedelta(hours=dice.uniform(20, 70)) if dice.random() < BOOKED_LATE else timedelta(0)
        yield Span(each.contract, prefix, "static", since - LONG_AGO, change, end_lag=lag)
        yield Span(newcomers.pop().contract, prefix, "static", change + gap, begin_lag=lag)


def blocks(customers: Sequence[Customer], place: int, size: int, since: datetime) -> Iterator[Span]:
    length = 33 - size.bit_length()
    for number, each in enumerate(customers):
        yield Span(each.contract, f"{address(place + number * size)}/{length}", "static", since - LONG_AGO)


def tenants(
    customers: Sequence[Customer], networks: int, dice: random.Random, since: datetime, until: datetime
) -> Iterator[Span]:
    """Single addresses inside the resellers' networks; a third of them moves on to another tenant."""
    if not networks:
        return
    heirs = list(customers[len(customers) * 3 // 4 :])
    stay = customers[: len(customers) - len(heirs)]
    places = [RESOLD + n * RESOLD_SIZE + host for n in range(networks) for host in range(1, 200)]
    for place, each in zip(dice.sample(places, len(stay)), stay, strict=True):
        prefix = f"{address(place)}/32"
        if not heirs:
            yield Span(each.contract, prefix, "static", since - LONG_AGO)
            continue
        change = moment(dice, since, until)
        yield Span(each.contract, prefix, "static", since - LONG_AGO, change)
        yield Span(heirs.pop().contract, prefix, "static", change + timedelta(minutes=dice.choice((0, 10, 600))))


def homes(customers: Sequence[Customer], dice: random.Random, since: datetime, until: datetime) -> Iterator[Span]:
    daily = customers[: round(len(customers) * FORCED_DAILY)]
    sticky = customers[len(daily) :]
    first = round(len(daily) * SPARE) + 2
    pools = [f"{address(POOL + n)}/32" for n in range(first + round(len(sticky) * SPARE) + 2)]
    yield from leases(daily, pools[:first], dice, since, until, hold_days=None)
    yield from leases(sticky, pools[first:], dice, since, until, hold_days=STICKY_DAYS)
    modern = [each for each in customers if dice.random() < WITH_IPV6]
    prefixes = [f"{ipaddress.ip_address(BASE6 + (n << 72))}/56" for n in range(round(len(modern) * SPARE) + 2)]
    yield from leases(modern, prefixes, dice, since, until, hold_days=2 * STICKY_DAYS)


def leases(
    customers: Sequence[Customer], prefixes: list[str], dice: random.Random, since: datetime, until: datetime, *,
    hold_days: float | None,
) -> Iterator[Span]:  # fmt: skip
    """Each holds one prefix of the pool after the other. hold_days: on average; None: a night each."""
    free = list(prefixes)
    dice.shuffle(free)
    changes: list[tuple[datetime, int]] = []
    held = {}
    for number, _ in enumerate(customers):
        held[number] = (free.pop(), since - timedelta(hours=dice.uniform(1, 300)))
        heapq.heappush(changes, (next_change(since, dice, hold_days), number))
    while changes:
        at, number = heapq.heappop(changes)
        prefix, began = held[number]
        contract = customers[number].contract
        if at >= until:
            yield Span(contract, prefix, "lease", began, begin_lag=RADIUS_LAG, end_lag=RADIUS_LAG)
            continue
        yield Span(contract, prefix, "lease", began, at, begin_lag=RADIUS_LAG, end_lag=RADIUS_LAG)
        if dice.random() >= SAME_AGAIN:
            index = dice.randrange(len(free))
            prefix, free[index] = free[index], prefix
        held[number] = (prefix, at + timedelta(seconds=dice.randint(2, 90)))
        heapq.heappush(changes, (next_change(held[number][1], dice, hold_days), number))


def next_change(at: datetime, dice: random.Random, hold_days: float | None) -> datetime:
    if hold_days is None:
        night = at.replace(hour=1, minute=0, second=0, microsecond=0) + timedelta(seconds=dice.randint(0, 5 * 3600))
        return night + timedelta(days=1 if at.hour >= 1 else 0, hours=1)
    return at + timedelta(seconds=round(600 + dice.expovariate(1 / (hold_days * 86400))))


def shared(customers: Sequence[Customer], dice: random.Random, since: datetime, until: datetime) -> Iterator[Span]:
    """Half of them have the same ports for ever (RFC 7422), half are lent a block for some hours at a time."""
    half = len(customers) // 2
    each_address = (65536 - 1024) // FIXED_BLOCK
    for number, each in enumerate(customers[:half]):
        first = 1024 + (number % each_address) * FIXED_BLOCK
        prefix = f"{address(SHARED + number // each_address)}/32"
        last = first + FIXED_BLOCK - 1
        yield Span(each.contract, prefix, "cgnat", since - LONG_AGO, None, first, last)
    yield from lent_blocks(customers[half:], SHARED + half // each_address + 1, dice, since, until)


def lent_blocks(
    customers: Sequence[Customer], place: int, dice: random.Random, since: datetime, until: datetime
) -> Iterator[Span]:
    addresses = max(1, -(-len(customers) * LENT_BLOCK * 5 // (4 * (65536 - 1024))))
    free = [(f"{address(place + n)}/32", first) for n in range(addresses) for first in range(1024, 65025, LENT_BLOCK)]
    begins = [(since - timedelta(hours=dice.uniform(0, 20)), 0, number) for number in range(len(customers))]
    heapq.heapify(begins)
    ends: list[tuple[datetime, str, int]] = []
    while begins:
        at, _, number = heapq.heappop(begins)
        if at >= until:
            continue
        while ends and ends[0][0] <= at:
            _, prefix, first = heapq.heappop(ends)
            free.append((prefix, first))
        index = dice.randrange(len(free))
        prefix, first = free[index]
        free[index] = free[-1]
        free.pop()
        until_here = at.replace(microsecond=0) + timedelta(minutes=dice.randint(240, 2400))
        heapq.heappush(ends, (until_here, prefix, first))
        heapq.heappush(begins, (until_here + timedelta(minutes=dice.randint(0, 200)), 0, number))
        yield Span(customers[number].contract, prefix, "cgnat", at.replace(microsecond=0), until_here, first,
                   first + LENT_BLOCK - 1, begin_lag=RADIUS_LAG, end_lag=RADIUS_LAG)  # fmt: skip


def moment(dice: random.Random, since: datetime, until: datetime) -> datetime:
    return since + timedelta(seconds=dice.randint(0, int((until - since).total_seconds())))


class Book:
    """The spans, to be asked: whose was it, and where is this customer now?"""

    def __init__(self, spans: Sequence[Span]) -> None:
        self.by_prefix: dict[str, list[Span]] = defaultdict(list)
        self.by_contract: dict[str, list[Span]] = defaultdict(list)
        for span in spans:
            self.by_prefix[span.prefix].append(span)
            self.by_contract[span.contract].append(span)

    def holder(self, text: str, at: datetime, port: int | None) -> str | None:
        """The truth; None: nobody, or a shared address without its port."""
        for prefix in prefixes_around(text):
            held = [span for span in self.by_prefix.get(prefix, ()) if span.covers(at)]
            if held:
                return next((span.contract for span in held if span.has_port(port)), None)
        return None

    def around(self, text: str) -> list[Span]:
        """All that ever held it, most specific first."""
        return [span for prefix in prefixes_around(text) for span in self.by_prefix.get(prefix, ())]

    def lines_of(self, contract: str, at: datetime) -> list[Span]:
        return [span for span in self.by_contract[contract] if span.covers(at)]


def prefixes_around(text: str) -> list[str]:
    """Those that a line of ours may have, most specific first."""
    if ":" in text:
        return [f"{ipaddress.ip_address(int(ipaddress.ip_address(text)) >> 72 << 72)}/56"]
    network, _, host = text.rpartition(".")
    return [f"{text}/32", f"{network}.{int(host) & 192}/26", f"{network}.0/24"]


def place_in(prefix: str, host: int) -> str:
    """The address of one machine (2 to 61) in a network of ours."""
    network, _, length = prefix.partition("/")
    if ":" in network:
        return str(ipaddress.ip_address(network) + (host % 4 << 64) + 0xA000 + host)
    if length == "32":
        return network
    front, _, last = network.rpartition(".")
    return f"{front}.{int(last) + host}"
