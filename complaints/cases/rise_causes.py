"""Who makes a rise: the reporters and the lines that have most above what they usually have. From counters alone."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db.models import Sum

from complaints.cases.tallies import Kind, Metric, Span, beginning
from complaints.models import Contract, Product, ReporterTally, Tally

DAYS = 28  # that make the usual
LOOKED_AT, SHOWN = 30, 3  # of those with most today; of each sort


@dataclasses.dataclass(frozen=True, slots=True)
class Cause:
    """kind: "reporter" or "contract". n: complaints of today (UTC). usual: on a day of the four weeks before."""

    kind: str
    pk: int
    name: str
    n: int
    usual: float


def causes_of(kind: str, ref: int, *, now: datetime) -> list[Cause]:
    """Of the whole network the reporters and the contracts, of a product its contracts. A line has its case."""
    if kind == Kind.CONTRACT:
        return []
    found = [*(reporters(now) if kind == Kind.ALL else []), *contracts(kind, ref, now)]
    most = max((each.n - each.usual for each in found), default=0.0)
    return [
        each for each in found if each.n - each.usual >= most / 10
    ]  # who has a little more than usual explains nothing


def reporters(now: datetime) -> list[Cause]:
    today = now.astimezone(UTC).date()
    counted = ReporterTally.objects.order_by()
    rows = counted.filter(day=today).values("reporter", "reporter__address").annotate(n=Sum("complaints"))
    most = {
        row["reporter"]: (row["reporter__address"], row["n"]) for row in rows.order_by("-n", "reporter")[:LOOKED_AT]
    }
    before = counted.filter(reporter__in=most, day__lt=today, day__gte=today - timedelta(days=DAYS))
    past = dict(before.values_list("reporter").annotate(n=Sum("complaints")))
    return above("reporter", most, past)


def contracts(kind: str, ref: int, now: datetime) -> list[Cause]:
    day = beginning(now, Span.DAY)
    counted = Tally.objects.filter(kind=Kind.CONTRACT, metric=Metric.COMPLAINTS, span=Span.DAY)
    rows: Any = counted.filter(at=day)
    if kind == Kind.PRODUCT:
        named = Product.objects.filter(pk=ref).values("name")
        rows = rows.filter(ref__in=Contract.objects.filter(product__in=named).values("pk"))
    n = dict(rows.order_by("-n", "ref").values_list("ref", "n")[:LOOKED_AT])
    names = dict(Contract.objects.filter(pk__in=n).values_list("pk", "reference"))
    before = counted.filter(ref__in=n, at__lt=day, at__gte=day - timedelta(days=DAYS)).order_by()
    past = dict(before.values_list("ref").annotate(n=Sum("n")))
    return above("contract", {pk: (names[pk], count) for pk, count in n.items() if pk in names}, past)


def above(kind: str, most: Mapping[int, tuple[str, int]], past: Mapping[int, int]) -> list[Cause]:
    """Those with most above their usual."""
    found = [Cause(kind, pk, name, n, past.get(pk, 0) / DAYS) for pk, (name, n) in most.items()]
    found.sort(key=lambda each: (each.usual - each.n, each.pk))
    return [each for each in found if each.n > each.usual][:SHOWN]
