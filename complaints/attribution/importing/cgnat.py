"""import_cgnat: port blocks of a deterministic CGNAT, RFC 7422: who has which is a calculation, so nothing is logged.

Each line is a rule of the translator. The addresses inside get blocks of block_size ports in their order: with order
`ports` one address outside is filled before the next, with `addresses` every one gets a first block before any gets a
second. Translators differ in this and nothing in the traffic shows it, so it must be said. Who has an address inside
is known from the other imports; each of them gets the block for as long as the address. Import it again when they
changed: what ended, ends.
"""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import datetime

from django.db.models import Q

from complaints.addresses import MAPPED, enclosing_keys, family_of, prefix_text
from complaints.attribution.importing.assignments import prepare
from complaints.attribution.importing.cells import one_of, port_or, prefix, required, time, time_or_open
from complaints.attribution.importing.holding_files import import_holdings
from complaints.attribution.importing.reading import Progress, Row, Sheet
from complaints.attribution.importing.staged_holdings import ASSIGNMENTS
from complaints.attribution.importing.staging import Cells
from complaints.attribution.importing.upsert import Summary
from complaints.attribution.networks import OwnNetworks
from complaints.attribution.times import utc_text
from complaints.models import Assignment, PrefixLength
from complaints.models.assignments import ALL_PORTS

COLUMNS = (
    "outside_prefix", "inside_prefix", "block_size", "port_first", "port_last", "order", "valid_from", "valid_until",
)  # fmt: skip
ORDER = one_of(("ports", "addresses"))
MOST_INSIDE = 1 << 22  # addresses of 100.64.0.0/10, RFC 6598
FIRST_PORT, LAST_PORT = 1024, 65535
Period = tuple[datetime, datetime | None, int]  # from, until, contract


@dataclasses.dataclass(frozen=True, slots=True)
class Rule:
    line: int
    outside: bytes
    inside: bytes
    block_size: int
    port_first: int
    port_last: int
    order: str
    valid_from: datetime
    valid_until: datetime | None

    @property
    def blocks(self) -> int:
        """Of one address outside; ports that fill no block are not used."""
        return (self.port_last - self.port_first + 1) // self.block_size

    def block(self, number: int) -> tuple[bytes, int]:
        """Address outside, as prefix key, and first port of the inside address with this number."""
        if self.order == "ports":
            address, block = divmod(number, self.blocks)
        else:
            block, address = divmod(number, size_of(self.outside))
        first = int.from_bytes(self.outside[1:], "big") + address
        return bytes([32]) + first.to_bytes(4, "big"), self.port_first + block * self.block_size


def import_cgnat(
    stream: Iterable[str], *, name: str, dry_run: bool = False, progress: Progress | None = None
) -> Summary:
    """Give the holders of the inside addresses their port blocks. `lines` of the summary counts blocks.

    Raises:
        ImportRefused: with every fault; nothing was changed.
    """
    sheet = Sheet(stream, COLUMNS, name=name, progress=progress)
    rules = list(read_rules(sheet))
    sheet.seal()
    sheet.lines = 0

    def rows() -> Iterator[Cells]:
        for rule in rules:
            for row in blocks_of(rule):
                sheet.lines += 1
                yield row

    return import_holdings(
        ASSIGNMENTS,
        sheet,
        rows(),
        says_again="this address, valid_from and first port",
        column="outside_prefix",
        what=lambda thing: prefix_text(thing[0]),
        before_writing=prepare,
        dry_run=dry_run,
    )


def read_rules(sheet: Sheet) -> Iterator[Rule]:
    ours = OwnNetworks()
    for row in sheet.rows():
        outside, inside = row.read("outside_prefix", prefix), row.read("inside_prefix", prefix)
        size, order = row.read("block_size", block_size), row.read("order", ORDER)
        first, last = row.read("port_first", port_or(FIRST_PORT)), row.read("port_last", port_or(LAST_PORT))
        since, until = row.read("valid_from", time), row.read("valid_until", time_or_open)
        if row.good and outside and inside and size and order and since and first is not None and last is not None:
            rule = Rule(row.line, outside, inside, size, first, last, order, since, until)
            check(row, rule, ours)
            if row.good:
                yield rule


def block_size(cell: str) -> int:
    if not (required(cell).isascii() and cell.isdigit() and 0 < int(cell) <= 65536):
        raise ValueError(f"{cell!r} is not a number of ports from 1 to 65536")
    return int(cell)


def check(row: Row, rule: Rule, ours: OwnNetworks) -> None:
    for column, key in (("outside_prefix", rule.outside), ("inside_prefix", rule.inside)):
        if family_of(key) != 4:
            row.refuse(column, f"{prefix_text(key)!r} is not IPv4")
    if not row.good:
        return
    if not ours.hold_prefix(rule.outside):
        row.refuse("outside_prefix", f"{prefix_text(rule.outside)!r} is not inside any of our networks")
    if rule.valid_until is not None and rule.valid_until <= rule.valid_from:
        ends, begins = utc_text(rule.valid_until), utc_text(rule.valid_from)
        row.refuse("valid_until", f"{ends} is not after valid_from, {begins}")
    room, needed = rule.blocks * size_of(rule.outside), size_of(rule.inside)
    if needed > MOST_INSIDE:
        row.refuse("inside_prefix", f"{prefix_text(rule.inside)!r} is larger than a /10")
    elif room < needed:
        row.refuse("block_size", f"there is room for {max(room, 0):,} blocks, but {needed:,} addresses are inside")


def size_of(key: bytes) -> int:
    return 1 << (32 - key[0])


def blocks_of(rule: Rule) -> Iterator[Cells]:
    """As ASSIGNMENTS is staged: line, key, valid_from, port_first, contract, kind, valid_until, port_last."""
    for number, held in sorted(holders_inside(rule).items()):
        key, first = rule.block(number)
        for since, until, contract in in_time(most_specific(held), rule):
            yield rule.line, key, since, first, contract, Assignment.Kind.CGNAT, until, first + rule.block_size - 1


def holders_inside(rule: Rule) -> dict[int, list[tuple[int, Period]]]:
    """By number of the inside address: who held it, with the prefix length by which they did."""
    base, size = int.from_bytes(rule.inside[1:], "big"), size_of(rule.inside)
    found: dict[int, list[tuple[int, Period]]] = defaultdict(list)
    rows = Assignment.objects.filter(around_or_inside(rule.inside), port_first=ALL_PORTS[0], port_last=ALL_PORTS[1])
    columns = rows.values_list("key", "valid_from", "valid_until", "contract_id").iterator()
    for key, *period in columns:
        key = bytes(key)
        first = int.from_bytes(key[1:], "big")
        for address in range(max(first, base), min(first + size_of(key), base + size)):
            found[address - base].append((key[0], tuple(period)))  # type: ignore[arg-type]  # three columns
    return found


def around_or_inside(inside: bytes) -> Q:
    lengths = list(PrefixLength.objects.filter(family=4).values_list("length", flat=True))
    wanted = Q(key__in=enclosing_keys(MAPPED + inside[1:], [length for length in lengths if length <= inside[0]]))
    last = int.from_bytes(inside[1:], "big") + size_of(inside) - 1
    for length in lengths:
        if length > inside[0]:
            wanted |= Q(key__gte=bytes([length]) + inside[1:], key__lte=bytes([length]) + last.to_bytes(4, "big"))
    return wanted


def most_specific(held: list[tuple[int, Period]]) -> Iterator[Period]:
    """The history of one address: of several prefixes the longest one at each time."""
    if len(held) == 1:
        yield held[0][1]
        return
    edges = sorted({edge for _, (since, until, _) in held for edge in (since, until) if edge is not None})
    for since, until in zip(edges, [*edges[1:], None], strict=True):
        there = [(length, who) for length, (begin, end, who) in held if begin <= since and (end is None or since < end)]
        if there:
            yield since, until, max(there)[1]


def in_time(periods: Iterable[Period], rule: Rule) -> Iterator[Period]:
    """Cut to the rule's time, neighbours of one contract together."""
    last: Period | None = None
    for since, until, contract in periods:
        since = max(since, rule.valid_from)
        if rule.valid_until is not None:
            until = rule.valid_until if until is None else min(until, rule.valid_until)
        if until is not None and until <= since:
            continue
        if last and last[2] == contract and last[1] == since:
            last = (last[0], until, contract)
            continue
        if last:
            yield last
        last = (since, until, contract)
    if last:
        yield last
