"""Ids of what a word, a number or a mark names: looked up first, each by its index, and capped."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from django.db import connection
from django.db.models import Q, QuerySet

from complaints.cases.branches import numbered
from complaints.models import Contract

MOST = 5_000  # cases that words, an address or a customer may lead to; more are said to be too many
Condition = tuple[Q, bool]  # and whether there may be more than it names


def ids_of(wanted: Sequence[QuerySet[Any, Any]]) -> list[set[int]]:
    """The ids that each of these finds, MOST of each; one statement."""
    found: list[set[int]] = [set() for _ in wanted]
    for number, pk in numbered(ids.order_by()[:MOST] for ids in wanted):
        found[number].add(pk)
    return found


def spellings(texts: Iterable[str]) -> list[str]:
    """References as they are usually written: an index finds each, while "whatever the case" reads the table."""
    return list(dict.fromkeys(form for text in texts for form in (text, text.upper(), text.lower())))


def contracts_of(named: Q) -> QuerySet[Any]:
    return Contract.objects.filter(named).values_list("pk", flat=True)[:MOST]


def few(ids: QuerySet[Any]) -> Condition:
    found = list(ids[:MOST])
    return Q(pk__in=set(found)), is_full(found)


def is_full(found: Sequence[int]) -> bool:
    """There may be more."""
    return len(found) >= MOST


def ids_with(words: list[str]) -> list[int]:
    """Cases with all of these words, MOST of them at most. No words: none."""
    if not words:
        return []
    if connection.vendor == "postgresql":
        tsquery = " & ".join("'" + word.replace("\\", "\\\\").replace("'", "''") + "'" for word in words)
        sql = "SELECT case_id FROM complaints_casetext"
        sql += " WHERE array_to_tsvector(string_to_array(words, ' ')) @@ %s::tsquery LIMIT %s"
        params: list[Any] = [tsquery, MOST]
    else:
        sql = "SELECT rowid FROM complaints_casewords WHERE complaints_casewords MATCH %s LIMIT %s"
        params = [" ".join(f'"{word}"' for word in words), MOST]
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return [pk for (pk,) in cursor.fetchall()]
