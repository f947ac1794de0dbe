"""Rows into a table by the ISP's own reference: what is new is inserted, what differs is changed, the rest is left.

Runs inside the caller's transaction. Only rows that differ are written, so importing a file again costs reads.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import Any

from django.db import connection, models

from complaints.attribution.importing.spans import Spans
from complaints.models.bulk import insert_rows, update_rows

Cells = tuple[Any, ...]
ROWS_A_CHUNK = 1_000  # also keys a query: with many more PostgreSQL reads the whole table for each chunk


@dataclasses.dataclass(frozen=True)
class Table:
    """Rows are identity + values. The first column of the identity is what stored rows are looked up by."""

    model: type[models.Model]
    identity: tuple[str, ...]
    values: tuple[str, ...]


@dataclasses.dataclass
class Summary:
    """What the import commands print, all but `spans`. Counts are rows of our tables."""

    file: str
    lines: int = 0
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    removed: int = 0
    placed: int | None = None  # leases that waited for an identifier of the file
    spans: Spans = dataclasses.field(default_factory=Spans)  # whose past complaints may have another owner now

    def printed(self) -> dict[str, Any]:
        found = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        del found["spans"]
        return {name: value for name, value in found.items() if value is not None}


def upsert(table: Table, rows: Iterable[Cells], summary: Summary) -> None:
    """Make the table hold `rows`; each identity may stand in them once."""
    width = len(table.identity)
    for chunk in chunks(sorted(rows, key=lambda row: row[0])):
        stored = stored_rows(table, {row[0] for row in chunk})
        new = [row for row in chunk if row[:width] not in stored]
        known = [(*stored[row[:width]], row[width:]) for row in chunk if row[:width] in stored]
        changed = [(pk, *after) for pk, before, after in known if before != after]
        insert_rows(table.model, (*table.identity, *table.values), new)
        update_rows(table.model, "id", table.values, changed)
        summary.created += len(new)
        summary.updated += len(changed)
        summary.unchanged += len(known) - len(changed)


def stored_rows(table: Table, groups: Iterable[Any]) -> dict[Cells, tuple[int, Cells]]:
    """Primary key and values by identity, of the rows whose first column is among `groups`."""
    width = len(table.identity)
    found = table.model._default_manager.filter(**{f"{table.identity[0]}__in": groups})
    columns = found.values_list("pk", *table.identity, *table.values)
    return {row[1 : width + 1]: (row[0], row[width + 1 :]) for row in columns}


def remove_others(table: Table, groups: Sequence[Any], rows: Iterable[Cells], summary: Summary) -> None:
    """Delete what is stored under `groups` and not among the identities of `rows`."""
    width = len(table.identity)
    listed = {row[:width] for row in rows}
    for start in range(0, len(groups), ROWS_A_CHUNK):
        stored = stored_rows(table, groups[start : start + ROWS_A_CHUNK])
        gone = [pk for identity, (pk, _) in stored.items() if identity not in listed]
        summary.removed += table.model._default_manager.filter(pk__in=gone).delete()[0] if gone else 0


def ids_by_reference(model: type[models.Model], references: Iterable[str]) -> dict[str, int]:
    wanted = sorted(set(references))
    found: dict[str, int] = {}
    for start in range(0, len(wanted), ROWS_A_CHUNK):
        some = model._default_manager.filter(reference__in=wanted[start : start + ROWS_A_CHUNK])
        found.update(some.values_list("reference", "pk"))
    return found


def chunks(rows: Iterable[Cells]) -> Iterator[list[Cells]]:
    """Rows of one first column stay together."""
    chunk: list[Cells] = []
    for _, together in groupby(rows, key=lambda row: row[0]):
        chunk += together
        if len(chunk) >= ROWS_A_CHUNK:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def keep_other_writers_out(*tables: type[models.Model]) -> None:
    """Until the transaction ends; readers go on. SQLite has one writer anyhow.

    What is compared with the stored rows must still be true when it is written: two imports at once
    could otherwise store two holders of one address.
    """
    if connection.vendor == "postgresql":
        names = ", ".join(connection.ops.quote_name(model._meta.db_table) for model in tables)
        with connection.cursor() as cursor:
            cursor.execute(f"LOCK TABLE {names} IN SHARE ROW EXCLUSIVE MODE")
