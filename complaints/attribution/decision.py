"""Which assignment decides: claims in, finding out. Pure.

The most specific prefix that somebody held at that time decides, and nothing behind it: inside a shared
address whose ports name nobody, the holder of the block around it is not accused instead. Clocks differ,
so the same is asked of every moment that the time could mean, and two possible holders are one doubt.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import Enum
from typing import NamedTuple

from complaints.attribution.answers import Question
from complaints.attribution.times import shifted

# How long a report may travel that does not say when it happened: who held it then must be who holds it now.
UNKNOWN_TIME_WINDOW = timedelta(hours=48)

Stretch = tuple[datetime, datetime]  # from, and until before


STRANGER, DISPUTANT = -1, -2  # in the place of a contract's id: who has a lease that could not be placed


class Claim(NamedTuple):
    """One assignment as attribution sees it. valid_until: first moment it no longer holds; None: open.

    said_at: when the event happened that a feed of leases told last of it; None: it comes from a table. feed: its id.
    A lease that waits is a claim of STRANGER, whose identifier no contract has, or of DISPUTANT, which a contract has,
    but another one has the prefix by a table; `kind` is its identifier then.
    """

    key: bytes
    contract_id: int
    kind: str
    valid_from: datetime
    valid_until: datetime | None
    port_first: int
    port_last: int
    said_at: datetime | None = None
    feed: int | None = None

    def covers(self, at: datetime) -> bool:
        return self.valid_from <= at and (self.valid_until is None or at < self.valid_until)

    def touches(self, stretch: Stretch) -> bool:
        since, until = stretch
        return self.valid_from < until and (self.valid_until is None or since < self.valid_until)


Levels = Sequence[Sequence[Claim]]  # the claims of each enclosing prefix, most specific first
PORTS = (1, 65535)  # port 0 is no port
MOMENT = datetime.resolution  # times end before their end; a window includes its last moment


class Why(Enum):
    HELD = "one contract held it"
    STRANGER = "somebody unknown may have leased it"
    NOBODY = "nobody held it"
    PORT_OF_NOBODY = "held by ports, but that port by nobody"
    PORT_MISSING = "held by ports, and the port is not known"
    CONFLICT = "several held the same at once"
    CHANGED = "the time is not known, and the holder changed"
    NEAR_CHANGE = "the holder changed, and the time may be off by more than that was away"


@dataclasses.dataclass(frozen=True, slots=True)
class Finding:
    """`claims`: who held it at that time, one a contract; `others`: who else could be meant, the time being unsure.

    held: every claim that the answer rests on.
    """

    why: Why
    claims: tuple[Claim, ...] = ()
    others: tuple[Claim, ...] = ()
    held: tuple[Claim, ...] = dataclasses.field(default=(), compare=False)

    @property
    def possible(self) -> tuple[Claim, ...]:
        return self.claims + self.others


def window(question: Question) -> Stretch:
    """When the event may have been: from, and until before."""
    if question.at_exactly:
        until = shifted(question.at, question.slack)
        if question.known_by is not None:
            until = min(until, max(question.at, question.known_by))
        return shifted(question.at, -question.slack), shifted(until, MOMENT)
    return shifted(question.at, -UNKNOWN_TIME_WINDOW), shifted(question.at, MOMENT)


def decide(question: Question, levels: Levels) -> Finding:
    """The owner only if nobody else is possible: at any moment of the window, with the ports as they were then."""
    deciding = most_specific(levels, question.at)
    meant = on_port(deciding, question.port)
    contracts = one_each(meant)
    possible = meant_within(window(question), levels, question.port)
    known = {claim.contract_id for claim in contracts}
    others = one_each([claim for claim in possible if claim.contract_id not in known])
    if any(is_unplaced(claim) for claim in possible):
        return Finding(Why.STRANGER, contracts, others)
    if len(contracts) > 1:
        is_conflict = question.port or ports_overlap(meant)
        return Finding(Why.CONFLICT if is_conflict else Why.PORT_MISSING, contracts, others)
    if others:
        return Finding(Why.NEAR_CHANGE if question.at_exactly else Why.CHANGED, contracts, others)
    if contracts:
        needs_port = not question.port and any(has_part_of_ports(claim) for claim in possible)
        return Finding(Why.PORT_MISSING if needs_port else Why.HELD, contracts, held=tuple(possible))
    return Finding(Why.PORT_OF_NOBODY if deciding else Why.NOBODY)


def missing(question: Question, finding: Finding) -> tuple[str, ...]:
    """What a reporter could add (RFC 6302 section 2) that would decide it; nothing where our own data is wrong."""
    if finding.why is Why.CONFLICT or any(is_unplaced(claim) for claim in finding.claims):
        return ()
    port = not question.port and any(has_part_of_ports(claim) for claim in finding.possible)
    return ("port",) * port + ("time",) * bool(finding.others)


def meant_within(stretch: Stretch, levels: Levels, port: int | None) -> list[Claim]:
    """Every claim that decides at some moment of the stretch: nobody held a more specific prefix then.

    Time without any holder counts for nothing: a lease that lapsed and came back is not a change.
    """
    found: list[Claim] = []
    open_parts = [stretch]
    for claims in levels:
        found += [claim for claim in on_port(claims, port) if any(claim.touches(part) for part in open_parts)]
        open_parts = without(open_parts, claims)
        if not open_parts:
            break
    return found


def without(parts: list[Stretch], claims: Sequence[Claim]) -> list[Stretch]:
    """What of the parts (in order, apart) no claim covers."""
    left: list[Stretch] = []
    in_order = sorted(claims, key=lambda claim: claim.valid_from)
    for since, until in parts:
        for claim in in_order:
            if claim.touches((since, until)):
                if since < claim.valid_from:
                    left.append((since, claim.valid_from))
                if claim.valid_until is None or claim.valid_until >= until:
                    break
                since = claim.valid_until
        else:
            left.append((since, until))
    return left


def is_unplaced(claim: Claim) -> bool:
    """A lease that waits: whose it is we do not know, or may not believe."""
    return claim.contract_id < 0


def has_part_of_ports(claim: Claim) -> bool:
    """Whose the other ports are, our data may not say: without the port it is a guess."""
    return claim.port_first > PORTS[0] or claim.port_last < PORTS[1]


def most_specific(levels: Levels, at: datetime) -> list[Claim]:
    for claims in levels:
        covering = [claim for claim in claims if claim.covers(at)]
        if covering:
            return covering
    return []


def on_port(claims: Sequence[Claim], port: int | None) -> Sequence[Claim]:
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
