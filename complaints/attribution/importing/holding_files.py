"""The way of every file that says what contracts hold: read, compare, refuse two holders, write. All or nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from django.db import IntegrityError, transaction

from complaints.attribution.importing.reading import Sheet
from complaints.attribution.importing.staged_holdings import Holdings, Staged
from complaints.attribution.importing.staging import Cells, steps
from complaints.attribution.importing.upsert import Summary, ids_by_reference, keep_other_writers_out
from complaints.attribution.lookup import as_time, names_of
from complaints.attribution.times import utc_text
from complaints.models import Contract


def import_holdings(
    of: Holdings,
    sheet: Sheet,
    rows: Iterable[Cells],
    *,
    says_again: str,
    column: str,
    what: Callable[[Cells], str],
    before_writing: Callable[[Staged, Summary], None] = lambda _staged, _summary: None,
    dry_run: bool,
) -> Summary:
    """`rows`: as Staged takes them. `column` is where two holders are told, `what` words of the thing's columns.

    Raises:
        ImportRefused: with every fault; nothing was changed.
    """
    with Staged(of) as staged:
        staged.fill(rows)
        refuse_repeats(staged, sheet, says_again)
        sheet.seal()
        summary = Summary(sheet.name, sheet.lines)
        with transaction.atomic():
            keep_other_writers_out(of.model)
            before_writing(staged, summary)
            try:
                with transaction.atomic():
                    summary.created, summary.updated = staged.write()
            except IntegrityError:
                name_holders(staged, sheet, column, what)
                sheet.seal()
                raise  # something else than two holders
            summary.unchanged = summary.lines - summary.created - summary.updated
            if dry_run:
                transaction.set_rollback(True)
    return summary


def refuse_repeats(staged: Staged, sheet: Sheet, says_again: str) -> None:
    for line, first, contract in staged.repeated():
        sheet.fault(line, "contract", f"{names_of([contract])[contract]!r} has {says_again} also in line {first}")


def name_holders(
    staged: Staged, sheet: Sheet, column: str, what: Callable[[Cells], str], *, in_file_only: bool = False
) -> None:
    for line, here, other_line, other, since, port, by_ports, *thing in staged.overlaps(in_file_only=in_file_only):
        names = names_of((here, other))
        words = what(tuple(thing)) + (f" at {utc_text(as_time(since))}" if since else "")
        words += f", port {port}" if by_ports else ""
        where = f"line {other_line}" if other_line else "stored"
        sheet.fault(line, column, f"{names[here]} (here) and {names[other]} ({where}) would both hold {words}")


def with_contracts(sheet: Sheet, rows: Iterable[Cells], column: int) -> Iterator[Cells]:
    """The rows with the contract's id instead of its reference; a fault for each line that names none of ours."""
    for some in steps(rows):
        known = ids_by_reference(Contract, (row[column] for row in some))
        for row in some:
            if row[column] in known:
                yield (*row[:column], known[row[column]], *row[column + 1 :])
            else:
                sheet.fault(row[0], "contract", f"{row[column]!r} is not known: import the contracts first")
