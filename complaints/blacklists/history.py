"""What the lists say of our addresses, one row an episode: first seen, last seen, gone. Unknown changes nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from complaints.addresses import enclosing_keys, family_of, prefix_key
from complaints.models import Blacklist, Listing
from complaints.models.text import storable

LOOK_AGAIN = timedelta(hours=6)  # at an address that is listed, until it is gone
NAMED = ("listed", "policy")
SILENT = ("not-listed", "allow")
MOST_SHOWN = 100
ASKED_AT_ONCE = 500  # keys in one question
Place = tuple[int, bytes]  # list, prefix key


def record_findings(
    rows: Iterable[Mapping[str, Any]], *, now: datetime, source: str = Listing.Source.DNS
) -> list[Listing]:
    """Write down what lists said; the episodes that began just now.

    rows: as the blacklist check writes them into its details: list, place, status, codes, meaning, cause, txt.
    """
    ids = dict(Blacklist.objects.values_list("name", "pk"))
    found: dict[Place, Mapping[str, Any]] = {}
    for row in rows:
        if row.get("status") in (*NAMED, *SILENT) and row.get("list") in ids:
            found[ids[str(row["list"])], prefix_key(str(row["place"]))] = row
    active = active_listings(found, source)
    begun = [
        begin(place, row, now=now, source=source)
        for place, row in found.items()
        if place not in active and row["status"] in NAMED
    ]
    with transaction.atomic():
        Listing.objects.bulk_create(begun, ignore_conflicts=True)
        for place, listing in active.items():
            go_on(listing, found[place], now=now)
    there = active_listings({(new.blacklist_id, bytes(new.key)): {} for new in begun}, source)
    return [listing for listing in there.values() if listing.first_seen_at == now]


def active_listings(places: Mapping[Place, Any], source: str) -> dict[Place, Listing]:
    keys = sorted({key for _, key in places})
    found: dict[Place, Listing] = {}
    for start in range(0, len(keys), ASKED_AT_ONCE):
        part = keys[start : start + ASKED_AT_ONCE]
        for listing in Listing.objects.filter(key__in=part, gone_at__isnull=True, source=source):
            found[listing.blacklist_id, bytes(listing.key)] = listing
    return {place: listing for place, listing in found.items() if place in places}


def begin(place: Place, row: Mapping[str, Any], *, now: datetime, source: str) -> Listing:
    look_at = now + LOOK_AGAIN if source == Listing.Source.DNS else None
    return Listing(
        blacklist_id=place[0], key=place[1], source=source, first_seen_at=now, last_seen_at=now, look_at=look_at,
        **told(row),
    )  # fmt: skip


def go_on(listing: Listing, row: Mapping[str, Any], *, now: datetime) -> None:
    """Still there, with perhaps another meaning; or gone. An answer older than what is known changes nothing."""
    rows = Listing.objects.filter(pk=listing.pk, gone_at__isnull=True, last_seen_at__lte=now)
    if row["status"] in SILENT:
        rows.update(gone_at=now, look_at=None)
        return
    look_at = now + LOOK_AGAIN if listing.source == Listing.Source.DNS else None
    rows.update(last_seen_at=now, look_at=look_at, **told(row))


def told(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "status": row["status"],
        "codes": list(row.get("codes") or ()),
        "meaning": storable(row.get("meaning"), 500),
        "causes": [cause for cause in str(row.get("cause") or "").split(", ") if cause],
        "text": storable(row.get("txt"), 512),
    }


def listings_of(addresses: Sequence[bytes]) -> list[Listing]:
    """Every episode about these addresses (16-byte keys) or a network around them: those of now first, then by age."""
    return those_of_now_first(episodes_about(addresses).select_related("blacklist"))


def episodes_about(addresses: Sequence[bytes]) -> QuerySet[Listing]:
    """The same, the youngest first."""
    keys = {key for address in addresses for key in enclosing_keys(address, lengths(address))}
    return Listing.objects.filter(key__in=keys).order_by("-first_seen_at")[:MOST_SHOWN]


def those_of_now_first(episodes: Iterable[Listing]) -> list[Listing]:
    return sorted(episodes, key=lambda each: (each.gone_at is not None, each.blacklist.name))


def lengths(address: bytes) -> range | tuple[int, ...]:
    """Prefix lengths that lists use: of IPv6 the address, its /64, and the whole customer's network."""
    return range(8, 33) if family_of(address) == 4 else (32, 48, 56, 64, 128)
