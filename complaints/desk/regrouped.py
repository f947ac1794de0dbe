"""What a case's page says of other cases: merged into which, part of which, what was done, can it be undone."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from complaints.cases.grouping import ADDRESS, PART, SITE
from complaints.cases.undoing import changes_of, whys_not
from complaints.desk import when
from complaints.models import Case, CaseChange

MOST_SHOWN = 5
DONE = {
    CaseChange.Kind.MERGE: "merged into",
    CaseChange.Kind.SPLIT: "split: a part went to",
    CaseChange.Kind.MOVE: "complaints moved to",
    CaseChange.Kind.LINK: "made a part of",
    CaseChange.Kind.UNLINK: "no longer a part of",
}
UNDONE = {
    "merge": "The merging was undone",
    "split": "The splitting was undone",
    "move": "The moving of complaints was undone",
    "link": "The link was undone",
    "unlink": "The link stands again",
}


def others_of(case: Case, now: datetime, seen: QuerySet[Case] | None, *, any_changes: bool = True) -> dict[str, Any]:
    """One look at two small indexes; mostly all of it is empty. seen: the cases that the reader may see; None: all."""
    changes = changes_of(case) if any_changes else []
    far = {each.from_case_id if each.to_case_id == case.pk else each.to_case_id for each in changes}
    theirs = far if seen is None or not far else set(seen.filter(pk__in=far).values_list("pk", flat=True))
    changes = [each for each in changes if {each.from_case_id, each.to_case_id} <= theirs | {case.pk}]
    came = [each.from_case for each in changes if each.to_case_id == case.pk]
    near = {each.pk: each for change in changes for each in (change.from_case, change.to_case)}
    return {
        "about_only": about(case.grouping),
        "merged_into": found(case.merged_into_id, near, seen),
        "merged_here": once(each for each in came if each.merged_into_id == case.pk),
        "parent": found(case.parent_id, near, seen),
        "case_parts": once(each for each in came if each.parent_id == case.pk),
        "changes": change_rows(changes[:MOST_SHOWN], now),
    }


def found(pk: int | None, near: Mapping[int, Case], seen: QuerySet[Case] | None) -> Case | None:
    """A case by its id: mostly at hand; not where the one that it was merged into was itself merged later."""
    if pk is None or pk in near:
        return near.get(pk) if pk else None
    return (Case.objects.all() if seen is None else seen).filter(pk=pk).first()


def once(cases: Iterable[Case]) -> list[Case]:
    return list({case.pk: case for case in cases}.values())


def about(grouping: str) -> str:
    """What alone the case is about, in words; empty for a whole contract."""
    if grouping.startswith(PART):
        return "the complaints that a person split off"
    return grouping.removeprefix(SITE).removeprefix(ADDRESS)


def change_rows(changes: Sequence[CaseChange], now: datetime) -> list[dict[str, Any]]:
    problems = whys_not(changes)
    return [change_row(each, problem, now) for each, problem in zip(changes, problems, strict=True)]


def change_row(change: CaseChange, why_not: str, now: datetime) -> dict[str, Any]:
    return {
        "change": change,
        "what": DONE[CaseChange.Kind(change.kind)],
        "count": len(change.complaints),
        "age": when.age(change.made_at, now),
        "why_not": why_not,
    }


def counted(data: Mapping[str, Any]) -> str:
    count = int(data.get("complaints") or 0)
    return "1 complaint" if count == 1 else f"{count:,} complaints"


def merged(data: Mapping[str, Any]) -> tuple[str, str]:
    if data.get("to_number"):
        return f"Merged into case {data['to_number']}, with {counted(data)}", reason(data)
    return f"Case {data.get('from_number')} was merged into this one, with {counted(data)}", reason(data)


def split(data: Mapping[str, Any]) -> tuple[str, str]:
    if data.get("to_number"):
        return f"{counted(data)} split off as case {data['to_number']}", reason(data)
    return f"Split off from case {data.get('from_number')}, with {counted(data)}", reason(data)


def linked(data: Mapping[str, Any]) -> tuple[str, str]:
    number = data.get("to_number") or data.get("from_number")
    if data.get("ended"):
        return f"No longer linked with case {number}", reason(data)
    return (f"Part of case {number}" if data.get("to_number") else f"Case {number} is a part of this one"), reason(data)


def undone(data: Mapping[str, Any]) -> tuple[str, str]:
    number = data.get("to_number") or data.get("from_number")
    return f"{UNDONE.get(str(data.get('what')), 'Undone')}: case {number}", ""


def reason(data: Mapping[str, Any]) -> str:
    return str(data.get("reason") or "")


# The head and the second line of a history line, by kind of event.
LINES: dict[str, Callable[[Mapping[str, Any]], tuple[str, str]]] = {
    "merged": merged,
    "split": split,
    "linked": linked,
    "undone": undone,
}
