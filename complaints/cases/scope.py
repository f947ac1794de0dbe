"""What a restricted user, or a restricted key, may see: cases of some networks, of some brands, or of both at once.

In doubt it is not theirs: a complaint without an address is in no network, one without a contract of no brand, and a
mail is seen whole or not at all, so one that also accuses others is not seen.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterable
from typing import Any

from django.db.models import Exists, Model, OuterRef, Q

from complaints.addresses import MAPPED, address_key
from complaints.models import (
    Case,
    Complaint,
    Contract,
    DeskActionCase,
    DeskTask,
    Intervention,
    Message,
    Notice,
    Restricted,
)

EVERYTHING, NOTHING = Q(), Q(pk__in=[])


def bounds(prefix: str) -> tuple[bytes, bytes]:
    """The first and the last address of a prefix, as address keys. Raises ValueError."""
    network = ipaddress.ip_network(prefix)
    low, high = network[0].packed, network[-1].packed
    return (MAPPED + low, MAPPED + high) if network.version == 4 else (low, high)


def within(who: Restricted, *, address: str, brand: str) -> Q:
    """Rows whose column `address` lies in their networks and whose `brand` is one of theirs."""
    found = Q()
    if who.only_networks:
        ranges = NOTHING
        for low, high in map(bounds, who.only_networks):
            ranges |= Q(**{f"{address}__gte": low, f"{address}__lte": high})
        found &= ranges
    if who.only_brands:
        found &= Q(**{f"{brand}__in": list(who.only_brands)})
    return found


def of_case(who: Restricted, path: str = "") -> Q:
    return within(who, address=f"{path}address", brand=f"{path}contract__brand")


def of_message(who: Restricted) -> Q:
    theirs = within(who, address="address", brand="contract__brand")
    complaints = Complaint.objects.filter(message=OuterRef("pk"))
    return Q(Exists(complaints.filter(theirs))) & ~Q(
        Exists(complaints.exclude(pk__in=Complaint.objects.filter(theirs, message=OuterRef("message")).values("pk")))
    )


def of_contract(who: Restricted) -> Q:
    """By brand; of a network restriction, those with a case in it."""
    brands = Q(brand__in=list(who.only_brands)) if who.only_brands else Q()
    seen = Case.objects.filter(within(who, address="address", brand="contract__brand"), contract=OuterRef("pk"))
    return brands & Q(Exists(seen)) if who.only_networks else brands


# What may be shown to who is restricted. A kind that is not here must not be shown to them at all.
SCOPES: dict[type[Model], Callable[[Any], Q]] = {
    Case: of_case,
    Complaint: of_case,
    Contract: of_contract,
    DeskActionCase: lambda who: of_case(who, "case__"),
    DeskTask: lambda who: Q(case__isnull=False) & of_case(who, "case__"),
    Intervention: lambda who: of_case(who, "case__"),
    Message: of_message,
    Notice: lambda who: of_case(who, "case__"),
}


def scope_of(who: Restricted, kind: type[Model]) -> Q:
    """Raises LookupError for a kind of row of which nobody has said how it is restricted."""
    return SCOPES[kind](who) if who.is_restricted else EVERYTHING


def may_ask_about(who: Restricted, address: str, brand: str | None) -> bool:
    """Whether an answer about one address, held by a contract of `brand` (None: by nobody), is theirs to read."""
    if who.only_networks:
        key = address_key(address)
        if not any(low <= key <= high for low, high in map(bounds, who.only_networks)):
            return False
    return not who.only_brands or brand in who.only_brands


def problems_of(networks: Iterable[str]) -> list[str]:
    """What is wrong with prefixes that somebody wrote."""
    found = []
    for text in networks:
        try:
            bounds(text)
        except ValueError as exc:
            found.append(f"{text!r} is no prefix as 192.0.2.0/24 or 2001:db8::/32: {exc}")
    return found
