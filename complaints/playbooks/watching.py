"""How long a line must stay quiet until the quiet means something, where no probe can prove a fix. Pure.

What was seen every few hours and then not for days is over; what was seen once a week is not. So the watch lasts many
times the longest pause that there has been between two sightings: repeated reports of one run lengthen nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise

PAUSES = 6
AT_LEAST = timedelta(days=5)
AT_MOST = timedelta(days=14)
UNKNOWN = timedelta(days=7)  # too few sightings to know its pauses
ENOUGH = 3
MOST_TIMES = 200  # the youngest sightings that are looked at


def watch_span(seen: Sequence[datetime]) -> timedelta:
    """`seen`: when abuse was seen, in any order."""
    times = sorted(set(seen))
    if len(times) < ENOUGH:
        return UNKNOWN
    longest = max(later - earlier for earlier, later in pairwise(times))
    return min(AT_MOST, max(AT_LEAST, PAUSES * longest))
