"""The catalogue as rows. What the site has changed wins over what is shipped; the difference is kept and shown."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction

from complaints.checks import ENTRY_FIELDS, DnsblList, entry_of, load_lists
from complaints.models import Blacklist


@dataclasses.dataclass(frozen=True, slots=True)
class Loaded:
    """Names of the lists, by what was done to them."""

    added: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    withdrawn: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()  # differs from the shipped entry, and stays as the site wants it


def shipped() -> tuple[DnsblList, ...]:
    """The catalogue file: the product's own, or the one of ABUSEDESK_LISTS_FILE. Raises BadCatalogue."""
    return load_lists(Path(settings.CHECK_LISTS_FILE) if settings.CHECK_LISTS_FILE else None)


def load_catalogue() -> Loaded:
    """Bring the shipped catalogue into the rows. Safe to repeat. Raises BadCatalogue."""
    entries = {each.name: entry_of(each) for each in shipped()}
    with transaction.atomic():
        rows = {row.name: row for row in Blacklist.objects.all()}
        added = [name for name in entries if name not in rows and not zone_taken(entries[name], rows)]
        Blacklist.objects.bulk_create(
            [Blacklist(**entries[name], shipped=entries[name]) for name in added], ignore_conflicts=True
        )
        changed = [name for name, entry in entries.items() if name in rows and follow(rows[name], entry)]
        withdrawn = [name for name, row in rows.items() if name not in entries and withdraw(row)]
    kept = [name for name, row in rows.items() if row.shipped and row.differences]
    return Loaded(tuple(added), tuple(changed), tuple(withdrawn), tuple(kept))


def zone_taken(entry: dict[str, Any], rows: dict[str, Blacklist]) -> bool:
    """The site asks that zone already under a name of its own."""
    return any(row.zone == entry["zone"] for row in rows.values())


def follow(row: Blacklist, entry: dict[str, Any]) -> bool:
    """Take over what is new in the shipped entry, field by field, where the site has not changed it."""
    if row.shipped == entry and not row.withdrawn:
        return False
    for name in ENTRY_FIELDS:
        if name not in row.shipped or getattr(row, name) == row.shipped[name]:
            setattr(row, name, entry[name])
    row.shipped, row.withdrawn = entry, False
    row.save()
    return True


def withdraw(row: Blacklist) -> bool:
    """A list that is shipped no more is dead, or worse: it is switched off, once, and the row stays."""
    if not row.shipped or row.withdrawn:
        return False
    Blacklist.objects.filter(pk=row.pk).update(withdrawn=True, enabled=False)
    return True


def blacklists() -> tuple[DnsblList, ...]:
    """All lists as this site asks them; a desk that has none yet begins with the shipped ones. Raises BadCatalogue."""
    rows = list(Blacklist.objects.all())
    if not rows:
        load_catalogue()
        rows = list(Blacklist.objects.all())
    return tuple(row.as_list() for row in rows)
