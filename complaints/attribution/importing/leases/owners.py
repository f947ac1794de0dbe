"""Which contract an identifier meant, and from when until when."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator, Mapping
from datetime import datetime
from typing import NamedTuple

from complaints.addresses import address_key, enclosing_keys, family_of
from complaints.attribution.importing.leases.events import Identifier, LeaseEvent
from complaints.models import Assignment, LineIdentifier, PrefixLength

INSIDE = "inside"  # kind of an identifier: an address behind CGNAT, whose holder is looked up
VALUES_A_QUERY = 1_000


class Period(NamedTuple):
    """valid_from None: since ever; valid_until None: open."""

    valid_from: datetime | None
    valid_until: datetime | None
    contract_id: int

    def covers(self, at: datetime) -> bool:
        begun = self.valid_from is None or self.valid_from <= at
        return begun and (self.valid_until is None or at < self.valid_until)


Owners = Mapping[Identifier, list[Period]]


def look_up_owners(identifiers: Iterable[Identifier]) -> Owners:
    wanted = set(identifiers)
    values = sorted({value for _, value in wanted})
    found: dict[Identifier, list[Period]] = defaultdict(list)
    for start in range(0, len(values), VALUES_A_QUERY):
        rows = LineIdentifier.objects.filter(value__in=values[start : start + VALUES_A_QUERY])
        columns = rows.values_list("kind", "value", "valid_from", "valid_until", "contract_id")
        for kind, value, since, until, contract in columns:
            if (kind, value) in wanted:
                found[kind, value].append(Period(since, until, contract))
    for identifier in wanted:
        if identifier[0] == INSIDE:
            found[identifier] = holders_of(identifier[1])
    return found


def holders_of(address: str) -> list[Period]:
    """Who had an address inside the network, most specific prefix first."""
    key = address_key(address)
    lengths = PrefixLength.objects.filter(family=family_of(key)).order_by("-length").values_list("length", flat=True)
    around = enclosing_keys(key, lengths)
    rows = Assignment.objects.filter(key__in=around).values_list("key", "valid_from", "valid_until", "contract_id")
    nearest_first = sorted(rows, key=lambda row: around.index(bytes(row[0])))
    return [Period(since, until, contract) for _, since, until, contract in nearest_first]


def by_owner(event: LeaseEvent, owners: Owners) -> Iterator[tuple[LeaseEvent, Hashable]]:
    """The event, cut where its identifier went from one contract to another. A holder is a contract's id, or the
    identifiers themselves where none of them was known at that time.

    What lies behind the event's own time is left out: whether it goes on under the next one, a later event will say.
    """
    pieces: list[tuple[datetime, Hashable]] = []
    for since in (event.start, *changes(event, owners)):
        holder = owner_at(event.identifiers, since, owners)
        if not pieces or pieces[-1][1] != holder:
            pieces.append((since, holder))
    for (since, holder), (until, _) in zip(pieces, [*pieces[1:], (event.stop, None)], strict=True):
        if since == event.start or since <= event.said_at:
            yield event._replace(start=since, stop=until), holder


def changes(event: LeaseEvent, owners: Owners) -> list[datetime]:
    """When, while the event lasted, one of its identifiers came to a contract or left it."""
    edges = {
        edge
        for identifier in event.identifiers
        for period in owners.get(identifier, ())
        for edge in (period.valid_from, period.valid_until)
        if edge is not None and edge > event.start
    }
    return sorted(edge for edge in edges if event.stop is None or edge < event.stop)


def owner_at(identifiers: tuple[Identifier, ...], at: datetime, owners: Owners) -> Hashable:
    for identifier in identifiers:
        for period in owners.get(identifier, ()):
            if period.covers(at):
                return period.contract_id
    return identifiers
