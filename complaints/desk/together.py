"""Several small looks at the database in one statement: a page that shows a little of much pays for one round trip.

Each row comes as JSON and becomes an instance of its model again, without related objects. For the few rows that
stand beside something; a long list is asked for by itself.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import BinaryField, Expression, F, Field, Func, JSONField, Model, QuerySet, TextField
from django.db.models import DateTimeField as Moment
from django.db.models.functions import JSONObject
from django.utils.dateparse import parse_datetime


class Hex(Func):
    """Bytes as hexadecimal text: JSON cannot hold them."""

    template, output_field = "LOWER(HEX(%(expressions)s))", TextField()

    def as_postgresql(self, *args: Any, **kwargs: Any) -> Any:
        return self.as_sql(*args, **kwargs | {"template": "ENCODE(%(expressions)s, 'hex')"})


def together(looks: Mapping[str, QuerySet[Any]]) -> dict[str, list[Any]]:
    """The rows of each, in their order, by name; what was deferred stays deferred. No statement when all are empty."""
    parts: list[str] = []
    values: list[Any] = []
    names = list(looks)
    for number, rows in enumerate(looks.values()):
        try:
            sql, params = told(rows).query.get_compiler(connection=connection).as_sql()
        except EmptyResultSet:
            continue
        parts.append(f"SELECT {number} AS look, look_row FROM ({sql}) AS look{number}")  # noqa: S608 - SQL that the ORM wrote
        values += params
    found: dict[str, list[Any]] = {name: [] for name in names}
    if parts:
        with connection.cursor() as cursor:
            cursor.execute(" UNION ALL ".join(parts), values)
            for number, row in cursor.fetchall():
                name = names[number]
                found[name].append(instance(looks[name], json.loads(row) if isinstance(row, str) else row))
    return found


def told(rows: QuerySet[Any]) -> QuerySet[Any]:
    return rows.values(look_row=JSONObject(**{each.attname: expression(each) for each in loaded(rows)}))


def expression(field: Field[Any, Any]) -> Expression | F:
    return Hex(F(field.attname)) if isinstance(field, BinaryField) else F(field.attname)


def loaded(rows: QuerySet[Any]) -> list[Field[Any, Any]]:
    """The columns of `rows` that were not deferred."""
    named, is_deferred = rows.query.deferred_loading
    fields = rows.model._meta.concrete_fields
    return [each for each in fields if each.primary_key or (each.name in named or each.attname in named) != is_deferred]


def instance(rows: QuerySet[Any], row: Mapping[str, Any]) -> Model:
    fields = loaded(rows)
    values = [value(each, row[each.attname]) for each in fields]
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
    BinaryField: bytes.fromhex,
    JSONField: lambda given: json.loads(given) if isinstance(given, str) and connection.vendor == "sqlite" else given,
}
