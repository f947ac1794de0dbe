"""How often a reporter turned out to be right, from how their cases ended; what is old counts less. Pure.

A case counts once for each reporter in it, however many complaints they sent. Its weight halves every HALF_LIFE: a
reporter who has mended their sensor is not judged for ever by what it said before. Whoever has few ended cases is
taken for ordinary: PRIOR stands for PRIOR_CASES cases, and gives way to what is really known.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from datetime import datetime, timedelta

from complaints.vocabulary import Resolution

HALF_LIFE = timedelta(days=90)
LOOKS_BACK = 5 * HALF_LIFE  # what is older counts for less than a thirtieth
PRIOR, PRIOR_CASES = 0.7, 3.0
# What an end says of those who complained: (for them, against them). The others say nothing of whether it was true.
SAYS: dict[Resolution, tuple[float, float]] = {
    Resolution.FIXED_VERIFIED: (1.0, 0.0),
    Resolution.FIXED_NOT_VERIFIABLE: (0.5, 0.0),  # the customer found something to fix
    Resolution.TERMINATED: (0.5, 0.0),
    Resolution.NOT_ABUSE: (0.0, 1.0),
    Resolution.NOT_OURS: (0.0, 1.0),
}
TRUSTED, DISTRUSTED = 0.95, 0.05  # a person's word, which goes before what is measured


@dataclasses.dataclass(frozen=True, slots=True)
class Measured:
    """right, wrong: with their decay. right_cases, wrong_cases: each counted as one."""

    right: float = 0.0
    wrong: float = 0.0
    right_cases: int = 0
    wrong_cases: int = 0


def measure(ends: Iterable[tuple[Resolution, datetime]], *, now: datetime) -> Measured:
    """`ends`: how and when each of a reporter's cases was closed."""
    right = wrong = 0.0
    right_cases = wrong_cases = 0
    for resolution, at in ends:
        says_right, says_wrong = SAYS.get(resolution, (0.0, 0.0))
        weight = weight_of(at, now)
        right += says_right * weight
        wrong += says_wrong * weight
        right_cases += says_right > 0
        wrong_cases += says_wrong > 0
    return Measured(right, wrong, right_cases, wrong_cases)


def weight_of(at: datetime, now: datetime) -> float:
    age = max(now - at, timedelta(0))
    return 0.5 ** (age / HALF_LIFE) if age <= LOOKS_BACK else 0.0


def precision(right: float, wrong: float, *, trust: str = "") -> float:
    """How likely a complaint of theirs is true: 0 to 1, never quite either."""
    if trust == "trusted":
        return TRUSTED
    if trust == "distrusted":
        return DISTRUSTED
    return (right + PRIOR * PRIOR_CASES) / (right + wrong + PRIOR_CASES)
