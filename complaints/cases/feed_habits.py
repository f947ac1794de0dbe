"""When a feed is longer silent than it ever is, and when far more of it than before cannot be read. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from statistics import median

MAD_TO_SIGMA = 1.4826
FEWEST_GAPS = 12
MOST_GAPS, MOST_OUTCOMES = 300, 60
SHORTEST, LONGEST = 6, 31 * 24  # hours: nobody is called sooner, and who pauses for longer has no habit
ACQUAINTED = timedelta(days=15)  # by then two nights, week-ends or weekly turns are known, whichever it has
WEEKEND = 80  # hours from Friday at five to Tuesday at one: what a feed may keep to that is not known for so long
SIGMAS, MARGIN = 6.0, 2.0

LATELY, FEWEST_LATELY = 20, 8
MANY, SOME, FEWEST_BAD, TIMES, MENDED = 0.5, 0.25, 5, 3.0, 0.1
IN_A_ROW, HARDLY_EVER = 4, 0.05  # of a feed that comes once a week twenty mails are half a year


def longest_usual(gaps: Sequence[int], *, known: timedelta = ACQUAINTED) -> int | None:
    """Hours after which silence is news; None: too little is known, or the feed comes as it likes.

    gaps: whole hours between hours in which something came. The longest one does not count: it may have been a fault
    at our end. known: since when; who wrote all day long on Thursday and Friday may rest at the week-end.
    """
    if len(gaps) < FEWEST_GAPS:
        return None
    middle = median(gaps)
    sigma = MAD_TO_SIGMA * median(abs(gap - middle) for gap in gaps)
    least = SHORTEST if known >= ACQUAINTED else WEEKEND
    usual = max(float(least), middle + SIGMAS * sigma, MARGIN * sorted(gaps)[-2])
    return round(usual) if usual <= LONGEST else None


def is_failing(outcomes: Sequence[bool], *, fails_now: bool) -> bool:
    """outcomes: whether each mail was read, the youngest last. What fails does so until nearly all is read again."""
    lately, before = outcomes[-LATELY:], outcomes[:-LATELY]
    if len(lately) < FEWEST_LATELY:
        return fails_now
    share = unread_share(lately)
    if not fails_now and fails_in_a_row(outcomes):
        return True
    if fails_now:
        return unread_share(lately[-FEWEST_LATELY:]) > MENDED
    if share >= MANY:
        return unread_share(before) * TIMES <= share if before else True
    return lately.count(False) >= FEWEST_BAD and share >= SOME and unread_share(before) * TIMES <= share


def fails_in_a_row(outcomes: Sequence[bool]) -> bool:
    """All of the last few, though before hardly any ever did."""
    before, last = outcomes[:-IN_A_ROW], outcomes[-IN_A_ROW:]
    return len(before) >= FEWEST_LATELY and not any(last) and unread_share(before) <= HARDLY_EVER


def unread_share(outcomes: Sequence[bool]) -> float:
    return outcomes.count(False) / len(outcomes) if outcomes else 0.0
