"""Which rule decides what is done with a complaint: the first that fits, in the order of the desk. Pure.

A rule has conditions of some kinds, and within a kind several values: of each kind one value must fit. A complaint
that says nothing of a kind (no owner is known, no reporter is named) fits no condition of that kind.
"""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from complaints.addresses import enclosing_keys, family_of

IGNORE, ALLOW, THRESHOLD, ROUTE = "ignore", "allow", "threshold", "route"
NONE: frozenset[str] = frozenset()


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One rule. prefixes: keys as complaints.addresses writes them. reporters: addresses, and domains without "@".

    contracts: ids. kinds: of contract. complaints, reporters_needed: 0 asks for no number.
    """

    id: int
    kind: str
    name: str = ""
    prefixes: frozenset[bytes] = frozenset()
    categories: frozenset[str] = NONE
    reporters: frozenset[str] = NONE
    contracts: frozenset[int] | None = None  # None: of any; empty: of one that there is no more
    kinds: frozenset[str] = NONE
    formats: frozenset[str] = NONE
    until: datetime | None = None
    complaints: int = 0
    reporters_needed: int = 0
    days: int = 0
    team: str = ""
    assignee_id: int | None = None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Accused:
    """What a rule may ask about one complaint. address: 16 bytes, or none. reporter: lower case."""

    address: bytes = b""
    category: str
    reporter: str = ""
    contract: int | None = None
    kind: str = ""
    format: str = ""


class Matcher:
    """The rules in force at `now`, sorted so that a batch of hundreds asks each complaint only about few of them."""

    def __init__(self, lines: Sequence[Line], *, now: datetime) -> None:
        self.lines = [line for line in lines if line.until is None or line.until > now]
        self.by_reporter: Mapping[str, list[int]] = defaultdict(list)
        self.by_prefix: Mapping[bytes, list[int]] = defaultdict(list)
        self.others: list[int] = []
        for number, line in enumerate(self.lines):
            if line.reporters:
                put(self.by_reporter, line.reporters, number)
            elif line.prefixes:
                put(self.by_prefix, line.prefixes, number)
            else:
                self.others.append(number)
        self.lengths = lengths_of(self.lines)

    def __bool__(self) -> bool:
        return bool(self.lines)

    @property
    def asks_for_kinds(self) -> bool:
        return any(line.kinds for line in self.lines)

    def first(self, accused: Accused) -> Line | None:
        """The rule that decides; None: none fits."""
        names = names_of(accused.reporter)
        around = enclosing_keys(accused.address, self.lengths[family_of(accused.address)]) if accused.address else []
        found = list(self.others)
        for name in names:
            found += self.by_reporter.get(name, ())
        for prefix in around:
            found += self.by_prefix.get(prefix, ())
        numbers = sorted(found)
        return next((self.lines[n] for n in numbers if fits(self.lines[n], accused, names, around)), None)


def fits(line: Line, accused: Accused, names: Sequence[str], around: Sequence[bytes]) -> bool:
    """`names`: how the reporter may be called. `around`: the prefixes that the address lies in."""
    return (
        (not line.categories or accused.category in line.categories)
        and (not line.formats or accused.format in line.formats)
        and (not line.kinds or accused.kind in line.kinds)
        and (line.contracts is None or accused.contract in line.contracts)
        and (not line.reporters or not line.reporters.isdisjoint(names))
        and (not line.prefixes or not line.prefixes.isdisjoint(around))
    )


def names_of(reporter: str) -> list[str]:
    """The address, its domain, and the domains above that: a rule may name any of them."""
    if not reporter:
        return []
    labels = reporter.rpartition("@")[2].split(".")
    return [reporter, *(".".join(labels[start:]) for start in range(len(labels)))]


def put(table: Mapping[str, list[int]] | Mapping[bytes, list[int]], keys: Iterable[object], number: int) -> None:
    for key in keys:
        table[key].append(number)  # type: ignore[index]


def lengths_of(lines: Iterable[Line]) -> dict[int, list[int]]:
    """By family, the prefix lengths that any rule asks for."""
    keys = {prefix for line in lines for prefix in line.prefixes}
    return {family: sorted({key[0] for key in keys if family_of(key) == family}) for family in (4, 6)}


@dataclasses.dataclass(frozen=True, slots=True)
class Seen:
    """What counts for a threshold: when the abuse was, and who says so (complaints that no reporter names: "")."""

    at: datetime
    reporter: str


def is_reached(line: Line, seen: Sequence[Seen]) -> bool:
    """Whether these, all within the line's days, are enough to open a case."""
    reporters = len({each.reporter for each in seen if each.reporter})
    return len(seen) >= line.complaints and reporters >= line.reporters_needed
