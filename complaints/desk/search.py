"""The search box: one text, read as what it looks like, and the cases it means."""

from __future__ import annotations

import dataclasses
import ipaddress
import re
from collections.abc import Callable

from django.db.models import Q, QuerySet

from complaints.addresses import MAPPED, address_key
from complaints.models import Case, Complaint, Contract, Notice

CASE_NUMBER = re.compile(r"#?(?:(\d{4})-)?(\d{1,12})")
MOST = 500  # cases or contracts one text may lead to; a text that finds more says nothing


@dataclasses.dataclass(frozen=True, slots=True)
class Found:
    """`meaning` says how the text was read, so that an empty answer explains itself."""

    cases: QuerySet[Case]
    meaning: str
    exact: bool = False  # one case was named: go there


Reader = Callable[[str], Found | None]


def search(text: str) -> Found:
    text = " ".join(text.replace("\0", "").split())[:400]
    for read in READERS:
        if found := read(text):
            return found
    return by_name(text)


def by_number(text: str) -> Found | None:
    match = CASE_NUMBER.fullmatch(text)
    if not match:
        return None
    year, number = match.groups()
    if not year and not text.startswith("#"):
        return None  # a bare number is more likely the ISP's own reference
    cases = Case.objects.numbered(f"{year}-{number}") if year else Case.objects.filter(pk=int(number))
    return Found(cases, f"case {text}", exact=True)


def by_address(text: str) -> Found | None:
    try:
        key = address_key(text)
    except ValueError:
        return None
    return Found(complained_about(Q(address=key)), f"address {text}")


def by_prefix(text: str) -> Found | None:
    if "/" not in text:
        return None
    try:
        network = ipaddress.ip_network(text, strict=False)
    except ValueError:
        return None
    low, high = (edge.packed for edge in (network[0], network[-1]))
    if network.version == 4:
        low, high = MAPPED + low, MAPPED + high
    return Found(complained_about(Q(address__gte=low, address__lte=high)), f"addresses in {network}")


def by_message_id(text: str) -> Found | None:
    if "@" not in text:
        return None
    bare = text.strip("<>")
    notices = Notice.objects.filter(message_id__in=[bare, f"<{bare}>"]).values("case")
    contacts = Contract.objects.filter(contacts__email__iexact=bare).values("pk")[:MOST]
    cases = Case.objects.filter(
        Q(pk__in=complained_about(Q(original_message_id=bare)).values("pk"))
        | Q(pk__in=notices)
        | Q(contract__in=contacts)
    )
    return Found(cases, f"message-id or contact {bare}")


def by_name(text: str) -> Found:
    """Contract or customer: an exact reference, else a part of the customer's name."""
    exact = Contract.objects.filter(Q(reference__iexact=text) | Q(customer__reference__iexact=text))
    named = Contract.objects.filter(customer__name__icontains=text)
    cases = Case.objects.filter(Q(contract__in=exact.values("pk")[:MOST]) | Q(contract__in=named.values("pk")[:MOST]))
    return Found(cases, f"customer or contract “{text}”")


def complained_about(which: Q) -> QuerySet[Case]:
    found = Complaint.objects.filter(which, case__isnull=False).order_by().values("case").distinct()[:MOST]
    return Case.objects.filter(pk__in=found)


READERS: tuple[Reader, ...] = (by_number, by_address, by_prefix, by_message_id)
