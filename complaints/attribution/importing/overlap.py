"""Two contracts on one prefix at the same time and port: found by a sweep along the time. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import groupby
from typing import NamedTuple


class Span(NamedTuple):
    """An assignment; the first four columns tell it from every other."""

    key: bytes
    valid_from: datetime
    port_first: int
    contract_id: int
    kind: str
    valid_until: datetime | None
    port_last: int


def overlapping(spans: Iterable[Span]) -> Iterator[tuple[Span, Span]]:
    """Every pair of spans of two contracts that hold the same prefix, moment and port; the earlier one first."""
    for _, of_one_prefix in groupby(sorted(spans), key=lambda span: span.key):
        running: list[Span] = []
        for span in of_one_prefix:
            running = [other for other in running if other.valid_until is None or other.valid_until > span.valid_from]
            yield from ((other, span) for other in running if differ_and_share_ports(other, span))
            running.append(span)


def differ_and_share_ports(one: Span, other: Span) -> bool:
    return (
        one.contract_id != other.contract_id and one.port_first <= other.port_last and other.port_first <= one.port_last
    )
