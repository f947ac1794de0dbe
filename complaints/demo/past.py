"""What was counted in the weeks before the story begins: complaints a day, of the network and of each product.

Weeks have their shape, days their chance, and one day is a true rise: a wave of spam through the business lines, which
the watch is let see as it would have seen it.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta

from complaints.cases.fluctuation import SHAPE
from complaints.cases.rises import watch_rises
from complaints.cases.tallies import Key, Kind, Metric, Span, known_products, write
from complaints.demo.people import PRODUCTS
from complaints.models import Rise

WEEKS = 16  # eight are shown, and each of their days is compared with the eight weeks before it
DAY = timedelta(days=1)
# Complaints on a usual Monday, by product. The few of Home 250 let the flood of the story be seen.
LEVELS = {
    PRODUCTS["static"]: 700,
    PRODUCTS["cgnat"]: 120,
    PRODUCTS["former"]: 90,
    PRODUCTS["lease"]: 35,
}
OF_NOBODY = 55  # about addresses whose holder is not known
WAVE_DAYS_AGO, WAVE, WAVE_TIMES = 18, PRODUCTS["static"], 2.2


def bring_past(*, born_at: datetime) -> None:
    """Safe to repeat: the days before the birth of the world are the same each time."""
    born = born_at.astimezone(UTC).date()
    products = known_products(set(LEVELS))
    write(dict(counts(born, products)), add=False)
    if not Rise.objects.filter(began_at__lt=midnight(born - DAY)).exists():
        day_after = born - (WAVE_DAYS_AGO - 1) * DAY
        watch_rises(now=midnight(day_after) - timedelta(hours=1))
        watch_rises(now=midnight(day_after + DAY) - timedelta(minutes=1))  # earlier the whole day would seem its pace


def counts(born: date, products: dict[str, int]) -> Iterator[tuple[Key, int]]:
    for ago in range(WEEKS * 7, 0, -1):
        day = born - ago * DAY
        found = {name: count(name, level, day, ago) for name, level in LEVELS.items()}
        for name, n in found.items():
            yield (Kind.PRODUCT, products[name], Metric.COMPLAINTS, Span.DAY, midnight(day)), n
        total = sum(found.values()) + count("", OF_NOBODY, day, ago)
        yield (Kind.ALL, 0, Metric.COMPLAINTS, Span.DAY, midnight(day)), total


def count(name: str, level: float, day: date, ago: int) -> int:
    if (name, ago) == (WAVE, WAVE_DAYS_AGO):
        level *= WAVE_TIMES
    usual = level * SHAPE[day.weekday()]
    return max(0, round(random.Random(f"{name}/{day}").gauss(usual, usual**0.5)))


def midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
