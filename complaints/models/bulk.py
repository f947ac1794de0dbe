"""Many rows at once: COPY on PostgreSQL, executemany on SQLite. Several times quicker than bulk_create.

Rows are tuples in the order of `columns`. No model is built, no default is filled in, no signal is sent.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from django.db import connection, models, transaction
from django.db.backends.utils import CursorWrapper
from psycopg.types.json import Jsonb

Convert = Callable[[Any], Any]
# What both drivers take as it is. Everything not in a table goes through the field's own get_db_prep_save.
AS_IT_IS = (
    models.BinaryField,
    models.IntegerField,
    models.CharField,
    models.TextField,
    models.BooleanField,
    models.FloatField,
)


def reserve_ids(model: type[models.Model], n: int) -> Sequence[int]:
    """`n` primary keys that nobody else will get, rising. They need not be used.

    Without a gap (a range) on SQLite; PostgreSQL may give ids with gaps when others insert beside us.
    """
    if n < 1:
        return range(0)
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SELECT nextval(%s::regclass) FROM generate_series(1, %s)", [sequence_of(model), n])
            ids = sorted(row[0] for row in cursor.fetchall())
            return range(ids[0], ids[-1] + 1) if ids[-1] - ids[0] == n - 1 else ids
        with transaction.atomic(savepoint=False):
            return raise_sequence(cursor, model._meta.db_table, n)


@lru_cache(maxsize=64)
def sequence_of(model: type[models.Model]) -> str:
    """Name of the PostgreSQL sequence behind the primary key."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_get_serial_sequence(%s, %s)",
            [connection.ops.quote_name(model._meta.db_table), model._meta.pk.column],
        )
        return str(cursor.fetchone()[0])


def raise_sequence(cursor: CursorWrapper, table: str, n: int) -> range:
    """AUTOINCREMENT keeps the highest id ever given in sqlite_sequence, from the first insert on."""
    cursor.execute("UPDATE sqlite_sequence SET seq = seq + %s WHERE name = %s RETURNING seq", [n, table])
    row = cursor.fetchone()
    if row is None:
        cursor.execute("INSERT INTO sqlite_sequence (name, seq) VALUES (%s, %s)", [table, n])
    last = row[0] if row else n
    return range(last - n + 1, last + 1)


def insert_rows(model: type[models.Model], columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Insert `rows`; `columns` are field attnames (`message_id`, not `message`). All rows or none.

    Aware datetimes, dicts and lists for JSON columns, bytes and None are stored as the ORM would.
    No savepoint is made: after an error the transaction around must be rolled back.

    Raises:
        django.db.IntegrityError and the other database errors, as the ORM does.
    """
    write = copy_rows if connection.vendor == "postgresql" else insert_many
    with transaction.atomic(savepoint=False):
        write(model, tuple(columns), rows)


def insert_many(model: type[models.Model], columns: tuple[str, ...], rows: Iterable[Sequence[Any]]) -> None:
    names = ", ".join(quoted_columns(model, columns))
    marks = ", ".join("?" * len(columns))
    sql = f"INSERT INTO {connection.ops.quote_name(model._meta.db_table)} ({names}) VALUES ({marks})"  # noqa: S608
    connection.ensure_connection()
    with connection.wrap_database_errors:
        # Below Django's cursor: it would rewrite the marks and count the queries of every batch.
        connection.connection.executemany(sql, convert(rows, converters(model, columns, "sqlite")))


def copy_rows(model: type[models.Model], columns: tuple[str, ...], rows: Iterable[Sequence[Any]]) -> None:
    names = ", ".join(quoted_columns(model, columns))
    sql = f"COPY {connection.ops.quote_name(model._meta.db_table)} ({names}) FROM STDIN (FORMAT BINARY)"
    with connection.wrap_database_errors, connection.cursor() as cursor, cursor.cursor.copy(sql) as copy:
        copy.set_types(copy_types(model, columns))
        for row in convert(rows, converters(model, columns, "postgresql")):
            copy.write_row(row)


def quoted_columns(model: type[models.Model], columns: tuple[str, ...]) -> list[str]:
    return [connection.ops.quote_name(field_of(model, name).column or "") for name in columns]


def field_of(model: type[models.Model], attname: str) -> models.Field[Any, Any]:
    for field in model._meta.concrete_fields:
        if field.attname == attname:
            return field
    raise ValueError(f"{model.__name__} has no column {attname!r}")


@lru_cache(maxsize=64)
def copy_types(model: type[models.Model], columns: tuple[str, ...]) -> tuple[str, ...]:
    """Binary COPY casts nothing: each column's type by its plain name, `varchar(20)` without the length."""
    types = [field_of(model, name).db_type(connection) or "" for name in columns]
    return tuple({"timestamp with time zone": "timestamptz"}.get(t, t.partition("(")[0]) for t in types)


def convert(rows: Iterable[Sequence[Any]], needed: tuple[tuple[int, Convert], ...]) -> Iterator[Sequence[Any]]:
    if not needed:
        yield from rows
        return
    for row in rows:
        cells = list(row)
        for index, change in needed:
            if cells[index] is not None:
                cells[index] = change(cells[index])
        yield cells


@lru_cache(maxsize=64)
def converters(model: type[models.Model], columns: tuple[str, ...], vendor: str) -> tuple[tuple[int, Convert], ...]:
    """Which cells of a row must be changed, and how; the others go to the driver untouched."""
    found = [(index, converter(field_of(model, name), vendor)) for index, name in enumerate(columns)]
    return tuple((index, change) for index, change in found if change is not None)


def converter(field: models.Field[Any, Any], vendor: str) -> Convert | None:
    while isinstance(field, models.ForeignKey):
        field = field.target_field
    if isinstance(field, models.DateTimeField):
        return sqlite_time if vendor == "sqlite" else None
    if isinstance(field, models.JSONField):
        return sqlite_json if vendor == "sqlite" else None
    if isinstance(field, AS_IT_IS):
        return None
    return lambda value: field.get_db_prep_save(value, connection)


def sqlite_time(value: datetime) -> str:
    """As Django writes it: UTC without a zone, and a time without one is refused."""
    if value.tzinfo is None:
        raise ValueError(f"{value!r} has no time zone")
    return str(value.astimezone(UTC).replace(tzinfo=None))


def sqlite_json(value: Any) -> str:
    return json.dumps(value)


def as_source(
    model: type[models.Model], columns: Sequence[str], rows: Sequence[Sequence[Any]]
) -> tuple[str, list[Any]]:
    """`rows` as what an INSERT or FROM takes, with its parameters: VALUES, or on PostgreSQL one array a column.

    psycopg needs as long to find ten thousand marks in a statement as the server needs to run it.
    """
    cells = list(convert(rows, converters(model, tuple(columns), connection.vendor)))
    if connection.vendor == "postgresql":
        arrays = ", ".join(f"%s::{kind}[]" for kind in copy_types(model, tuple(columns)))
        return f"SELECT * FROM unnest({arrays})", as_arrays(model, columns, cells)  # noqa: S608
    marks = "(" + ", ".join(["%s"] * len(columns)) + ")"
    return "VALUES " + ", ".join([marks] * len(cells)), [cell for row in cells for cell in row]


def as_arrays(model: type[models.Model], columns: Sequence[str], cells: Sequence[Sequence[Any]]) -> list[Any]:
    """One list a column; JSON says what it is, because a parameter has no column to tell."""
    json_columns = {name for name in columns if isinstance(field_of(model, name), models.JSONField)}
    arrays = zip(columns, zip(*cells, strict=True), strict=True)
    return [[Jsonb(cell) for cell in column] if name in json_columns else list(column) for name, column in arrays]


def update_rows(
    model: type[models.Model],
    key: str,
    columns: Sequence[str],
    rows: Sequence[Sequence[Any]],
    *,
    only: dict[str, Any] | None = None,
) -> int:
    """Give each row (key, *values) its values; the number of rows that changed. One statement on PostgreSQL.

    `only`: columns and the values they must still have, the condition of a claim.
    """
    if not rows:
        return 0
    names = (key, *columns)
    cells = list(convert(rows, converters(model, names, connection.vendor)))
    quoted, table = quoted_columns(model, names), connection.ops.quote_name(model._meta.db_table)
    guards = quoted_columns(model, tuple(only or ()))
    if connection.vendor == "postgresql":
        return update_from_arrays(model, names, quoted, guards, cells, table, list((only or {}).values()))
    sets = ", ".join(f"{column} = ?" for column in quoted[1:])
    where = " AND ".join(f"{column} = ?" for column in (quoted[0], *guards))
    sql = f"UPDATE {table} SET {sets} WHERE {where}"  # noqa: S608
    values = tuple((only or {}).values())
    with transaction.atomic(), connection.wrap_database_errors:
        return int(connection.connection.executemany(sql, [(*row[1:], row[0], *values) for row in cells]).rowcount)


def update_from_arrays(
    model: type[models.Model],
    names: tuple[str, ...],
    quoted: list[str],
    guards: list[str],
    cells: list[Sequence[Any]],
    table: str,
    values: list[Any],
) -> int:
    arrays = ", ".join(f"%s::{kind}[]" for kind in copy_types(model, names))
    sets = ", ".join(f"{column} = new.{column}" for column in quoted[1:])
    where = " AND ".join([f"old.{quoted[0]} = new.{quoted[0]}", *(f"old.{column} = %s" for column in guards)])
    sql = f"UPDATE {table} AS old SET {sets} FROM unnest({arrays}) AS new ({', '.join(quoted)}) WHERE {where}"  # noqa: S608
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql, [*as_arrays(model, names, cells), *values])
        return int(cursor.rowcount)
