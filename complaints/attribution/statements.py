"""The statements of a look-up, below Django's cursor: its compiler and wrapper alone cost more than the look-up.

Each question has a window of its own, and of what was ever held only two parts are read: what began in the day before
the window (index assignment_once), and what was held for longer than a day and did not end before it (index
assignment_long, whose condition must stand here word by word). Together that is all that reaches into the window.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

import psycopg
from django.db.backends.base.base import BaseDatabaseWrapper

from complaints.attribution.decision import Claim
from complaints.attribution.times import shifted
from complaints.models import AddressPlanVersion, Assignment

# An hour more than the 25 that the index knows: whatever its arithmetic rounds, nothing falls between the two parts.
LONGEST_SHORT = timedelta(hours=26)
ASSIGNMENTS, VERSION = Assignment._meta.db_table, AddressPlanVersion._meta.db_table
COLUMNS = "key, contract_id, kind, valid_from, valid_until, port_first, port_last"
# Prepared once a connection. The keys of a question come as the text of an array: psycopg writes that ten times quicker
# than a list. The parameters stand in selects of their own, where the planner cannot count them: seeing them it would
# plan each look-up anew, which takes three times as long as the look-up.
POSTGRESQL = f"""
SELECT 0 AS number, ''::bytea AS key, 0 AS contract_id, value AS kind, NULL::timestamptz AS valid_from,
       NULL::timestamptz AS valid_until, 0 AS port_first, 0 AS port_last FROM {VERSION}
UNION ALL
SELECT q.number, a.* FROM ({{questions}} OFFSET 0) AS q (number, keys, since, until), LATERAL (
  SELECT {COLUMNS} FROM {ASSIGNMENTS}
  WHERE key = ANY(q.keys) AND valid_from >= q.since - interval '26 hours' AND valid_from < q.until
    AND (valid_until IS NULL OR valid_until > q.since)
  UNION ALL
  SELECT {COLUMNS} FROM {ASSIGNMENTS}
  WHERE key = ANY(q.keys) AND valid_from < q.since - interval '26 hours'
    AND coalesce(valid_until, 'infinity'::timestamptz) > q.since
    AND (valid_until IS NULL OR valid_until - valid_from > interval '25 hours')
) AS a
"""  # noqa: S608 - table names of our own models
ONE = POSTGRESQL.format(questions="SELECT 1, %b::text::bytea[], %b::timestamptz, %b::timestamptz")
MANY = POSTGRESQL.format(
    questions="""
SELECT number, keys::bytea[], since, until
FROM unnest((SELECT %b::text[]), (SELECT %b::timestamptz[]), (SELECT %b::timestamptz[]))
WITH ORDINALITY AS u (keys, since, until, number)"""
)
# A list of keys, not a join with them, which would be quicker: for that SQLite 3.40 makes a Bloom filter, and with an
# index of expressions the filter drops rows that are there (seen in bench/attribution.py at 10,000 prefixes).
SQLITE = f"""
SELECT '', 0, value, NULL, NULL, 0, 0 FROM {VERSION}
UNION ALL
SELECT {COLUMNS} FROM {ASSIGNMENTS}
WHERE key IN ({{keys}}) AND valid_from >= ?1 AND valid_from < ?3 AND (valid_until IS NULL OR valid_until > ?2)
UNION ALL
SELECT {COLUMNS} FROM {ASSIGNMENTS}
WHERE key IN ({{keys}}) AND valid_from < ?1 AND coalesce(valid_until, '9999-12-31 23:59:59.999999') > ?2
  AND (valid_until IS NULL OR julianday(valid_until) - julianday(valid_from) > 25 / 24.0)
"""  # noqa: S608 - table names of our own models
Window = tuple[list[bytes], datetime, datetime]  # prefix keys, from, until before


def claims_in(windows: Sequence[Window], database: BaseDatabaseWrapper) -> tuple[set[str], list[list[Claim]]]:
    """Of each window who held one of its prefixes in it, in no order; and the version of the plan of addresses.

    The versions are more than one where it changed meanwhile, and none where it is missing.
    """
    database.ensure_connection()
    ask = ask_postgresql if database.vendor == "postgresql" else ask_sqlite
    versions: set[str] = set()
    found: list[list[Claim]] = [[] for _ in windows]
    with database.wrap_database_errors:
        for number, claim in ask(windows, database.connection):
            if claim.contract_id:
                found[number].append(claim)
            else:
                versions.add(claim.kind)
    return versions, found


def ask_postgresql(windows: Sequence[Window], raw: psycopg.Connection[Any]) -> Iterator[tuple[int, Claim]]:
    raw.prepare_threshold = raw.prepare_threshold or 5  # Django's own statements are never prepared
    statement, parameters = MANY, [list(column) for column in zip(*as_parameters(windows), strict=True)]
    if len(windows) == 1:
        statement, parameters = ONE, [value for (value,) in parameters]
    with psycopg.Cursor(raw) as cursor:
        cursor.execute(statement, parameters, prepare=True, binary=True)
        for number, *cells in cursor.fetchall():
            yield number - 1, Claim(*cells)


def as_parameters(windows: Sequence[Window]) -> Iterator[tuple[str, datetime, datetime]]:
    for keys, since, until in windows:
        array = '{"\\\\x' + '","\\\\x'.join([key.hex() for key in keys]) + '"}' if keys else "{}"
        yield array, since, until


def ask_sqlite(windows: Sequence[Window], raw: sqlite3.Connection) -> Iterator[tuple[int, Claim]]:
    """One statement a question: there is no way to go, and each reads with the same short list of keys."""
    for number, (keys, since, until) in enumerate(windows):
        parameters = [as_text(shifted(since, -LONGEST_SHORT)), as_text(since), as_text(until), *keys]
        for row in raw.execute(sqlite_statement(len(keys)), parameters):
            key, contract_id, kind, begin, end, first, last = row
            yield number, Claim(key, contract_id, kind, from_text(begin), from_text(end), first, last)


@lru_cache(maxsize=256)
def sqlite_statement(keys: int) -> str:
    return SQLITE.format(keys=", ".join(f"?{number + 4}" for number in range(keys)))


def as_text(at: datetime) -> str:
    """As Django stores it."""
    return (at if at.tzinfo is UTC else at.astimezone(UTC)).replace(tzinfo=None).isoformat(" ")


def from_text(stored: str | None) -> Any:
    return stored and datetime.fromisoformat(stored).replace(tzinfo=UTC)
