"""import_identifiers and import_names: by what else than an address a contract is known, from when until when.

Nothing is removed: a name that a contract gives up gets its valid_until. Empty times are "since ever" and "open".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from complaints.attribution.importing.cells import one_of, required, text, time_or_open
from complaints.attribution.importing.holding_files import import_holdings, with_contracts
from complaints.attribution.importing.reading import Progress, Row, Sheet
from complaints.attribution.importing.staged_holdings import IDENTIFIERS, NAMES
from complaints.attribution.importing.staging import Cells
from complaints.attribution.importing.upsert import Summary
from complaints.attribution.times import utc_text
from complaints.models import LineIdentifier
from complaints.models.identifiers import host_name, identifier_value

IDENTIFIER_COLUMNS = ("contract", "kind", "value", "valid_from", "valid_until")
NAME_COLUMNS = ("contract", "name", "valid_from", "valid_until")
KIND, VALUE = one_of(LineIdentifier.Kind.values), text(255, may_be_empty=False)


def import_identifiers(
    stream: Iterable[str], *, name: str, dry_run: bool = False, progress: Progress | None = None
) -> Summary:
    """Line identifiers of contracts. Leases that waited for one are placed by place_waiting, not here.

    Raises:
        ImportRefused: with every fault; nothing was changed.
    """
    sheet = Sheet(stream, IDENTIFIER_COLUMNS, name=name, progress=progress)
    return import_holdings(
        IDENTIFIERS,
        sheet,
        with_contracts(sheet, read_identifiers(sheet), 4),
        says_again="this value and valid_from",
        column="value",
        what=lambda thing: f"{thing[1]} {thing[0]}",
        dry_run=dry_run,
    )


def import_names(
    stream: Iterable[str], *, name: str, dry_run: bool = False, progress: Progress | None = None
) -> Summary:
    """Host names that contracts have web space under.

    Raises:
        ImportRefused: with every fault; nothing was changed.
    """
    sheet = Sheet(stream, NAME_COLUMNS, name=name, progress=progress)
    return import_holdings(
        NAMES,
        sheet,
        with_contracts(sheet, read_names(sheet), 3),
        says_again="this name and valid_from",
        column="name",
        what=lambda thing: str(thing[0]),
        dry_run=dry_run,
    )


def read_identifiers(sheet: Sheet) -> Iterator[Cells]:
    for row in sheet.rows():
        contract, kind = row.read("contract", required), row.read("kind", KIND)
        value = row.read("value", VALUE)
        if kind and value:
            value = row.read("value", lambda cell, kind=kind: identifier_value(kind, cell))  # type: ignore[misc]
        since, until = times(row)
        if row.good:
            yield row.line, value, kind, since, contract, until


def read_names(sheet: Sheet) -> Iterator[Cells]:
    for row in sheet.rows():
        contract, host = row.read("contract", required), row.read("name", lambda cell: host_name(required(cell)))
        since, until = times(row)
        if row.good:
            yield row.line, host, since, contract, until


def times(row: Row) -> tuple[object, object]:
    since, until = row.read("valid_from", time_or_open), row.read("valid_until", time_or_open)
    if since and until and until <= since:
        row.refuse("valid_until", f"{utc_text(until)} is not after valid_from, {utc_text(since)}")
    return since, until
