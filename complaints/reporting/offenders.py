"""Repeat offenders: which contracts keep coming back in a period, and whether they fix it."""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from statistics import median
from typing import Any

from django.db.models import Count, Max, Q

from complaints.models import Case, Complaint, Contract
from complaints.reporting._columns import Column
from complaints.vocabulary import CaseState, Resolution

NAME = "offenders"
TITLE = "Repeat offenders"
FIXED = (Resolution.FIXED_VERIFIED, Resolution.FIXED_NOT_VERIFIABLE)
SILENT = (Resolution.NO_RESPONSE, Resolution.STALE)
COLUMNS = (
    Column("customer", "Customer", number=False),
    Column("customer_reference", "Customer no.", number=False),
    Column("contract", "Contract", number=False),
    Column("relapses", "Came back", "Cases opened in the period after a case of the same kind had been closed"),
    Column("cases", "Cases", "Cases opened in the period"),
    Column("complaints", "Complaints", "Complaints about abuse seen in the period"),
    Column("categories", "Kinds", "Distinct kinds of abuse complained about in the period"),
    Column("last_seen", "Last seen", "The youngest abuse complained about in the period"),
    Column("open_now", "Open now", "Cases that are open today, whenever they began"),
    Column("closed_fixed", "Fixed", "Closed as fixed in the period, verified or not verifiable"),
    Column("closed_silent", "Silence", "Closed without any response in the period; never counted as fixed"),
    Column("hours_to_fix", "Hours to fix", "Median from opening to closing of the cases fixed in the period"),
)
BY_NAME = {column.name: column for column in COLUMNS}
DEFAULT_SORT = "relapses"
MOST_NAMES = 500  # contracts looked up at once


@dataclasses.dataclass(slots=True)
class Tally:
    """What is counted of one contract."""

    relapses: int = 0
    cases: int = 0
    complaints: int = 0
    categories: int = 0
    last_seen: datetime | None = None
    open_now: int = 0
    closed_fixed: int = 0
    closed_silent: int = 0
    hours_to_fix: float | None = None


def rows(
    since: datetime, until: datetime, *, sort: str = DEFAULT_SORT, most: int | None = None
) -> Iterator[dict[str, Any]]:
    """One row a contract that was complained about or had a case in [since, until), the worst first.

    sort: a column's name. Customers and contracts sort A to Z, everything else from most to least.
    """
    yield from rows_of(tally(since, until), sort=sort, most=most)


def rows_of(tallies: dict[int, Tally], *, sort: str, most: int | None) -> Iterator[dict[str, Any]]:
    if BY_NAME[sort].number:
        order = sorted(tallies, key=worst_first(tallies, sort))[:most]
        yield from named(order, tallies)
    else:
        found = sorted(named(list(tallies), tallies), key=lambda row: (row[sort].casefold(), row["contract"]))
        yield from found[:most]


def worst_first(tallies: Mapping[int, Tally], sort: str) -> Callable[[int], tuple[Any, ...]]:
    def key(contract: int) -> tuple[Any, ...]:
        found = tallies[contract]
        value = getattr(found, sort)
        if isinstance(value, datetime):
            value = value.timestamp()
        return (value is None, -(value or 0), -found.relapses, -found.cases, -found.complaints, contract)

    return key


def tally(since: datetime, until: datetime) -> dict[int, Tally]:
    """Two groupings and the closing times; joined here because a join in SQL would multiply the rows."""
    found: dict[int, Tally] = defaultdict(Tally)
    for contract, complaints, last_seen in complaint_counts(since, until):  # a row for each of its categories
        each = found[contract]
        each.complaints += complaints
        each.categories += 1
        each.last_seen = max(each.last_seen or last_seen, last_seen)
    for contract, *numbers in case_counts(since, until):
        if contract in found or any(numbers[:-1]):  # an old open case alone makes nobody an offender of the period
            each = found[contract]
            each.cases, each.relapses, each.closed_fixed, each.closed_silent, each.open_now = numbers
    for contract, hours in hours_to_fix(since, until).items():
        found[contract].hours_to_fix = round(median(hours), 1)
    return dict(found)


def complaint_counts(since: datetime, until: datetime) -> Iterable[tuple[Any, ...]]:
    """By contract and category: of one index, without sorting, as distinct categories would need."""
    seen = Complaint.objects.filter(contract__isnull=False, seen_at__gte=since, seen_at__lt=until).order_by()
    groups = seen.values("contract", "category").annotate(n=Count("*"), last=Max("seen_at"))
    return groups.values_list("contract", "n", "last").iterator()


def case_counts(since: datetime, until: datetime) -> Iterable[tuple[Any, ...]]:
    opened = Q(opened_at__gte=since, opened_at__lt=until)
    closed = Q(closed_at__gte=since, closed_at__lt=until)
    still_open = ~Q(state=CaseState.CLOSED)
    return (
        Case.objects.filter(opened | closed | still_open)
        .order_by()
        .values("contract")
        .annotate(
            n=Count("id", filter=opened),
            back=Count("id", filter=opened & Q(relapse_of__isnull=False)),
            fixed=Count("id", filter=closed & Q(resolution__in=FIXED)),
            silent=Count("id", filter=closed & Q(resolution__in=SILENT)),
            now=Count("id", filter=still_open),
        )
        .values_list("contract", "n", "back", "fixed", "silent", "now")
        .iterator()
    )


def hours_to_fix(since: datetime, until: datetime) -> dict[int, list[float]]:
    fixed = Case.objects.filter(closed_at__gte=since, closed_at__lt=until, resolution__in=FIXED).order_by()
    found: dict[int, list[float]] = defaultdict(list)
    for contract, opened_at, closed_at in fixed.values_list("contract", "opened_at", "closed_at").iterator():
        if closed_at:
            found[contract].append((closed_at - opened_at).total_seconds() / 3600)
    return found


def named(order: list[int], tallies: dict[int, Tally]) -> Iterator[dict[str, Any]]:
    for start in range(0, len(order), MOST_NAMES):
        some = order[start : start + MOST_NAMES]
        contracts = Contract.objects.select_related("customer").in_bulk(some)
        for pk in some:
            contract = contracts[pk]
            yield {
                "customer": contract.customer.name,
                "customer_reference": contract.customer.reference,
                "contract": contract.reference,
                **dataclasses.asdict(tallies[pk]),
            }
