"""The watch: what rose, how the network and each product usually look, and the feeds that fell silent or fail."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.contrib import messages
from django.db.models import Q, Sum
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.template.defaultfilters import filesizeformat
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from complaints.cases.feeds import no_longer_expected, usual_of
from complaints.cases.rise_causes import causes_of
from complaints.cases.rises import LOOKS_BACK, open_rises, with_noughts
from complaints.cases.tallies import FLOW, Kind, Metric, counted_since, days_of
from complaints.desk import when
from complaints.desk.access import desk_page, visible
from complaints.desk.watch_chart import NARROW, WIDE, Chart, chart_of, points_of
from complaints.models import Case, Contract, Feed, Product, Rise, Tally
from complaints.vocabulary import CaseState

SHOWN_DAYS, SHORT = 56, 28
MOST_PRODUCTS, MOST_FEEDS, ENDED = 12, 50, 20
WIDEST_FIRST = [Kind.ALL, Kind.PRODUCT, Kind.CONTRACT]
METRICS = {
    Metric.COMPLAINTS: "Complaints",
    Metric.MESSAGES: "Messages sent",
    Metric.QUEUE: "Messages in the queue",
    Metric.FAILED: "Failed deliveries",
    Metric.BYTES: "Bytes sent",
}


@desk_page
@require_GET
def watch_page(request: HttpRequest) -> HttpResponse:
    now = timezone.now()
    today, since = now.astimezone(UTC).date(), counted_since()
    context = {
        "nav": "watch",
        "since": since,
        "rises": rise_rows(request, sorted(open_rises(), key=lambda rise: WIDEST_FIRST.index(Kind(rise.kind))), now),
        "ended": rise_rows(
            request, list(Rise.objects.exclude(ended_at=None).order_by("-began_at", "-pk")[:ENDED]), now
        ),
        "network": charts(Kind.ALL, {0: "Complaints, whole network"}, since, today, now, SHOWN_DAYS)[0],
        "products": charts(Kind.PRODUCT, products(now), since, today, now, SHORT),
        "feeds": feed_rows(now),
    }
    return render(request, "desk/watch.html", context)


def products(now: datetime) -> dict[int, str]:
    """Those with most complaints in the weeks that are shown, by name."""
    since = now - timedelta(days=SHORT)
    rows = Tally.objects.filter(kind=Kind.PRODUCT, metric=Metric.COMPLAINTS, span=Tally.Span.DAY, at__gte=since)
    most = dict(rows.order_by().values_list("ref").annotate(n=Sum("n")).order_by("-n", "ref")[:MOST_PRODUCTS])
    return dict(Product.objects.filter(pk__in=most).order_by("name").values_list("pk", "name"))


def charts(
    kind: str, titles: Mapping[int, str], since: date | None, today: date, now: datetime, shown: int
) -> list[tuple[str, Chart]]:
    counted = days_of(kind, list(titles), Metric.COMPLAINTS, since=now - LOOKS_BACK - timedelta(days=shown))
    return [(title, chart(counted[ref], title, since, today, shown)) for ref, title in titles.items()]


def chart(counted: Mapping[date, float], title: str, since: date | None, today: date, shown: int) -> Chart:
    """since: noughts count from there; None: a day without a row was not told."""
    days = dict(counted)
    if since is not None:
        oldest = today - timedelta(days=shown + 56)
        days = dict.fromkeys((since + timedelta(days=n) for n in range((today - since).days + 1)), 0.0) | days
        days = {day: n for day, n in days.items() if day >= oldest}
    return chart_of(points_of(days, today=today, days=shown), what=title, width=WIDE if shown > SHORT else NARROW)


def rise_rows(request: HttpRequest, rises: Sequence[Rise], now: datetime) -> list[dict[str, Any]]:
    contracts = [rise.ref for rise in rises if rise.kind == Kind.CONTRACT]
    named = Contract.objects.select_related("customer").in_bulk(contracts)
    product_names = dict(Product.objects.values_list("pk", "name"))
    cases: dict[int, list[Case]] = {}
    seen = visible(request.user, Case).exclude(state=CaseState.CLOSED).filter(contract__in=contracts)
    for case in seen.order_by("-priority", "pk"):
        cases.setdefault(case.contract_id, []).append(case)
    return [
        {
            "rise": rise,
            "metric": METRICS[Metric(rise.metric)],
            "contract": named.get(rise.ref) if rise.kind == Kind.CONTRACT else None,
            "of": product_names.get(rise.ref, "a product") if rise.kind == Kind.PRODUCT else "whole network",
            "cases": cases.get(rise.ref, [])[:3] if rise.kind == Kind.CONTRACT else [],
            "age": when.age(rise.began_at, now),
            **amounts(rise),
            "times": rise.value / rise.usual if rise.usual else None,
            "causes": causes_of(rise.kind, rise.ref, now=now) if is_now(rise) else [],
        }
        for rise in rises
    ]


def amounts(rise: Rise) -> dict[str, str]:
    """The numbers of a rise as people read them."""
    read = filesizeformat if rise.metric == Metric.BYTES else "{:,.0f}".format
    return {name: str(read(getattr(rise, name))) for name in ("value", "usual", "most")}


def is_now(rise: Rise) -> bool:
    return rise.ended_at is None and rise.metric == Metric.COMPLAINTS


def feed_rows(now: datetime) -> list[dict[str, Any]]:
    """Those in trouble first, then those that were heard of last."""
    troubled = Q(silent_since__isnull=False) | Q(failing_since__isnull=False)
    found = list(Feed.objects.filter(troubled).order_by("last_at")[:MOST_FEEDS])
    room = MOST_FEEDS - len(found)
    found += Feed.objects.exclude(pk__in=[feed.pk for feed in found]).order_by("-last_at")[:room]
    return [
        {
            "feed": feed,
            "age": when.age(feed.last_at, now),
            "usual": usual_of(feed),
            "unread": sum(not read for _, read in feed.outcomes[-20:]),
            "lately": len(feed.outcomes[-20:]),
        }
        for feed in found
    ]


@desk_page
@require_POST
def forget_feed(request: HttpRequest, pk: int) -> HttpResponse:
    """A person knows that it has stopped: nothing is expected of it any more."""
    feed = get_object_or_404(Feed, pk=pk)
    no_longer_expected(feed, actor=request.user.get_username(), now=timezone.now())
    messages.success(request, f"{feed} is no longer expected. If it comes again, it is watched again.")
    return redirect(reverse("desk:watch") + "#feeds")


def watched(rises: Sequence[Rise], now: datetime) -> dict[str, Any]:
    """What the watch says of a case's contract: rises that go on, each with its chart."""
    if not rises:
        return {"rises": []}
    today, since = now.astimezone(UTC).date(), counted_since()
    found = []
    for rise in rises:
        counted = days_of(Kind.CONTRACT, [rise.ref], rise.metric, since=now - LOOKS_BACK)[rise.ref]
        begin = None if rise.metric in FLOW else since
        title = METRICS[Metric(rise.metric)]
        found.append((rise, amounts(rise), title, chart(with_today(counted, begin, today), title, None, today, SHORT)))
    return {"rises": found}


def with_today(counted: Mapping[date, float], since: date | None, today: date) -> Mapping[date, float]:
    return dict(with_noughts(counted, since=since, day=today)) | {day: n for day, n in counted.items() if day == today}
