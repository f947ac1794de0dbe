"""Mails that nobody could read, and how lists of the newest first are paged: by key."""

from __future__ import annotations

from typing import TypeVar

from django.contrib import messages
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from complaints.desk import when
from complaints.desk.access import access_message, desk_page
from complaints.models import Reading
from complaints.pipeline import queue_again
from complaints.tasks import process_messages, wake

M = TypeVar("M", bound=Model)
PAGE = 50
MOST_COUNTED = 1000  # beyond it "more than" is enough: nobody waits for the count of a table


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


def page_below(rows: QuerySet[M], key: str, below: str | None, *, page: int = PAGE) -> tuple[list[M], bool]:
    """The newest rows whose key is under `below`, and whether there are more. Nonsense begins at the top."""
    if below and below.isascii() and below.isdigit() and len(below) < 19:
        rows = rows.filter(**{f"{key}__lt": int(below)})
    found = list(rows.order_by(f"-{key}")[: page + 1])
    return found[:page], len(found) > page
