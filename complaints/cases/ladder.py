"""The relapse ladder: points that a contract's closed cases leave behind, fading with time. Pure.

One case of spam leaves 10 points; after HALF_LIFE five are left. Cases that turned out to be nobody's fault, or
somebody else's, leave none. So a customer with one accident a year stays a first offender, and one with an accident
a month does not.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from datetime import datetime, timedelta

from complaints.vocabulary import Category, Resolution

HALF_LIFE = timedelta(days=90)
FORGOTTEN = timedelta(days=720)  # eight half-lives: less than half a percent is left
GUILTLESS = frozenset({Resolution.NOT_ABUSE, Resolution.NOT_OURS, Resolution.MERGED, Resolution.STALE})
POINTS = {
    Category.PHISHING: 15,
    Category.MALWARE: 15,
    Category.FRAUD: 15,
    Category.DDOS: 12,
    Category.SPAM: 10,
    Category.BOT: 10,
    Category.LOGIN_ATTACK: 8,
    Category.SCAN: 6,
    Category.COPYRIGHT: 5,
    Category.VULNERABLE: 3,
}
OTHER_POINTS = 5
# Ended without a fix: the customer did not answer, or the contract had to be ended.
UNREPENTANT = {Resolution.NO_RESPONSE: 1.5, Resolution.TERMINATED: 2.0}


@dataclasses.dataclass(frozen=True, slots=True)
class PastCase:
    category: Category
    resolution: Resolution
    closed_at: datetime


def points_of(past: Iterable[PastCase], *, now: datetime) -> float:
    """The points that the closed cases of one contract leave at `now`, to one decimal."""
    return round(sum(left_of(case, now) for case in past), 1)


def left_of(case: PastCase, now: datetime) -> float:
    if case.resolution in GUILTLESS:
        return 0.0
    weight = POINTS.get(case.category, OTHER_POINTS) * UNREPENTANT.get(case.resolution, 1.0)
    return float(weight * 0.5 ** (max(now - case.closed_at, timedelta(0)) / HALF_LIFE))
