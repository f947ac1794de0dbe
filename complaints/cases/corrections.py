"""Proposed corrections: done, dismissed, or undone again, by a person's word. History is written for each."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from complaints.attribution.records import holding_from
from complaints.cases.asking import Asked, history_rows
from complaints.cases.assessment import assess
from complaints.cases.moving import TASK, Moved, move_complaints
from complaints.cases.reattribution import batches, overtake
from complaints.cases.transitions import record
from complaints.models import Case, DeskTask, Reattribution
from complaints.models.text import storable
from complaints.vocabulary import CaseState, EventKind

State, Told = Reattribution.State, Reattribution.Told
OVERTAKEN = "the complaint had moved meanwhile"


@dataclasses.dataclass(slots=True)
class Corrected:
    """moved: complaints. overtaken: proposals that no longer fitted. cases: ids to wake. told: ids of the cases
    left empty whose contract we had written to. instead: by the id of a case that had been closed when complaints
    were to go back into it, the id of the one that was opened instead."""

    moved: int = 0
    overtaken: int = 0
    cases: set[int] = dataclasses.field(default_factory=set)
    told: set[int] = dataclasses.field(default_factory=set)
    instead: dict[int, int] = dataclasses.field(default_factory=dict)

    def add(self, more: Corrected) -> None:
        self.moved += more.moved
        self.overtaken += more.overtaken
        self.cases |= more.cases
        self.told |= more.told
        self.instead |= more.instead


def apply_reattribution(ids: Iterable[int], *, actor: str, now: datetime, note: str = "") -> Corrected:
    """Move the complaints of these proposals to where they belong. Safe to repeat: what is decided is left alone."""
    total = Corrected()
    for batch in batches(ids):
        total.add(apply_batch(batch, actor=actor, now=now, note=note))
    reassess(total.cases, now=now)
    return total


def apply_batch(ids: Sequence[int], *, actor: str, now: datetime, note: str) -> Corrected:
    with transaction.atomic():
        rows = claim_proposals(ids, actor=actor, now=now, note=note)
        fitting = {row.complaint_id: row for row in rows if still_fits(row)}
        asked = [Asked(row.complaint, holding_from(row.after, row.to_contract_id)) for row in fitting.values()]
        moved = move_all(asked, rows, actor=actor, now=now)
        done = {each.complaint.pk for each in moved.asked}
        stale = [row.pk for row in rows if row.complaint_id not in done]
        for pk, row in fitting.items():
            if pk in done:
                mark_done(row, moved)
        Reattribution.objects.filter(pk__in=stale).update(state=State.OVERTAKEN, note=OVERTAKEN)
    return Corrected(len(done), len(stale), moved.cases, moved.told)


def claim_proposals(ids: Sequence[int], *, actor: str, now: datetime, note: str) -> list[Reattribution]:
    """Those still undecided, marked as ours in the same step."""
    mine = []
    for pk in sorted(set(ids)):
        decision = {"state": State.APPLIED, "decided_at": now, "decided_by": storable(actor, 150)}
        if proposed().filter(pk=pk).update(**decision, note=storable(note, 500)):
            mine.append(pk)
    wanted = Reattribution.objects.filter(pk__in=mine)
    return list(wanted.select_related("complaint__contract__customer").order_by("complaint_id"))


def move_all(asked: Sequence[Asked], rows: Sequence[Reattribution], *, actor: str, now: datetime) -> Moved:
    """`because` of the history lines: the rows' own, or how many there are of them."""
    reasons = {row.because for row in rows}
    because = next(iter(reasons)) if len(reasons) == 1 else f"{len(reasons)} corrections"
    return move_complaints(asked, because=because, actor=actor, now=now)


def mark_done(row: Reattribution, moved: Moved) -> None:
    told = Told.WRONG if row.from_case_id in moved.told else Told.NO
    Reattribution.objects.filter(pk=row.pk).update(to_case=moved.placed.get(row.complaint_id), told=told)


def still_fits(row: Reattribution) -> bool:
    """The complaint stands where it stood when the proposal was written."""
    here = row.complaint
    return (here.case_id, here.contract_id, here.answer) == (
        row.from_case_id,
        row.from_contract_id,
        row.before["answer"],
    )


def dismiss_reattribution(ids: Iterable[int], *, actor: str, now: datetime, note: str = "") -> Corrected:
    """Leave the complaints where they are; the cases go on, with a line in their history. Safe to repeat."""
    total = Corrected()
    for batch in batches(ids):
        with transaction.atomic():
            rows = claim_proposals(batch, actor=actor, now=now, note=note)
            Reattribution.objects.filter(pk__in=[row.pk for row in rows]).update(state=State.DISMISSED)
            kept = Counter((row.from_case_id, row.because) for row in rows if row.from_case_id)
            cases = Case.objects.in_bulk({pk for pk, _ in kept})
            for (pk, because), count in sorted(kept.items()):
                record(cases[pk], EventKind.KEPT, actor=actor, now=now, complaints=count, because=because, reason=note)
            Case.objects.active().filter(pk__in=list(cases)).update(due_at=now)
        total.cases |= set(cases)
        total.moved += len(rows)
    return total


def revert_reattribution(ids: Iterable[int], *, actor: str, now: datetime, note: str = "") -> Corrected:
    """Undo what was applied: each complaint goes back to the answer it had before, with a history of its own.

    A case that was closed meanwhile stays closed, with its end and its letters as they were: the complaints stand in
    the contract's active case, or in a new one that is no relapse; history and `instead` tell which. Safe to repeat.
    """
    total = Corrected()
    for batch in batches(ids):
        total.add(revert_batch(batch, actor=actor, now=now, note=note))
    reassess(total.cases, now=now)
    return total


def revert_batch(ids: Sequence[int], *, actor: str, now: datetime, note: str) -> Corrected:
    applied = Reattribution.objects.filter(pk__in=ids, state=State.APPLIED, reverted_by=None)
    rows = {row.complaint_id: row for row in applied.select_related("complaint__contract__customer").order_by("pk")}
    fitting = {pk: row for pk, row in rows.items() if stands_after(row)}
    asked = [Asked(row.complaint, holding_from(row.before, row.from_contract_id)) for row in fitting.values()]
    closed = closed_of(fitting.values())
    with transaction.atomic():
        because = "a correction was undone" + (f"; {stay_closed(list(closed.values()))}" if closed else "")
        history = {
            row.complaint_id: row
            for row in history_rows(asked, state=State.APPLIED, because=because, actor=actor, now=now)
        }
        moved = move_complaints(asked, because=because, actor=actor, now=now)
        for each in moved.asked:
            pk = each.complaint.pk
            new = history[pk]
            new.reverts, new.note, new.to_case_id = fitting[pk], storable(note, 500), moved.placed.get(pk)
            new.told = Told.WRONG if new.from_case_id in moved.told else Told.NO
            new.save()
            overtake_all(pk, now=now)
        # Where the contract was told: it was right after all.
        was_right = {row.from_case_id for each in moved.asked if (row := fitting[each.complaint.pk]).from_case_id}
        settle_told(was_right, Told.LEFT, actor=actor, now=now)
    instead = {
        row.from_case_id: moved.placed[pk]
        for pk, row in fitting.items()
        if row.from_case_id in closed and moved.placed.get(pk, row.from_case_id) != row.from_case_id
    }
    return Corrected(len(moved.asked), len(rows) - len(moved.asked), moved.cases, moved.told, instead)


def closed_of(rows: Iterable[Reattribution]) -> dict[int, str]:
    """Numbers of the cases that the complaints came from and that are closed now, by id."""
    found = Case.objects.filter(pk__in={row.from_case_id for row in rows}, state=CaseState.CLOSED).order_by("pk")
    return {case.pk: case.number for case in found}


def stay_closed(numbers: Sequence[str]) -> str:
    """In words, for histories and pages."""
    shown = ", ".join(numbers[:3]) + (f" and {len(numbers) - 3} more" if len(numbers) > 3 else "")
    return f"case {shown} stays closed" if len(numbers) == 1 else f"cases {shown} stay closed"


def settle_told(case_ids: Collection[int], how: Reattribution.Told, *, actor: str, now: datetime) -> None:
    """The contracts of these cases need no letter of correction any more. Call it inside a transaction."""
    Reattribution.objects.filter(from_case__in=list(case_ids), told=Told.WRONG).update(told=how)
    tasks = DeskTask.objects.filter(kind=TASK, key__in=[str(pk) for pk in case_ids], done_at=None)
    tasks.update(done_at=now, done_by=storable(actor, 150))


def overtake_all(complaint_id: int, *, now: datetime) -> None:
    waiting = proposed().filter(complaint=complaint_id).values_list("pk", flat=True)
    overtake(list(waiting), note=OVERTAKEN, now=now)


def stands_after(row: Reattribution) -> bool:
    here = row.complaint
    return (here.case_id, here.contract_id, here.answer) == (row.to_case_id, row.to_contract_id, row.after["answer"])


def reassess(cases: Iterable[int], *, now: datetime) -> None:
    """Cause, priority and headline from the complaints that are there now; not in the transaction that moved them."""
    for case in Case.objects.active().filter(pk__in=list(cases)).order_by("pk"):
        assess(case, now=now)


def proposed() -> QuerySet[Reattribution]:
    return Reattribution.objects.filter(state=State.PROPOSED)


def in_question() -> QuerySet[Reattribution, Any]:
    """Ids of the cases that wait for a decision, for a sub-query."""
    return proposed().exclude(from_case=None).values("from_case")


def is_in_question(case: Case) -> bool:
    """Somebody must decide first whether complaints of this case are another contract's."""
    return proposed().filter(from_case=case).exists()
