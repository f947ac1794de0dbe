"""A file's rows in a temporary table, so that a file of any size is compared with what is stored by the database.

Memory stays flat, nothing but this connection sees it, and filling it keeps no other writer out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from itertools import islice
from typing import Any, Self, TypeVar

from django.db import connection, transaction
from django.db.utils import IntegrityError

from complaints.models.bulk import sqlite_time

ROWS_A_STEP = 5_000
Cells = tuple[Any, ...]
T = TypeVar("T")


class Staging:
    """`columns`: name and PostgreSQL type of each; SQLite needs no types. Names are ours, never a file's."""

    def __init__(self, name: str, columns: Mapping[str, str]) -> None:
        self.name, self.columns = name, dict(columns)

    def __enter__(self) -> Self:
        self.leave()  # of a run that was killed in this session
        parts = ", ".join(f"{name} {kind}" if is_postgresql() else name for name, kind in self.columns.items())
        run(f"CREATE TEMPORARY TABLE {self.name} ({parts})")
        return self

    def __exit__(self, *_exc: object) -> None:
        self.leave()

    def leave(self) -> None:
        if connection.connection is not None and not connection.needs_rollback:
            run(f"DROP TABLE IF EXISTS {'pg_temp' if is_postgresql() else 'temp'}.{self.name}")

    def fill(self, rows: Iterable[Cells]) -> None:
        """Times are aware datetimes, None is NULL. `rows` may ask the database while it is read."""
        connection.ensure_connection()
        write = self.copy if is_postgresql() else self.insert
        with connection.wrap_database_errors, one_transaction():
            for some in steps(rows):  # a list: while PostgreSQL copies, it answers nothing else
                write(some)

    def insert(self, rows: list[Cells]) -> None:
        marks = ", ".join("?" * len(self.columns))
        sql = f"INSERT INTO {self.name} VALUES ({marks})"  # noqa: S608 - our own name
        connection.connection.executemany(sql, (as_sqlite(row) for row in rows))

    def copy(self, rows: list[Cells]) -> None:
        with connection.cursor() as cursor, cursor.cursor.copy(f"COPY {self.name} FROM STDIN (FORMAT BINARY)") as copy:
            copy.set_types(list(self.columns.values()))
            for row in rows:
                copy.write_row(row)

    def index(self, *columns: str, unique: bool = False) -> bool:
        """False when it should be unique and is not; then there is none."""
        kind = "UNIQUE INDEX" if unique else "INDEX"
        try:
            with transaction.atomic() if connection.in_atomic_block else one_transaction():
                run(f"CREATE {kind} {self.name}_by_{columns[0]} ON {self.name} ({', '.join(columns)})")
        except IntegrityError:
            return False
        if is_postgresql():
            run(f"ANALYZE {self.name}")
        return True


@contextmanager
def one_transaction() -> Iterator[None]:
    """For the temporary table alone. Not atomic(): that would take SQLite's one place to write from everybody."""
    alone = not is_postgresql() and not connection.in_atomic_block
    if alone:
        run("BEGIN DEFERRED")
    try:
        yield
    except BaseException:  # an interrupted import, too, must leave no transaction open
        if alone:
            run("ROLLBACK")
        raise
    if alone:
        run("COMMIT")


def is_postgresql() -> bool:
    return connection.vendor == "postgresql"


def run(sql: str, parameters: Sequence[Any] = ()) -> int:
    """The number of rows that changed."""
    with connection.cursor() as cursor:
        cursor.execute(sql, list(parameters) or None)
        return max(cursor.rowcount, 0)


def ask(sql: str, parameters: Sequence[Any] = ()) -> list[Cells]:
    with connection.cursor() as cursor:
        cursor.execute(sql, list(parameters) or None)
        return [tuple(row) for row in cursor.fetchall()]


def stream(sql: str, parameters: Sequence[Any] = ()) -> Iterator[Cells]:
    """Row by row, without holding them all. PostgreSQL needs a transaction around it."""
    if not is_postgresql():
        with connection.cursor() as cursor:
            cursor.execute(sql, list(parameters) or None)
            while rows := cursor.fetchmany(ROWS_A_STEP):
                yield from map(tuple, rows)
        return
    with connection.chunked_cursor() as cursor:
        cursor.execute(sql, list(parameters) or None)
        while rows := cursor.fetchmany(ROWS_A_STEP):
            yield from rows


def as_sqlite(row: Cells) -> Cells:
    return tuple([sqlite_time(cell) if isinstance(cell, datetime) else cell for cell in row])


def steps(rows: Iterable[T], size: int = ROWS_A_STEP) -> Iterator[list[T]]:
    waiting = iter(rows)
    while some := list(islice(waiting, size)):
        yield some
