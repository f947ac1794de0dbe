"""Take back what was done with whole cases, for as long as nothing else has happened to them since."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Exists, Q, QuerySet

from complaints.cases.accusations import stored_accusation
from complaints.cases.asking import stored_holding
from complaints.cases.regrouped_rows import count_again, give_back, take_measures
from complaints.cases.regrouping import hold
from complaints.cases.transitions import move_case, record
from complaints.models import Case, CaseChange, Complaint, Notice
from complaints.models.bulk import update_rows
from complaints.models.text import storable
from complaints.vocabulary import CaseState, EventKind, Resolution

Kind = CaseChange.Kind
LINKS = (Kind.LINK, Kind.UNLINK)
SHOWN = 30
LOOKED_AT = 2_000
MOVED_AGAIN = "Complaints of these cases were moved again since: undo that first."


class CannotUndo(Exception):
    """Something has happened since; the text says what."""


def changes_of(case: Case) -> list[CaseChange]:
    """What was done with this case and others, the last first."""
    rows = CaseChange.objects.filter(Q(from_case=case) | Q(to_case=case)).select_related(
        "from_case__contract__customer", "to_case"
    )
    return list(rows.order_by("-pk")[:SHOWN])


def has_changes(case: Case) -> QuerySet[CaseChange]:
    """One row if anything was ever done with this case and others: mostly there is none, and no more to ask."""
    return CaseChange.objects.filter(Q(from_case=case) | Q(to_case=case)).only("pk")[:1]


def why_not(change: CaseChange) -> str:
    """Why it can no longer be undone, in words; empty: it can be."""
    return whys_not([change])[0]


def whys_not(changes: Sequence[CaseChange]) -> list[str]:
    """The same of several. Of the changes of one case only the last can be free of later ones, so one is looked at."""
    return [why_not_by_itself(each) or why_not_after(each, changes) for each in changes]


def why_not_after(change: CaseChange, others: Sequence[CaseChange]) -> str:
    """As far as what was done later says. others: those that are at hand, which spare a look."""
    if change.kind in LINKS:
        return ""
    both = {change.from_case_id, change.to_case_id}
    later = [each for each in others if each.pk > change.pk and not each.undone_at and each.kind not in LINKS]
    if any(both & {each.from_case_id, each.to_case_id} for each in later):
        return MOVED_AGAIN
    return why_not_since(change)


def why_not_by_itself(change: CaseChange) -> str:
    """As far as the change and its two cases say."""
    if change.undone_at:
        return "It has been undone already."
    if change.kind not in LINKS:
        return moved_on(change)
    here, now_parent = change.from_case, change.to_case_id if change.kind == Kind.LINK else None
    return "" if here.parent_id == now_parent else f"Case {here.number} was linked otherwise since."


def why_not_since(change: CaseChange) -> str:
    """One statement of three looks."""
    both = [change.from_case_id, change.to_case_id]
    standing = CaseChange.objects.filter(pk__gt=change.pk, undone_at=None).exclude(kind__in=LINKS)
    # A letter that spoke of what now belongs elsewhere cannot be called back by moving complaints.
    written = Notice.objects.filter(case__in=both, queued_at__gte=change.made_at).exclude(state=Notice.State.WITHDRAWN)
    gone = Complaint.objects.filter(pk__in=change.complaints).exclude(case=change.to_case_id)
    looks = {
        MOVED_AGAIN: standing.filter(Q(from_case__in=both) | Q(to_case__in=both)),
        "The customer has been written to since.": written,
        "Some of its complaints have moved on since.": gone,
    }
    found = CaseChange.objects.filter(pk=change.pk).values_list(*map(Exists, looks.values())).get()
    return next((text for text, is_so in zip(looks, found, strict=True) if is_so), "")


def moved_on(change: CaseChange) -> str:
    """The one that was merged is still closed as such, and what must be open is open."""
    here, there = change.from_case, change.to_case
    if there.state == CaseState.CLOSED:
        return f"Case {there.number} is closed meanwhile."
    if change.kind != Kind.MERGE:
        return f"Case {here.number} is closed meanwhile." if here.state == CaseState.CLOSED else ""
    is_merged = here.stay == change.from_stay and here.merged_into_id == there.pk
    return "" if is_merged else f"Case {here.number} has changed since."


def undo_change(change: CaseChange, *, actor: str, now: datetime) -> None:
    """Put both cases back as they were. Raises CannotUndo or StaleCase. Pressed twice it is done once."""
    with transaction.atomic():
        mine = CaseChange.objects.filter(pk=change.pk, undone_at=None)
        if not mine.update(undone_at=now, undone_by=storable(actor, 150)):
            raise CannotUndo("It has been undone already.")
        change = CaseChange.objects.select_related("from_case", "to_case").get(pk=change.pk)
        change.undone_at = None
        UNDO[Kind(change.kind)](change, actor, now)
        told = {"what": change.kind, "complaints": len(change.complaints)}
        for case, word, far in ((change.from_case, "to", change.to_case), (change.to_case, "from", change.from_case)):
            record(case, EventKind.UNDONE, actor=actor, now=now, **told, **{f"{word}_number": far.number})


def refuse(change: CaseChange) -> None:
    if problem := why_not(change):
        raise CannotUndo(problem)


def undo_merge(change: CaseChange, actor: str, now: datetime) -> None:
    case, survivor = change.from_case, change.to_case
    hold(survivor, now=now)
    refuse(change)
    back = [*change.complaints, *came_for(case, survivor, change.before.get("newest", 0))]
    reopen(case, change.before["columns"], now=now)
    bring_back(change, back, now=now)
    Case.objects.filter(pk__in=change.before.get("followers", ()), merged_into=survivor).update(merged_into=case)


def came_for(case: Case, survivor: Case, newest: int) -> list[int]:
    """What came since for the merged case: it had gone there, had it been open."""
    later = survivor.complaints.filter(pk__gt=newest).order_by("pk")[:LOOKED_AT]
    key = (case.contract_id, case.category, case.grouping)
    return [each.pk for each in later if stored_accusation(each, stored_holding(each)).key == key]


def reopen(case: Case, columns: dict[str, Any], *, now: datetime) -> None:
    """The one case that is opened again: it was never closed on its merits. Its playbook goes on in a new stay."""
    moments = {name: columns[name] and datetime.fromisoformat(columns[name]) for name in MOMENTS}
    opened = {**columns, **moments, "stay": case.stay + 1, "due_at": now}
    opened |= {"resolution": "", "closed_at": None, "merged_into": None}
    closed = Case.objects.filter(pk=case.pk, state=CaseState.CLOSED, resolution=Resolution.MERGED, stay=case.stay)
    try:
        with transaction.atomic():
            if not closed.update(**opened):
                raise CannotUndo(f"Case {case.number} has changed since.")
    except IntegrityError:
        raise CannotUndo("A new case was opened for the same trouble since: merge the two instead.") from None
    case.refresh_from_db()


MOMENTS = ("state_since", "due_at", "deadline_at")


def undo_move(change: CaseChange, actor: str, now: datetime) -> None:
    hold(change.from_case, change.to_case, now=now)
    refuse(change)
    bring_back(change, change.complaints, now=now)


def undo_split(change: CaseChange, actor: str, now: datetime) -> None:
    """All goes back, also what came since, and the part is closed: a case is never deleted."""
    case, part = change.from_case, change.to_case
    hold(case, part, now=now)
    refuse(change)
    bring_back(change, list(part.complaints.values_list("pk", flat=True)), now=now)
    take_measures(part, case)  # else the end of the part would lift what was decided since
    why = f"The split from case {case.number} was undone"
    resolution = Resolution.MERGED
    move_case(
        part, CaseState.CLOSED, actor=actor, reason=why, resolution=resolution, now=now, merged_into=case, grouping=""
    )


def bring_back(change: CaseChange, ids: Sequence[int], *, now: datetime) -> None:
    case = change.from_case
    update_rows(Complaint, "id", ("case_id",), [(pk, case.pk) for pk in ids], only={"case_id": change.to_case_id})
    give_back(case, change.before.get("rows", {}))
    count_again(case, change.to_case)


def undo_link(change: CaseChange, actor: str, now: datetime) -> None:
    refuse(change)
    was = change.before.get("parent")
    Case.objects.filter(pk=change.from_case_id).update(parent=was)


UNDO = {
    Kind.MERGE: undo_merge,
    Kind.SPLIT: undo_split,
    Kind.MOVE: undo_move,
    Kind.LINK: undo_link,
    Kind.UNLINK: undo_link,
}
