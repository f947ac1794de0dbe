"""What a file says somebody holds beside what is stored: the statements that compare and write.

The same for prefixes, identifiers and names: rows have a contract, a thing, and a time. They are told apart by all but
their end; what differs is changed, what is new is added. The database refuses two holders; then the same comparison
finds out who they are and in which lines.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping

from django.db import connection, models

from complaints.attribution.importing.reading import MAX_FAULTS
from complaints.attribution.importing.staging import Cells, Staging, ask, run
from complaints.models import Assignment, HostedName, LineIdentifier

INFINITY = "9999-12-31 23:59:59.999999"  # the last moment a datetime can name; as text it sorts last in SQLite too
TIMES = {"valid_from": "timestamptz", "valid_until": "timestamptz"}


@dataclasses.dataclass(frozen=True)
class Holdings:
    """thing: columns that name what is held; values: what else a row says; ports: whether it is held by ports."""

    model: type[models.Model]
    thing: Mapping[str, str]
    values: Mapping[str, str]
    ports: bool = False

    @property
    def table(self) -> str:
        return self.model._meta.db_table

    @property
    def identity(self) -> dict[str, str]:
        ports = {"port_first": "int4"} if self.ports else {}
        return {**self.thing, "valid_from": "timestamptz", **ports, "contract_id": "int8"}

    @property
    def columns(self) -> dict[str, str]:
        return {"line": "int8", **self.identity, **self.values}


ASSIGNMENTS = Holdings(
    Assignment, {"key": "bytea"}, {"kind": "text", "valid_until": "timestamptz", "port_last": "int4"}, ports=True
)
IDENTIFIERS = Holdings(LineIdentifier, {"value": "text", "kind": "text"}, {"valid_until": "timestamptz"})
NAMES = Holdings(HostedName, {"name": "text"}, {"valid_until": "timestamptz"})


class Staged(Staging):
    """Rows: the columns of `of.columns`, in that order."""

    def __init__(self, of: Holdings) -> None:
        super().__init__(f"incoming_{of.table}", of.columns)
        self.of = of
        # NULL is "since ever", and equal to itself.
        equal = "IS NOT DISTINCT FROM" if connection.vendor == "postgresql" else "IS"
        may_be_null = () if of.ports else ("valid_from",)
        self.same = " AND ".join(f"s.{c} {equal if c in may_be_null else '='} i.{c}" for c in of.identity)
        unlike = "IS DISTINCT FROM" if connection.vendor == "postgresql" else "IS NOT"
        self.differ = "(" + " OR ".join(f"s.{column} {unlike} i.{column}" for column in of.values) + ")"
        self.known = f"EXISTS (SELECT 1 FROM {of.table} AS s WHERE {self.same})"  # noqa: S608 - our own names

    def repeated(self) -> list[Cells]:
        """(line, first line with the same identity, contract) of lines that say something again."""
        if self.index(*self.of.identity, unique=self.of.ports) and self.of.ports:
            return []
        return ask(
            f"SELECT line, first, contract_id FROM (SELECT line, contract_id, min(line)"  # noqa: S608
            f" OVER (PARTITION BY {', '.join(self.of.identity)}) AS first FROM {self.name}) AS lines"
            f" WHERE line <> first ORDER BY line LIMIT {MAX_FAULTS}"
        )

    def write(self) -> tuple[int, int]:
        """Rows created and rows changed. IntegrityError: two contracts would hold the same at once."""
        whole = {column: f"i.{column}" for column in self.of.values}
        if connection.vendor == "postgresql":
            changed = self.change(whole)
        else:
            # Row by row the database looks for another holder: so first everybody gives up what they lose.
            changed = self.count_changes()
            self.change(self.less())
            self.change(whole)
        columns = ", ".join((*self.of.identity, *self.of.values))
        created = run(
            f"INSERT INTO {self.of.table} ({columns}) SELECT {columns} FROM {self.name} AS i"  # noqa: S608
            f" WHERE NOT {self.known} ORDER BY {', '.join(self.of.identity)}"
        )
        return created, changed

    def less(self) -> dict[str, str]:
        ends = f"min(coalesce(s.valid_until, '{INFINITY}'), coalesce(i.valid_until, '{INFINITY}'))"
        ports = {"port_last": "min(s.port_last, i.port_last)"} if self.of.ports else {}
        return {"valid_until": f"nullif({ends}, '{INFINITY}')", **ports}

    def change(self, values: dict[str, str]) -> int:
        changes = ", ".join(f"{column} = {value}" for column, value in values.items())
        return run(
            f"UPDATE {self.of.table} AS s SET {changes} FROM {self.name} AS i WHERE {self.same} AND {self.differ}"  # noqa: S608
        )

    def count_changes(self) -> int:
        join = f"{self.name} AS i JOIN {self.of.table} AS s ON {self.same}"
        return int(ask(f"SELECT count(*) FROM {join} WHERE {self.differ}")[0][0])  # noqa: S608

    def overlaps(self, *, in_file_only: bool = False) -> Iterator[Cells]:
        """What two contracts would hold at once: line and contract here, the other's line (None: stored) and
        contract, since when (None: ever), port, whether it is held by ports, then the thing's columns. One a line,
        the first MAX_FAULTS.
        """
        inside = self.pairs("i.line, i.contract_id, o.line, o.contract_id", self.name, "o.line < i.line")
        same = self.same.replace("i.", "r.").replace("s.", "o.")
        replaced = f"EXISTS (SELECT 1 FROM {self.name} AS r WHERE {same})"  # noqa: S608
        stored = self.pairs("i.line, i.contract_id, NULL, o.contract_id", self.of.table, f"NOT {replaced}")
        found: dict[int, Cells] = {}
        for row in ask(inside) + ([] if in_file_only else ask(stored)):
            found.setdefault(row[0], row)
        yield from (found[line] for line in sorted(found)[:MAX_FAULTS])

    def pairs(self, columns: str, others: str, which: str) -> str:
        shared, port = "TRUE", "NULL, FALSE"
        if self.of.ports:
            shared = "o.port_first <= i.port_last AND i.port_first <= o.port_last"
            port = (
                "CASE WHEN i.port_first > o.port_first THEN i.port_first ELSE o.port_first END,"
                " i.port_first <> 0 OR i.port_last <> 65535"
            )
        equal = " AND ".join(f"o.{column} = i.{column}" for column in self.of.thing)
        return (
            f"SELECT {columns}, CASE WHEN i.valid_from IS NULL OR o.valid_from > i.valid_from THEN o.valid_from"  # noqa: S608
            f" ELSE i.valid_from END, {port}, {', '.join(f'i.{column}' for column in self.of.thing)}"
            f" FROM {self.name} AS i JOIN {others} AS o ON {equal} AND o.contract_id <> i.contract_id AND {shared}"
            " AND (i.valid_until IS NULL OR o.valid_from IS NULL OR o.valid_from < i.valid_until)"
            " AND (o.valid_until IS NULL OR i.valid_from IS NULL OR i.valid_from < o.valid_until)"
            f" WHERE {which} ORDER BY i.line, o.contract_id LIMIT {MAX_FAULTS}"
        )
