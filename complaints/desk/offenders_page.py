"""The supervisor's page: who keeps coming back, and whether they fix it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET

from complaints.desk import when
from complaints.desk.access import may
from complaints.reporting import offenders
from complaints.reporting._export import as_csv
from complaints.reporting._kept_offenders import MOST, SPANS, kept_count, kept_rows, midnight
from complaints.reporting._period import DEFAULT_DAYS, BadPeriod, Period, read_period

PICKS = dict(zip(SPANS, ("7 days", "30 days", "90 days", "12 months"), strict=True))


@may("see_reports")
@require_GET
def offenders_page(request: HttpRequest) -> HttpResponse:
    now, zone, sort = timezone.now(), timezone.get_current_timezone(), sort_of(request)
    try:
        period = period_of(request)
    except BadPeriod as exc:
        messages.error(request, f"{exc}. The last 90 days are shown.")
        return redirect("desk:offenders")
    days = days_of(request)
    kept = kept_count(days, now=now, zone=zone) if days else None
    rows = kept_rows(kept, sort=sort) if kept else offenders.rows(period.since, period.until, sort=sort, most=MOST)
    context = {
        "nav": "offenders",
        "rows": list(rows),
        "most": MOST,
        "columns": [heading(request, column, sort) for column in offenders.COLUMNS],
        "since": period.since,
        "last_day": period.until - timedelta(microseconds=1),
        "picks": [
            {"title": title, "url": "?" + urlencode({"days": each, "sort": sort}), "is_current": each == days}
            for each, title in PICKS.items()
        ],
        "counted_at": kept.counted_at if kept else None,
        "age": when.age(kept.counted_at, now) if kept else "",
        "csv": "?" + urlencode(chosen(request) | {"sort": sort}),
        "sort": sort,
        "chosen": chosen(request),
    }
    return render(request, "desk/offenders.html", context)


@may("see_reports")
@require_GET
def offenders_csv(request: HttpRequest) -> HttpResponseBase:
    """Every contract of the period, not only those that the page shows."""
    try:
        period = period_of(request)
    except BadPeriod as exc:
        return HttpResponse(f"{exc}\n", status=400, content_type="text/plain; charset=utf-8")
    rows = offenders.rows(period.since, period.until, sort=sort_of(request))
    response = StreamingHttpResponse(as_csv(offenders.COLUMNS, rows), content_type="text/csv; charset=utf-8")
    name = f"offenders-{period.since:%Y%m%d}-{period.until - timedelta(microseconds=1):%Y%m%d}.csv"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def days_of(request: HttpRequest) -> int | None:
    """Which of the usual periods is meant; None where two days are named."""
    if request.GET.get("since") or request.GET.get("until"):
        return None
    text = request.GET.get("days", "")
    return next((days for days in SPANS if str(days) == text), DEFAULT_DAYS)


def period_of(request: HttpRequest) -> Period:
    now, zone = timezone.now(), timezone.get_current_timezone()
    if days := days_of(request):
        return Period(midnight(now, days, zone), now)
    return read_period(request.GET.get("since"), request.GET.get("until"), now=now, zone=zone)


def sort_of(request: HttpRequest) -> str:
    sort = request.GET.get("sort", "")
    return sort if sort in offenders.BY_NAME else offenders.DEFAULT_SORT


def chosen(request: HttpRequest) -> dict[str, str]:
    """The period, as it stands in the address."""
    if days := days_of(request):
        return {"days": str(days)}
    return {name: request.GET[name] for name in ("since", "until") if request.GET.get(name)}


def heading(request: HttpRequest, column: Any, sort: str) -> dict[str, Any]:
    query = urlencode(chosen(request) | {"sort": column.name})
    return {"column": column, "url": f"?{query}", "is_sorted": column.name == sort}
