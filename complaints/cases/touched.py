"""Which stored complaints may have another owner now: those whose address and time lie in what was changed.

More are found than are wrong, for the time of a complaint may be off; asking again decides. Ids come in portions
that fit into memory, whatever a span covers.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Protocol

from django.db import connection
from django.db.models import Q

from complaints.addresses import MAPPED, MASKS, family_of
from complaints.attribution.decision import UNKNOWN_TIME_WINDOW
from complaints.cases.questions import ZONE_UNKNOWN
from complaints.models import Complaint
from complaints.models.bulk import as_source

SPANS_A_STATEMENT = 500
PORTION = 5_000
BEGIN, END = datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, tzinfo=UTC)
# SQLite names the columns of VALUES by itself; PostgreSQL must be told.
COLUMNS = {"postgresql": " (column1, column2, column3, column4)", "sqlite": ""}
Range = tuple[bytes, bytes, datetime, datetime]  # first and last address, first and last time


class Span(Protocol):
    """Under `key` (a prefix key) the holder may be another, from `since` until before `until` (None: open)."""

    @property
    def key(self) -> bytes: ...
    @property
    def since(self) -> datetime: ...
    @property
    def until(self) -> datetime | None: ...


def complaints_touched(spans: Iterable[Span]) -> Iterator[int]:
    """Ids of the complaints about addresses and times in any of `spans`; one may come twice where spans overlap."""
    ranges = (range_of(span) for span in spans)
    while chunk := list(islice(ranges, SPANS_A_STATEMENT)):
        yield from found_together(chunk)


def complaints_between(since: datetime, until: datetime) -> Iterator[int]:
    """Ids of all complaints received in that time, portion by portion."""
    last = 0
    received = Complaint.objects.filter(received_at__gte=since, received_at__lt=until).order_by("pk")
    while ids := list(received.filter(pk__gt=last).values_list("pk", flat=True)[:PORTION]):
        yield from ids
        last = ids[-1]


def range_of(span: Span) -> Range:
    """The times that a complaint may name when it means a moment of the span."""
    first, last = addresses_of(bytes(span.key))
    until = END if span.until is None else later(span.until, UNKNOWN_TIME_WINDOW)
    return first, last, earlier(span.since, ZONE_UNKNOWN), until


def addresses_of(key: bytes) -> tuple[bytes, bytes]:
    """The first and the last address key of a prefix."""
    size = len(key) - 1
    first = int.from_bytes(key[1:], "big")
    last = first | (((1 << size * 8) - 1) ^ MASKS[size * 8][key[0]])
    before = MAPPED if family_of(key) == 4 else b""
    return before + first.to_bytes(size, "big"), before + last.to_bytes(size, "big")


def earlier(at: datetime, by: timedelta) -> datetime:
    return at - by if at > BEGIN + by else BEGIN


def later(at: datetime, by: timedelta) -> datetime:
    return at + by if at < END - by else END


def found_together(ranges: Sequence[Range]) -> Iterator[int]:
    """One statement for many small ranges; each by itself, in portions, where together they hold too much."""
    source, parameters = as_source(Complaint, ["address", "address", "seen_at", "seen_at"], ranges)
    table = connection.ops.quote_name(Complaint._meta.db_table)
    sql = f"""SELECT c.id FROM ({source}) AS span{COLUMNS[connection.vendor]} JOIN {table} AS c
        ON c.address >= span.column1 AND c.address <= span.column2
        AND c.seen_at >= span.column3 AND c.seen_at <= span.column4 LIMIT {PORTION + 1}"""  # noqa: S608
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        ids = [row[0] for row in cursor.fetchall()]
    if len(ids) <= PORTION:
        yield from ids
        return
    for each in ranges:
        yield from found_in(each)


def found_in(wanted: Range) -> Iterator[int]:
    first, last, since, until = wanted
    held = Complaint.objects.filter(address__lte=last, seen_at__gte=since, seen_at__lte=until)
    after = Q(address__gte=first)
    while True:
        rows = list(
            held.filter(after).order_by("address", "seen_at", "pk").values_list("address", "seen_at", "pk")[:PORTION]
        )
        yield from (pk for _, _, pk in rows)
        if len(rows) < PORTION:
            return
        address, seen_at, pk = rows[-1]
        behind = Q(address__gt=address) | Q(seen_at__gt=seen_at) | Q(seen_at=seen_at, pk__gt=pk)
        after = Q(address__gte=address) & behind  # the first part is what an index range needs
