"""Corrections: what an import or an edit says was somebody else's, shown before anything moves.

Groups are chosen, looked at, and moved or left; those that came after the page was drawn are not decided with it.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from complaints.cases import proposals
from complaints.cases.corrections import apply_reattribution, dismiss_reattribution, revert_reattribution
from complaints.desk import when, words
from complaints.desk.access import access_case, confirm_first, confirmed, openable, part_page, visible
from complaints.models import Case, Message, Reattribution
from complaints.notices.withdrawal import leave_untold, withdraw
from complaints.tasks import advance_cases, deliver_notices, wake
from complaints.vocabulary import Answer, Category

PAGE = 50
MOST_AT_ONCE = 2_000  # one click; the rest stays and is said to
DECIDED_SHOWN = 200  # rows, which are far fewer groups
MOST_GROUPS = 100
Decide = {"apply": apply_reattribution, "dismiss": dismiss_reattribution}


@part_page
@require_GET
def corrections_page(request: HttpRequest) -> HttpResponse:
    told = proposals.wrongly_told(visible(request.user, Case))
    groups, is_cut = proposals.groups(visible(request.user, Reattribution))
    context = {
        "nav": "corrections",
        "groups": [group_row(group) for group in groups[:MOST_GROUPS]],
        "is_cut": is_cut or len(groups) > MOST_GROUPS,
        "told": [(case, proposals.letters_to([case.pk])[case.pk]) for case in told],
        "decided": decided_lately(visible(request.user, Reattribution)),
    }
    return render(request, "desk/corrections.html", context)


def group_row(group: proposals.Group) -> dict[str, Any]:
    return {
        "group": group,
        "sample": group.sample,
        "count": len(group.ids),
        "age": when.age(group.sample.proposed_at, timezone.now()),
        "becomes": words.WHOSE[Answer(group.sample.after["answer"])],
    }


@part_page
@require_GET
def review_page(request: HttpRequest) -> HttpResponse:
    """What would move if it were done: `group` ids as often as there are groups chosen."""
    upto = number(request.GET.get("upto")) or proposals.newest()
    chosen = chosen_groups(request, request.GET, upto)
    ids = [pk for _, found in chosen for pk in found]
    if not ids:
        messages.info(request, "Nothing of this waits any more: it was decided meanwhile, or nothing was chosen.")
        return redirect("desk:corrections")
    after = number(request.GET.get("after")) or 0
    rows = list(proposals.with_all(Reattribution.objects.filter(pk__in=[pk for pk in ids if pk > after][: PAGE + 1])))
    rows.sort(key=lambda row: row.pk)
    query = urlencode([("group", first) for first, _ in chosen] + [("upto", upto)])
    joining = proposals.what_joins(ids)
    context = {
        "nav": "corrections",
        "chosen": [first for first, _ in chosen],
        "upto": upto,
        "count": len(ids),
        "rows": [proposal_row(row) for row in rows[:PAGE]],
        "leaving": proposals.what_leaves(ids),
        "joining": [(each, words.CATEGORIES[Category(each.category)]) for each in joining],
        "cases": openable(request.user, Case, (each.case.pk for each in joining if each.case)),
        "mails": openable(request.user, Message, (row.complaint.message_id for row in rows)),
        "nobody": len(ids) - sum(each.complaints for each in joining),
        "first_page": f"?{query}" if after else "",
        "next": f"?{query}&after={rows[PAGE - 1].pk}" if len(rows) > PAGE else "",
        "most": MOST_AT_ONCE,
    }
    return render(request, "desk/corrections_review.html", context)


def proposal_row(row: Reattribution) -> dict[str, Any]:
    return {
        "row": row,
        "complaint": row.complaint,
        "was": words.WHOSE[Answer(row.before["answer"])],
        "becomes": words.WHOSE[Answer(row.after["answer"])],
        "category": words.CATEGORIES[Category(row.complaint.category)],
        "age": when.age(row.complaint.seen_at, timezone.now()),
    }


def chosen_groups(request: HttpRequest, given: QueryDict, upto: int) -> list[tuple[int, list[int]]]:
    """(group, ids of its proposals that the reader may see), each group once."""
    yours = visible(request.user, Reattribution)
    wanted = dict.fromkeys(pk for text in given.getlist("group")[:MOST_GROUPS] if (pk := number(text)))
    found: dict[int, list[int]] = {}
    seen: set[int] = set()
    for pk in wanted:
        ids = list(proposals.members(pk, upto=upto, among=yours).values_list("pk", flat=True)[: proposals.MOST])
        if fresh := [each for each in ids if each not in seen]:
            found[pk] = fresh
            seen.update(fresh)
    return list(found.items())


@part_page
@require_POST
def decide(request: HttpRequest) -> HttpResponse:
    """`do` is "apply" or "dismiss"; `which` is "all" of the groups, or the ones ticked (`only`)."""
    what = request.POST.get("do", "")
    if what not in Decide:
        messages.error(request, "Nothing was changed: say whether to move them or to leave them.")
        return redirect("desk:corrections")
    if what == "apply":
        confirm_first(request)  # thousands of complaints may move, and their new contracts are written to
    chosen = chosen_groups(request, request.POST, number(request.POST.get("upto")) or 0)
    ids = [pk for _, found in chosen for pk in found]
    if request.POST.get("which") != "all":
        ticked = {pk for text in request.POST.getlist("only") if (pk := number(text))}
        ids = [pk for pk in ids if pk in ticked]
    if not ids:
        messages.error(request, "Nothing was changed: no complaint was ticked, or others have decided meanwhile.")
        return redirect("desk:corrections")
    note = request.POST.get("note", "").strip()[:500]
    done = Decide[what](ids[:MOST_AT_ONCE], actor=request.user.get_username(), now=timezone.now(), note=note)
    wake(advance_cases, done.cases)
    messages.success(request, said_of(what, done.moved))
    if done.overtaken:
        messages.warning(request, f"{complaints(done.overtaken)} had moved meanwhile and stayed where they are.")
    if len(ids) > MOST_AT_ONCE:
        messages.warning(request, f"The other {len(ids) - MOST_AT_ONCE:,} still wait: {MOST_AT_ONCE:,} go at a time.")
    if done.told:
        messages.warning(
            request, "The wrong contract had been told. Decide below whether to write that it was our mistake."
        )
    return redirect("desk:corrections")


def said_of(what: str, count: int) -> str:
    return f"{complaints(count)} moved." if what == "apply" else f"{complaints(count)} left where they are."


def complaints(count: int) -> str:
    return "1 complaint" if count == 1 else f"{count:,} complaints"


@part_page
@require_POST
@confirmed
def revert(request: HttpRequest, pk: int) -> HttpResponse:
    """Undo what was applied together with this one."""
    yours = visible(request.user, Reattribution)
    row = get_object_or_404(yours, pk=pk, state=Reattribution.State.APPLIED)
    together = yours.filter(
        state=row.state, decided_at=row.decided_at, decided_by=row.decided_by, because=row.because,
        from_contract=row.from_contract_id, to_contract=row.to_contract_id, reverted_by=None,
    )  # fmt: skip
    ids = list(together.order_by("pk").values_list("pk", flat=True)[:MOST_AT_ONCE])
    done = revert_reattribution(ids, actor=request.user.get_username(), now=timezone.now())
    wake(advance_cases, done.cases)
    if done.moved:
        messages.success(request, f"{complaints(done.moved)} went back to where they were.")
    for old, new in done.instead.items():
        numbers = {case.pk: case.number for case in Case.objects.filter(pk__in=[old, new])}
        messages.warning(
            request,
            f"Case {numbers[old]} had been closed meanwhile and stays so: they are in case {numbers[new]} now.",
        )
    if done.overtaken or not done.moved:
        messages.warning(request, "What has moved again since then was left where it is.")
    return redirect("desk:corrections")


@part_page
@require_POST
def tell(request: HttpRequest, pk: int) -> HttpResponse:
    """The contract that was wrongly told: write that it was our mistake, or leave it."""
    case, who = access_case(request.user, pk), request.user.get_username()
    if request.POST.get("do") == "leave":
        leave_untold(case, actor=who, now=timezone.now())
        messages.success(request, f"No letter goes to {case.owner.get('customer_name') or case.contract.reference}.")
        return redirect("desk:corrections")
    letter = withdraw(case, actor=who, now=timezone.now())
    if letter is None:
        messages.error(request, "There is no address to write to. Call them, then press “No letter needed”.")
    else:
        wake(deliver_notices, [letter.pk])
        messages.success(request, f"The letter to {letter.to_email} is on its way.")
    return redirect("desk:corrections")


def decided_lately(yours: QuerySet[Reattribution]) -> list[dict[str, Any]]:
    """What was decided last, together what was decided together."""
    decided = yours.filter(decided_at__isnull=False).exclude(from_case=None)
    rows = proposals.with_all(decided.exclude(state=Reattribution.State.OVERTAKEN)).select_related("reverted_by")
    found: dict[tuple[Any, ...], dict[str, Any]] = {}
    now = timezone.now()
    for row in rows.order_by("-decided_at", "-pk")[:DECIDED_SHOWN]:
        key = (row.decided_at, row.decided_by, row.because, row.from_contract_id, row.to_contract_id, row.state)
        fresh = {"row": row, "count": 0, "undone": True, "age": when.age(row.decided_at or now, now)}
        each = found.setdefault(key, fresh)
        each["count"] += 1
        each["undone"] = each["undone"] and hasattr(row, "reverted_by")
    return list(found.values())


def number(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 19 else None
