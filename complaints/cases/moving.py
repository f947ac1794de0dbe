"""Complaints change their owner: each leaves its case and is placed as a fresh one would be.

The cases involved are locked first, by an UPDATE and in the order of their ids; what is counted afterwards
cannot change under our hands. Call it inside a transaction.
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime

from django.db.models import Count, Max, Min

from complaints.cases.accusations import Key, answer_columns, by_case, stored_accusation
from complaints.cases.asking import Asked
from complaints.cases.placing import place
from complaints.cases.rulings import bring_back, give_away, judge_again
from complaints.cases.transitions import move_case, record
from complaints.models import Case, Complaint, DeskTask, Intervention, Notice, PortalLink
from complaints.models.bulk import update_rows
from complaints.vocabulary import Answer, CaseState, EventKind, Resolution

WITHDRAWN = "withdrawn"  # the letter that tells the wrong contract of our mistake
TOLD = (Notice.State.SENT, Notice.State.SENDING)
TASK = "wrong_contract_told"
NOT_YET = (Intervention.State.PROPOSED, Intervention.State.DECIDED)


@dataclasses.dataclass(slots=True)
class Moved:
    """asked: those that moved; the others changed under our hands. placed: case by complaint id.

    cases: ids to wake. told: ids of the cases left empty whose contract had been told.
    """

    asked: list[Asked] = dataclasses.field(default_factory=list)
    placed: dict[int, int] = dataclasses.field(default_factory=dict)
    cases: set[int] = dataclasses.field(default_factory=set)
    told: set[int] = dataclasses.field(default_factory=set)


def move_complaints(asked: Sequence[Asked], *, because: str, actor: str, now: datetime) -> Moved:
    """Write the new answers and place the complaints anew; the cases they leave are counted again, or closed."""
    accusations = {each: stored_accusation(each.complaint, each.holding) for each in asked}
    lock(asked, by_case(accusations.values()), now=now)
    moved = Moved(asked=[each for each in asked if take(each)])
    ruled = judge_again({accusations[e]: e.complaint for e in moved.asked if e.complaint.case_id is None}, now=now)
    admitted = [a for each in moved.asked if (a := accusations[each]) not in ruled.out]
    grouped = by_case([*admitted, *ruled.earlier])
    cases, opened = place(grouped, now) if grouped else ({}, [])
    bring_back(ruled, cases)
    give_away(ruled, cases, opened, now=now)
    moved.placed = {each.complaint.pk: cases[a] for each in moved.asked if (a := accusations[each]) in cases}
    update_rows(Complaint, "id", ("case_id",), sorted(moved.placed.items()))
    moved.cases = set(cases.values())
    left = [each for each in moved.asked if each.complaint.case_id]
    write_history(left, moved, because=because, actor=actor, now=now)
    for case in Case.objects.filter(pk__in={each.complaint.case_id for each in left}).order_by("pk"):
        leave(case, [each for each in left if each.complaint.case_id == case.pk], moved, actor=actor, now=now)
    return moved


def lock(asked: Sequence[Asked], keys: Iterable[Key], *, now: datetime) -> None:
    """Touch every case that may change; nobody else can until our transaction ends. Also the alarm to look at them."""
    wanted = {(contract, category) for contract, category, _ in keys}
    contracts = {contract for contract, _ in wanted}
    rows = Case.objects.active().filter(contract__in=contracts).values_list("contract_id", "category", "pk")
    ids = {pk for contract, category, pk in rows if (contract, category) in wanted}
    ids |= {each.complaint.case_id for each in asked if each.complaint.case_id}
    for pk in sorted(ids):
        if not Case.objects.active().filter(pk=pk).update(due_at=now):
            Case.objects.filter(pk=pk).update(due_at=None)  # closed: locked all the same


def take(asked: Asked) -> bool:
    """The new answer, if the complaint still stands as it was loaded."""
    was = asked.complaint
    same = {"case": was.case_id, "contract": was.contract_id, "answer": was.answer}
    return bool(Complaint.objects.filter(pk=was.pk, **same).update(**answer_columns(asked.holding), case=None))


def write_history(left: Sequence[Asked], moved: Moved, *, because: str, actor: str, now: datetime) -> None:
    """A line on both cases for each pair of them: how many complaints went where, and why."""
    pairs = Counter((each.complaint.case_id, moved.placed.get(each.complaint.pk)) for each in left)
    cases = Case.objects.select_related("contract").in_bulk({pk for pair in pairs for pk in pair if pk})
    for (old, new), count in sorted(pairs.items(), key=str):
        if old is None:
            continue
        told = {"complaints": count, "because": because}
        came, went = cases[old], cases.get(new or 0)
        record(came, EventKind.MOVED_AWAY, actor=actor, now=now, **told, **other("to", went))
        if went:
            record(went, EventKind.MOVED_HERE, actor=actor, now=now, **told, **other("from", came))


def other(word: str, case: Case | None) -> dict[str, object]:
    """The case at the other end, as a history line names it; none where nobody is accused any more."""
    if case is None:
        return {f"{word}_case": None, f"{word}_number": None, f"{word}_contract": None}
    return {f"{word}_case": case.pk, f"{word}_number": case.number, f"{word}_contract": case.contract.reference}


def leave(case: Case, left: Sequence[Asked], moved: Moved, *, actor: str, now: datetime) -> None:
    """What a case is without the complaints that left it."""
    found = case.complaints.aggregate(
        n=Count("pk"), first=Min("seen_at"), last=Max("seen_at"), confidence=Max("confidence")
    )
    if found["n"]:
        recount(case, found)
        moved.cases.add(case.pk)
        return
    Case.objects.filter(pk=case.pk).update(complaint_count=0, reporter_count=0)
    resolution, reason = how_it_ends(left, moved)
    if case.state == CaseState.CLOSED:
        lift_measures(case, reason=reason, actor=actor, now=now)
    else:  # the sweep lifts the measures of a case that ends so
        move_case(case, CaseState.CLOSED, actor=actor, reason=reason, resolution=resolution, now=now)
    PortalLink.objects.filter(case=case, revoked_at=None).update(revoked_at=now)
    if case.notices.filter(state__in=TOLD).exclude(step=WITHDRAWN).exists():
        moved.told.add(case.pk)
        open_task(case, reason=reason, actor=actor, now=now)


def lift_measures(case: Case, *, reason: str, actor: str, now: datetime) -> None:
    """A case that was closed without a fix keeps its measures; not so when it was about the wrong line."""
    measures = Intervention.objects.filter(case=case)
    measures.filter(state__in=NOT_YET).update(state=Intervention.State.WITHDRAWN, release_reason=reason[:500])
    measures.filter(state=Intervention.State.IN_FORCE).update(
        state=Intervention.State.RELEASE_DUE, release_by=actor[:150], release_reason=reason[:500], due_at=now
    )


def open_task(case: Case, *, reason: str, actor: str, now: datetime) -> None:
    task = DeskTask(
        kind=TASK,
        key=str(case.pk),
        title=f"The wrong contract was told: {case.owner.get('contract')}, case {case.number}"[:300],
        text=f"{reason}. Tell them that it was our mistake, or decide that no letter is needed.",
        url=f"/case/{case.pk}",
        case=case,
        opened_at=now,
        opened_by=actor[:150],
    )
    DeskTask.objects.bulk_create([task], ignore_conflicts=True)


def recount(case: Case, found: dict[str, object]) -> None:
    address = case.address
    if not case.complaints.filter(address=address).exists():
        address = case.complaints.order_by("seen_at", "pk").values_list("address", flat=True)[0]
    Case.objects.filter(pk=case.pk).update(
        complaint_count=found["n"],
        first_seen_at=found["first"],
        last_seen_at=found["last"],
        confidence=found["confidence"],
        address=address,
    )


def how_it_ends(left: Sequence[Asked], moved: Moved) -> tuple[Resolution, str]:
    """The honest end of a case whose complaints have all left it: they live on elsewhere, or accuse no customer."""
    to = {pk for each in left if (pk := moved.placed.get(each.complaint.pk))}
    if to:
        numbers = ", ".join(sorted(case.number for case in Case.objects.filter(pk__in=to)))
        return Resolution.MERGED, f"Corrected: its complaints were about another contract's line, see case {numbers}"
    if all(each.holding.answer is Answer.NOT_OURS for each in left):
        return Resolution.NOT_OURS, "Corrected: the address is in none of our networks"
    return Resolution.NOT_OURS, "Corrected: it is not known to be this contract's line, so nobody is accused"
