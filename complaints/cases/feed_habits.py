"""When a feed is longer silent than it ever is, and when far more of it than before cannot be read. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

MAD_TO_SIGMA = 1.4826
FEWEST_GAPS = 12
MOST_GAPS, MOST_OUTCOMES = 300, 60
SHORTEST, LONGEST = 6, 14 * 24  # hours: nobody is called sooner, and who pauses for longer has no habit
SIGMAS, MARGIN = 6.0, 2.0

LATELY, FEWEST_LATELY = 20, 8
MANY, SOME, FEWEST_BAD, TIMES, MENDED = 0.5, 0.25, 5, 3.0, 0.1


def longest_usual(gaps: Sequence[int]) -> int | None:
    """Hours after which silence is news; None: too little is known, or the feed comes as it likes.

    gaps: whole hours between hours in which something came. The longest one does not count: it may have been a fault
    at our end, and two week-ends are known after two weeks.
    """
    if len(gaps) < FEWEST_GAPS:
        return None
    middle = median(gaps)
    sigma = MAD_TO_SIGMA * median(abs(gap - middle) for gap in gaps)
    usual = max(float(SHORTEST), middle + SIGMAS * sigma, MARGIN * sorted(gaps)[-2])
    return round(usual) if usual <= LONGEST else None


def is_failing(outcomes: Sequence[bool], *, fails_now: bool) -> bool:
    """outcomes: whether each mail was read, the youngest last. What fails does so until nearly all is read again."""
    lately, before = outcomes[-LATELY:], outcomes[:-LATELY]
    if len(lately) < FEWEST_LATELY:
        return fails_now
    share = unread_share(lately)
    if fails_now:
        return unread_share(lately[-FEWEST_LATELY:]) > MENDED
    if share >= MANY:
        return unread_share(before) * TIMES <= share if before else True
    return lately.count(False) >= FEWEST_BAD and share >= SOME and unread_share(before) * TIMES <= share


def unread_share(outcomes: Sequence[bool]) -> float:
    return outcomes.count(False) / len(outcomes) if outcomes else 0.0
