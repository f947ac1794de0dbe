"""A large provider's plan and history, made up: prefixes with five holders each, leases, and two busy addresses.

Everything follows from the scale and a fixed seed, so every process makes the same. Times are whole seconds since 1970.
"""

from __future__ import annotations

import random
from array import array
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cached_property

from complaints.addresses import address_key, enclosing_keys, prefix_key

BEGIN = int(datetime(2016, 1, 1, tzinfo=UTC).timestamp())
NOW = int(datetime(2026, 3, 10, 12, tzinfo=UTC).timestamp())
HOUR, DAY = 3600, 86400
NEVER = 0  # the end of what is still held
INTERVALS = 5  # a prefix
LEASES = 50  # an address of the pool
# IPv4 inside 10.0.0.0/7 and IPv6 inside 2001:db8::/32, packed; some of the longer ones lie in holes of the shorter.
LENGTHS4 = {32: 600, 31: 20, 30: 100, 29: 120, 28: 60, 27: 30, 26: 25, 25: 15, 24: 20, 23: 5, 22: 3, 20: 2}
LENGTHS6 = {64: 500, 60: 50, 56: 400, 52: 10, 48: 40}
NETWORKS = ("10.0.0.0/7", "100.64.0.0/10", "203.0.113.0/24", "2001:db8::/32")
POOL = int.from_bytes(bytes([100, 64, 0, 0]), "big")
LEASED = "203.0.113.1"  # 10,000 leases of an hour
SHARED = "203.0.113.2"  # 64 blocks of ports, each given to another line every hour
QUIET = "203.0.113.3"  # one line, as they are
HOURS = 10_000
BLOCKS = 64
Row = tuple[int, bytes, str, int, int, int, int]  # contract, key, kind, from, until (or NEVER), first and last port


class Plan:
    """`keys`: all prefixes. `first`: where the intervals of each begin in `since`, `until` and `contract`.

    What is shared by ports is not among them, but in `shared`.
    """

    def __init__(self, scale: float) -> None:
        self.dice = random.Random(4711)
        self.contracts = max(2_000, int(200_000 * scale))
        self.keys: list[bytes] = []
        self.first = array("q", [0])
        self.since, self.until, self.contract = array("q"), array("q"), array("q")
        self.add_prefixes(int(720_000 * scale), LENGTHS4, prefix_key("10.0.0.0/7"))
        self.add_prefixes(int(280_000 * scale), LENGTHS6, prefix_key("2001:db8::/32"))
        self.statics = len(self.keys)
        for n in range(int(200_000 * scale)):
            self.add_leases(b"\x20" + (POOL + n).to_bytes(4, "big"), LEASES)
        self.add_leases(prefix_key(LEASED), HOURS, steps=(HOUR,))
        self.add_history(prefix_key(QUIET), [BEGIN])
        self.lengths = {4: sorted({*LENGTHS4}, reverse=True), 6: sorted({*LENGTHS6}, reverse=True)}

    def add_prefixes(self, count: int, lengths: dict[int, int], within: bytes) -> None:
        """One behind the other, some left free; every tenth has a longer one inside."""
        bits = 8 * (len(within) - 1)
        place, size = int.from_bytes(within[1:], "big"), len(within) - 1
        drawn = iter(self.dice.choices(list(lengths), list(lengths.values()), k=count))
        longest = max(lengths)
        for length in drawn:
            step = 1 << (bits - length)
            place = -(-place // step) * step
            self.add_history(bytes([length]) + place.to_bytes(size, "big"), self.beginnings())
            if length < longest - 2 and self.dice.random() < 0.3 and next(drawn, None) is not None:
                self.add_history(bytes([longest]) + place.to_bytes(size, "big"), self.beginnings())
            place += step
            if self.dice.random() < 0.1:
                place += 1 << (bits - longest)

    def beginnings(self) -> list[int]:
        year = (NOW - BEGIN) // INTERVALS
        return [BEGIN + n * year + self.dice.randrange(year // HOUR) * HOUR for n in range(INTERVALS)]

    def add_history(self, key: bytes, beginnings: list[int]) -> None:
        self.add(key, beginnings, [*beginnings[1:], NEVER])

    def add_leases(
        self, key: bytes, count: int, steps: tuple[int, ...] = tuple(n * HOUR for n in range(1, 25))
    ) -> None:
        """One after the other, up to now."""
        lasting = self.dice.choices(steps, k=count)
        at, beginnings = NOW - sum(lasting), []
        for step in lasting:
            beginnings.append(at)
            at += step
        self.add(key, beginnings, [*beginnings[1:], NOW])

    def add(self, key: bytes, since: list[int], until: list[int]) -> None:
        self.keys.append(key)
        self.since.extend(since)
        self.until.extend(until)
        number, some = self.dice.randrange(self.contracts), len(since)
        self.contract.extend([(number + n * 7919) % self.contracts for n in range(some)])
        self.first.append(len(self.since))

    @property
    def shared(self) -> list[Row]:
        key, width = prefix_key(SHARED), 64512 // BLOCKS
        return [
            (
                (hour * BLOCKS + block) % self.contracts,
                key,
                "cgnat",
                NOW - (200 - hour) * HOUR,
                NOW - (199 - hour) * HOUR,
                1024 + block * width,
                1023 + (block + 1) * width,
            )
            for hour in range(200)
            for block in range(BLOCKS)
        ]

    def rows(self, first: int, last: int) -> Iterator[Row]:
        """The intervals of the prefixes from number `first` to before `last`."""
        for n in range(first, last):
            kind = "static" if n < self.statics else "lease"
            for i in range(self.first[n], self.first[n + 1]):
                yield self.contract[i], self.keys[n], kind, self.since[i], self.until[i], 0, 65535

    def hits(self, count: int) -> list[tuple[bytes, int]]:
        """Addresses with a time at which somebody held them: half of lines, half of leases."""
        found = []
        for number in range(count):
            n = self.dice.randrange(self.statics) if number % 2 else self.dice.randrange(self.statics, len(self.keys))
            i = self.dice.randrange(self.first[n], self.first[n + 1])
            found.append((self.address_in(self.keys[n]), self.dice.randrange(self.since[i], self.until[i] or NOW)))
        return found

    def misses(self, count: int) -> list[tuple[bytes, int]]:
        """Addresses of ours that nobody held: free ones, and others before their first holder."""
        found: list[tuple[bytes, int]] = []
        for number in range(count):
            n = self.dice.randrange(self.statics) if number % 4 else self.dice.randrange(self.statics, len(self.keys))
            if number % 2:
                found.append((self.address_in(self.keys[n]), self.since[self.first[n]] - self.dice.randrange(1, DAY)))
            else:
                free = f"100.100.{self.dice.randrange(256)}.{self.dice.randrange(256)}"
                found.append((address_key(free), self.dice.randrange(BEGIN, NOW)))
        return [(address, at) for address, at in found if self.holder(address, at) is None]

    def address_in(self, key: bytes) -> bytes:
        bits, size = 8 * (len(key) - 1) - key[0], len(key) - 1
        packed = (int.from_bytes(key[1:], "big") + self.dice.randrange(1 << bits)).to_bytes(size, "big")
        return packed if size == 16 else address_key("0.0.0.0")[:12] + packed

    def holder(self, address: bytes, at: int) -> int | None:
        """By going through the intervals, without anything clever: the answer that all must give."""
        for key in enclosing_keys(address, self.lengths[4 if address.startswith(bytes(10) + b"\xff\xff") else 6]):
            n = self.numbers.get(key)
            if n is not None:
                for i in range(self.first[n], self.first[n + 1]):
                    if self.since[i] <= at and (self.until[i] == NEVER or at < self.until[i]):
                        return self.contract[i]
        return None

    @cached_property
    def numbers(self) -> dict[bytes, int]:
        return {key: n for n, key in enumerate(self.keys)}
