"""Whom to write to about an address that is not ours, as far as a registry has told us already. Asks nobody."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from complaints.addresses import enclosing_keys, family_of
from complaints.models import NetworkContact

LENGTHS = {4: range(32, 7, -1), 6: range(128, 11, -1)}  # registries hand out no more than a /8 or a /12 at once
ASKED_AT_ONCE = 500


def contacts_of(addresses: Iterable[bytes], *, now: datetime) -> dict[bytes, NetworkContact]:
    """By address key; the most specific network decides, and an answer that is too old counts for nothing."""
    enclosing = {address: enclosing_keys(address, LENGTHS[family_of(address)]) for address in set(addresses) if address}
    keys = sorted({key for keys in enclosing.values() for key in keys})
    known: dict[bytes, NetworkContact] = {}
    for start in range(0, len(keys), ASKED_AT_ONCE):
        fresh = NetworkContact.objects.filter(key__in=keys[start : start + ASKED_AT_ONCE], ask_again_at__gt=now)
        known |= {bytes(contact.key): contact for contact in fresh}
    return {
        address: contact for address, keys in enclosing.items() if (contact := first_known(keys, known)) is not None
    }


def first_known(keys: Iterable[bytes], known: dict[bytes, NetworkContact]) -> NetworkContact | None:
    """Of the most specific network that was asked about: what the one around it says is about others."""
    contact = next((known[key] for key in keys if key in known), None)
    return contact if contact and contact.email and not contact.problem else None
