"""import_assignments: which contract holds which prefix, and ports, from when until when."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from django.db import transaction

from complaints.addresses import family_of, prefix_text
from complaints.attribution.importing.cells import one_of, port_or, prefix, required, time, time_or_open
from complaints.attribution.importing.overlap import Span, overlapping
from complaints.attribution.importing.reading import Progress, Row, Sheet
from complaints.attribution.importing.upsert import (
    Cells,
    Summary,
    Table,
    ids_by_reference,
    keep_other_writers_out,
    upsert,
)
from complaints.attribution.lookup import names_of
from complaints.attribution.networks import OwnNetworks
from complaints.attribution.times import utc_text
from complaints.models import Assignment, Contract, PrefixLength
from complaints.models.assignments import ALL_PORTS

COLUMNS = ("contract", "prefix", "kind", "valid_from", "valid_until", "port_first", "port_last")
ASSIGNMENTS = Table(
    Assignment, ("key", "valid_from", "port_first", "contract_id"), ("kind", "valid_until", "port_last")
)


def import_assignments(
    stream: Iterable[str], *, name: str, dry_run: bool = False, progress: Progress | None = None
) -> Summary:
    """Add the file's assignments; one that is known (prefix, valid_from, port_first, contract) gets its new end.

    None is ever removed: history stays, an assignment ends by its valid_until.

    Raises:
        ImportRefused: with every fault; nothing was changed.
    """
    sheet = Sheet(stream, COLUMNS, name=name, progress=progress)
    said = read_assignments(sheet)
    contracts = known_contracts(sheet, said)
    sheet.seal()
    spans = {
        Span(key, since, port, contracts[contract], *values): line
        for (key, since, port, contract), (line, *values) in said.items()
    }
    summary = Summary(name, sheet.lines)
    with transaction.atomic():
        keep_other_writers_out(Assignment)
        note_prefix_lengths({span.key for span in spans})
        upsert(ASSIGNMENTS, spans, summary, check=OverlapCheck(sheet, spans))
        sheet.seal()
        if dry_run:
            transaction.set_rollback(True)
    return summary


def read_assignments(sheet: Sheet) -> dict[Cells, Cells]:
    """Line, kind, valid_until and port_last by prefix key, valid_from, port_first and contract reference."""
    found: dict[Cells, Cells] = {}
    ours = OwnNetworks()
    for row in sheet.rows():
        identity = (
            row.read("prefix", prefix),
            row.read("valid_from", time),
            row.read("port_first", port_or(ALL_PORTS[0])),
            row.read("contract", required),
        )
        kind = row.read("kind", one_of(Assignment.Kind.values))
        values = (kind, row.read("valid_until", time_or_open), row.read("port_last", port_or(ALL_PORTS[1])))
        if row.good:
            check_row(row, Span(*identity, *values), ours)  # type: ignore[arg-type]  # good: nothing is None
        if row.good and identity in found:
            there = found[identity][0]
            row.refuse("contract", f"{identity[3]!r} has this prefix, valid_from and port_first also in line {there}")
        if row.good:
            found[identity] = (row.line, *values)
    return found


def check_row(row: Row, span: Span, ours: OwnNetworks) -> None:
    if not ours.hold_prefix(span.key):
        row.refuse("prefix", f"{prefix_text(span.key)!r} is not inside any of our networks")
    if span.valid_until is not None and span.valid_until <= span.valid_from:
        row.refuse("valid_until", f"{utc_text(span.valid_until)} is not after valid_from, {utc_text(span.valid_from)}")
    if span.port_last < span.port_first:
        row.refuse("port_last", f"{span.port_last} is before port_first, {span.port_first}")


def known_contracts(sheet: Sheet, said: Mapping[Cells, Cells]) -> dict[str, int]:
    """Their ids by reference; a fault for each line that names another."""
    known = ids_by_reference(Contract, (identity[3] for identity in said))
    for identity, (line, *_) in said.items():
        if identity[3] not in known:
            sheet.fault(line, "contract", f"{identity[3]!r} is not known: import the contracts first")
    return known


def note_prefix_lengths(keys: Iterable[bytes]) -> None:
    """Tell the look-up which lengths to ask for. They are never taken back: one too many costs a key a
    look-up, one too few would name the holder of the block around instead of the holder.
    """
    lengths = {(family_of(key), key[0]) for key in keys}
    rows = [PrefixLength(family=family, length=length) for family, length in sorted(lengths)]
    PrefixLength.objects.bulk_create(rows, ignore_conflicts=True)


class OverlapCheck:
    """Refuses what two contracts would hold at once, by the file alone or with what is stored."""

    def __init__(self, sheet: Sheet, lines: Mapping[Span, int]) -> None:
        self.sheet, self.lines = sheet, lines

    def __call__(self, stored_then: Mapping[Cells, Cells]) -> None:
        for pair in overlapping(Span(*identity, *values) for identity, values in stored_then.items()):
            named = sorted((self.lines[span], span) for span in pair if span in self.lines)
            if named:  # else both are stored already, and this file does not make it worse
                line, here = named[-1]
                self.refuse(line, here, pair[0] if here == pair[1] else pair[1])

    def refuse(self, line: int, here: Span, other: Span) -> None:
        names = names_of((here.contract_id, other.contract_id))
        where = f"line {self.lines[other]}" if other in self.lines else "stored"
        since = utc_text(max(here.valid_from, other.valid_from))
        what = f"{prefix_text(here.key)} at {since}"
        if (here.port_first, here.port_last) != ALL_PORTS:
            what += f", port {max(here.port_first, other.port_first)}"
        both = f"{names[here.contract_id]} (here) and {names[other.contract_id]} ({where})"
        self.sheet.fault(line, "prefix", f"{both} would both hold {what}")
