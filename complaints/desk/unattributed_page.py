"""Complaints that reached no case because nobody's line is surely meant. Newest first, paged by key."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from complaints.cases import waits
from complaints.desk import when, words
from complaints.desk.access import openable, part_page, visible
from complaints.desk.asked import IN_VAIN, asked_of
from complaints.desk.lists import page_below
from complaints.desk.rights import is_restricted
from complaints.models import Complaint, Message, User
from complaints.tasks import ask_again, wake
from complaints.vocabulary import Answer, Category

# The filters: name, title, what an empty list means.
ANSWERS = (
    ("", "All", "Every complaint so far found its contract and its case."),
    (Answer.NOBODY.value, "Ours, but nobody had it then", "No complaint names an unassigned address of yours."),
    (Answer.UNSURE.value, "Unsure", "No complaint could mean several contracts."),
    (Answer.NOT_OURS.value, "Not ours", "No complaint was about somebody else's network."),
    ("in-vain", "Asked in vain", "No question to a reporter or to a source of yours stayed without an answer."),
)


@part_page
@require_GET
def unattributed_page(request: HttpRequest) -> HttpResponse:
    user: User = request.user  # type: ignore[assignment]
    answer = request.GET.get("answer", "")
    chosen = next((each for each in ANSWERS if each[0] == answer), ANSWERS[0])
    by_brand = is_restricted(user) and bool(user.only_brands)
    lonely = Complaint.objects.none() if by_brand else visible(user, Complaint).filter(case__isnull=True, ruling="")
    lonely = lonely.select_related("reporter", "contract", "wait").defer("evidence")
    if chosen[0] == "in-vain":
        lonely = lonely.filter(wait__outcome__in=IN_VAIN)
    elif chosen[0]:
        lonely = lonely.filter(answer=chosen[0])
    complaints, more = page_below(lonely, "id", request.GET.get("below"))
    context = {
        "nav": "unattributed",
        "tab": chosen[0],
        "rows": lonely_rows(complaints, timezone.now()),
        "mails": openable(user, Message, (each.message_id for each in complaints)),
        "by_brand": by_brand,  # what has no contract is of no brand
        "chosen": chosen,
        "is_first": "below" not in request.GET,
        "next": "?" + urlencode({"answer": chosen[0], "below": complaints[-1].pk}) if more else "",
    }
    return render(request, "desk/unattributed.html", context)


def lonely_rows(complaints: Sequence[Complaint], now: datetime) -> list[dict[str, Any]]:
    asked = asked_of(complaints, now=now)
    return [lonely_row(complaint, now) | {"asked": asked.get(complaint.pk)} for complaint in complaints]


def lonely_row(complaint: Complaint, now: datetime) -> dict[str, Any]:
    return {
        "complaint": complaint,
        "age": when.age(complaint.seen_at, now),
        "category": words.CATEGORIES[Category(complaint.category)],
        "whose": words.WHOSE[Answer(complaint.answer)],
        "reason": complaint.attribution.get("reason", ""),
        "candidates": complaint.attribution.get("candidates", []),
    }


@part_page
@require_POST
def leave_waiting(request: HttpRequest, pk: int) -> HttpResponse:
    """Somebody has seen that it waited in vain: it is shown no more as such."""
    complaint = get_object_or_404(visible(request.user, Complaint), pk=pk)
    if waits.leave([complaint.pk], now=timezone.now()):
        messages.success(request, "Put aside. The complaint stays in the list of all.")
    else:
        messages.info(request, "Nothing was changed: it waits again, or somebody has put it aside before.")
    return redirect(f"{reverse('desk:unattributed')}?answer=in-vain")


@part_page
@require_POST
def try_again(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask the sources of truth now, and from the beginning if they were given up."""
    complaint = get_object_or_404(visible(request.user, Complaint), pk=pk)
    if waits.try_again([complaint.pk], now=timezone.now()):
        wake(ask_again, [complaint.pk])
        messages.success(request, "It is being looked up again. If its owner is known now, it is filed in a case.")
    else:
        messages.info(request, "Nothing was changed: its owner is known meanwhile.")
    return redirect("desk:unattributed")
