"""Whole cases rearranged by a person's word: merge, split, move complaints, link. All of it can be undone.

Each verb is one transaction. It locks the cases first, by an UPDATE and in the order of their ids, refuses when one
of them has moved since it was looked at, writes both histories and a CaseChange with all that undoing needs.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import F

from complaints.cases.accusations import stored_accusation
from complaints.cases.asking import stored_holding
from complaints.cases.grouping import PART
from complaints.cases.moving import other
from complaints.cases.regrouped_rows import count_again, newest_complaint, take_along
from complaints.cases.transitions import StaleCase, move_case, record
from complaints.models import Case, CaseChange, Complaint
from complaints.models.text import storable
from complaints.vocabulary import CaseState, EventKind, Resolution

MOST_MOVED = 2_000
MOST_DEEP = 10  # links above a case
# Frozen with the case's opening: a case that is split off begins where the old one stands.
INHERITED = ("category", "owner", "confidence", "relapse_of_id", "ladder")


class CannotRegroup(Exception):
    """It makes no sense, and the text says why."""


def merge_cases(case: Case, *, into: Case, actor: str, reason: str, now: datetime) -> CaseChange:
    """Everything of `case` goes to `into`; `case` is closed as merged and points there. So does what comes later.

    Raises:
        CannotRegroup: different contracts, or one of them is closed.
        StaleCase: one of them was moved since it was loaded.
    """
    refuse_merge(case, into)
    with transaction.atomic():
        hold(case, into, now=now)
        before: dict[str, Any] = state_of(case) | {"newest": newest_complaint(into)}
        ids = list(case.complaints.order_by("pk").values_list("pk", flat=True))
        before["followers"] = list(Case.objects.filter(merged_into=case).values_list("pk", flat=True))
        before["rows"] = take_along(case, into, ids, now=now)
        Case.objects.filter(pk__in=before["followers"]).update(merged_into=into)
        why = f"Merged into case {into.number}" + (f": {reason}" if reason else "")
        move_case(
            case, CaseState.CLOSED, actor=actor, reason=why, resolution=Resolution.MERGED, now=now, merged_into=into
        )
        count_again(case, into)
        write_both(case, into, EventKind.MERGED, actor=actor, now=now, complaints=len(ids), reason=reason)
        return remember(CaseChange.Kind.MERGE, case, into, ids, before, actor=actor, reason=reason, now=now)


def refuse_merge(case: Case, into: Case) -> None:
    if case.pk == into.pk:
        raise CannotRegroup("A case cannot be merged into itself.")
    if case.contract_id != into.contract_id:
        raise CannotRegroup(
            f"Case {into.number} is about another contract. One customer must not answer for another's line, and what"
            " we wrote to the one is not for the other's eyes: link them instead."
        )
    for each in (case, into):
        if each.state == CaseState.CLOSED:
            raise CannotRegroup(f"Case {each.number} is closed and stays as it is: link them instead.")
    if into.state == CaseState.VERIFYING:  # its proof covers what it had when the fix was claimed
        raise CannotRegroup(
            f"The fix of case {into.number} is being verified. What was said and checked of it says nothing of other"
            " complaints, and must not close them: wait until it is decided."
        )


def split_case(case: Case, *, complaints: Collection[int], actor: str, reason: str, now: datetime) -> CaseChange:
    """The chosen complaints become a case of their own, with what comes later about the same address or site."""
    with transaction.atomic():
        hold(case, now=now)
        ids = chosen(case, complaints)
        if len(ids) >= case.complaints.count():
            raise CannotRegroup("All complaints are chosen, so nothing would stay in this case: choose some of them.")
        grouping = free_grouping(case, ids)
        new = open_part(case, ids, grouping, actor=actor, now=now)
        before = {"rows": take_along(case, new, ids, now=now, whole=False), "newest": 0}
        count_again(case, new)
        write_both(case, new, EventKind.SPLIT, actor=actor, now=now, complaints=len(ids), reason=reason)
        return remember(CaseChange.Kind.SPLIT, case, new, ids, before, actor=actor, reason=reason, now=now)


def move_to_case(
    case: Case, *, complaints: Collection[int], to: Case, actor: str, reason: str, now: datetime
) -> CaseChange:
    """The chosen complaints go to another case of the same contract. The case they leave keeps at least one."""
    refuse_merge(case, to)
    with transaction.atomic():
        hold(case, to, now=now)
        ids = chosen(case, complaints)
        if len(ids) >= case.complaints.count():
            raise CannotRegroup("All complaints are chosen: merge the cases instead.")
        before = {"rows": take_along(case, to, ids, now=now, whole=False), "newest": newest_complaint(to)}
        count_again(case, to)
        because = reason or "put where they belong"
        told = {"complaints": len(ids), "because": because}
        record(case, EventKind.MOVED_AWAY, actor=actor, now=now, **told, **other("to", to))
        record(to, EventKind.MOVED_HERE, actor=actor, now=now, **told, **other("from", case))
        return remember(CaseChange.Kind.MOVE, case, to, ids, before, actor=actor, reason=reason, now=now)


def link_case(child: Case, *, parent: Case, actor: str, reason: str, now: datetime) -> CaseChange:
    """Make `child` a part of `parent`: other contracts and closed cases too. Nothing else changes for either."""
    with transaction.atomic():
        for pk in sorted({child.pk, parent.pk}):  # locked, in one order: two links that meet would make a circle
            Case.objects.filter(pk=pk).update(stay=F("stay"))
        if parent.pk in {child.pk, *below(child)}:
            raise CannotRegroup("That would make a case a part of itself.")
        before = {"parent": child.parent_id}
        if not Case.objects.filter(pk=child.pk, parent=child.parent_id).exclude(parent=parent).update(parent=parent):
            raise CannotRegroup(f"Case {child.number} is a part of case {parent.number} already.")
        write_both(child, parent, EventKind.LINKED, actor=actor, now=now, reason=reason)
        return remember(CaseChange.Kind.LINK, child, parent, [], before, actor=actor, reason=reason, now=now)


def unlink_case(child: Case, *, actor: str, reason: str, now: datetime) -> CaseChange:
    parent = child.parent
    if parent is None:
        raise CannotRegroup(f"Case {child.number} is no part of another case.")
    with transaction.atomic():
        if not Case.objects.filter(pk=child.pk, parent=parent).update(parent=None):
            raise StaleCase(f"case {child.number} was changed by somebody else")
        write_both(child, parent, EventKind.LINKED, actor=actor, now=now, reason=reason, ended=True)
        before = {"parent": parent.pk}
        return remember(CaseChange.Kind.UNLINK, child, parent, [], before, actor=actor, reason=reason, now=now)


def below(case: Case) -> set[int]:
    """The parts of a case, their parts, and so on."""
    found: set[int] = set()
    level = [case.pk]
    for _ in range(MOST_DEEP):
        level = list(Case.objects.filter(parent__in=level).exclude(pk__in=found).values_list("pk", flat=True))
        if not level:
            break
        found.update(level)
    return found


def hold(*cases: Case, now: datetime) -> None:
    """Lock them all, and wake them: nobody else changes them until we are done. Raises StaleCase."""
    for case in sorted(cases, key=lambda each: each.pk):
        if not Case.objects.active().filter(pk=case.pk, stay=case.stay).update(due_at=now):
            raise StaleCase(f"case {case.number} was moved by somebody else since you opened it")


def chosen(case: Case, complaints: Collection[int]) -> list[int]:
    if len(complaints) > MOST_MOVED:
        raise CannotRegroup(f"At most {MOST_MOVED:,} complaints move at a time.")
    ids = list(case.complaints.filter(pk__in=list(complaints)).order_by("pk").values_list("pk", flat=True))
    if not ids:
        raise CannotRegroup("Choose at least one complaint of this case.")
    return ids


def free_grouping(case: Case, ids: Sequence[int]) -> str:
    """The address or site that all the chosen ones share, and none of the others; else a part with a number."""
    taken = Case.objects.active().filter(contract=case.contract_id, category=case.category)
    used = set(taken.values_list("grouping", flat=True))
    common = shared_claims(case.complaints.filter(pk__in=ids))
    staying = all_claims(case.complaints.exclude(pk__in=ids))
    fitting = [claim for claim in common if claim not in staying and claim not in used]
    return fitting[0] if fitting else f"{PART}{ids[0]}"


def shared_claims(complaints: Any) -> list[str]:
    found: list[list[str]] = [claims_of(each) for each in complaints.iterator()]
    return [claim for claim in found[0] if all(claim in each for each in found)] if found else []


def all_claims(complaints: Any) -> set[str]:
    return {claim for each in complaints.iterator() for claim in claims_of(each)}


def claims_of(complaint: Complaint) -> list[str]:
    return stored_accusation(complaint, stored_holding(complaint)).claims


def open_part(case: Case, ids: Sequence[int], grouping: str, *, actor: str, now: datetime) -> Case:
    first = Complaint.objects.filter(pk__in=ids).order_by("seen_at", "pk")[0]
    new = Case.objects.create(
        contract=case.contract,
        grouping=grouping,
        address=first.address,
        state=CaseState.INVESTIGATING,
        state_since=now,
        opened_at=now,
        first_seen_at=first.seen_at,
        last_seen_at=first.seen_at,
        due_at=now,
        deadline_at=case.deadline_at if case.state == CaseState.INVESTIGATING else None,
        assignee=case.assignee,
        **{name: getattr(case, name) for name in INHERITED},
    )
    record(new, EventKind.OPENED, actor=actor, now=now, complaints=len(ids), split_from=case.number)
    return new


def state_of(case: Case) -> dict[str, Any]:
    """The columns that merging changes, as they stand, for the undoing."""
    moments = ("state_since", "due_at", "deadline_at")
    plain = ("state", "turn", "clock_used_s", "clock_paused_in", "clock_left_s")
    return {
        "columns": {name: getattr(case, name) for name in plain}
        | {name: value.isoformat() if (value := getattr(case, name)) else None for name in moments}
    }


def write_both(case: Case, to: Case, kind: EventKind, *, actor: str, now: datetime, **data: Any) -> None:
    record(case, kind, actor=actor, now=now, **data, **other("to", to))
    record(to, kind, actor=actor, now=now, **data, **other("from", case))


def remember(
    kind: CaseChange.Kind, case: Case, to: Case, ids: Sequence[int], before: dict[str, Any], *,
    actor: str, reason: str, now: datetime,
) -> CaseChange:  # fmt: skip
    stays = dict(Case.objects.filter(pk__in=[case.pk, to.pk]).values_list("pk", "stay"))
    return CaseChange.objects.create(
        kind=kind, from_case=case, to_case=to, complaints=list(ids), before=before, reason=storable(reason, 500),
        from_stay=stays[case.pk], to_stay=stays[to.pk], made_at=now, made_by=storable(actor, 150),
    )  # fmt: skip
