"""Work that reached no case: unreadable mails, and complaints about nobody's address. Newest first, paged by key."""

from __future__ import annotations

from typing import Any, TypeVar
from urllib.parse import urlencode

from django.contrib import messages
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from complaints.cases import waits
from complaints.desk import when, words
from complaints.desk.access import access_message, desk_page
from complaints.desk.asked import IN_VAIN, asked_of
from complaints.models import Complaint, Reading
from complaints.pipeline import queue_again
from complaints.tasks import ask_again, process_messages, wake
from complaints.vocabulary import Answer, Category

M = TypeVar("M", bound=Model)
PAGE = 50
MOST_COUNTED = 1000  # beyond it "more than" is enough: nobody waits for the count of a table
# The filters of "Unattributed": name, title, what an empty list means.
ANSWERS = (
    ("", "All", "Every complaint so far found its contract and its case."),
    (Answer.NOBODY.value, "Ours, but nobody had it then", "No complaint names an unassigned address of yours."),
    (Answer.UNSURE.value, "Unsure", "No complaint could mean several contracts."),
    (Answer.NOT_OURS.value, "Not ours", "No complaint was about somebody else's network."),
    ("in-vain", "Asked in vain", "No question to a reporter or to a source of yours stayed without an answer."),
)


@desk_page
@require_GET
def unread_page(request: HttpRequest) -> HttpResponse:
    parked = Reading.objects.filter(state=Reading.State.UNREAD)
    with_mail = parked.select_related("message").defer("message__packed")
    readings, more = page_below(with_mail, "message_id", request.GET.get("below"))
    now = timezone.now()
    rows = [(reading, when.age(reading.message.received_at, now)) for reading in readings]
    context = {"nav": "unread", "rows": rows, "is_first": "below" not in request.GET}
    context["next"] = f"?below={readings[-1].message_id}" if more else ""
    context["count"] = counted(len(parked.values_list("pk")[: MOST_COUNTED + 1])) if rows else ""
    return render(request, "desk/unread.html", context)


def counted(number: int) -> str:
    if number > MOST_COUNTED:
        return f"more than {MOST_COUNTED:,} messages"
    return "1 message" if number == 1 else f"{number:,} messages"


@desk_page
@require_POST
def read_again(request: HttpRequest, pk: int) -> HttpResponse:
    return again(request, [access_message(request.user, pk).pk])


@desk_page
@require_POST
def read_all_again(request: HttpRequest) -> HttpResponse:
    return again(request, None)


def again(request: HttpRequest, ids: list[int] | None) -> HttpResponse:
    """Let these unread messages, or all, be read once more. Pressed twice it is done once: they are unread no more."""
    queued = queue_again(ids)
    wake(process_messages, queued)
    if len(queued) == 1:
        messages.success(request, "1 message is being read again.")
    elif queued:
        messages.success(request, f"{len(queued):,} messages are being read again.")
    else:
        messages.info(request, "Nothing was unread, so nothing is read again.")
    return redirect("desk:unread")


@desk_page
@require_GET
def unattributed_page(request: HttpRequest) -> HttpResponse:
    answer = request.GET.get("answer", "")
    chosen = next((each for each in ANSWERS if each[0] == answer), ANSWERS[0])
    lonely = (
        Complaint.objects.filter(case__isnull=True, ruling="")
        .select_related("reporter", "contract", "wait")
        .defer("evidence")
    )
    if chosen[0] == "in-vain":
        lonely = lonely.filter(wait__outcome__in=IN_VAIN)
    elif chosen[0]:
        lonely = lonely.filter(answer=chosen[0])
    complaints, more = page_below(lonely, "id", request.GET.get("below"))
    context = {
        "nav": "unattributed",
        "tab": chosen[0],
        "rows": lonely_rows(complaints),
        "chosen": chosen,
        "is_first": "below" not in request.GET,
        "next": "?" + urlencode({"answer": chosen[0], "below": complaints[-1].pk}) if more else "",
    }
    return render(request, "desk/unattributed.html", context)


def page_below(rows: QuerySet[M], key: str, below: str | None, *, page: int = PAGE) -> tuple[list[M], bool]:
    """The newest rows whose key is under `below`, and whether there are more. Nonsense begins at the top."""
    if below and below.isascii() and below.isdigit() and len(below) < 19:
        rows = rows.filter(**{f"{key}__lt": int(below)})
    found = list(rows.order_by(f"-{key}")[: page + 1])
    return found[:page], len(found) > page


def lonely_rows(complaints: list[Complaint]) -> list[dict[str, Any]]:
    asked = asked_of(complaints, now=timezone.now())
    return [lonely_row(complaint) | {"asked": asked.get(complaint.pk)} for complaint in complaints]


@desk_page
@require_POST
def leave_waiting(request: HttpRequest, pk: int) -> HttpResponse:
    """Somebody has seen that it waited in vain: it is shown no more as such."""
    if waits.leave([pk], now=timezone.now()):
        messages.success(request, "Put aside. The complaint stays in the list of all.")
    else:
        messages.info(request, "Nothing was changed: it waits again, or somebody has put it aside before.")
    return redirect(f"{reverse('desk:unattributed')}?answer=in-vain")


@desk_page
@require_POST
def try_again(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask the sources of truth now, and from the beginning if they were given up."""
    if waits.try_again([pk], now=timezone.now()):
        wake(ask_again, [pk])
        messages.success(request, "It is being looked up again. If its owner is known now, it is filed in a case.")
    else:
        messages.info(request, "Nothing was changed: its owner is known meanwhile.")
    return redirect("desk:unattributed")


def lonely_row(complaint: Complaint) -> dict[str, Any]:
    return {
        "complaint": complaint,
        "age": when.age(complaint.seen_at, timezone.now()),
        "category": words.CATEGORIES[Category(complaint.category)],
        "whose": words.WHOSE[Answer(complaint.answer)],
        "reason": complaint.attribution.get("reason", ""),
        "candidates": complaint.attribution.get("candidates", []),
    }
