"""The list of customers: all of them newest first, or those of somebody's networks by address. Paged by key."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from contextlib import suppress
from typing import Any
from urllib.parse import urlencode

from django.db.models import F, Q, QuerySet, Window
from django.db.models.functions import RowNumber
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET

from complaints.cases.branches import numbered
from complaints.cases.scope import bounds
from complaints.desk.access import among, part_page, visible
from complaints.desk.lists import PAGE, page_below
from complaints.desk.rights import is_restricted
from complaints.models import Case, Contact, Contract, Customer, User
from complaints.models.text import storable

MOST_NAMED = 50


@part_page
@require_GET
def customers_page(request: HttpRequest) -> HttpResponse:
    asked = storable(request.GET.get("q", "").strip(), 200)
    user: User = request.user  # type: ignore[assignment]
    yours = visible(user, Customer)
    named = set(yours.filter(pk__in=named_by(asked)).values_list("pk", flat=True)) if asked else set()
    if len(named) == 1:
        return redirect("desk:customer", named.pop())
    if is_restricted(user) and user.only_networks and not asked:
        rows, next_page = page_by_address(user, request.GET.get("after", ""))
    else:
        found = yours.filter(pk__in=named) if named else yours.filter(name__icontains=asked)
        rows, more = page_below(found, "id", request.GET.get("below"))
        next_page = {"below": str(rows[-1].pk)} if more else {}
    kept = {"q": asked} if asked else {}
    context = {
        "nav": "customers",
        "asked": asked,
        "rows": customer_rows(rows, user),
        "is_part": is_restricted(user),
        "is_first": not {"below", "after"} & set(request.GET),
        "first": "?" + urlencode(kept),
        "next": "?" + urlencode(kept | next_page) if next_page else "",
    }
    return render(request, "desk/customers.html", context)


def page_by_address(user: User, after: str) -> tuple[list[Customer], dict[str, str]]:
    """The customers whose cases come next by address, and where the page behind begins ({}: nowhere).

    A walk along an index of the cases, network by network: by the age of customers nobody would find the few who had a
    case in a small network. Who had cases at several addresses may stand on several pages.
    """
    cases, seen = visible(user, Case).order_by("address", "contract").values_list("address", "contract"), Q()
    address, _, contract = after.partition(".")
    if contract.isascii() and contract.isdigit() and len(contract) < 19 and len(address) == 32:
        with suppress(ValueError):
            key = bytes.fromhex(address)
            seen = Q(address__gte=key) & (Q(address__gt=key) | Q(contract__gt=int(contract)))
    edges = [bounds(each) for each in user.only_networks]
    walks = (cases.filter(seen, address__gte=low, address__lte=high).distinct()[: PAGE + 1] for low, high in edges)
    places = sorted({(bytes(address), contract) for _, address, contract in numbered(walks)})
    contracts = Contract.objects.select_related("customer").in_bulk([contract for _, contract in places[:PAGE]])
    found = dict.fromkeys(contracts[contract].customer for _, contract in places[:PAGE])
    if len(places) <= PAGE:
        return list(found), {}
    address_key, last = places[PAGE - 1]
    return list(found), {"after": f"{address_key.hex()}.{last}"}


def named_by(asked: str) -> set[int]:
    """Whose reference it is, of customer or contract, or a contact's address: each by an index."""
    exact = (
        Customer.objects.filter(reference=asked).values_list("pk", flat=True),
        Contract.objects.filter(reference=asked).values_list("customer", flat=True),
        Contact.objects.filter(email=asked.lower()).values_list("contract__customer", flat=True),
    )
    return {pk for rows in exact for pk in rows[:MOST_NAMED]}


def customer_rows(customers: Sequence[Customer], user: User) -> list[dict[str, Any]]:
    """Each with references of contracts and how many cases are open: two queries for a page."""
    ids = [customer.pk for customer in customers]
    contracts: dict[int, list[str]] = defaultdict(list)
    for customer, reference in first_contracts(visible(user, Contract).filter(customer__in=ids)):
        contracts[customer].append(reference)
    cases = among(user, Case.objects.active()).filter(contract__customer__in=ids)
    opened = Counter(cases.values_list("contract__customer", flat=True))
    return [{"customer": each, "contracts": contracts[each.pk], "open": opened[each.pk]} for each in customers]


def first_contracts(contracts: QuerySet[Contract]) -> list[tuple[int, str]]:
    nth = Window(RowNumber(), partition_by=[F("customer")], order_by="reference")
    return list(contracts.annotate(nth=nth).filter(nth__lte=4).values_list("customer", "reference"))
