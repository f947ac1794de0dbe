"""What merging, splitting, moving or linking would do, line by line, before it is done."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence

from complaints.cases.grouping import PART
from complaints.cases.moving import TOLD
from complaints.cases.regrouping import CannotRegroup, below, chosen, free_grouping, refuse_merge
from complaints.desk import words
from complaints.desk.regrouped import about
from complaints.models import Case, Intervention, Notice
from complaints.vocabulary import CaseState, Category

STANDING = (Intervention.State.IN_FORCE, Intervention.State.APPLYING, Intervention.State.DECIDED)


@dataclasses.dataclass(frozen=True, slots=True)
class Preview:
    """The lines of what will happen; or (problem) why it cannot. undo: until when it can be taken back."""

    lines: Sequence[str] = ()
    problem: str = ""
    undo: str = ""


Show = Callable[[Case, Case | None, Sequence[int]], Preview]
UNDO = "It can be undone until the customer is written to, a case is closed, or these complaints move again."


def preview_of(what: str, case: Case, to: Case | None, ids: Sequence[int]) -> Preview:
    try:
        return SHOWS[what](case, to, ids)
    except CannotRegroup as exc:
        return Preview(problem=str(exc))


def merging(case: Case, to: Case | None, ids: Sequence[int]) -> Preview:
    assert to is not None
    refuse_merge(case, to)
    lines = [
        f"{count(case.complaints.count(), 'complaint')} of case {case.number} join"
        f" {count(to.complaints.count(), 'complaint')} of case {to.number}.",
        f"Case {case.number} is closed as merged and points to case {to.number}, which stays"
        f" “{words.STATES[CaseState(to.state)]}”.",
        f"Later complaints about {words.CATEGORIES[Category(case.category)].lower()} of this contract"
        f" go to case {to.number} while it is open; so do answers, and checks still under way.",
    ]
    waiting = case.notices.filter(state=Notice.State.QUEUED).count()
    if waiting:
        lines.append(f"{count(waiting, 'letter')} of case {case.number} not sent yet will not be sent.")
    if case.notices.filter(state__in=TOLD).exists():
        lines.append(
            f"The customer has been told of case {case.number}. The page behind that letter will show case {to.number}."
        )
    measures = case.interventions.filter(state__in=STANDING).count()
    if measures:
        lines.append(f"{count(measures, 'measure')} on the line stay as they are and belong to case {to.number}.")
    return Preview(lines, undo=UNDO)


def splitting(case: Case, to: Case | None, ids: Sequence[int]) -> Preview:
    refuse_closed(case)
    taken, all_of_it = chosen(case, ids), case.complaints.count()
    if len(taken) >= all_of_it:
        raise CannotRegroup("All complaints are chosen, so nothing would stay in this case: choose some of them.")
    grouping = free_grouping(case, taken)
    later = (
        "Later complaints stay with this case: the chosen ones share no address or site that the others lack."
        if grouping.startswith(PART)
        else f"Later complaints about {about(grouping)} go to the new case while it is open."
    )
    return Preview(
        [
            f"{count(len(taken), 'complaint')} become a new case of this contract, which is investigated from the"
            f" beginning; {all_of_it - len(taken):,} stay in case {case.number}.",
            later,
            "Checks of addresses that only the chosen ones name go along.",
        ],
        undo=UNDO,
    )


def moving(case: Case, to: Case | None, ids: Sequence[int]) -> Preview:
    assert to is not None
    refuse_merge(case, to)
    taken, all_of_it = chosen(case, ids), case.complaints.count()
    if len(taken) >= all_of_it:
        raise CannotRegroup("All complaints are chosen: merge the cases instead.")
    return Preview(
        [
            f"{count(len(taken), 'complaint')} go to case {to.number}; {all_of_it - len(taken):,} stay in case"
            f" {case.number}.",
            "Later complaints go where they went before: nothing is learned from this.",
        ],
        undo=UNDO,
    )


def linking(case: Case, to: Case | None, ids: Sequence[int]) -> Preview:
    assert to is not None
    if to.pk in {case.pk, *below(case)}:
        raise CannotRegroup("That would make a case a part of itself.")
    lines = [
        f"Case {case.number} becomes a part of case {to.number}. Both go on by themselves; each names the other.",
    ]
    if case.parent_id and case.parent_id != to.pk:
        lines.append(f"It is no longer a part of case {case.parent}.")
    if case.contract_id != to.contract_id:
        lines.append("They are about different contracts. Neither customer learns of the other.")
    return Preview(lines, undo="It can be undone at any time.")


def unlinking(case: Case, to: Case | None, ids: Sequence[int]) -> Preview:
    if case.parent is None:
        raise CannotRegroup(f"Case {case.number} is no part of another case.")
    return Preview([f"Case {case.number} is no longer a part of case {case.parent.number}."], undo="It can be undone.")


def refuse_closed(case: Case) -> None:
    if case.state == CaseState.CLOSED:
        raise CannotRegroup(f"Case {case.number} is closed and stays as it is: link it instead.")


def count(number: int, noun: str) -> str:
    return f"1 {noun}" if number == 1 else f"{number:,} {noun}s"


SHOWS: dict[str, Show] = {
    "merge": merging,
    "split": splitting,
    "move": moving,
    "link": linking,
    "unlink": unlinking,
}
