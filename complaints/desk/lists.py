"""Work that reached no case: unreadable mails, and complaints about nobody's address. Newest first, paged by key."""

from __future__ import annotations

from typing import Any, TypeVar
from urllib.parse import urlencode

from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from complaints.desk import when, words
from complaints.desk.access import desk_page
from complaints.models import Complaint, Reading
from complaints.vocabulary import Answer, Category

M = TypeVar("M", bound=Model)
PAGE = 50
# The filters of "Unattributed": name, title, what an empty list means.
ANSWERS = (
    ("", "All", "Every complaint so far found its contract and its case."),
    (Answer.NOBODY.value, "Ours, but nobody had it then", "No complaint names an unassigned address of yours."),
    (Answer.UNSURE.value, "Unsure", "No complaint could mean several contracts."),
    (Answer.NOT_OURS.value, "Not ours", "No complaint was about somebody else's network."),
)


@desk_page
@require_GET
def unread_page(request: HttpRequest) -> HttpResponse:
    waiting = Reading.objects.filter(state=Reading.State.UNREAD).select_related("message").defer("message__packed")
    readings, more = page_below(waiting, "message_id", request.GET.get("below"))
    now = timezone.now()
    rows = [(reading, when.age(reading.message.received_at, now)) for reading in readings]
    context = {"nav": "unread", "rows": rows, "is_first": "below" not in request.GET}
    context["next"] = f"?below={readings[-1].message_id}" if more else ""
    return render(request, "desk/unread.html", context)


@desk_page
@require_GET
def unattributed_page(request: HttpRequest) -> HttpResponse:
    answer = request.GET.get("answer", "")
    chosen = next((each for each in ANSWERS if each[0] == answer), ANSWERS[0])
    lonely = Complaint.objects.filter(case__isnull=True).select_related("reporter", "contract").defer("evidence")
    if chosen[0]:
        lonely = lonely.filter(answer=chosen[0])
    complaints, more = page_below(lonely, "id", request.GET.get("below"))
    context = {
        "nav": "unattributed",
        "rows": [lonely_row(complaint) for complaint in complaints],
        "answers": ANSWERS,
        "chosen": chosen,
        "is_first": "below" not in request.GET,
        "next": "?" + urlencode({"answer": chosen[0], "below": complaints[-1].pk}) if more else "",
    }
    return render(request, "desk/unattributed.html", context)


def page_below(rows: QuerySet[M], key: str, below: str | None) -> tuple[list[M], bool]:
    """The newest rows whose key is under `below`, and whether there are more. Nonsense begins at the top."""
    if below and below.isascii() and below.isdigit() and len(below) < 19:
        rows = rows.filter(**{f"{key}__lt": int(below)})
    found = list(rows.order_by(f"-{key}")[: PAGE + 1])
    return found[:PAGE], len(found) > PAGE


def lonely_row(complaint: Complaint) -> dict[str, Any]:
    return {
        "complaint": complaint,
        "age": when.age(complaint.seen_at, timezone.now()),
        "category": words.CATEGORIES[Category(complaint.category)],
        "whose": words.WHOSE[Answer(complaint.answer)],
        "reason": complaint.attribution.get("reason", ""),
        "candidates": complaint.attribution.get("candidates", []),
    }
