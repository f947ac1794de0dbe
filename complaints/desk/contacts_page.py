"""Contracts that nobody can be told of: no contact, or none that works. To be mended before somebody must be told.

Those with open cases come first, the most complaints on top; then the rest by age. Paged by key, in two runs.
"""

from __future__ import annotations

import dataclasses
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Sum
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from complaints.attribution.contacts import check_contacts, works_again
from complaints.desk import when
from complaints.desk.access import desk_page
from complaints.models import Case, Contact, Contract, MailDomain

PAGE = 50
WORDS = {
    "": "not known to fail",
    Contact.Problem.BOUNCED: "a mail came back",
    Contact.Problem.UNDELIVERABLE: "its domain takes no mail",
}
TONE = {"": "good", Contact.Problem.BOUNCED: "bad", Contact.Problem.UNDELIVERABLE: "bad"}


@dataclasses.dataclass(frozen=True, slots=True)
class Row:
    contract: Contract
    cases: int = 0
    complaints: int = 0


@desk_page
@require_GET
def contacts_page(request: HttpRequest) -> HttpResponse:
    rows, following = page_of(request.GET.get("after", ""))
    now = timezone.now()
    context = {
        "nav": "contacts",
        "rows": [{"row": row, "contacts": [shown(contact, now) for contact in contacts_of(row)]} for row in rows],
        "is_first": not request.GET.get("after"),
        "next": "?" + urlencode({"after": following}) if following else "",
    }
    return render(request, "desk/contacts.html", context)


def contacts_of(row: Row) -> list[Contact]:
    return sorted(row.contract.contacts.all(), key=lambda contact: contact.pk)


def shown(contact: Contact, now: Any) -> dict[str, Any]:
    return {
        "contact": contact,
        "words": WORDS[contact.problem],
        "tone": TONE[contact.problem],
        "age": when.age(contact.problem_at, now) if contact.problem_at else "",
    }


def page_of(after: str) -> tuple[list[Row], str]:
    """A page, and the key of its last row when there are more: "COMPLAINTS-ID" of the first run, "ID" of the second.
    Nonsense begins at the top.
    """
    complaints, _, last = after.rpartition("-")
    in_second = bool(after) and not complaints and is_number(last)
    in_first = is_number(complaints) and is_number(last)
    rows = [] if in_second else urgent(int(complaints), int(last)) if in_first else urgent()
    if len(rows) <= PAGE:
        rows += quiet(int(last) if in_second else 0, PAGE + 1 - len(rows))
    if len(rows) <= PAGE:
        return rows, ""
    rows = rows[:PAGE]
    end = rows[-1]
    return rows, f"{end.complaints}-{end.contract.pk}" if end.cases else str(end.contract.pk)


def is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 19


def urgent(complaints: int | None = None, last: int = 0) -> list[Row]:
    """With open cases: few, so they may be counted. After (complaints, id) of the last one shown."""
    found = (
        Case.objects.active()
        .filter(contract__reachable=False)
        .values("contract")
        .annotate(cases=Count("pk"), weight=Sum("complaint_count"))
        .order_by("-weight", "contract")
    )
    if complaints is not None:
        found = found.filter(Q(weight__lt=complaints) | Q(weight=complaints, contract__gt=last))
    counts = list(found[: PAGE + 1])
    contracts = with_contacts(Contract.objects.filter(pk__in=[each["contract"] for each in counts])).in_bulk()
    return [Row(contracts[each["contract"]], each["cases"], each["weight"]) for each in counts]


def quiet(after: int, most: int) -> list[Row]:
    """Without open cases, oldest first."""
    open_cases = Case.objects.active().filter(contract=OuterRef("pk"))
    found = Contract.objects.unreachable().filter(~Exists(open_cases), pk__gt=after).order_by("pk")
    return [Row(contract) for contract in with_contacts(found)[:most]]


def with_contacts(contracts: QuerySet[Contract]) -> QuerySet[Contract]:
    return contracts.select_related("customer").prefetch_related("contacts")


@desk_page
@require_POST
def check(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask the DNS now; what was asked lately is not asked again."""
    contract = get_object_or_404(Contract, pk=pk)
    found = check_contacts(contract, now=timezone.now())
    contract.refresh_from_db()
    tell(request, contract, found)
    return redirect("desk:contacts")


def tell(request: HttpRequest, contract: Contract, found: list[MailDomain]) -> None:
    if not found:
        messages.info(request, f"{contract}: there is no address to check.")
    for domain in found:
        say = messages.info if domain.verdict == MailDomain.Verdict.UNKNOWN else messages.success
        if domain.verdict == MailDomain.Verdict.REFUSES:
            say = messages.warning
        say(request, f"{contract}: {domain.name} {domain.get_verdict_display()}: {domain.reason}.")
    if contract.reachable:
        messages.success(request, f"{contract} can be told again.")


@desk_page
@require_POST
def again(request: HttpRequest, pk: int) -> HttpResponse:
    """A person knows that it works."""
    contact = get_object_or_404(Contact.objects.select_related("contract"), pk=pk)
    works_again(contact)
    text = f"{contact.contract} can be told again, at {contact.email}. A mail that comes back will say so."
    messages.success(request, text)
    return redirect("desk:contacts")
