"""What a file says of assignments beside what is stored: the statements that compare and write.

Rows are told apart by prefix, valid_from, first port and contract; what differs is changed, what is new is added.
The database refuses two holders; then the same comparison finds out who they are and in which lines.
"""

from __future__ import annotations

from collections.abc import Iterator

from django.db import connection

from complaints.attribution.importing.reading import MAX_FAULTS
from complaints.attribution.importing.spans import Spans
from complaints.attribution.importing.staging import Cells, Staging, ask, run, stream
from complaints.attribution.lookup import as_time
from complaints.models import Assignment, PrefixLength

TABLE = Assignment._meta.db_table
COLUMNS = {
    "line": "int8",
    "key": "bytea",
    "valid_from": "timestamptz",
    "port_first": "int4",
    "contract_id": "int8",
    "kind": "text",
    "valid_until": "timestamptz",
    "port_last": "int4",
}
IDENTITY = ("key", "valid_from", "port_first", "contract_id")
VALUES = ("kind", "valid_until", "port_last")
SAME = " AND ".join(f"s.{column} = i.{column}" for column in IDENTITY)
INFINITY = "9999-12-31 23:59:59.999999"  # the last moment a datetime can name; as text it sorts last in SQLite too


class Staged(Staging):
    def __init__(self) -> None:
        super().__init__("incoming_assignments", COLUMNS)

    def repeated(self) -> list[Cells]:
        """(line, first line with the same identity, contract) of lines that say something again."""
        if self.index(*IDENTITY, unique=True):
            return []
        return ask(
            f"SELECT line, first, contract_id FROM (SELECT line, contract_id, min(line)"  # noqa: S608
            f" OVER (PARTITION BY {', '.join(IDENTITY)}) AS first FROM {self.name}) AS lines"
            f" WHERE line <> first ORDER BY line LIMIT {MAX_FAULTS}"
        )

    def note_prefix_lengths(self) -> None:
        """Tell the look-up which lengths to ask for. They are never taken back: one too many costs a key a
        look-up, one too few would name the holder of the block around instead of the holder.
        """
        found = ask(f"SELECT DISTINCT length(key), substr(key, 1, 1) FROM {self.name}")  # noqa: S608
        lengths = sorted((4 if size == 5 else 6, bytes(first)[0]) for size, first in found)
        rows = [PrefixLength(family=family, length=length) for family, length in lengths]
        PrefixLength.objects.bulk_create(rows, ignore_conflicts=True)

    def touched(self, spans: Spans) -> None:
        """Note what write() is going to change."""
        news = f"SELECT i.key, i.valid_from, i.valid_until FROM {self.name} AS i WHERE NOT {self.known}"  # noqa: S608
        for key, since, until in stream(news):
            spans.add(key, as_time(since), as_time(until))
        changed = (
            f"SELECT i.key, i.valid_from, i.valid_until, s.valid_until, i.kind = s.kind AND i.port_last = s.port_last"  # noqa: S608
            f" FROM {self.name} AS i JOIN {TABLE} AS s ON {SAME} WHERE {differ()}"
        )
        for key, since, until, before, ends_only in stream(changed):
            until, before = as_time(until), as_time(before)
            if ends_only:
                since = min(end for end in (until, before) if end is not None)
            spans.add(key, as_time(since), None if until is None or before is None else max(until, before))

    @property
    def known(self) -> str:
        return f"EXISTS (SELECT 1 FROM {TABLE} AS s WHERE {SAME})"  # noqa: S608 - our own names

    def write(self) -> tuple[int, int]:
        """Rows created and rows changed. IntegrityError: two contracts would hold the same at once."""
        if connection.vendor == "postgresql":
            changed = self.change({column: f"i.{column}" for column in VALUES}, differ())
        else:
            # Row by row the database looks for another holder: so first everybody gives up what they lose.
            ends = f"min(coalesce(s.valid_until, '{INFINITY}'), coalesce(i.valid_until, '{INFINITY}'))"
            less = {"valid_until": f"nullif({ends}, '{INFINITY}')", "port_last": "min(s.port_last, i.port_last)"}
            changed = self.count(differ())
            self.change(less, differ())
            self.change({column: f"i.{column}" for column in VALUES}, differ())
        columns = ", ".join((*IDENTITY, *VALUES))
        created = run(
            f"INSERT INTO {TABLE} ({columns}) SELECT {columns} FROM {self.name} AS i WHERE NOT {self.known}"  # noqa: S608
            " ORDER BY key, valid_from, port_first"
        )
        return created, changed

    def change(self, values: dict[str, str], which: str) -> int:
        changes = ", ".join(f"{column} = {value}" for column, value in values.items())
        return run(
            f"UPDATE {TABLE} AS s SET {changes} FROM {self.name} AS i WHERE {SAME} AND {which}"  # noqa: S608
        )

    def count(self, which: str) -> int:
        return int(ask(f"SELECT count(*) FROM {self.name} AS i JOIN {TABLE} AS s ON {SAME} WHERE {which}")[0][0])  # noqa: S608

    def overlaps(self) -> Iterator[Cells]:
        """What two contracts would hold at once: line and contract here, the other's line (None: stored) and
        contract, prefix, since when, port, and whether they share it by ports. The first MAX_FAULTS by line.
        """
        inside = self.pairs("i.line, i.contract_id, o.line, o.contract_id", self.name, "o.line < i.line")
        replaced = f"EXISTS (SELECT 1 FROM {self.name} AS r WHERE {SAME.replace('i.', 'r.').replace('s.', 'o.')})"  # noqa: S608
        stored = self.pairs("i.line, i.contract_id, NULL, o.contract_id", TABLE, f"NOT {replaced}")
        found = {
            row[0]: row
            for row in sorted(ask(inside) + ask(stored), key=lambda row: (row[0], row[2] or 0), reverse=True)
        }
        yield from (found[line] for line in sorted(found)[:MAX_FAULTS])

    def pairs(self, columns: str, others: str, which: str) -> str:
        return (
            f"SELECT {columns}, i.key, CASE WHEN i.valid_from > o.valid_from THEN i.valid_from ELSE o.valid_from END,"  # noqa: S608
            " CASE WHEN i.port_first > o.port_first THEN i.port_first ELSE o.port_first END,"
            " i.port_first <> 0 OR i.port_last <> 65535"
            f" FROM {self.name} AS i JOIN {others} AS o ON o.key = i.key AND o.contract_id <> i.contract_id"
            " AND o.port_first <= i.port_last AND i.port_first <= o.port_last"
            " AND (i.valid_until IS NULL OR o.valid_from < i.valid_until)"
            " AND (o.valid_until IS NULL OR i.valid_from < o.valid_until)"
            f" WHERE {which} ORDER BY i.line, o.contract_id LIMIT {MAX_FAULTS}"
        )


def differ() -> str:
    unlike = "IS DISTINCT FROM" if connection.vendor == "postgresql" else "IS NOT"
    return "(" + " OR ".join(f"s.{column} {unlike} i.{column}" for column in VALUES) + ")"
