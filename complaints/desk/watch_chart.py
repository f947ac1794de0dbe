"""Counts over time with the band in which they were expected, as numbers for an inline SVG. Pure geometry and words."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from math import ceil, log10

from complaints.cases.fluctuation import Band, day_band

WIDE, NARROW, HEIGHT = 720, 320, 150
LEFT, RIGHT, TOP, BOTTOM = 46, 8, 10, 20  # room for the numbers at the side and the days below
DAY = timedelta(days=1)
UNITS = ((10**12, "T"), (10**9, "G"), (10**6, "M"), (10**3, "k"))


@dataclasses.dataclass(frozen=True, slots=True)
class Point:
    day: date
    n: float | None  # None: nobody told
    band: Band | None

    @property
    def is_above(self) -> bool:
        return self.n is not None and self.band is not None and self.n > self.band.most


@dataclasses.dataclass(frozen=True, slots=True)
class Chart:
    """line and area: points of an SVG. dots: (x, y, title, is above). marks: (x or y, text) at the axes."""

    width: int
    height: int
    line: str
    areas: Sequence[str]
    dots: Sequence[tuple[float, float, str, bool]]
    levels: Sequence[tuple[float, str]]
    days: Sequence[tuple[float, str]]
    said: str
    points: Sequence[Point]


def points_of(counted: Mapping[date, float], *, today: date, days: int) -> list[Point]:
    """Each day with the band that the days before it make."""
    shown = (today - DAY * back for back in range(days - 1, -1, -1))
    return [Point(day, counted.get(day), day_band(counted, day)) for day in shown]


def chart_of(points: Sequence[Point], *, what: str, width: int = WIDE) -> Chart:
    top = nice(max([2.0, *(p.n for p in points if p.n is not None), *(p.band.most for p in points if p.band)]))
    step = (width - LEFT - RIGHT) / max(1, len(points) - 1)
    xs = [round(LEFT + number * step, 1) for number in range(len(points))]
    weeks = [(x, f"{p.day:%-d %b}") for x, p in zip(xs, points, strict=True) if p.day.weekday() == 0]
    seen = [(x, y_of(p.n, top), p) for x, p in zip(xs, points, strict=True) if p.n is not None]
    return Chart(
        width,
        HEIGHT,
        " ".join(f"{x},{y}" for x, y, _ in seen),
        areas_of(xs, points, top),
        [(x, y, title_of(p), p.is_above) for x, y, p in seen],
        [(y_of(level, top), short(level)) for level in (0.0, top / 2, top)],
        weeks[:: 1 + len(weeks) * 70 // width],
        said_of(points, what),
        points,
    )


def areas_of(xs: Sequence[float], points: Sequence[Point], top: float) -> list[str]:
    """The bands, one polygon for each run of days that have one."""
    areas: list[str] = []
    run: list[tuple[float, Band]] = []
    for x, band in [*((x, p.band) for x, p in zip(xs, points, strict=True)), (0.0, None)]:
        if band is not None:
            run.append((x, band))
            continue
        if len(run) > 1:
            there = [f"{at},{y_of(each.most, top)}" for at, each in run]
            back = [f"{at},{y_of(each.least, top)}" for at, each in reversed(run)]
            areas.append(" ".join([*there, *back]))
        run = []
    return areas


def y_of(n: float, top: float) -> float:
    return round(HEIGHT - BOTTOM - (HEIGHT - BOTTOM - TOP) * min(n, top) / top, 1)


def nice(top: float) -> float:
    """1, 2, 4, 6 or 8 times a power of ten, so that half of it is whole as well."""
    size = 10 ** int(log10(top))
    return float(next(times * size for times in (1, 2, 4, 6, 8, 10) if times * size >= ceil(top)))


def short(n: float) -> str:
    for size, unit in UNITS:
        if n >= size:
            return f"{n / size:.1f}".removesuffix(".0") + unit
    return f"{n:.1f}".removesuffix(".0")


def title_of(point: Point) -> str:
    expected = f", expected {band_text(point.band)}" if point.band else ""
    return f"{point.day:%a %-d %b}: {point.n or 0:,.0f}{expected}"


def band_text(band: Band) -> str:
    return f"{band.least:,.0f} to {band.most:,.0f}"


def said_of(points: Sequence[Point], what: str) -> str:
    """The chart in a sentence, for whom the drawing says nothing."""
    known = [p for p in points if p.n is not None]
    if not known:
        return f"{what}: nothing was counted yet."
    above = [f"{p.day:%-d %b}" for p in known if p.is_above]
    last = known[-1]
    expected = f"; expected were {band_text(last.band)}" if last.band else "; too little is known to expect anything"
    tail = f" Above what was expected: {', '.join(above[-8:])}." if above else " No day was above what was expected."
    so_far = " so far" if last is points[-1] else ""  # the last day is today, and goes on
    return f"{what}, {len(points)} days. {last.day:%-d %b}{so_far}: {last.n:,.0f}{expected}.{tail}"
