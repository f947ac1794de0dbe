"""The cause of a case from everything known about it: the complaints, the checks, the blacklists. Pure.

Each possible cause begins unlikely, and "unknown" as likely as nothing; clues add or take log-odds (clues.py), and the
shares of all of them are the confidence. So what contradicts lowers it, and what repeats raises it a little: ten
complaints about one mail are not ten proofs.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from ..vocabulary import Cause, Diagnosis, Verdict
from .clues import LISTINGS, MEANINGS, ONCE, OWN, POSSIBLE, Clue
from .pattern import pattern_clues
from .sighting import Sighting

PRIOR = -2.0
PROVEN = 0.99
MOST_BY_SHAPE = 0.75  # what reporters show, however many, never proves anything by itself
LEAST = 0.3  # below, a cause is not worth its name
ALSO = 0.15  # from here on a second cause is told
BY_REPORTER, BY_COMPLAINT = 0.15, 0.05  # what each doubling adds to a clue's weight
MOST_REASONS = 8


@dataclass(frozen=True, slots=True)
class Weighed:
    """A clue of the case: its worth as a factor, and in words where it was seen."""

    name: str
    factor: float
    words: str

    def speaks_for(self, cause: Cause) -> float:
        return self.factor * MEANINGS[self.name].weights.get(cause, 0.0)


def diagnose_case(sightings: Sequence[Sighting], *, relay: Verdict | None, listing_causes: Iterable[str]) -> Diagnosis:
    """`relay`: the last relay check, None when none has finished. `listing_causes`: what blacklists say of the address,
    such as "bot" (dnsbls.yaml)."""
    if relay is Verdict.BAD:
        return Diagnosis(
            cause=Cause.OPEN_RELAY, confidence=PROVEN, reasons=("Our test mail came back through this server",)
        )
    found = [*weigh(sightings), *own_findings(relay, listing_causes)]
    shares = shares_of(found, possible(sightings))
    cause = max(shares, key=lambda each: shares[each], default=Cause.UNKNOWN)
    if shares.get(cause, 0.0) < LEAST:
        return Diagnosis(cause=Cause.UNKNOWN, confidence=0.0, reasons=why_unknown(found, sightings))
    sure = any(each.name in OWN and each.speaks_for(cause) > 0 for each in found)
    confidence = round(min(shares[cause], PROVEN if sure else MOST_BY_SHAPE), 2)
    return Diagnosis(cause=cause, confidence=confidence, reasons=tuple(explain(cause, found, shares))[:MOST_REASONS])


def possible(sightings: Sequence[Sighting]) -> list[Cause]:
    causes = [cause for each in sightings for cause in POSSIBLE.get(each.category, ())]
    return list(dict.fromkeys(causes or [Cause.OPEN_RELAY, Cause.BOT]))  # only listed: these are what lists can say


def weigh(sightings: Sequence[Sighting]) -> Iterator[Weighed]:
    """Each clue of the complaints once, worth by how many of those that show anything show it, and how many say so."""
    telling = [each for each in sightings if each.clues]
    seen: dict[str, list[tuple[Sighting, Clue]]] = defaultdict(list)
    for sighting in telling:
        for clue in sighting.clues:
            seen[clue.name].append((sighting, clue))
    for name, shown in seen.items():
        reporters = {sighting.reporter for sighting, _ in shown}
        share = 1.0 if name in ONCE else len(shown) / len(telling)
        growth = 1 + BY_REPORTER * math.log2(len(reporters)) + BY_COMPLAINT * math.log2(len(shown))
        words = shown[0][1].detail or MEANINGS[name].words
        yield Weighed(name, share * growth, counted(words, len(shown), len(telling), len(reporters)))
    for clue in pattern_clues(telling):
        yield Weighed(clue.name, 1.0, clue.detail or MEANINGS[clue.name].words)


def counted(words: str, shown: int, telling: int, reporters: int) -> str:
    if telling == 1:
        return words
    voices = f"; {reporters} reporters" if reporters > 1 else ""
    return f"{words} ({shown} of {telling} complaints{voices})"


def own_findings(relay: Verdict | None, listing_causes: Iterable[str]) -> Iterator[Weighed]:
    if relay is Verdict.CLEAN:
        yield Weighed("relay_refused", 1.0, MEANINGS["relay_refused"].words)
    for name in sorted({LISTINGS[cause] for cause in listing_causes if cause in LISTINGS}):
        yield Weighed(name, 1.0, MEANINGS[name].words)


def shares_of(found: Sequence[Weighed], causes: Sequence[Cause]) -> dict[Cause, float]:
    odds = {cause: math.exp(PRIOR + sum(each.speaks_for(cause) for each in found)) for cause in causes}
    whole = 1.0 + sum(odds.values())  # 1: none of them
    return {cause: odd / whole for cause, odd in odds.items()}


def explain(cause: Cause, found: Sequence[Weighed], shares: dict[Cause, float]) -> Iterator[str]:
    """What speaks for it, the weightiest first; then what speaks against it, and what else it may be."""
    ranked = sorted(found, key=lambda each: (-each.speaks_for(cause), each.name))
    yield from (sentence(each.words) for each in ranked if each.speaks_for(cause) > 0)
    yield from (f"Against it: {each.words}" for each in reversed(ranked) if each.speaks_for(cause) < 0)
    others = sorted((share, other) for other, share in shares.items() if other is not cause and share >= ALSO)
    for share, other in reversed(others):
        yield f"It may be {other.replace('_', ' ')} as well ({share:.0%})"


def why_unknown(found: Sequence[Weighed], sightings: Sequence[Sighting]) -> tuple[str, ...]:
    if found:
        return ("Nothing points clearly to one cause", *(sentence(each.words) for each in found))[:MOST_REASONS]
    return tuple(dict.fromkeys(each.why_none for each in sightings if each.why_none))[:3] or (
        "Nothing points to one cause",
    )


def sentence(words: str) -> str:
    return words[:1].upper() + words[1:]
