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

from complaints.desk.access import may
from complaints.reporting import offenders
from complaints.reporting._export import as_csv
from complaints.reporting._period import BadPeriod, Period, read_period

MOST = 200
PICKS = (("7 days", 7), ("30 days", 30), ("90 days", 90), ("12 months", 365))


@may("see_reports")
@require_GET
def offenders_page(request: HttpRequest) -> HttpResponse:
    try:
        period = period_of(request)
    except BadPeriod as exc:
        messages.error(request, f"{exc}. The last 90 days are shown.")
        return redirect("desk:offenders")
    sort = sort_of(request)
    rows = list(offenders.rows(period.since, period.until, sort=sort, most=MOST))
    context = {
        "nav": "offenders",
        "rows": rows,
        "most": MOST,
        "columns": [heading(request, column, sort) for column in offenders.COLUMNS],
        "since": period.since,
        "last_day": period.until - timedelta(microseconds=1),
        "picks": picks(request, period),
        "csv": "?" + urlencode(kept(request) | {"sort": sort}),
        "sort": sort,
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


def period_of(request: HttpRequest) -> Period:
    now, zone = timezone.now(), timezone.get_current_timezone()
    return read_period(request.GET.get("since"), request.GET.get("until"), now=now, zone=zone)


def sort_of(request: HttpRequest) -> str:
    sort = request.GET.get("sort", "")
    return sort if sort in offenders.BY_NAME else offenders.DEFAULT_SORT


def kept(request: HttpRequest) -> dict[str, str]:
    return {name: request.GET[name] for name in ("since", "until") if request.GET.get(name)}


def heading(request: HttpRequest, column: Any, sort: str) -> dict[str, Any]:
    query = urlencode(kept(request) | {"sort": column.name})
    return {"column": column, "url": f"?{query}", "is_sorted": column.name == sort}


def picks(request: HttpRequest, period: Period) -> list[dict[str, Any]]:
    """Periods that end today, by one touch."""
    today = timezone.localdate()
    found = []
    for title, days in PICKS:
        first = today - timedelta(days=days)
        query = urlencode({"since": first, "until": today, "sort": sort_of(request)})
        is_current = timezone.localtime(period.since).date() == first and request.GET.get("until") in (
            None,
            "",
            str(today),
        )
        found.append({"title": title, "url": f"?{query}", "is_current": is_current})
    return found
