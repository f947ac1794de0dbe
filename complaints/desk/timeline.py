"""Holders as bars over time: where each bar lies, in percent, and what is written at the axis. Asks nothing."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from complaints.models import Assignment
from complaints.models.assignments import ALL_PORTS

MOST_LANES = 40
TICKS = 6
ROOM_FOR_A_NAME = 9.0  # percent of the width
HEIGHT = 22  # of a lane; the template's units
# Between two ticks: the first that gives at most TICKS of them.
STEPS = [timedelta(minutes=m) for m in (1, 5, 15, 60, 180, 360, 720)] + [
    timedelta(days=d) for d in (1, 2, 7, 14, 30, 90, 180, 365, 730, 1825, 3650, 36500)
]


@dataclasses.dataclass(frozen=True, slots=True)
class Bar:
    """x and width in percent of the period; `ends` cut off by the period are open."""

    x: float
    width: float
    name: str
    title: str
    is_meant: bool

    @property
    def has_room(self) -> bool:
        return self.width >= ROOM_FOR_A_NAME

    @property
    def middle(self) -> float:
        return round(self.x + self.width / 2, 3)


@dataclasses.dataclass(frozen=True, slots=True)
class Lane:
    """One prefix, or a part of its ports. y: its upper edge."""

    name: str
    ports: str
    y: int
    bars: Sequence[Bar]

    @property
    def bar_y(self) -> int:
        return self.y + 3

    @property
    def text_y(self) -> int:
        return self.y + HEIGHT // 2 + 4


@dataclasses.dataclass(frozen=True, slots=True)
class Tick:
    x: float
    text: str
    anchor: str


@dataclasses.dataclass(frozen=True, slots=True)
class Timeline:
    lanes: Sequence[Lane]
    ticks: Sequence[Tick]
    height: int
    hidden_lanes: int


class Scale:
    """Moments to percent of a period."""

    def __init__(self, since: datetime, until: datetime) -> None:
        self.since, self.until = since, until
        self.length = max((until - since).total_seconds(), 1.0)

    def at(self, moment: datetime) -> float:
        share = 100 * (moment - self.since).total_seconds() / self.length
        return round(min(max(share, 0.0), 100.0), 3)

    def holds(self, moment: datetime) -> bool:
        return self.since <= moment <= self.until


def draw(rows: Iterable[Assignment], scale: Scale, *, meant: Iterable[int] = ()) -> Timeline:
    """One lane for each prefix and its ports, the most specific prefix first. `meant`: ids of the rows that decide."""
    wanted = set(meant)
    grouped: dict[tuple[bytes, int, int], list[Assignment]] = {}
    for row in rows:
        grouped.setdefault((bytes(row.key), row.port_first, row.port_last), []).append(row)
    ordered = sorted(grouped.items(), key=lambda item: (-item[0][0][0], item[0]))
    lanes = [
        Lane(held[0].prefix, ports_text(held[0]), number * HEIGHT, [bar(row, scale, row.pk in wanted) for row in held])
        for number, (_, held) in enumerate(ordered[:MOST_LANES])
    ]
    return Timeline(lanes, ticks(scale), len(lanes) * HEIGHT, max(0, len(ordered) - MOST_LANES))


def bar(row: Assignment, scale: Scale, is_meant: bool) -> Bar:
    x = scale.at(row.valid_from)
    end = scale.at(row.valid_until) if row.valid_until else 100.0
    until = f"{row.valid_until:%Y-%m-%d %H:%M:%S}" if row.valid_until else "now and on"
    title = f"{row.contract.reference}, {row.contract.customer.name}: {row.valid_from:%Y-%m-%d %H:%M:%S} to {until} UTC"
    return Bar(x, round(max(end - x, 0.15), 3), row.contract.reference, title, is_meant)


def ports_text(row: Assignment) -> str:
    whole = (row.port_first, row.port_last) == ALL_PORTS
    return "" if whole else f"ports {row.port_first}–{row.port_last}"


def ticks(scale: Scale) -> list[Tick]:
    """Round moments in the zone of `scale`, at most TICKS."""
    length = scale.until - scale.since
    step = next((each for each in STEPS if length / each <= TICKS), STEPS[-1])
    shape = "%H:%M" if step < timedelta(days=1) else "%-d %b %Y" if step >= timedelta(days=30) else "%-d %b"
    day = scale.since.replace(hour=0, minute=0, second=0, microsecond=0)
    first = day + -(-(scale.since - day) // step) * step
    found: list[Tick] = []
    while first <= scale.until and len(found) <= TICKS:
        x = scale.at(first)
        found.append(Tick(x, f"{first:{shape}}", "start" if x < 6 else "end" if x > 94 else "middle"))
        first += step
    return found
