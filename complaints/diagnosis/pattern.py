"""What all complaints of a case say together, and none of them alone. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from .clues import Clue
from .sighting import Sighting

ENOUGH = 4  # complaints; fewer show no pattern
MOST_ALIKE = 0.8
NIGHT = frozenset(range(6))
HOURS = 8


def pattern_clues(sightings: Sequence[Sighting]) -> Iterator[Clue]:
    yield from variety(sightings)
    hours = {each.hour for each in sightings if each.hour is not None}
    if len(sightings) >= 2 * ENOUGH and len(hours) >= HOURS and len(hours & NIGHT) >= 2:
        yield Clue("day_and_night", f"seen in {len(hours)} hours of the day, at night too")


def variety(sightings: Sequence[Sighting]) -> Iterator[Clue]:
    named = [each.helo for each in sightings if each.helo]
    helos = set(named)
    if len(named) >= ENOUGH and len(helos) >= max(3, len(named) // 2):
        yield Clue("many_names", f"it called itself by {len(helos)} names in {len(named)} mails")
    senders = [each.sender for each in sightings if each.sender]
    if len(senders) < ENOUGH:
        return
    if len(set(senders)) >= MOST_ALIKE * len(senders):
        yield Clue("many_senders", f"{len(set(senders))} senders in {len(senders)} mails")
    elif len(set(senders)) == 1:
        yield Clue("one_sender", f"all {len(senders)} mails have a sender at {senders[0]}")
