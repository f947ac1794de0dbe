"""Answers of attribution that were not final: asked again when they were unknown, or when assignments changed.

Who stands in no case is filed at once, for that harms nobody. Who stands in one is only proposed to be moved:
complaints/cases/corrections.py does it when somebody has looked.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import datetime
from itertools import islice

from django.db import transaction

from complaints.cases import waits
from complaints.cases.asking import Asked, ask, history_rows, with_contracts
from complaints.cases.moving import move_complaints
from complaints.cases.transitions import MACHINE
from complaints.models import Complaint, Reattribution

BATCH = 500
State = Reattribution.State
ASKED_AGAIN = "asked again"


@dataclasses.dataclass(slots=True)
class Looked:
    """What came of asking again. cases: ids that got complaints and should be woken."""

    asked: int = 0
    filed: int = 0  # complaints without a case that have one now
    proposed: int = 0
    cases: set[int] = dataclasses.field(default_factory=set)

    def add(self, more: Looked) -> None:
        self.asked += more.asked
        self.filed += more.filed
        self.proposed += more.proposed
        self.cases |= more.cases


def ask_again(
    complaint_ids: Iterable[int],
    *,
    now: datetime,
    because: str = ASKED_AGAIN,
    actor: str = MACHINE,
    due: Collection[int] = (),
) -> Looked:
    """Ask about those of the complaints that stand in no case; file those that have an owner now. Safe to repeat.

    `due`: those whose waits are over; of them a wait that is in vain ends, or is postponed.
    """
    total = Looked()
    for ids in batches(complaint_ids):
        homeless = with_contracts(Complaint.objects.filter(pk__in=ids, case=None))
        total.add(write_answers(ask(list(homeless)), because=because, actor=actor, now=now, due=due))
    return total


def ask_due(complaint_ids: Collection[int], *, now: datetime) -> Looked:
    """Ask about those whose waits are over. Beside another worker, each is asked by one of us."""
    mine = waits.claim_due(complaint_ids, now=now)
    return ask_again(mine, now=now, because="its owner was not known before", due=frozenset(mine))


def propose_reattributions(
    complaint_ids: Iterable[int], *, because: str, now: datetime, actor: str = MACHINE
) -> Looked:
    """Ask about all of these complaints, and keep what would change as proposals. Safe to repeat.

    `complaint_ids` may be a long iterator, such as complaints/cases/touched.py gives; it is read in batches.
    """
    total = Looked()
    for ids in batches(complaint_ids):
        asked = ask(list(with_contracts(Complaint.objects.filter(pk__in=ids))))
        homeless = [each for each in asked if each.complaint.case_id is None]
        total.add(write_answers(homeless, because=because, actor=actor, now=now))
        filed = [each for each in asked if each.complaint.case_id is not None]
        total.asked += len(filed)
        total.proposed += keep_proposals(filed, because=because, actor=actor, now=now)
    return total


def preview(complaint_ids: Iterable[int]) -> Iterator[Asked]:
    """What the verb above would find, without a change: complaints that would be accused otherwise."""
    for ids in batches(complaint_ids):
        for each in ask(list(with_contracts(Complaint.objects.filter(pk__in=ids)))):
            if each.accuses_another:
                yield each


def write_answers(
    asked: Sequence[Asked], *, because: str, actor: str, now: datetime, due: Collection[int] = ()
) -> Looked:
    """The new answers of complaints without a case, their history, their cases and their waits; together."""
    news = [each for each in asked if each.is_news]
    with transaction.atomic():
        moved = move_complaints(news, because=because, actor=actor, now=now)
        done = [each for each in moved.asked if each.means_others]
        rows = history_rows(done, state=State.APPLIED, because=because, actor=actor, now=now)
        for row in rows:
            row.to_case_id = moved.placed.get(row.complaint_id)
        Reattribution.objects.bulk_create(rows)
        waits.settle({each.complaint.pk: each.holding for each in asked}, due=due, now=now)
    return Looked(asked=len(asked), filed=len(moved.placed), cases=moved.cases)


def keep_proposals(asked: Sequence[Asked], *, because: str, actor: str, now: datetime) -> int:
    """Proposals for those that would be accused otherwise; what was proposed for the others before is overtaken."""
    asked = [each for each in asked if each.holding.again_at is None]
    wanted = [each for each in asked if each.accuses_another]
    waiting = {
        row.complaint_id: row
        for row in Reattribution.objects.filter(
            complaint__in=[each.complaint.pk for each in asked], state=State.PROPOSED
        )
    }
    rows = history_rows(wanted, state=State.PROPOSED, because=because, actor=actor, now=now)
    rows = [row for row in rows if not is_same(row, waiting.get(row.complaint_id))]
    replaced = {row.complaint_id for row in rows} | {each.complaint.pk for each in asked if not each.accuses_another}
    old = [row.pk for pk, row in waiting.items() if pk in replaced]
    with transaction.atomic():
        overtake(old, note=because, now=now)
        Reattribution.objects.bulk_create(rows, ignore_conflicts=True)
    return len(rows)


def is_same(row: Reattribution, waiting: Reattribution | None) -> bool:
    """The same move is proposed already."""
    if waiting is None:
        return False
    move = ("from_contract_id", "to_contract_id", "from_case_id")
    same = all(getattr(row, name) == getattr(waiting, name) for name in move)
    return same and row.after["answer"] == waiting.after["answer"]


def overtake(ids: Sequence[int], *, note: str, now: datetime) -> None:
    if ids:
        Reattribution.objects.filter(pk__in=ids, state=State.PROPOSED).update(
            state=State.OVERTAKEN, decided_at=now, decided_by=MACHINE, note=note[:500]
        )


def batches(ids: Iterable[int]) -> Iterator[list[int]]:
    rest = iter(ids)
    while batch := list(islice(rest, BATCH)):
        yield batch
