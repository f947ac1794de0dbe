"""Counters by hour and day: complaints, counted once each behind the filing, and the mail flow that the ISP tells us.

A page reads at most some hundred small rows of them. Days and hours are those of UTC.
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import Max, Min

from complaints.cases.accusations import NO_CASE
from complaints.cases.positions import Overtaken, finish, next_stretch
from complaints.models import Complaint, Contract, Product, Tally
from complaints.models.bulk import as_source, quoted_columns
from complaints.vocabulary import Answer

Kind, Span, Metric = Tally.Kind, Tally.Span, Tally.Metric
NAME = "tallies"
BATCH = 5_000
KEPT = {Span.HOUR: timedelta(weeks=9), Span.DAY: timedelta(weeks=9)}
KEPT_LONG = timedelta(days=800)  # days of the network and of products: few rows, and worth a look back
FLOW = (Metric.MESSAGES, Metric.QUEUE, Metric.FAILED, Metric.BYTES)
COLUMNS = ("kind", "ref", "metric", "span", "at", "n")
MOST_PRODUCTS = 300
OWN_FORMAT = "listing"  # what blacklists say is written by ourselves
Key = tuple[str, int, str, str, datetime]


def count_complaints(*, now: datetime, lag: timedelta | None = None, batch: int = BATCH) -> int:
    """Add the complaints that came since; how many were looked at. Each is counted once, whoever calls how often."""
    newest = Complaint.objects.aggregate(last=Max("pk"))["last"] or 0
    stretch = next_stretch(NAME, newest, now=now, lag=lag)
    fresh = Complaint.objects.filter(pk__gt=stretch.after, pk__lte=stretch.upto).order_by("pk")
    columns = ("pk", "received_at", "contract", "category", "answer", "format", "ruling")
    rows = list(fresh.values_list(*columns)[:batch])
    upto = rows[-1][0] if len(rows) == batch else stretch.upto
    if upto == stretch.after:
        return 0
    counted = counters([row[1:4] for row in rows if counts(*row[3:])])
    try:
        with transaction.atomic():
            finish(stretch, upto=upto)
            write(counted, add=True)
    except Overtaken:
        return 0
    return len(rows)


def counts(category: str, answer: str, form: str, ruling: str) -> bool:
    """Whether it says that something is wrong in our network, somebody else says so, and no rule ignores them."""
    says_so = category not in NO_CASE and answer != Answer.NOT_OURS and form != OWN_FORMAT
    return says_so and ruling != Complaint.Ruling.IGNORED


def counters(rows: Sequence[tuple[datetime, int | None, str]]) -> Counter[Key]:
    products = products_of({contract for _, contract, _ in rows if contract})
    found: Counter[Key] = Counter()
    for received_at, contract, _ in rows:
        day, hour = beginning(received_at, Span.DAY), beginning(received_at, Span.HOUR)
        series: list[tuple[str, int]] = [(Kind.ALL, 0)]
        if product := products.get(contract or 0):
            series.append((Kind.PRODUCT, product))
        for kind, ref in series:
            found[kind, ref, Metric.COMPLAINTS, Span.HOUR, hour] += 1
            found[kind, ref, Metric.COMPLAINTS, Span.DAY, day] += 1
        if contract:
            found[Kind.CONTRACT, contract, Metric.COMPLAINTS, Span.DAY, day] += 1
    return found


def products_of(contracts: set[int]) -> dict[int, int]:
    """The product's id by the contract's. One that comes for the first time gets its row, as an ordinary line."""
    rows = Contract.objects.filter(pk__in=contracts).exclude(product="").values_list("pk", "product")
    named = dict(rows) if contracts else {}
    ids = known_products(set(named.values()))
    return {contract: ids[product] for contract, product in named.items() if product in ids}


def known_products(names: set[str]) -> dict[str, int]:
    """Ids by name; at most MOST_PRODUCTS become known by themselves: whoever writes more of them writes no products."""
    ids = dict(Product.objects.values_list("name", "pk")) if names else {}
    if new := sorted(names - ids.keys())[: max(0, MOST_PRODUCTS - len(ids))]:
        Product.objects.bulk_create([Product(name=name) for name in new], ignore_conflicts=True)
        ids |= dict(Product.objects.filter(name__in=new).values_list("name", "pk"))
    return ids


def beginning(at: datetime, span: str) -> datetime:
    whole = at.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    return whole.replace(hour=0) if span == Span.DAY else whole


def write(counted: Mapping[Key, int], *, add: bool) -> None:
    """One statement a thousand rows. add: to what is there; else in its place."""
    rows = [(str(kind), ref, str(metric), str(span), at, n) for (kind, ref, metric, span, at), n in counted.items()]
    rows.sort()  # always the same order: no deadlocks
    table, quoted = connection.ops.quote_name(Tally._meta.db_table), quoted_columns(Tally, COLUMNS)
    value = "old.n + excluded.n" if add else "excluded.n"
    for start in range(0, len(rows), 1000):
        source, parameters = as_source(Tally, COLUMNS, rows[start : start + 1000])
        sql = f"""INSERT INTO {table} AS old ({", ".join(quoted)}) {source}
            ON CONFLICT (kind, ref, metric, span, at) DO UPDATE SET n = {value}"""
        with connection.cursor() as cursor:
            cursor.execute(sql, parameters)


@dataclasses.dataclass(frozen=True, slots=True)
class Flow:
    """What one contract's mail did on one day. None: not told, and what was told before stays."""

    contract: int
    day: date
    messages: int | None = None
    queue: int | None = None
    failed: int | None = None
    bytes: int | None = None


def record_flow(flows: Iterable[Flow]) -> int:
    """Keep the counters; the last word about a contract, a day and a counter stands. Returns how many numbers."""
    found: dict[Key, int] = {}
    for flow in flows:
        at = datetime(flow.day.year, flow.day.month, flow.day.day, tzinfo=UTC)
        for metric in FLOW:
            value = getattr(flow, metric.value)
            if value is not None:
                found[Kind.CONTRACT, flow.contract, metric, Span.DAY, at] = value
    with transaction.atomic():
        write(found, add=False)
    return len(found)


def days_of(kind: str, refs: Sequence[int], metric: str, *, since: datetime) -> dict[int, dict[date, float]]:
    """What was counted a day, by what it is of."""
    rows = Tally.objects.filter(kind=kind, ref__in=refs, metric=metric, span=Span.DAY, at__gte=since)
    found: dict[int, dict[date, float]] = {ref: {} for ref in refs}
    for ref, at, n in rows.values_list("ref", "at", "n"):
        found[ref][at.astimezone(UTC).date()] = n
    return found


def hours_of(kind: str, ref: int, *, since: datetime) -> dict[datetime, float]:
    rows = Tally.objects.filter(kind=kind, ref=ref, metric=Metric.COMPLAINTS, span=Span.HOUR, at__gte=since)
    return {at.astimezone(UTC): n for at, n in rows.values_list("at", "n")}


def counted_since() -> date | None:
    """The first whole day that was counted: before it, a day without a row means nothing."""
    rows = Tally.objects.filter(kind=Kind.ALL, ref=0, metric=Metric.COMPLAINTS, span=Span.DAY)
    first = rows.aggregate(first=Min("at"))["first"]
    return first.astimezone(UTC).date() if first else None


def counted_first(kind: str, refs: Sequence[int]) -> dict[int, date]:
    """The first day on which each of these was counted at all."""
    rows = Tally.objects.filter(kind=kind, ref__in=refs, metric=Metric.COMPLAINTS, span=Span.DAY)
    first = rows.order_by().values_list("ref").annotate(first=Min("at"))
    return {ref: at.astimezone(UTC).date() for ref, at in first}


def forget_tallies(*, now: datetime, most: int = 50_000) -> int:
    """Once a night: what lies further back than the watch looks."""
    gone = 0
    for rows in (
        Tally.objects.filter(span=Span.HOUR, at__lt=now - KEPT[Span.HOUR]),
        Tally.objects.filter(span=Span.DAY, kind=Kind.CONTRACT, at__lt=now - KEPT[Span.DAY]),
        Tally.objects.filter(span=Span.DAY, at__lt=now - KEPT_LONG),
    ):
        ids: list[Any] = list(rows.order_by("at").values_list("pk", flat=True)[:most])
        for start in range(0, len(ids), 1000):
            gone += Tally.objects.filter(pk__in=ids[start : start + 1000]).delete()[0]
    return gone
