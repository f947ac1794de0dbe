"""Who had this address: the answer in words, each level of the nesting, and the holders over time."""

from __future__ import annotations

import dataclasses
from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from complaints.addresses import enclosing_keys
from complaints.attribution.answers import Question
from complaints.attribution.holders import Page, history, levels
from complaints.attribution.records import whose
from complaints.attribution.times import read_time
from complaints.cases.scope import covers
from complaints.desk import when, words
from complaints.desk.access import openable, part_page, visible
from complaints.desk.rights import is_restricted
from complaints.desk.timeline import Scale, draw
from complaints.desk.whose_form import LONGEST, SPANS, Wanted, query, read_wanted
from complaints.models import Assignment, Case, Complaint, Contract, Listing, Message, User
from complaints.vocabulary import Answer

MOST_COMPLAINTS = 100
MOST_LISTINGS = 50
FIELDS = ("address", "port", "at")
NOT_YOURS = "That is not wholly inside the networks your account is restricted to."


@dataclasses.dataclass(frozen=True, slots=True)
class Seen:
    """Everything personal that the page shows. answer: None of a prefix, which has no single holder.

    Who is restricted to brands sees what the contracts of those had, and of all others not even that there are any:
    then `answer` may be None of an address, too.
    """

    answer: dict[str, Any] | None
    contract: Contract | None
    levels: list[Assignment]
    page: Page
    complaints: list[Complaint]
    listings: list[Listing]
    of_brands: bool = False


@part_page
@require_GET
def whose_page(request: HttpRequest) -> HttpResponse:
    now = timezone.now()
    given = {name: request.GET.get(name, "").strip()[:LONGEST] for name in FIELDS}
    context: dict[str, Any] = {"nav": "whose", "given": given, "now": now}
    if not given["address"]:
        return render(request, "desk/whose.html", context)
    wanted, problems = read_wanted(request.GET, now)
    if wanted is None:
        return render(request, "desk/whose.html", context | {"problems": problems}, status=400)
    user: User = request.user  # type: ignore[assignment]
    if is_restricted(user) and not covers(user, wanted.place.first, wanted.place.last):
        return render(request, "desk/whose.html", context | {"problems": {"address": NOT_YOURS}}, status=403)
    seen = look_up(wanted, user)
    linked = {
        "cases": openable(user, Case, (each.case_id for each in seen.complaints)),
        "mails": openable(user, Message, (each.message_id for each in seen.complaints)),
    }
    return render(request, "desk/whose.html", context | shown(wanted, seen, now) | linked)


def look_up(wanted: Wanted, user: User) -> Seen:
    """The one door to who had an address: whatever this page shows of a person came through here."""
    place, brands = wanted.place, user.only_brands if is_restricted(user) else []
    only = Q(contract__brand__in=brands) if brands else Q()
    answer = whose(Question(place.first, wanted.port, wanted.at)) if place.is_address else None
    reference = answer["contract"] if answer else None
    contract = Contract.objects.select_related("customer").get(reference=reference) if reference else None
    if answer and brands:
        contract = contract if contract and contract.brand in brands else None
        # The reason may name others, who might have been meant.
        answer = answer | {"reason": ""} if contract else None
    page = history(place, since=wanted.since, until=wanted.until, port=wanted.port, before=wanted.before, only=only)
    # A blacklist may have named the address while others had it.
    listings = [] if brands else listings_at(wanted)
    complaints = complaints_at(wanted, visible(user, Complaint))
    return Seen(answer, contract, levels(place, wanted.at, only=only), page, complaints, listings, bool(brands))


def complaints_at(wanted: Wanted, among: QuerySet[Complaint]) -> list[Complaint]:
    found = among.filter(
        address__gte=wanted.place.first, address__lte=wanted.place.last,
        seen_at__gte=wanted.since, seen_at__lte=wanted.until,
    )  # fmt: skip
    if wanted.port:
        found = found.filter(port__in=[0, wanted.port])
    return list(
        found.select_related("case", "contract").defer("evidence").order_by("-seen_at", "-pk")[:MOST_COMPLAINTS]
    )


def listings_at(wanted: Wanted) -> list[Listing]:
    """What blacklists said of the place, or of a prefix around it, in that time."""
    first = wanted.place.first
    keys = enclosing_keys(first, range(wanted.place.key[0], -1, -1))
    found = Listing.objects.filter(key__in=keys, first_seen_at__lte=wanted.until).select_related("blacklist")
    rows = found.order_by("-first_seen_at")[:MOST_LISTINGS]
    return [row for row in rows if row.gone_at is None or row.gone_at >= wanted.since]


def shown(wanted: Wanted, seen: Seen, now: datetime) -> dict[str, Any]:
    meant = deciding(seen)
    held_then = {row.pk for row in seen.levels}
    context = {
        "wanted": wanted,
        "seen": seen,
        "age": when.age(wanted.at, now) if wanted.at <= now else when.until(wanted.at, now),
        "levels": [(row, row.pk in meant) for row in seen.levels],
        "rows": [(row, row.pk in meant, row.pk in held_then) for row in seen.page.rows],
        "spans": [(title, query(wanted, span=name), name == wanted.span) for name, (title, _) in SPANS.items()],
        "older": query(wanted, before=seen.page.next) if seen.page.next else "",
        "first": query(wanted) if wanted.before else "",
        "most_complaints": MOST_COMPLAINTS,
    }
    return context | in_words(seen) | drawn(wanted, seen, meant, now)


def in_words(seen: Seen) -> dict[str, Any]:
    answer = seen.answer
    if answer is None:
        return {"answer": None}
    return {
        "answer": answer,
        "whose": words.WHOSE[Answer(answer["answer"])],
        "sure": words.owner_word(answer["confidence"]),
        "method": words.METHODS.get(answer["method"], answer["method"]),
        "valid_from": answer["valid_from"] and read_time(answer["valid_from"]),
        "valid_until": answer["valid_until"] and read_time(answer["valid_until"]),
    }


def drawn(wanted: Wanted, seen: Seen, meant: set[int], now: datetime) -> dict[str, Any]:
    zone, half = timezone.get_current_timezone(), (wanted.until - wanted.since) / 2
    scale = Scale(wanted.since.astimezone(zone), wanted.until.astimezone(zone))
    return {
        "timeline": draw(seen.page.rows, scale, meant=meant),
        "mark": scale.at(wanted.at) if scale.holds(wanted.at) else None,
        "dots": sorted({scale.at(each.seen_at) for each in seen.complaints}),
        "listed": [listed_bar(each, scale) for each in seen.listings],
        "earlier": query(wanted, until=wanted.since + half),
        "later": query(wanted, until=min(wanted.until + half, now)) if wanted.until < now - half / 50 else "",
    }


def deciding(seen: Seen) -> set[int]:
    """The assignment that the answer rests on: the most specific one of its contract and beginning."""
    if seen.contract is None or seen.answer is None or seen.answer["valid_from"] is None:
        return set()
    since = read_time(seen.answer["valid_from"])
    same = [row.pk for row in seen.levels if row.contract_id == seen.contract.pk and row.valid_from == since]
    return set(same[:1])


def listed_bar(row: Listing, scale: Scale) -> dict[str, Any]:
    x, end = scale.at(row.first_seen_at), scale.at(row.gone_at) if row.gone_at else 100.0
    return {"row": row, "x": x, "width": round(max(end - x, 0.15), 3)}
