"""Which assignment decides: claims in, finding out. Pure.

The most specific prefix that somebody held at that time decides, and nothing behind it: inside a shared
address whose ports name nobody, the holder of the block around it is not accused instead.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from enum import Enum
from typing import NamedTuple

from complaints.attribution.answers import Question

# How long a report may travel that does not say when it happened: who held it then must be who holds it now.
UNKNOWN_TIME_WINDOW = timedelta(hours=48)


class Claim(NamedTuple):
    """One assignment as attribution sees it. valid_until: first moment it no longer holds; None: open."""

    key: bytes
    contract_id: int
    kind: str
    valid_from: datetime
    valid_until: datetime | None
    port_first: int
    port_last: int

    def covers(self, at: datetime) -> bool:
        return self.valid_from <= at and (self.valid_until is None or at < self.valid_until)


Levels = Sequence[Sequence[Claim]]  # the claims of each enclosing prefix, most specific first


class Why(Enum):
    HELD = "one contract held it"
    NOBODY = "nobody held it"
    PORT_OF_NOBODY = "held by ports, but that port by nobody"
    PORT_MISSING = "several held parts of the ports, and the port is not known"
    CONFLICT = "several held the same at once"
    CHANGED = "the time is not known, and the holder changed"


@dataclasses.dataclass(frozen=True, slots=True)
class Finding:
    """`claims`: the one that decided when HELD, else all that could be meant, one a contract."""

    why: Why
    claims: tuple[Claim, ...] = ()


def decide(question: Question, levels: Levels) -> Finding:
    deciding = most_specific(levels, question.at)
    meant = on_port(deciding, question.port)
    contracts = one_each(meant)
    if len(contracts) > 1:
        return Finding(Why.CONFLICT if question.port or ports_overlap(meant) else Why.PORT_MISSING, contracts)
    if not question.at_exactly:
        possible = one_each([*meant, *meant_before(question, levels)])
        if len(possible) != len(contracts):
            return Finding(Why.CHANGED, possible)
    if contracts:
        return Finding(Why.HELD, contracts)
    return Finding(Why.PORT_OF_NOBODY if deciding else Why.NOBODY)


def most_specific(levels: Levels, at: datetime) -> list[Claim]:
    for claims in levels:
        covering = [claim for claim in claims if claim.covers(at)]
        if covering:
            return covering
    return []


def on_port(claims: list[Claim], port: int | None) -> list[Claim]:
    return [claim for claim in claims if claim.port_first <= port <= claim.port_last] if port else claims


def one_each(claims: Sequence[Claim]) -> tuple[Claim, ...]:
    """One claim a contract: the youngest, where a contract holds the same twice."""
    if len(claims) < 2:
        return tuple(claims)
    found: dict[int, Claim] = {}
    for claim in claims:
        known = found.get(claim.contract_id)
        if known is None or claim.valid_from > known.valid_from:
            found[claim.contract_id] = claim
    return tuple(found.values())


def ports_overlap(claims: Sequence[Claim]) -> bool:
    """True when two contracts hold a port in common: then knowing the port would not help."""
    reach, holder = -1, None
    for claim in sorted(claims, key=lambda claim: claim.port_first):
        if claim.port_first <= reach and claim.contract_id != holder:
            return True
        if claim.port_last > reach:
            reach, holder = claim.port_last, claim.contract_id
    return False


def meant_before(question: Question, levels: Levels) -> Iterator[Claim]:
    """Everybody who could be meant in the window before the question, moment of change by moment of change.

    Time without any holder counts for nothing: a lease that lapsed and came back is not a change.
    """
    for at in moments(question.at - UNKNOWN_TIME_WINDOW, question.at, levels):
        yield from on_port(most_specific(levels, at), question.port)


def moments(since: datetime, until: datetime, levels: Levels) -> list[datetime]:
    """`since`, and every moment from then to before `until` at which some claim begins or ends."""
    edges = {edge for claims in levels for claim in claims for edge in (claim.valid_from, claim.valid_until) if edge}
    return [since, *sorted(edge for edge in edges if since < edge < until)]
