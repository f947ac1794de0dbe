"""Who held an address or a prefix over time, read for people: bounded, the newest first."""

from __future__ import annotations

import dataclasses
import ipaddress
from collections.abc import Sequence
from datetime import datetime

from django.db.models import Q

from complaints.addresses import MAPPED, address_key, address_text, enclosing_keys, family_of, prefix_key, prefix_text
from complaints.models import Assignment, PrefixLength

MOST = 200  # of a page
MOST_LEVELS = 100
EVERY = Q()


@dataclasses.dataclass(frozen=True, slots=True)
class Place:
    """One address, or a prefix. first and last are address keys."""

    key: bytes  # as prefix key
    first: bytes
    last: bytes

    @property
    def is_address(self) -> bool:
        return self.first == self.last

    @property
    def text(self) -> str:
        return address_text(self.first) if self.is_address else prefix_text(self.key)


@dataclasses.dataclass(frozen=True, slots=True)
class Page:
    """Some holders, youngest first. next: where the older ones begin; None at the end."""

    rows: Sequence[Assignment]
    next: tuple[datetime, int] | None


def read_place(text: str) -> Place:
    """An address, or a prefix with or without host bits. Raises ValueError."""
    text = text.strip()
    if "/" not in text:
        key = address_key(text)
        size = 32 if family_of(key) == 4 else 128
        return place_of(bytes([size]) + (key[12:] if size == 32 else key))
    try:
        network = ipaddress.ip_network(text[:60], strict=False)
    except ValueError:
        raise ValueError(f"{text[:60]!r} is neither an address nor a prefix such as 192.0.2.0/24") from None
    return place_of(prefix_key(str(network)))


def place_of(key: bytes) -> Place:
    network = ipaddress.ip_network((key[1:], key[0]))
    before = MAPPED if len(key) == 5 else b""
    return Place(key, before + network.network_address.packed, before + network.broadcast_address.packed)


def history(
    place: Place,
    *,
    since: datetime,
    until: datetime,
    port: int | None = None,
    before: tuple[datetime, int] | None = None,
    only: Q = EVERY,
) -> Page:
    """The holders between the two times, of the place, of what lies around it and (of a prefix) inside it.

    only: a condition on the assignments, for who may not see all of them.
    """
    held = Assignment.objects.filter(at_place(place), only, valid_from__lt=until)
    held = held.filter(Q(valid_until=None) | Q(valid_until__gt=since))
    if port:
        held = held.filter(port_first__lte=port, port_last__gte=port)
    if before:
        at, pk = before
        held = held.filter(Q(valid_from__lt=at) | Q(valid_from=at, pk__lt=pk), valid_from__lte=at)
    rows = list(held.select_related("contract__customer").order_by("-valid_from", "-pk")[: MOST + 1])
    last = rows[MOST - 1] if len(rows) > MOST else None
    return Page(rows[:MOST], (last.valid_from, last.pk) if last else None)


def levels(place: Place, at: datetime, *, only: Q = EVERY) -> list[Assignment]:
    """Who held the place and each prefix around it at that moment, the most specific first."""
    held = Assignment.objects.filter(only, key__in=around(place), valid_from__lte=at)
    held = held.filter(Q(valid_until=None) | Q(valid_until__gt=at)).select_related("contract__customer")
    found = held.order_by("-key", "port_first")[:MOST_LEVELS]  # the length is the key's first byte
    return list(found)


def at_place(place: Place) -> Q:
    wanted = Q(key__in=around(place))
    if place.is_address:
        return wanted
    head = slice(12, None) if len(place.key) == 5 else slice(None)
    for length in lengths(place):
        if length > place.key[0]:
            wanted |= Q(key__gte=bytes([length]) + place.first[head], key__lte=bytes([length]) + place.last[head])
    return wanted


def around(place: Place) -> list[bytes]:
    """The prefix keys in use that contain the whole place, its own among them."""
    return enclosing_keys(place.first, [length for length in lengths(place) if length <= place.key[0]])


def lengths(place: Place) -> list[int]:
    family = 4 if len(place.key) == 5 else 6
    return list(PrefixLength.objects.filter(family=family).order_by("-length").values_list("length", flat=True))
