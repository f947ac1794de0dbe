"""Campaigns: spam runs that several customers' lines took part in, the youngest first; and one with its cases."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db.models import Count, Max, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.views.decorators.http import require_GET

from complaints.cases.story import Accusation
from complaints.desk import when, words
from complaints.desk.access import desk_page, visible
from complaints.models import Campaign, CampaignMember, Case, Complaint
from complaints.vocabulary import CaseState, Category

PAGE = 50
MOST_CASES = 100
LOOKED_AT = 5_000  # members of a campaign, the youngest: a run of millions names its cases long before
KNOWN_BY = {
    "id": "the same Message-ID",
    "text": "the same text",
    "like": "nearly the same text",
    "urls": "the same links",
    "subject": "the same particular subject",
}


@desk_page
@require_GET
def campaigns_page(request: HttpRequest) -> HttpResponse:
    rows = list(below(wide(), request.GET.get("at", ""), request.GET.get("below", ""))[: PAGE + 1])
    last = rows[PAGE - 1] if len(rows) > PAGE else None
    now = timezone.now()
    context = {
        "nav": "campaigns",
        "rows": [(campaign, when.age(campaign.last_seen_at, now)) for campaign in rows[:PAGE]],
        "is_first": "below" not in request.GET,
        "next": {"at": last.last_seen_at.isoformat(), "below": last.pk} if last else None,
    }
    return render(request, "desk/campaigns.html", context)


def wide() -> QuerySet[Campaign]:
    return Campaign.objects.filter(case_count__gt=1, merged_into=None).order_by("-last_seen_at", "-pk")


def below(rows: QuerySet[Campaign], at: str, pk: str) -> QuerySet[Campaign]:
    """Those behind the last one of the page before. Nonsense begins at the top."""
    try:
        moment = parse_datetime(at)
    except ValueError:
        moment = None
    if moment is None or timezone.is_naive(moment) or not (pk.isascii() and pk.isdigit() and len(pk) < 19):
        return rows
    return rows.filter(Q(last_seen_at__lt=moment) | Q(last_seen_at=moment, pk__lt=int(pk)))


@desk_page
@require_GET
def campaign_page(request: HttpRequest, pk: int) -> HttpResponse:
    campaign = get_object_or_404(Campaign, pk=pk)
    if campaign.merged_into_id:
        return redirect("desk:campaign", campaign.merged_into_id)
    now = timezone.now()
    newest = campaign.members.order_by("-pk").values_list("pk", flat=True)[:LOOKED_AT]
    ids = list(newest)
    context = {
        "nav": "campaigns",
        "campaign": campaign,
        "age": when.age(campaign.last_seen_at, now),
        "cases": case_rows(request, ids, now),
        "known_by": known_by(campaign),
        "is_cut": campaign.complaint_count > len(ids),
    }
    return render(request, "desk/campaign.html", context)


def case_rows(request: HttpRequest, ids: Sequence[int], now: datetime) -> list[dict[str, Any]]:
    """The cases of these complaints, those with the most first."""
    counted = Complaint.objects.filter(pk__in=ids).order_by().values_list("case").annotate(Count("pk"), Max("seen_at"))
    found = {case: (n, last) for case, n, last in counted if case}
    biggest = sorted(found, key=lambda pk: (-found[pk][0], -pk))[:MOST_CASES]
    cases = visible(request.user, Case).select_related("contract__customer").in_bulk(biggest)
    return [
        {
            "case": cases[pk],
            "n": found[pk][0],
            "age": when.age(found[pk][1], now),
            "category": words.CATEGORIES[Category(cases[pk].category)],
            "state": words.STATES[CaseState(cases[pk].state)],
        }
        for pk in biggest
        if pk in cases
    ]


def known_by(campaign: Campaign) -> list[tuple[str, int]]:
    """By what its complaints were known, in words, the most frequent first."""
    counted = campaign.members.order_by().values_list("by").annotate(n=Count("pk"))
    return sorted(((KNOWN_BY[by], n) for by, n in counted if by in KNOWN_BY), key=lambda each: -each[1])


def campaigns_of(complaints: Sequence[Accusation]) -> QuerySet[Campaign]:
    """The campaigns that a case's newest complaints belong to, where others take part as well."""
    members = CampaignMember.objects.filter(complaint__in=[each.pk for each in complaints]).values("campaign")
    return wide().filter(pk__in=members)[:3]
