"""A report as a file. Cells come from mail and from customers' names, so a spreadsheet must not run them. Pure."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from complaints.reporting._columns import Column

Rows = Iterable[Mapping[str, Any]]
RUNS_IN_SPREADSHEETS = ("=", "+", "-", "@", "\t", "\r", "\n")
PLANNED = ("xlsx", "html", "pdf")


class UnknownFormat(Exception):
    """No exporter of that name; the text says which there are."""


def as_csv(columns: Sequence[Column], rows: Rows) -> Iterator[str]:
    """Lines of RFC 4180 CSV with a header line."""
    yield csv_line([column.name for column in columns])
    for row in rows:
        yield csv_line([cell(row[column.name]) for column in columns])


def csv_line(cells: Sequence[object]) -> str:
    line = io.StringIO()
    csv.writer(line).writerow(cells)
    return line.getvalue()


def cell(value: object) -> object:
    """Numbers as they are; text that a spreadsheet would take for a formula gets a ' in front (CWE-1236)."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.isoformat(timespec="seconds")
    if isinstance(value, str) and value.startswith(RUNS_IN_SPREADSHEETS):
        return "'" + value
    return value


def as_json(columns: Sequence[Column], rows: Rows) -> Iterator[str]:
    """One array of objects; times ISO 8601."""
    found = [{column.name: plain(row[column.name]) for column in columns} for row in rows]
    yield json.dumps(found, ensure_ascii=False, indent=1) + "\n"


def plain(value: object) -> object:
    return value.isoformat(timespec="seconds") if isinstance(value, datetime) else value


EXPORTERS: dict[str, Callable[[Sequence[Column], Rows], Iterator[str]]] = {"csv": as_csv, "json": as_json}


def exporter(name: str) -> Callable[[Sequence[Column], Rows], Iterator[str]]:
    """Raises UnknownFormat."""
    if name in EXPORTERS:
        return EXPORTERS[name]
    known = " or ".join(EXPORTERS)
    if name in PLANNED:
        raise UnknownFormat(f"--format {name} is not built yet: use {known}")
    raise UnknownFormat(f"--format {name!r} is unknown: use {known}")
