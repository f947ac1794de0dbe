"""How far the feeds of leases have told, and whether that is far enough for an answer. Pure.

A lease without a newer word names its holder only until then: the address may have gone to somebody else since, and
the feed has not told us of it yet.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from complaints.attribution.answers import Question
from complaints.attribution.decision import MOMENT, Claim, window
from complaints.attribution.times import EARLIEST, LATEST, shifted

OUT_OF_ORDER = timedelta(minutes=1)  # servers write their records as they come, some later than younger ones
ASK_AGAIN = timedelta(minutes=5)  # a feed that is followed has told by then


class Told(NamedTuple):
    """A feed: the time of its newest event, and when we read that."""

    name: str
    until: datetime
    heard_at: datetime


Feeds = Mapping[int, Told]  # by id


def last_moment(question: Question, now: datetime) -> datetime:
    """Until when a feed must have told: the end of what the time could mean, or the present if that comes first."""
    return min(window(question)[1] - MOMENT, shifted(now, -question.feeds_lag))


def told_of(claim: Claim, feeds: Feeds) -> datetime:
    """Until when it is known who has what this claim speaks of. LATEST: it comes from a table."""
    if claim.said_at is None:
        return LATEST
    feed = feeds.get(claim.feed or 0)
    return claim.said_at if feed is None else max(claim.said_at, feed.until - OUT_OF_ORDER)


def untold(question: Question, held: Sequence[Claim], feeds: Feeds, now: datetime) -> Claim | None:
    """The claim of `held` whose feed has not told of all the time that the answer rests on it; None: all have.

    Behind the last one somebody may have come whom its feed did not tell of, so it must have told to the end.
    """
    if held[0].said_at is None and (len(held) == 1 or all(claim.said_at is None for claim in held)):
        return None
    needed = last_moment(question, now)
    last = max(held, key=end_of)
    for claim in held:
        until = needed if claim is last else min(needed, end_of(claim))
        if told_of(claim, feeds) < until:
            return claim
    return None


def end_of(claim: Claim) -> datetime:
    return claim.valid_until or LATEST


def may_be_untold(question: Question, claims: Sequence[Claim], feeds: Feeds, now: datetime) -> bool:
    """The quick look, before it is decided which claims matter."""
    if any(claim.said_at is not None and told_of(claim, feeds) < last_moment(question, now) for claim in claims):
        return True
    return any(is_block(claim) for claim in claims) and bool(behind(question, feeds, now))


def is_block(claim: Claim) -> bool:
    """More addresses than one, by a table: leases may lie inside of which a feed has not told yet."""
    return claim.said_at is None and claim.key[0] < 8 * (len(claim.key) - 1)


def behind(question: Question, feeds: Feeds, now: datetime) -> list[int]:
    """Ids of the feeds that have not told of the question's time."""
    if not feeds:
        return []
    needed = last_moment(question, now) + OUT_OF_ORDER
    return [pk for pk, feed in feeds.items() if feed.until < needed]


def is_silent(feed: Told | None, now: datetime, patience: timedelta) -> bool:
    """It has not told anything new for so long that waiting for it helps nobody."""
    return now - (feed.heard_at if feed else EARLIEST) > patience
