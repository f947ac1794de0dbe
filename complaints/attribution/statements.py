"""The statements of a look-up, below Django's cursor: its compiler and wrapper alone cost more than the look-up.

Each question has a window of its own. Of the prefixes around its address those are asked that were ever assigned, and
of their history two parts are read: what began in the day before the window (index assignment_once), and what was held
for longer than a day and did not end before it (index assignment_long, whose condition must stand here word by word).
Together that is all that reaches into the window.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

import psycopg
from django.db.backends.base.base import BaseDatabaseWrapper

from complaints.attribution.decision import DISPUTANT, STRANGER, Claim
from complaints.attribution.times import shifted
from complaints.models import AddressPlanVersion, Assignment, PrefixInUse, WaitingLease

# An hour more than the 25 that the index knows: whatever its arithmetic rounds, nothing falls between the two parts.
LONGEST_SHORT = timedelta(hours=26)
ASSIGNMENTS, PREFIXES = Assignment._meta.db_table, PrefixInUse._meta.db_table
VERSION = AddressPlanVersion._meta.db_table
WAITING = WaitingLease._meta.db_table
COLUMNS = "key, contract_id, kind, valid_from, valid_until, port_first, port_last, said_at, feed_id"
AS_CLAIM = (
    f"key, CASE why WHEN '{WaitingLease.Why.HELD}' THEN {DISPUTANT} ELSE {STRANGER} END, kind || ' ' || value,"
    " valid_from, valid_until, port_first, port_last, said_at, feed_id"
)
# Prepared once a connection. The keys of a question come as the text of an array: psycopg writes that ten times quicker
# than a list. The parameters stand in selects of their own, where the planner cannot count them: seeing them it would
# plan each look-up anew, which takes three times as long as the look-up.
POSTGRESQL = f"""
WITH q (number, keys, since, until) AS MATERIALIZED ({{questions}})
SELECT 0 AS number, ''::bytea AS key, 0 AS contract_id, value AS kind, NULL::timestamptz AS valid_from,
       NULL::timestamptz AS valid_until, 0 AS port_first, 0 AS port_last, NULL::timestamptz AS said_at,
       NULL::bigint AS feed_id FROM {VERSION}
UNION ALL
SELECT q.number, a.* FROM q,
LATERAL (SELECT key FROM {PREFIXES} WHERE key = ANY(q.keys) OFFSET 0) AS used,
LATERAL (
  SELECT {COLUMNS} FROM {ASSIGNMENTS}
  WHERE key = used.key AND valid_from >= q.since - interval '26 hours' AND valid_from < q.until
    AND (valid_until IS NULL OR valid_until > q.since)
  UNION ALL
  SELECT {COLUMNS} FROM {ASSIGNMENTS}
  WHERE key = used.key AND valid_from < q.since - interval '26 hours'
    AND coalesce(valid_until, 'infinity'::timestamptz) > q.since
    AND (valid_until IS NULL OR valid_until - valid_from > interval '25 hours')
) AS a
"""  # noqa: S608 - table names of our own models
POSTGRESQL_WAITING = f"""
UNION ALL
SELECT q.number, w.* FROM q, LATERAL (
  SELECT {AS_CLAIM} FROM {WAITING}
  WHERE key = ANY(q.keys) AND valid_from < q.until AND (valid_until IS NULL OR valid_until > q.since)
) AS w
"""  # noqa: S608 - table names of our own models
ONE_QUESTION = "SELECT 1, %b::text::bytea[], %b::timestamptz, %b::timestamptz"
MANY_QUESTIONS = """
SELECT number, keys::bytea[], since, until
FROM unnest((SELECT %b::text[]), (SELECT %b::timestamptz[]), (SELECT %b::timestamptz[]))
WITH ORDINALITY AS u (keys, since, until, number)"""
ONE, MANY = (POSTGRESQL.format(questions=questions).encode() for questions in (ONE_QUESTION, MANY_QUESTIONS))
ONE_AND_WAITING, MANY_AND_WAITING = ONE + POSTGRESQL_WAITING.encode(), MANY + POSTGRESQL_WAITING.encode()
# Two statements and lists of keys, not a join: for that SQLite 3.40 makes a Bloom filter, and with an index of
# expressions the filter drops rows that are there (seen in bench/attribution.py at 10,000 prefixes).
SQLITE_PREFIXES = f"""
SELECT 0, value FROM {VERSION} UNION ALL SELECT 1, key FROM {PREFIXES} WHERE key IN ({{keys}})
"""  # noqa: S608 - table names of our own models
SQLITE_CLAIMS = f"""
SELECT {COLUMNS} FROM {ASSIGNMENTS}
WHERE key IN ({{keys}}) AND valid_from >= ?1 AND valid_from < ?3 AND (valid_until IS NULL OR valid_until > ?2)
UNION ALL
SELECT {COLUMNS} FROM {ASSIGNMENTS}
WHERE key IN ({{keys}}) AND valid_from < ?1 AND coalesce(valid_until, '9999-12-31 23:59:59.999999') > ?2
  AND (valid_until IS NULL OR julianday(valid_until) - julianday(valid_from) > 25 / 24.0)
"""  # noqa: S608 - table names of our own models
SQLITE_WAITING = f"""
SELECT {AS_CLAIM} FROM {WAITING}
WHERE key IN ({{keys}}) AND valid_from < ?2 AND (valid_until IS NULL OR valid_until > ?1)
"""  # noqa: S608 - table names of our own models
Window = tuple[list[bytes], datetime, datetime]  # prefix keys, from, until before


def claims_in(
    windows: Sequence[Window], database: BaseDatabaseWrapper, *, with_waiting: bool = False
) -> tuple[set[str], list[list[Claim]]]:
    """Of each window who held one of its prefixes in it, in no order; and the version of the plan of addresses.

    The versions are more than one where it changed meanwhile, and none where it is missing. with_waiting: also leases
    that wait for their identifier.
    """
    database.ensure_connection()
    with database.wrap_database_errors:
        if database.vendor == "postgresql":
            return ask_postgresql(windows, database.connection, with_waiting)
        return ask_sqlite(windows, database.connection, with_waiting)


def ask_postgresql(
    windows: Sequence[Window], raw: psycopg.Connection[Any], with_waiting: bool
) -> tuple[set[str], list[list[Claim]]]:
    raw.prepare_threshold = raw.prepare_threshold or 5  # Django's own statements are never prepared
    one, many = (ONE_AND_WAITING, MANY_AND_WAITING) if with_waiting else (ONE, MANY)
    parameters = list(as_parameters(windows))
    versions: set[str] = set()
    found: list[list[Claim]] = [[] for _ in windows]
    with psycopg.Cursor(raw) as cursor:
        if len(windows) == 1:
            cursor.execute(one, parameters[0], prepare=True, binary=True)
        else:
            columns = [list(column) for column in zip(*parameters, strict=True)]
            cursor.execute(many, columns, prepare=True, binary=True)
        for number, *cells in cursor.fetchall():
            if number:
                found[number - 1].append(Claim(*cells))
            else:
                versions.add(cells[2])
    return versions, found


def as_parameters(windows: Sequence[Window]) -> Iterator[tuple[str, datetime, datetime]]:
    for keys, since, until in windows:
        array = '{"\\\\x' + '","\\\\x'.join([key.hex() for key in keys]) + '"}' if keys else "{}"
        yield array, since, until


def ask_sqlite(
    windows: Sequence[Window], raw: sqlite3.Connection, with_waiting: bool
) -> tuple[set[str], list[list[Claim]]]:
    """Question by question, there is no way to go; in one read transaction, so all see the same moment."""
    versions: set[str] = set()
    found: list[list[Claim]] = []
    is_outermost = not raw.in_transaction
    if is_outermost:
        raw.execute("BEGIN")
    try:
        for keys, since, until in windows:
            rows = raw.execute(prefixes_statement(len(keys)), keys).fetchall()
            used = [key for is_key, key in rows if is_key]
            versions.update(version for is_key, version in rows if not is_key)
            found.append(held_in(raw, used, since, until) if used else [])
            if with_waiting and keys:
                found[-1] += waiting_in(raw, keys, since, until)
    finally:
        if is_outermost:
            raw.execute("COMMIT")
    return versions, found


def held_in(raw: sqlite3.Connection, keys: list[bytes], since: datetime, until: datetime) -> list[Claim]:
    parameters = [as_text(shifted(since, -LONGEST_SHORT)), as_text(since), as_text(until), *keys]
    return [as_claim(row) for row in raw.execute(claims_statement(len(keys)), parameters)]


def waiting_in(raw: sqlite3.Connection, keys: list[bytes], since: datetime, until: datetime) -> list[Claim]:
    rows = raw.execute(waiting_statement(len(keys)), [as_text(since), as_text(until), *keys])
    return [as_claim(row) for row in rows]


def as_claim(row: tuple[Any, ...]) -> Claim:
    key, contract_id, kind, begin, end, first, last, said_at, feed = row
    return Claim(key, contract_id, kind, from_text(begin), from_text(end), first, last, from_text(said_at), feed)


@lru_cache(maxsize=256)
def prefixes_statement(keys: int) -> str:
    return SQLITE_PREFIXES.format(keys=", ".join("?" * keys))


@lru_cache(maxsize=256)
def claims_statement(keys: int) -> str:
    return SQLITE_CLAIMS.format(keys=", ".join(f"?{number + 4}" for number in range(keys)))


@lru_cache(maxsize=256)
def waiting_statement(keys: int) -> str:
    return SQLITE_WAITING.format(keys=", ".join(f"?{number + 3}" for number in range(keys)))


def as_text(at: datetime) -> str:
    """As Django stores it."""
    return (at if at.tzinfo is UTC else at.astimezone(UTC)).replace(tzinfo=None).isoformat(" ")


def from_text(stored: Any) -> Any:
    if isinstance(stored, str):
        return datetime.fromisoformat(stored + "+00:00")  # a fifth of what replace(tzinfo=UTC) takes
    return stored and stored.replace(tzinfo=UTC)
