"""import_assignments: which contract holds which prefix, and ports, from when until when."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from django.db import IntegrityError, transaction

from complaints.addresses import prefix_text
from complaints.attribution.importing.cells import one_of, port_or, prefix, required, time, time_or_open
from complaints.attribution.importing.reading import Progress, Sheet
from complaints.attribution.importing.staged_assignments import Staged
from complaints.attribution.importing.staging import Cells, steps
from complaints.attribution.importing.upsert import Summary, ids_by_reference, keep_other_writers_out
from complaints.attribution.lookup import as_time, names_of
from complaints.attribution.networks import OwnNetworks
from complaints.attribution.times import utc_text
from complaints.models import Assignment, Contract
from complaints.models.assignments import ALL_PORTS

COLUMNS = ("contract", "prefix", "kind", "valid_from", "valid_until", "port_first", "port_last")
KIND, PORT_FIRST, PORT_LAST = one_of(Assignment.Kind.values), port_or(ALL_PORTS[0]), port_or(ALL_PORTS[1])


def import_assignments(
    stream: Iterable[str], *, name: str, dry_run: bool = False, progress: Progress | None = None
) -> Summary:
    """Add the file's assignments; one that is known (prefix, valid_from, port_first, contract) gets its new end.

    None is ever removed: history stays, an assignment ends by its valid_until.

    Raises:
        ImportRefused: with every fault; nothing was changed.
    """
    sheet = Sheet(stream, COLUMNS, name=name, progress=progress)
    with Staged() as staged:
        staged.fill(with_contracts(sheet, read_assignments(sheet)))
        for line, first, contract in staged.repeated():
            known = names_of([contract])[contract]
            sheet.fault(line, "contract", f"{known!r} has this prefix, valid_from and port_first also in line {first}")
        sheet.seal()
        summary = Summary(name, sheet.lines)
        with transaction.atomic():
            keep_other_writers_out(Assignment)
            staged.note_prefix_lengths()
            staged.touched(summary.spans)
            write(staged, sheet, summary)
            if dry_run:
                transaction.set_rollback(True)
    return summary


def write(staged: Staged, sheet: Sheet, summary: Summary) -> None:
    try:
        with transaction.atomic():
            summary.created, summary.updated = staged.write()
    except IntegrityError:
        name_overlaps(staged, sheet)
        sheet.seal()
        raise  # something else than two holders
    summary.unchanged = summary.lines - summary.created - summary.updated


def read_assignments(sheet: Sheet) -> Iterator[Cells]:
    """Line, prefix key, valid_from, port_first, contract reference, kind, valid_until, port_last."""
    ours = OwnNetworks()
    for row in sheet.rows():
        key, since = row.read("prefix", prefix), row.read("valid_from", time)
        first, contract = row.read("port_first", PORT_FIRST), row.read("contract", required)
        kind, until = row.read("kind", KIND), row.read("valid_until", time_or_open)
        last = row.read("port_last", PORT_LAST)
        if key is None or since is None or first is None or last is None or not row.good:
            continue
        if not ours.hold_prefix(key):
            row.refuse("prefix", f"{prefix_text(key)!r} is not inside any of our networks")
        if until is not None and until <= since:
            row.refuse("valid_until", f"{utc_text(until)} is not after valid_from, {utc_text(since)}")
        if last < first:
            row.refuse("port_last", f"{last} is before port_first, {first}")
        if row.good:
            yield row.line, key, since, first, contract, kind, until, last


def with_contracts(sheet: Sheet, rows: Iterable[Cells], column: int = 4) -> Iterator[Cells]:
    """The rows with the contract's id instead of its reference; a fault for each line that names none of ours."""
    for some in steps(rows):
        known = ids_by_reference(Contract, (row[column] for row in some))
        for row in some:
            if row[column] in known:
                yield (*row[:column], known[row[column]], *row[column + 1 :])
            else:
                sheet.fault(row[0], "contract", f"{row[column]!r} is not known: import the contracts first")


def name_overlaps(staged: Staged, sheet: Sheet) -> None:
    for line, here, other_line, other, key, since, port, by_ports in staged.overlaps():
        names = names_of((here, other))
        what = f"{prefix_text(key)} at {utc_text(as_time(since))}"
        if by_ports:
            what += f", port {port}"
        where = f"line {other_line}" if other_line else "stored"
        sheet.fault(line, "prefix", f"{names[here]} (here) and {names[other]} ({where}) would both hold {what}")
