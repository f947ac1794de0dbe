"""The search as form fields: what each shows of a query, and the query after fields were changed."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from complaints.desk import words
from complaints.desk.query import WORDS, Query, QueryError, parse
from complaints.vocabulary import CaseState, Category, Cause, CustomerStatus

OLDER = (("", "Any age"), ("4h", "4 hours"), ("1d", "1 day"), ("2d", "2 days"), ("1w", "1 week"), ("4w", "4 weeks"))


def choices(name: str, titles: Mapping[Any, str], nothing: str) -> list[tuple[str, str]]:
    stored = {str(value): title for value, title in titles.items()}
    return [("", nothing)] + [(typed, stored[value]) for typed, value in WORDS[name].items()]


# name, label, what can be chosen (None: written)
FIELDS: tuple[tuple[str, str, list[tuple[str, str]] | None], ...] = (
    ("state", "State", choices("state", {s: words.STATES[s] for s in CaseState}, "Any state")),
    ("cause", "Cause", choices("cause", {c: words.CAUSES[c] for c in Cause}, "Any cause")),
    ("category", "Accused of", choices("category", {c: words.CATEGORIES[c] for c in Category}, "Anything")),
    ("said", "Customer says", choices("said", {c: words.CUSTOMER[c] for c in CustomerStatus}, "Anything")),
    ("older", "Older than", list(OLDER)),
    ("address", "Address or network", None),
    ("customer", "Customer", None),
    ("assignee", "Assigned to", None),
)
FLAGS = (("mine", "Mine"), ("unassigned", "Nobody's"), ("late", "Overdue"), ("listed", "On a blacklist"),
         ("relapse", "Relapse"), ("proven", "Cause proven"))  # fmt: skip
EXAMPLES = {"address": "192.0.2.0/24", "customer": "name or number", "assignee": "me, nobody, a user name"}


@dataclasses.dataclass(frozen=True, slots=True)
class Field:
    name: str
    label: str
    value: str
    options: list[tuple[str, str]] | None
    example: str = ""


def fields_of(query: Query) -> list[Field]:
    found = []
    for name, label, options in FIELDS:
        value = query.value(name)
        if options and value not in dict(options):
            options = [*options, (value, value)]
        found.append(Field(name, label, value, options, EXAMPLES.get(name, "")))
    return found


def flags_of(query: Query) -> list[tuple[str, str, bool]]:
    return [(name, title, query.has("is", name)) for name, title in FLAGS]


def rewritten(query: Query, given: Mapping[str, Any], flags: list[str]) -> Query:
    """The query with what was changed in the form. A field that still shows what the query says changes nothing, so
    what a form cannot show (several states, a “not”) is kept. Raises QueryError for a value that its field refuses."""
    for name, _, _ in FIELDS:
        value = str(given.get(name, "")).strip().replace('"', "")
        if name in given and value != query.value(name):
            query = query.with_value(name, parsed_value(name, value))
    for name, _ in FLAGS:
        wanted, has = name in flags, query.has("is", name)
        if wanted and not has:
            query = parse(f"{query} is:{name}")
        elif has and not wanted:
            kept = tuple(term for term in query.terms if not (term.name == "is" and name in term.values))
            query = dataclasses.replace(query, terms=kept)
    return query


def parsed_value(name: str, value: str) -> str:
    if not value:
        return ""
    found = parse(f'{name}:"{value}"')
    if not found.terms:
        raise QueryError(f"{name}: “{value}” is not understood", 0, len(value))
    return found.terms[0].values[0]
