"""A file that is right against what is stored, prefix by prefix: what becomes of each stored row. Pure.

A row is a rectangle of time and ports. What the file claims of it is taken out; what is left stays as it was, in up
to four parts. A stored row that the file names itself (contract, start and first port) becomes what the file says.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import NamedTuple

from complaints.models import AssignmentChange

Action = AssignmentChange.Action


class Part(NamedTuple):
    contract_id: int
    kind: str
    valid_from: datetime
    valid_until: datetime | None
    port_first: int
    port_last: int
    said_at: datetime | None = None
    feed: int | None = None

    @property
    def identity(self) -> tuple[datetime, int, int]:
        return self.valid_from, self.port_first, self.contract_id


class Stored(NamedTuple):
    pk: int
    part: Part


class Wanted(NamedTuple):
    line: int
    part: Part


class Change(NamedTuple):
    """pk: of the row that is changed or removed; None: a new one. before and after: as in AssignmentChange."""

    action: AssignmentChange.Action
    line: int
    pk: int | None
    before: Part | None
    after: Part | None


def corrections(stored: Sequence[Stored], wanted: Sequence[Wanted]) -> Iterator[Change]:
    """The changes of one prefix. Nothing for what is stored just so."""
    named = {each.part.identity: each for each in wanted}
    taken: set[tuple[datetime, int, int]] = set()  # identities that rows have in the end
    for row in stored:
        if row.part.identity in named:
            each = named.pop(row.part.identity)
            taken.add(row.part.identity)
            after = each.part._replace(said_at=None, feed=None)
            if after[:6] != row.part[:6]:
                yield Change(action_of(row.part, after), each.line, row.pk, row.part, after)
    rest = [row for row in stored if row.part.identity not in taken]
    taken |= set(named)
    for row in rest:
        yield from cut(row, wanted, taken)
    for each in named.values():
        yield Change(Action.ADDED, each.line, None, None, each.part)


def cut(row: Stored, wanted: Sequence[Wanted], taken: set[tuple[datetime, int, int]]) -> Iterator[Change]:
    """What the file leaves of a row. A part that another row of the contract begins with as well is that one's."""
    parts, line = [row.part], 0
    for each in wanted:
        left = [part for one in parts for part in without(one, each.part)]
        if left != parts:
            parts, line = left, line or each.line
    if not line:
        taken.add(row.part.identity)
        return
    parts = [part for part in sorted(parts, key=lambda part: part.identity) if part.identity not in taken]
    taken |= {part.identity for part in parts}
    if not parts:
        yield Change(Action.REMOVED, line, row.pk, row.part, None)
        return
    yield Change(action_of(row.part, parts[0]), line, row.pk, row.part, parts[0])
    for part in parts[1:]:
        yield Change(Action.SPLIT, line, None, row.part, part)


def without(part: Part, claim: Part) -> Iterator[Part]:
    """`part` less what `claim` holds of its time and ports."""
    begin = max(part.valid_from, claim.valid_from)
    end = earlier(part.valid_until, claim.valid_until)
    first, last = max(part.port_first, claim.port_first), min(part.port_last, claim.port_last)
    if (end is not None and end <= begin) or last < first:
        yield part
        return
    if part.valid_from < begin:
        yield part._replace(valid_until=begin)
    if part.port_first < first:
        yield part._replace(valid_from=begin, valid_until=end, port_last=first - 1)
    if last < part.port_last:
        yield part._replace(valid_from=begin, valid_until=end, port_first=last + 1)
    if end is not None and (part.valid_until is None or end < part.valid_until):
        yield part._replace(valid_from=end)


def earlier(one: datetime | None, other: datetime | None) -> datetime | None:
    return other if one is None else one if other is None else min(one, other)


def action_of(before: Part, after: Part) -> AssignmentChange.Action:
    if after[:3] == before[:3] and after[4:6] == before[4:6]:
        shorter = after.valid_until is not None and (
            before.valid_until is None or after.valid_until < before.valid_until
        )
        return Action.ENDED if shorter else Action.CHANGED
    if after[:2] == before[:2] and after[3:6] == before[3:6]:
        return Action.CUT
    return Action.CHANGED
