"""Merge, split, move, link: what is wanted is chosen, shown exactly, and then done. All by one page and one address."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST

from complaints.addresses import address_key
from complaints.cases.regrouping import (
    MOST_MOVED,
    CannotRegroup,
    link_case,
    merge_cases,
    move_to_case,
    split_case,
    unlink_case,
)
from complaints.cases.transitions import StaleCase
from complaints.cases.undoing import CannotUndo, undo_change
from complaints.desk import when, words
from complaints.desk.access import access_case, may, visible
from complaints.desk.regroup_preview import Preview, preview_of
from complaints.models import Case, CaseChange, Complaint
from complaints.tasks import advance_cases, wake
from complaints.vocabulary import CaseState, Category

MOST_SHOWN = 200
MOST_ADDRESSES = 30
MOST_NEAR = 20
WHAT = {
    "merge": "Merge it into another case",
    "split": "Split the chosen complaints off",
    "move": "Move the chosen complaints to another case",
    "link": "Link it as a part of another case",
    "unlink": "End its link",
}
NEEDS_CASE = ("merge", "move", "link")
SAID = {
    "merge": "Case {here} was merged into case {there}.",
    "split": "Case {there} was split off.",
    "move": "Moved to case {there}.",
    "link": "Case {here} is a part of case {there} now.",
    "unlink": "Case {here} is no longer a part of case {there}.",
}


@dataclasses.dataclass(frozen=True, slots=True)
class Wanted:
    """What a form asks for. `to`: None where no case was named, or none that the user may see."""

    what: str
    case: Case
    to: Case | None
    named: str
    ids: Sequence[int]


@may("merge_cases")
def regroup_page(request: HttpRequest, pk: int) -> HttpResponse:
    """GET shows what can be chosen, and of what was chosen what would happen. POST does it."""
    case = access_case(request.user, pk)
    given = request.POST if request.method == "POST" else request.GET
    wanted = read_wanted(request, given, case)
    if request.method == "POST":
        return carry_out(request, wanted)
    return show(request, wanted)


def read_wanted(request: HttpRequest, given: QueryDict, case: Case) -> Wanted:
    what = given.get("what", "")
    named = given.get("to", "").strip()[:30]
    seen = visible(request.user, Case).select_related("contract__customer")
    to = seen.filter(pk__in=Case.objects.numbered(named)).first() if named else None
    ids = {int(text) for text in given.getlist("complaint")[:MOST_MOVED] if is_number(text)}
    ids |= {pk for text in given.getlist("about")[:MOST_ADDRESSES] for pk in about_address(case, text)}
    return Wanted(what if what in WHAT else "", case, to, named, sorted(ids))


def about_address(case: Case, text: str) -> list[int]:
    try:
        key = address_key(text)
    except ValueError:
        return []
    return list(case.complaints.filter(address=key).values_list("pk", flat=True)[:MOST_MOVED])


def is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 19


def show(request: HttpRequest, wanted: Wanted, *, status: int = 200) -> HttpResponse:
    case, now = wanted.case, timezone.now()
    newest = list(case.complaints.select_related("reporter").defer("evidence").order_by("-seen_at", "-id")[:MOST_SHOWN])
    chosen = set(wanted.ids)
    context = {
        "nav": "queue",
        "case": case,
        "wanted": wanted,
        "kinds": [(what, title) for what, title in WHAT.items() if what != "unlink" or case.parent_id],
        "preview": preview(wanted),
        "rows": [complaint_row(each, each.pk in chosen, now) for each in newest],
        "addresses": addresses(newest),
        "near": near(request, case),
        "is_cut": case.complaint_count > len(newest),
    }
    return render(request, "desk/regroup.html", context, status=status)


def complaint_row(complaint: Complaint, is_chosen: bool, now: Any) -> dict[str, Any]:
    return {
        "complaint": complaint,
        "chosen": is_chosen,
        "age": when.age(complaint.seen_at, now),
        "category": words.CATEGORIES[Category(complaint.category)],
    }


def addresses(complaints: Sequence[Complaint]) -> list[tuple[str, int]]:
    counted = Counter(each.address_text for each in complaints if each.address)
    return counted.most_common(MOST_ADDRESSES) if len(counted) > 1 else []


def near(request: HttpRequest, case: Case) -> list[tuple[Case, str]]:
    """Other open cases of the same contract: what is merged most often."""
    seen = visible(request.user, Case).exclude(state=CaseState.CLOSED)
    found = seen.filter(contract=case.contract_id).exclude(pk=case.pk).order_by("-pk")
    return [(each, words.CATEGORIES[Category(each.category)]) for each in found[:MOST_NEAR]]


def preview(wanted: Wanted) -> Preview | None:
    if not wanted.what:
        return None
    if wanted.what in NEEDS_CASE and wanted.to is None:
        problem = f"There is no case {wanted.named}." if wanted.named else "Name the other case by its number."
        return Preview(problem=f"{problem} A number looks like {wanted.case.number}.")
    return preview_of(wanted.what, wanted.case, wanted.to, wanted.ids)


def carry_out(request: HttpRequest, wanted: Wanted) -> HttpResponse:
    shown = preview(wanted)
    if shown is None or shown.problem:
        messages.error(request, f"Nothing was changed. {shown.problem if shown else 'Choose what to do.'}")
        return show(request, wanted, status=400)
    try:
        refuse_stale(request.POST, wanted)
        how = {"actor": request.user.get_username(), "now": timezone.now()}
        change = DO[wanted.what](wanted, how | {"reason": request.POST.get("reason", "").strip()[:500]})
    except StaleCase:
        messages.error(request, "Nothing was changed: one of the cases has moved since. Look at it again, then decide.")
        return show(request, fresh(request, wanted), status=409)
    except CannotRegroup as exc:
        messages.error(request, f"Nothing was changed. {exc}")
        return show(request, fresh(request, wanted), status=409)
    wake(advance_cases, [change.from_case_id, change.to_case_id])
    messages.success(request, SAID[wanted.what].format(here=wanted.case.number, there=change.to_case.number))
    return redirect("desk:case", change.to_case_id if wanted.what in ("merge", "split") else wanted.case.pk)


def refuse_stale(given: QueryDict, wanted: Wanted) -> None:
    """The page says after which moves it was drawn. Links harm nobody and are made from an old page too."""
    if wanted.what in ("link", "unlink"):
        return
    for case, name in ((wanted.case, "stay"), (wanted.to, "to_stay")):
        if case is not None and given.get(name) != str(case.stay):
            raise StaleCase(f"case {case.number}: the page is older than the case")


def fresh(request: HttpRequest, wanted: Wanted) -> Wanted:
    return dataclasses.replace(wanted, case=access_case(request.user, wanted.case.pk))


def other_case(wanted: Wanted) -> Case:
    assert wanted.to is not None  # the preview has refused it otherwise
    return wanted.to


DO: dict[str, Callable[[Wanted, dict[str, Any]], CaseChange]] = {
    "merge": lambda wanted, how: merge_cases(wanted.case, into=other_case(wanted), **how),
    "split": lambda wanted, how: split_case(wanted.case, complaints=wanted.ids, **how),
    "move": lambda wanted, how: move_to_case(wanted.case, complaints=wanted.ids, to=other_case(wanted), **how),
    "link": lambda wanted, how: link_case(wanted.case, parent=other_case(wanted), **how),
    "unlink": lambda wanted, how: unlink_case(wanted.case, **how),
}


@may("merge_cases")
@require_POST
def undo(request: HttpRequest, pk: int) -> HttpResponse:
    change = get_object_or_404(CaseChange.objects.select_related("from_case", "to_case"), pk=pk)
    case = access_case(request.user, change.from_case_id)
    access_case(request.user, change.to_case_id)
    try:
        undo_change(change, actor=request.user.get_username(), now=timezone.now())
    except (CannotUndo, StaleCase) as exc:
        messages.error(request, f"Nothing was changed. {exc}")
        return redirect("desk:case", case.pk)
    wake(advance_cases, [change.from_case_id, change.to_case_id])
    messages.success(request, f"Undone: case {case.number} stands as before.")
    return redirect("desk:case", case.pk)
