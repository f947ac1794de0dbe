"""Sweeps over tables that only grow: how far each has come, kept as a row. Nothing is skipped and nothing done twice.

On PostgreSQL an id may be committed after a higher one, so a sweep goes only as far as the highest id of a while ago;
on SQLite there is one writer at a time, and ids become visible in their order.
"""

from __future__ import annotations

import dataclasses
from datetime import datetime, timedelta

from django.db import connection

from complaints.models import SweepPosition

LAG = timedelta(minutes=2)  # longer than any of our transactions lasts


class Overtaken(Exception):
    """Another worker has swept the same stretch: ours must be rolled back."""


@dataclasses.dataclass(frozen=True, slots=True)
class Stretch:
    """Ids above `after` up to and with `upto` are to be done; nothing where they are equal."""

    name: str
    after: int
    upto: int


def next_stretch(name: str, newest: int, *, now: datetime, begin: int = 0, lag: timedelta | None = None) -> Stretch:
    """newest: the highest id there is. begin: where a sweep starts that never ran."""
    wait = lag if lag is not None else LAG if connection.vendor == "postgresql" else timedelta(0)
    first = {"position": begin, "seen": newest, "seen_at": now}
    row, _ = SweepPosition.objects.get_or_create(name=name, defaults=first)
    if row.position >= row.seen and newest > row.seen:
        SweepPosition.objects.filter(name=name, seen=row.seen).update(seen=newest, seen_at=now)
        row.refresh_from_db()
    return Stretch(name, row.position, row.seen if now - row.seen_at >= wait else row.position)


def finish(stretch: Stretch, *, upto: int) -> None:
    """Everything up to `upto` is done. Inside the transaction that did it. Raises Overtaken."""
    mine = SweepPosition.objects.filter(name=stretch.name, position=stretch.after)
    if not mine.update(position=upto):
        raise Overtaken(f"{stretch.name}: no longer at {stretch.after}")
