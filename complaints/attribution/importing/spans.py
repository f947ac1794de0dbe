"""Which addresses an import touched, and when: what past complaints must be asked about again. Pure.

Bounded: a file of a million lines must not be held, so beyond MOST_SPANS neighbours are put together under a
shorter prefix. Too wide asks a few complaints too many; none is forgotten.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import NamedTuple

from complaints.addresses import MASKS

MOST_SPANS = 2_000
SHORTER = {32: (32, 24, 20, 16, 12, 8, 4, 0), 128: (128, 64, 56, 48, 40, 32, 24, 16, 0)}
EVER = datetime(1, 1, 1, tzinfo=UTC)  # what had no beginning


class Touched(NamedTuple):
    """Under `key` (a prefix key) the holder may be another, from `since` until before `until` (None: open)."""

    key: bytes
    since: datetime
    until: datetime | None


class Spans:
    def __init__(self, most: int = MOST_SPANS) -> None:
        self.most = most
        self.step = 0
        self.found: dict[bytes, tuple[datetime, datetime | None]] = {}

    def add(self, key: bytes, since: datetime | None, until: datetime | None) -> None:
        since = since or EVER
        key = self.coarse(bytes(key))
        known = self.found.get(key)
        if known:
            since = min(since, known[0])
            until = None if until is None or known[1] is None else max(until, known[1])
        self.found[key] = (since, until)
        while len(self.found) > self.most and self.step < len(SHORTER[128]) - 1:
            self.coarsen()

    def coarse(self, key: bytes) -> bytes:
        bits = 8 * (len(key) - 1)
        lengths = SHORTER[bits]
        longest = lengths[min(self.step, len(lengths) - 1)]
        if key[0] <= longest:
            return key
        network = int.from_bytes(key[1:], "big") & MASKS[bits][longest]
        return bytes([longest]) + network.to_bytes(bits // 8, "big")

    def coarsen(self) -> None:
        self.step += 1
        before, self.found = self.found, {}
        for key, (since, until) in before.items():
            self.add(key, since, until)

    def __iter__(self) -> Iterator[Touched]:
        return (Touched(key, since, until) for key, (since, until) in sorted(self.found.items()))

    def __len__(self) -> int:
        return len(self.found)
