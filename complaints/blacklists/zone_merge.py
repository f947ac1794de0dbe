"""Which of our addresses a zone file names: two sorted lists of ranges, walked along once. Pure."""

from __future__ import annotations

import dataclasses
import ipaddress
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from complaints.blacklists.zone_format import Entry, Value

Range = tuple[int, int]
MOST_FOUND = 200_000  # prefixes of ours in one file: more is no list of abusers


class TooMany(ValueError):
    """The file names more of our space than can be true."""


@dataclasses.dataclass(frozen=True, slots=True)
class Named:
    """A prefix of ours, and all that the list says of it."""

    network: ipaddress.IPv4Network | ipaddress.IPv6Network
    values: tuple[Value, ...]


class OurSpace:
    """What we hold: ranges in order and apart. Most entries of a file miss it, so that is asked first."""

    def __init__(self, ranges: Sequence[Range]) -> None:
        self.ranges = ranges
        self.starts = [first for first, _ in ranges]

    def meets(self, entry: Entry) -> bool:
        at = bisect_right(self.starts, entry.last) - 1
        return at >= 0 and self.ranges[at][1] >= entry.first

    def parts(self, entry: Entry) -> Iterator[Range]:
        """The parts of the entry that are ours."""
        at = max(0, bisect_right(self.starts, entry.first) - 1)
        while at < len(self.ranges) and self.ranges[at][0] <= entry.last:
            first, last = max(self.ranges[at][0], entry.first), min(self.ranges[at][1], entry.last)
            if first <= last:
                yield first, last
            at += 1


def named_among(space: OurSpace, entries: Iterable[Entry], *, family: int, is_set: bool) -> list[Named]:
    """Of the entries around an address only the most specific count, as rbldnsd answers. Raises TooMany.

    is_set: an ip4set, where "specific" means the address, its /24, its /16 or its /8; else the size of the entry.
    """
    cut: list[Part] = []
    for entry in entries:
        for first, last, rank in runs(entry) if is_set else ((entry.first, entry.last, entry.last - entry.first),):
            run = Entry(first, last, entry.value)
            cut += [Part(begin, end, rank, entry.value) for begin, end in space.parts(run)]
    edges = sorted({edge for part in cut for edge in (part.first, part.last + 1)})
    cut.sort(key=lambda part: part.first)
    found: list[Named] = []
    active: list[Part] = []
    at = 0
    for begin, end in pairwise(edges):
        active = [part for part in active if part.last >= begin]
        while at < len(cut) and cut[at].first <= begin:
            active.append(cut[at])
            at += 1
        if values := values_of(active):
            found += [Named(network, values) for network in networks(begin, end - 1, family)]
        if len(found) > MOST_FOUND:
            raise TooMany(f"names more than {MOST_FOUND:,} prefixes of ours: it lists the world, or is no such list")
    return found


class Part(NamedTuple):
    """rank: how specific, the smallest wins. value: None for an exclusion."""

    first: int
    last: int
    rank: int
    value: Value | None


def runs(entry: Entry) -> Iterator[tuple[int, int, int]]:
    """The entry as an ip4set keeps it: first, last and bits of whole /8, /16 and /24 networks, single addresses beside.

    An exclusion of a part of a /24 is kept address by address, so it wins over a listed /24.
    """
    yield from runs_below(entry.first, entry.last, (24, 16, 8, 0))


def runs_below(first: int, last: int, sizes: tuple[int, ...]) -> Iterator[tuple[int, int, int]]:
    bits, *smaller = sizes
    size = 1 << bits
    begin, end = -(-first // size) * size, (last + 1) // size * size
    if begin >= end:
        if smaller:
            yield from runs_below(first, last, tuple(smaller))
        return
    yield begin, end - 1, bits
    if first < begin:
        yield from runs_below(first, begin - 1, tuple(smaller))
    if end <= last:
        yield from runs_below(end, last, tuple(smaller))


def values_of(active: Sequence[Part]) -> tuple[Value, ...]:
    smallest = min((part.rank for part in active), default=0)
    values = [part.value for part in active if part.rank == smallest]
    return () if None in values else tuple(dict.fromkeys(value for value in values if value is not None))


def networks(first: int, last: int, family: int) -> Iterator[ipaddress.IPv4Network | ipaddress.IPv6Network]:
    if family == 4:
        yield from ipaddress.summarize_address_range(ipaddress.IPv4Address(first), ipaddress.IPv4Address(last))
    else:
        yield from ipaddress.summarize_address_range(ipaddress.IPv6Address(first), ipaddress.IPv6Address(last))
