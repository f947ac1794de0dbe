"""Several small looks at the database in one statement: a page that shows a little of much pays for one round trip.

Each row comes as JSON and becomes an instance of its model again, without related objects. For the few rows that
stand beside something; a long list is asked for by itself.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import BinaryField, Field, JSONField, Model, QuerySet
from django.db.models import DateTimeField as Moment
from django.utils.dateparse import parse_datetime


def together(looks: Mapping[str, QuerySet[Any]]) -> dict[str, list[Any]]:
    """The rows of each, in their order, by name; what was deferred stays deferred. No statement when all are empty."""
    parts: list[str] = []
    values: list[Any] = []
    names = list(looks)
    for number, rows in enumerate(looks.values()):
        try:
            sql, params = rows.query.get_compiler(connection=connection).as_sql()
        except EmptyResultSet:
            continue
        told = row_as_json(loaded(rows), connection.vendor)
        parts.append(f"SELECT {number} AS look, {told} AS look_row FROM ({sql}) AS seen")  # noqa: S608 - of the ORM
        values += params
    found: dict[str, list[Any]] = {name: [] for name in names}
    if parts:
        with connection.cursor() as cursor:
            cursor.execute(" UNION ALL ".join(parts), values)
            for number, row in cursor.fetchall():
                name = names[number]
                found[name].append(instance(looks[name], json.loads(row) if isinstance(row, str) else row))
    return found


@lru_cache(maxsize=100)
def row_as_json(fields: tuple[Field[Any, Any], ...], vendor: str) -> str:
    """By hand around the query of the ORM: its own JSONObject takes longer to compile than the database to answer."""
    if vendor == "postgresql":
        return "to_jsonb(seen)"
    named = (f"'{each.column}', {expression(each)}" for each in fields)
    return f"json_object({', '.join(named)})"


def expression(field: Field[Any, Any]) -> str:
    """JSON cannot hold bytes: they travel as hexadecimal text, as PostgreSQL writes them by itself."""
    column = f'seen."{field.column}"'
    return f"hex({column})" if isinstance(field, BinaryField) else column


def loaded(rows: QuerySet[Any]) -> tuple[Field[Any, Any], ...]:
    """The columns of `rows` that were not deferred."""
    named, is_deferred = rows.query.deferred_loading
    fields = rows.model._meta.concrete_fields
    return tuple(
        each for each in fields if each.primary_key or (each.name in named or each.attname in named) != is_deferred
    )


def instance(rows: QuerySet[Any], row: Mapping[str, Any]) -> Model:
    fields = loaded(rows)
    values = [value(each, row[str(each.column)]) for each in fields]
    return rows.model.from_db(rows.db, [each.attname for each in fields], values)


def value(field: Field[Any, Any], given: Any) -> Any:
    """As the model has it. SQLite tells times in UTC without saying so, and JSON within JSON as text."""
    if given is None:
        return None
    for kind, read in READ.items():
        if isinstance(field, kind):
            return read(given)
    return field.to_python(given)


def moment(given: str) -> datetime | None:
    at = parse_datetime(given.replace(" ", "T"))
    return at if at is None or at.tzinfo else at.replace(tzinfo=UTC)


READ: dict[type[Field[Any, Any]], Callable[[Any], Any]] = {
    Moment: moment,
    BinaryField: lambda given: bytes.fromhex(given.removeprefix("\\x")),
    JSONField: lambda given: json.loads(given) if isinstance(given, str) and connection.vendor == "sqlite" else given,
}
