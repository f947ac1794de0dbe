"""Several questions as one statement: each walks an index of its own, which an OR of their conditions would not use.

QuerySet.union() does the same, but SQLite refuses it a LIMIT in each.
"""
# ruff: noqa: S608 - every piece of this SQL is what the ORM wrote, or a name of this file

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import QuerySet

Sql = tuple[str, list[Any]]


def numbered(branches: Iterable[QuerySet[Any, Any]]) -> list[tuple[Any, ...]]:
    """The rows of all branches, each behind the number of its branch. One statement, or none."""
    sql, params = all_of(branches, "UNION ALL", "{number} AS branch, ")
    if not sql:
        return []
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return cursor.fetchall()


def all_of(branches: Iterable[QuerySet[Any, Any]], union: str, before: str = "") -> Sql:
    """The statement, and its parameters. "" for branches of which each is known to be empty."""
    pieces: list[str] = []
    params: list[Any] = []
    for number, branch in enumerate(branches):
        try:
            sql, values = branch.query.get_compiler(connection=connection).as_sql()
        except EmptyResultSet:
            continue
        pieces.append(f"SELECT {before.format(number=number)}found{number}.* FROM ({sql}) AS found{number}")
        params += values
    return f" {union} ".join(pieces), params
