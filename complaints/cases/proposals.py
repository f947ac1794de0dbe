"""The corrections that wait for a word: in groups that share their cause and both contracts, and what each would move.

Bounded however many wait: the oldest MOST are looked at, and who reads is told when there are more.
"""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime

from django.db.models import Count, Max, QuerySet

from complaints.cases.corrections import proposed
from complaints.cases.moving import TOLD, WITHDRAWN
from complaints.models import Case, Contract, Notice, Reattribution

MOST = 5_000
State = Reattribution.State
Rows = QuerySet[Reattribution]
Move = tuple[str, int | None, int | None]  # because, from contract, to contract


@dataclasses.dataclass(frozen=True, slots=True)
class Group:
    """Proposals with the same cause and the same two contracts. `sample` is the oldest; its id names the group."""

    sample: Reattribution
    ids: Sequence[int]
    first: datetime  # of the abuse complained about
    last: datetime
    told: bool  # letters went out about one of its cases

    @property
    def pk(self) -> int:
        return self.sample.pk


@dataclasses.dataclass(frozen=True, slots=True)
class Leaving:
    """What a case would lose. told: the letters that its customer has had from us."""

    case: Case
    complaints: int
    told: Sequence[Notice]

    @property
    def is_emptied(self) -> bool:
        return self.complaints >= self.case.complaint_count


@dataclasses.dataclass(frozen=True, slots=True)
class Joining:
    """Where complaints of a category would go: into `case`, or (None) into one that is opened."""

    contract: Contract
    category: str
    complaints: int
    case: Case | None


def groups(rows: Rows | None = None) -> tuple[list[Group], bool]:
    """The groups of those of `rows` (None: all) that wait, the oldest first, and whether more wait than were seen."""
    columns = ("because", "from_contract", "to_contract", "pk", "from_case", "complaint__seen_at")
    wanted = proposed() if rows is None else rows.filter(state=State.PROPOSED)
    waiting = list(wanted.order_by("pk").values_list(*columns)[: MOST + 1])
    found: dict[Move, list[tuple[int, int | None, datetime]]] = defaultdict(list)
    for because, was, becomes, *member in waiting[:MOST]:
        found[because, was, becomes].append(tuple(member))
    samples = with_all(Reattribution.objects.filter(pk__in=[rows[0][0] for rows in found.values()])).in_bulk()
    told = letters_to({case for members in found.values() for _, case, _ in members if case})
    return [
        Group(
            sample=samples[members[0][0]],
            ids=[pk for pk, _, _ in members],
            first=min(at for _, _, at in members),
            last=max(at for _, _, at in members),
            told=any(case in told for _, case, _ in members),
        )
        for members in found.values()
        if members[0][0] in samples
    ], len(waiting) > MOST


def members(first: int, *, upto: int, among: Rows) -> Rows:
    """Those `among` them that wait in the group that `first` names, decided itself or not, up to that id."""
    sample = Reattribution.objects.filter(pk=first).values("because", "from_contract", "to_contract").first()
    return among.filter(state=State.PROPOSED, pk__lte=upto, **sample).order_by("pk") if sample else among.none()


def newest() -> int:
    """The id of the youngest proposal there is now; those that come later were not seen."""
    return proposed().aggregate(last=Max("pk"))["last"] or 0


def with_all(rows: QuerySet[Reattribution]) -> QuerySet[Reattribution]:
    found = rows.select_related("complaint", "from_contract__customer", "to_contract__customer", "from_case", "to_case")
    return found.defer("complaint__evidence")


def what_leaves(ids: Sequence[int]) -> list[Leaving]:
    """The cases that would lose complaints, the most concerned first."""
    counted = Reattribution.objects.filter(pk__in=ids).exclude(from_case=None).order_by()
    numbers = dict(counted.values_list("from_case").annotate(Count("pk")))
    cases = Case.objects.filter(pk__in=numbers).select_related("contract__customer")
    letters = letters_to(numbers)
    found = [Leaving(case, numbers[case.pk], letters[case.pk]) for case in cases]
    return sorted(found, key=lambda each: (-each.complaints, each.case.pk))


def letters_to(cases: Iterable[int]) -> dict[int, list[Notice]]:
    """What went out to the customer of each case."""
    found: dict[int, list[Notice]] = defaultdict(list)
    sent = Notice.objects.filter(case__in=list(cases), state__in=TOLD).exclude(step=WITHDRAWN)
    for notice in sent.select_related("link").defer("text", "html").order_by("sent_at", "pk"):
        found[notice.case_id].append(notice)
    return found


def what_joins(ids: Sequence[int]) -> list[Joining]:
    """Where they would go; those that accuse nobody any more are not among them."""
    counted = Reattribution.objects.filter(pk__in=ids).exclude(to_contract=None).order_by()
    numbers = counted.values_list("to_contract", "complaint__category").annotate(n=Count("pk"))
    contracts = Contract.objects.select_related("customer").in_bulk({contract for contract, _, _ in numbers})
    active = Case.objects.active().filter(contract__in=contracts)
    cases = {(case.contract_id, case.category): case for case in active}
    found = [Joining(contracts[pk], category, n, cases.get((pk, category))) for pk, category, n in numbers]
    return sorted(found, key=lambda each: (each.contract.reference, each.category))


def wrongly_told(cases: QuerySet[Case]) -> list[Case]:
    """Those of `cases` whose contract was told of what was not theirs, and not yet of our mistake."""
    rows = Reattribution.objects.filter(told=Reattribution.Told.WRONG).order_by().values("from_case").distinct()
    return list(cases.filter(pk__in=rows[:MOST]).select_related("contract__customer").order_by("pk")[:50])
