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
    Assignment,
    Case,
    Complaint,
    Contract,
    Customer,
    DeskActionCase,
    DeskTask,
    Intervention,
    Message,
    Notice,
    PrefixLength,
    Reattribution,
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
    return in_networks(who, address) & of_brands(who, brand)


def in_networks(who: Restricted, address: str) -> Q:
    if not who.only_networks:
        return EVERYTHING
    found = NOTHING
    for low, high in map(bounds, who.only_networks):
        found |= Q(**{f"{address}__gte": low, f"{address}__lte": high})
    return found


def of_brands(who: Restricted, brand: str) -> Q:
    return Q(**{f"{brand}__in": list(who.only_brands)}) if who.only_brands else EVERYTHING


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
    brands = of_brands(who, "brand")
    seen = Case.objects.filter(in_networks(who, "address"), contract=OuterRef("pk"))
    return brands & Q(Exists(seen)) if who.only_networks else brands


def of_customer(who: Restricted) -> Q:
    return Q(Exists(Contract.objects.filter(of_contract(who), customer=OuterRef("pk"))))


def of_assignment(who: Restricted) -> Q:
    """What lies wholly inside their networks, and is held by a contract of their brands."""
    brands = of_brands(who, "contract__brand")
    if not who.only_networks:
        return brands
    inside, used = NOTHING, list(PrefixLength.objects.values_list("family", "length"))
    for network in map(ipaddress.ip_network, who.only_networks):
        for family, length in used:
            if family == network.version and length >= network.prefixlen:
                head = bytes([length])
                inside |= Q(key__gte=head + network[0].packed, key__lte=head + network[-1].packed)
    return brands & inside


def of_reattribution(who: Restricted) -> Q:
    """A complaint that goes from theirs to theirs. One side may be nobody, and no side may name others as possible."""
    found = in_networks(who, "complaint__address")
    for side in ("from", "to"):
        here = within(who, address=f"{side}_case__address", brand=f"{side}_case__contract__brand")
        found &= Q(**{f"{side}_case": None}) | here
        if who.only_brands:
            found &= Q(**{f"{side}_contract": None}) | of_brands(who, f"{side}_contract__brand")
    if who.only_brands:
        found &= Q(before__candidates=[], after__candidates=[]) & ~Q(from_contract=None, to_contract=None)
    return found


# What may be shown to who is restricted. A kind that is not here must not be shown to them at all.
SCOPES: dict[type[Model], Callable[[Any], Q]] = {
    Assignment: of_assignment,
    Case: of_case,
    Complaint: of_case,
    Contract: of_contract,
    Customer: of_customer,
    DeskActionCase: lambda who: of_case(who, "case__"),
    DeskTask: lambda who: Q(case__isnull=False) & of_case(who, "case__"),
    Intervention: lambda who: of_case(who, "case__"),
    Message: of_message,
    Notice: lambda who: of_case(who, "case__"),
    Reattribution: of_reattribution,
}


def scope_of(who: Restricted, kind: type[Model]) -> Q:
    """Raises LookupError for a kind of row of which nobody has said how it is restricted."""
    return SCOPES[kind](who) if who.is_restricted else EVERYTHING


def covers(who: Restricted, first: bytes, last: bytes) -> bool:
    """Whether the addresses from `first` to `last` lie wholly in one of their networks; without any, all do."""
    networks = map(bounds, who.only_networks)
    return not who.only_networks or any(low <= first and last <= high for low, high in networks)


def may_ask_about(who: Restricted, address: str, brand: str | None) -> bool:
    """Whether an answer about one address, held by a contract of `brand` (None: by nobody), is theirs to read."""
    key = address_key(address)
    return covers(who, key, key) and (not who.only_brands or brand in who.only_brands)


def problems_of(networks: Iterable[str]) -> list[str]:
    """What is wrong with prefixes that somebody wrote."""
    found = []
    for text in networks:
        try:
            bounds(text)
        except ValueError as exc:
            found.append(f"{text!r} is no prefix as 192.0.2.0/24 or 2001:db8::/32: {exc}")
    return found
