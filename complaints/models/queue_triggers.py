"""Triggers that keep the queue's counts and the search's table of addresses, and say whose words are to be read.

Whoever writes a case, a complaint, a reading or a task keeps them, by whatever statement, in its own transaction.
SQLite forgets the triggers of a table that a migration rebuilds: such a migration ends with
`migrations.RunPython(make_queue_triggers, migrations.RunPython.noop)`, and tests/cases/test_counting.py notices.
"""

# ruff: noqa: S608 - every piece of this SQL stands in this file
from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.db import connection as default_connection

SLOT_S = 300  # deadlines are counted by five minutes
NAMES = {
    "case": ("state", "assignee_id", "deadline_at"),
    "reading": ("state",),
    "complaint": ("case_id", "answer"),
    "desktask": ("done_at",),
}
# Only updates that change a count do anything.
COUNTED = {
    "case": "state, assignee_id, deadline_at",
    "reading": "state",
    "complaint": "case_id, answer",
    "desktask": "done_at",
}


def counted(table: str, rows: str, vendor: str) -> str:
    """The rows of QueueCount that `rows` (a relation with the columns of NAMES) stand for: one truth for all."""
    slot = f"CAST(strftime('%s', deadline_at) AS int) / {SLOT_S}"
    if vendor == "postgresql":
        slot = f"CAST(floor(extract(epoch FROM deadline_at) / {SLOT_S}) AS int)"
    nobody = "COALESCE(assignee_id, 0)"
    return {
        "case": f"SELECT 'case' AS what, state, CASE WHEN state = 'closed' THEN 0 ELSE {nobody} END AS holder_id,"
        f" 0 AS slot, 1 AS number FROM {rows} UNION ALL SELECT 'late', state, {nobody}, {slot}, 1 FROM {rows}"
        " WHERE state <> 'closed' AND deadline_at IS NOT NULL",
        "reading": f"SELECT 'unread' AS what, '' AS state, 0 AS holder_id, 0 AS slot, 1 AS number FROM {rows}"
        " WHERE state = 'unread'",
        "complaint": "SELECT 'unattributed' AS what, answer AS state, 0 AS holder_id, 0 AS slot, 1 AS number"
        f" FROM {rows} WHERE case_id IS NULL AND answer <> 'not-ours'",
        "desktask": f"SELECT 'task' AS what, '' AS state, 0 AS holder_id, 0 AS slot, 1 AS number FROM {rows}"
        " WHERE done_at IS NULL",
    }[table]


def adds(table: str, rows: str, vendor: str, sign: str = "", where: str = "") -> str:
    return (
        "INSERT INTO complaints_queuecount (what, state, holder_id, slot, number)"
        f" SELECT what, state, holder_id, slot, {sign}CAST(SUM(number) AS int) FROM ({counted(table, rows, vendor)})"
        f" AS found {where} GROUP BY what, state, holder_id, slot;"
    )


def one(table: str, row: str) -> str:
    """The row of a trigger as a relation."""
    return "(SELECT " + ", ".join(f"{row}.{name} AS {name}" for name in NAMES[table]) + ") AS one"


def make_queue_triggers(apps: Any = None, schema_editor: Any = None) -> None:
    """Make all of them, again where they are there already."""
    used = schema_editor.connection if schema_editor else default_connection
    made = postgresql() if used.vendor == "postgresql" else sqlite()
    with used.cursor() as cursor:
        for statement in made:
            # No parameters: a sign of percent is then only itself.
            cursor.execute(statement)


# --- PostgreSQL: by statement for many rows at once, by row for the updates that matter

DUE = "INSERT INTO complaints_casetextdue (case_id, anew)"
KNOWN = "INSERT INTO complaints_caseaddress (case_id, address)"


def postgresql() -> Iterator[str]:
    for table, columns in COUNTED.items():
        pg = "postgresql"
        before, after = adds(table, one(table, "OLD"), pg, "-"), adds(table, one(table, "NEW"), pg)
        differs = " OR ".join(f"OLD.{name} IS DISTINCT FROM NEW.{name}" for name in columns.split(", "))
        yield from trigger(table, "counted_inserted", "INSERT", adds(table, "fresh", pg), of="NEW TABLE AS fresh")
        yield from trigger(table, "counted_deleted", "DELETE", adds(table, "gone", pg, "-"), of="OLD TABLE AS gone")
        yield from trigger(table, "counted_updated", f"UPDATE OF {columns}", before + after, when=differs)
    words = f"{DUE} SELECT id, false FROM fresh;"
    yield from trigger("case", "words_due", "INSERT", words, of="NEW TABLE AS fresh")
    # Sorted, so that two batches never wait for each other in a circle.
    words = f"""{DUE} SELECT DISTINCT case_id, false FROM fresh WHERE case_id IS NOT NULL;
        {KNOWN} SELECT DISTINCT case_id, address FROM fresh WHERE case_id IS NOT NULL AND length(address) > 0
        ORDER BY case_id, address ON CONFLICT DO NOTHING;"""
    yield from trigger("complaint", "words_due", "INSERT", words, of="NEW TABLE AS fresh")
    words = f"""{DUE} SELECT each, true FROM unnest(ARRAY[OLD.case_id, NEW.case_id]) AS each WHERE each IS NOT NULL;
        IF NEW.case_id IS NOT NULL AND length(NEW.address) > 0 THEN
          {KNOWN} VALUES (NEW.case_id, NEW.address) ON CONFLICT DO NOTHING;
        END IF;"""
    moved = "OLD.case_id IS DISTINCT FROM NEW.case_id"
    yield from trigger("complaint", "words_moved", "UPDATE OF case_id", words, when=moved)
    words = f"{DUE} VALUES (NEW.case_id, true);"
    yield from trigger("caseevent", "words_due", "INSERT", words, when="NEW.kind = 'note'")
    yield (
        "CREATE INDEX IF NOT EXISTS case_text_words ON complaints_casetext"
        " USING gin (array_to_tsvector(string_to_array(words, ' ')))"
    )


def trigger(table: str, name: str, event: str, body: str, *, of: str = "", when: str = "") -> Iterator[str]:
    full = f"complaints_{table}_{name}"
    yield f"CREATE OR REPLACE FUNCTION {full}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {body} RETURN NULL; END $$"
    yield f"DROP TRIGGER IF EXISTS {full} ON complaints_{table}"
    how = f"REFERENCING {of} FOR EACH STATEMENT" if of else f"FOR EACH ROW WHEN ({when})"
    yield f"CREATE TRIGGER {full} AFTER {event} ON complaints_{table} {how} EXECUTE FUNCTION {full}()"


# --- SQLite: by row, there is one writer


def sqlite() -> Iterator[str]:
    for table, columns in COUNTED.items():
        before, after = one(table, "old"), one(table, "new")
        differs = " OR ".join(f"old.{name} IS NOT new.{name}" for name in columns.split(", "))
        # The tests' flush empties this table and then deletes the cases: nothing is taken from nothing.
        still = "WHERE EXISTS (SELECT 1 FROM complaints_queuecount)"
        yield from row_trigger(table, "counted_inserted", "INSERT", adds(table, after, "sqlite"))
        yield from row_trigger(table, "counted_deleted", "DELETE", adds(table, before, "sqlite", "-", still))
        both = adds(table, before, "sqlite", "-") + adds(table, after, "sqlite")
        yield from row_trigger(table, "counted_updated", f"UPDATE OF {columns}", both, when=differs)
    yield from row_trigger("case", "words_due", "INSERT", f"{DUE} VALUES (new.id, 0);")
    known = f"{KNOWN} SELECT new.case_id, new.address WHERE length(new.address) > 0 AND NOT EXISTS"
    known += " (SELECT 1 FROM complaints_caseaddress WHERE address = new.address AND case_id = new.case_id);"
    words = f"{DUE} VALUES (new.case_id, 0); {known}"
    yield from row_trigger("complaint", "words_due", "INSERT", words, when="new.case_id IS NOT NULL")
    words = f"{DUE} VALUES (new.case_id, 1); {known}"
    when = "new.case_id IS NOT NULL AND new.case_id IS NOT old.case_id"
    yield from row_trigger("complaint", "words_moved_here", "UPDATE OF case_id", words, when=when)
    words, when = f"{DUE} VALUES (old.case_id, 1);", "old.case_id IS NOT NULL AND new.case_id IS NOT old.case_id"
    yield from row_trigger("complaint", "words_moved_away", "UPDATE OF case_id", words, when=when)
    words = f"{DUE} VALUES (new.case_id, 1);"
    yield from row_trigger("caseevent", "words_due", "INSERT", words, when="new.kind = 'note'")
    yield (
        "CREATE VIRTUAL TABLE IF NOT EXISTS complaints_casewords USING fts5(words, content='complaints_casetext',"
        " content_rowid='case_id', tokenize=\"unicode61 remove_diacritics 0 tokenchars '.:@_-+=/'\")"
    )
    gone = "INSERT INTO complaints_casewords (complaints_casewords, rowid, words)"
    gone += " VALUES ('delete', old.case_id, old.words);"
    fresh = "INSERT INTO complaints_casewords (rowid, words) VALUES (new.case_id, new.words);"
    yield from row_trigger("casetext", "indexed", "INSERT", fresh)
    yield from row_trigger("casetext", "unindexed", "DELETE", gone)
    yield from row_trigger("casetext", "reindexed", "UPDATE OF words", gone + fresh)


def row_trigger(table: str, name: str, event: str, body: str, *, when: str = "") -> Iterator[str]:
    full = f"complaints_{table}_{name}"
    yield f"DROP TRIGGER IF EXISTS {full}"
    condition = f"WHEN {when}" if when else ""
    yield f"CREATE TRIGGER {full} AFTER {event} ON complaints_{table} {condition} BEGIN {body} END"
