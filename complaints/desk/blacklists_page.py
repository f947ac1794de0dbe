"""The blacklists that the desk asks: how each fares, what it says of us now, and what needs a person."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.db.models import Sum
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from complaints.blacklists import mark_asked, release_held
from complaints.cases.branches import numbered
from complaints.desk import when
from complaints.desk.access import access_case, confirmed, desk_page, may
from complaints.desk.lists import page_below
from complaints.desk.rights import can
from complaints.desk.words import Word
from complaints.models import Blacklist, ListHealth, Listing, ListSweep, ListUse
from complaints.tasks import advance_cases, wake

MOST_COUNTED = 99


@dataclasses.dataclass(frozen=True, slots=True)
class Row:
    """One list, as the page tells it."""

    list: Blacklist
    word: Word
    problem: str
    since: datetime | None
    tested_at: datetime | None
    tested: str
    asked: str
    limit: str
    listed: str
    sweep: ListSweep | None
    swept: str
    file: str


@desk_page
@require_GET
def blacklists_page(request: HttpRequest) -> HttpResponse:
    now = timezone.now()
    rows = rows_of(Blacklist.objects.prefetch_related("health").select_related("sweep"), now)
    on = [row for row in rows if row.list.enabled]
    context = {
        "nav": "blacklists",
        "now": now,
        "rows": sorted(on, key=lambda row: (row.since is None, row.list.name)),
        "off": [row for row in rows if not row.list.enabled],
        "held": [row for row in on if row.sweep and row.sweep.held],
        "parked": [row for row in on if row.since],
        "changed": [row for row in rows if row.list.differences],
        "our_resolver": same_problem(on),
        "no_resolver": not settings.DNS_RESOLVERS,
        "sweeping": settings.SWEEP_LISTS,
        "may_decide": can(request.user, "let_go_on"),
    }
    return render(request, "desk/blacklists.html", context)


def rows_of(lists: Iterable[Blacklist], now: datetime) -> list[Row]:
    lists = list(lists)
    asked, listed = asked_today(now), listed_now(lists)
    return [row_of(each, now, asked=asked.get(each.pk, 0), listed=listed[each.pk]) for each in lists]


def row_of(each: Blacklist, now: datetime, *, asked: int, listed: int) -> Row:
    health = sorted(each.health.all(), key=lambda row: (row.parked_since is None, not row.problem, row.family))
    worst, sweep = health[0] if health else None, getattr(each, "sweep", None)
    tested_at = min((row.tested_at for row in health), default=None)
    return Row(
        list=each,
        word=health_word(each, worst),
        problem=in_words(worst),
        since=worst.parked_since if worst and each.enabled else None,
        tested_at=tested_at,
        tested=when.age(tested_at, now) if tested_at else "",
        asked=f"{asked:,}",
        limit=f"of {each.per_day:,}" if each.per_day else "no limit",
        listed=f"more than {MOST_COUNTED}" if listed > MOST_COUNTED else str(listed),
        sweep=sweep,
        swept=swept_in_words(sweep),
        file=f"{sweep.file_entries:,} entries" if sweep and sweep.file_at else "",
    )


def health_word(each: Blacklist, worst: ListHealth | None) -> Word:
    if not each.enabled:
        return Word("no longer shipped" if each.withdrawn else "off")
    if worst is None:
        return Word("not asked yet", "", "It is tested before its first answer counts")
    if worst.parked_since:
        return Word("parked", "bad", "Its answers do not count until it passes its self-test")
    if worst.problem:
        return Word("failed once", "warn", "Tested again within minutes")
    return Word("healthy", "good", "Passed its self-test (RFC 5782 section 5)")


def in_words(health: ListHealth | None) -> str:
    if health is None or not health.problem:
        return ""
    problem = health.problem.removeprefix("self-test: ")
    return f"{problem[:1].upper()}{problem[1:]}" + (" (IPv6)" if health.family == 6 else "")


def swept_in_words(sweep: ListSweep | None) -> str:
    if sweep is None:
        return ""
    if sweep.round_started_at:
        return f"{sweep.done:,} of {sweep.total:,} addresses in this round"
    return "whole round done" if sweep.round_ended_at else ""


def asked_today(now: datetime) -> dict[int, int]:
    """How often each was asked, by its id."""
    today = ListUse.objects.filter(day=now.astimezone(UTC).date())
    return dict(today.values_list("blacklist").annotate(Sum("asked")).order_by())


def listed_now(lists: Sequence[Blacklist]) -> Counter[int]:
    """How many of ours each names, by its id; looked at up to one more than MOST_COUNTED. One statement."""
    found = numbered(now_on(each).order_by().values("pk")[: MOST_COUNTED + 1] for each in lists)
    return Counter(lists[number].pk for number, _ in found)


def now_on(each: Blacklist) -> Any:
    return Listing.objects.filter(blacklist=each, gone_at__isnull=True)


def same_problem(rows: list[Row]) -> str:
    """When every list fails in the same way, it is not the lists."""
    problems = {row.problem for row in rows}
    return problems.pop() if len(rows) > 1 and len(problems) == 1 else ""


@desk_page
@require_GET
def listings_page(request: HttpRequest, pk: int) -> HttpResponse:
    each, now = get_object_or_404(Blacklist, pk=pk), timezone.now()
    found, more = page_below(now_on(each).select_related("case"), "id", request.GET.get("below"))
    context = {
        "nav": "blacklists",
        "row": rows_of([each], now)[0],
        "rows": [(listing, when.age(listing.first_seen_at, now)) for listing in found],
        "is_first": "below" not in request.GET,
        "next": f"?below={found[-1].pk}" if more else "",
    }
    return render(request, "desk/blacklist.html", context)


@may("see_network", to_post="let_go_on")
@require_POST
@confirmed
def release(request: HttpRequest, pk: int) -> HttpResponse:
    """Somebody has looked at a list that suddenly named very many of us."""
    row = get_object_or_404(ListSweep.objects.select_related("blacklist"), blacklist=pk)
    name, believe = row.blacklist.name, request.POST.get("believe") == "yes"
    opened = release_held(row, believe=believe, actor=request.user.get_username(), now=timezone.now())
    wake(advance_cases, opened.cases)
    if believe:
        messages.success(request, f"{name} is believed: {opened.complaints:,} listings were filed.")
    else:
        messages.success(request, f"What {name} began to say stays history; no case was opened.")
    return redirect("desk:blacklists")


@desk_page
@require_POST
def asked(request: HttpRequest, pk: int) -> HttpResponse:
    """An analyst, or the customer as they tell, asked a list to take an address of the case out."""
    number = request.POST.get("case", "")
    case = access_case(request.user, int(number) if number.isascii() and number.isdigit() and len(number) < 19 else 0)
    row = get_object_or_404(Listing.objects.select_related("blacklist"), pk=pk)
    if mark_asked(row, case=case, actor=request.user.get_username(), now=timezone.now()):
        messages.success(request, f"Noted: {row.blacklist} was asked. It is looked at again by itself.")
    else:
        messages.info(request, f"Nothing to note: {row.blacklist} does not name {row.prefix} any more, or was asked.")
    return redirect("desk:case", case.pk)
