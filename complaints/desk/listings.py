"""The blacklists on a case: every episode as a bar of time, and how to get off the lists after the fix."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db.models import QuerySet

from complaints.blacklists import episodes_about, those_of_now_first, ways_out
from complaints.blacklists.delisting import MOST_ADDRESSES
from complaints.cases.story import Accusation, Story
from complaints.desk import facts, when, words
from complaints.models import Blacklist, Case, Listing

MOST = 12
WIDTH = 100  # of the drawing; it has no unit
SHORTEST = 1.5
NO_ANSWER = words.ON_LIST["unknown"].text


@dataclasses.dataclass(frozen=True, slots=True)
class Bar:
    """One episode: where its bar begins and how long it is, and the same in words."""

    listing: Listing
    word: words.Word
    x: float
    width: float
    text: str


def looks(case: Case, complaints: Sequence[Accusation]) -> dict[str, QuerySet[Any]]:
    addresses = list(dict.fromkeys(bytes(each.address) for each in complaints if each.address))[:MOST_ADDRESSES]
    episodes = episodes_about(addresses or ([bytes(case.address)] if case.address else []))
    # The key to a list that sells its answers stays where it is.
    lists = Blacklist.objects.filter(pk__in=episodes.values("blacklist")).defer("key", "codes", "errors", "source")
    return {"listings": episodes, "blacklists": lists}


def on_lists(
    case: Case, story: Story, listings: Sequence[Listing], blacklists: Sequence[Blacklist], now: datetime
) -> dict[str, Any]:
    """What the card on the case page shows."""
    by_pk = {each.pk: each for each in blacklists}
    for each in listings:
        each.blacklist = by_pk[each.blacklist_id]
    episodes = those_of_now_first(listings)
    ways = ways_out(case, episodes)
    said, known = facts.listings(story), {each.blacklist.name for each in episodes}
    return {
        # What a run of long ago said, before there was a history.
        "unrecorded": [each for each in said if each.word.text != NO_ANSWER and each.name not in known],
        "bars": bars(episodes[:MOST], case, now),
        "more_episodes": max(0, len(episodes) - MOST),
        "several_addresses": len({bytes(each.key) for each in episodes}) > 1,
        "ways": ways,
        "silent_lists": facts.silent_lists(story),
        "without_answer": sorted({each.name for each in said if each.word.text == NO_ANSWER}),
    }


def bars(episodes: list[Listing], case: Case, now: datetime) -> list[Bar]:
    """All on one scale: from the first of them, or the opening of the case, until now."""
    begin = min([case.opened_at, *(each.first_seen_at for each in episodes)])
    whole = max(now - begin, timedelta(minutes=1))
    return [bar(each, begin, whole, now) for each in episodes]


def bar(each: Listing, begin: datetime, whole: timedelta, now: datetime) -> Bar:
    x = WIDTH * ((each.first_seen_at - begin) / whole)
    width = max(SHORTEST, WIDTH * (((each.gone_at or now) - each.first_seen_at) / whole))
    x = min(x, WIDTH - width)
    return Bar(each, word_of(each), round(x, 2), round(width, 2), in_words(each, now))


def word_of(each: Listing) -> words.Word:
    if each.gone_at is not None:
        return words.Word("gone", "good")
    return words.ON_LIST.get(each.status, words.Word(each.status))


def in_words(each: Listing, now: datetime) -> str:
    if each.gone_at is not None:
        return f"named for {when.span(each.gone_at - each.first_seen_at)}, gone {when.age(each.gone_at, now)}"
    return f"named for {when.span(now - each.first_seen_at)}, last seen {when.age(each.last_seen_at, now)}"
