"""The queue: what needs a human, best first."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET

from complaints.cases import queue
from complaints.desk.access import access_case, among, may
from complaints.desk.live import live_answer, render_live, wants_part
from complaints.desk.rows import rows_of
from complaints.desk.search import search
from complaints.models import Case

# What an empty tab means, and what to do: title, sentence.
EMPTY = {
    "you": ("Nothing needs you", "The rest is with customers or with the machine. New work appears here by itself."),
    "triage": ("Nothing to decide", "Cases come here when the machine is not sure enough to accuse anybody."),
    "answered": (
        "No unread answers",
        "Disputes and questions of customers come here; plain fixes are verified without you.",
    ),
    "customers": (
        "No customer has to act",
        "Cases stand here after a notice, until the customer answers or the deadline passes.",
    ),
    "verifying": (
        "Nothing is being verified",
        "Cases come here when a customer says it is fixed: two clean checks close them.",
    ),
    "investigating": (
        "Nothing is being investigated",
        "New cases stand here for the minutes that their first checks take.",
    ),
    "open": (
        "No open case",
        "Either your network is clean, or no complaint mail arrives: see “Unread”, and the README on intake.",
    ),
    "closed": (
        "No closed case yet",
        "Cases appear here once their fix is proven, or an analyst closes them with a reason.",
    ),
}


@may("see_cases")
@require_GET
def queue_page(request: HttpRequest) -> HttpResponse:
    now, text = timezone.now(), request.GET.get("q", "").strip()
    tab = queue.TAB.get(request.GET.get("tab", "you"), queue.TABS[0])
    found = search(text) if text else None
    visible = partial(among, request.user)
    if found and found.exact and (case := visible(found.cases).first()):
        return redirect("desk:case", case.pk)
    cases = visible(found.cases if found else tab.cases(now))
    try:
        page = queue.page_of(cases, after=request.GET.get("after", ""), newest_first=tab.newest_first and not found)
    except queue.BadCursor:
        return redirect("desk:queue")
    # A desk with nothing to do still shows what the machine and the customers are at.
    is_idle = tab is queue.TABS[0] and not (found or page.cases)
    rest = queue.page_of(visible(queue.TAB["open"].cases(now))) if is_idle else None
    context = {
        "nav": "queue",
        "text": text,
        "meaning": found.meaning if found else "",
        "tab": tab,
        "rows": rows_of((rest or page).cases, now),
        "is_rest": bool(rest and rest.cases),
        "next": next_url(request, page.next),
        "is_first": not request.GET.get("after"),
        "empty": EMPTY[tab.name],
        "tabs": tabs(tab if not found else None, now, visible),
    }
    part = render_live("desk/_queue_rows.html", context, request)
    if wants_part(request):
        return live_answer("desk/_queue_live.html", context | part, request)
    return render(request, "desk/queue.html", context | part)


def tabs(current: queue.Tab | None, now: Any, visible: queue.Visible) -> Sequence[dict[str, Any]]:
    found = queue.counts(now, visible=visible)
    return [
        {"name": tab.name, "title": tab.title, "count": queue.count_text(found[tab.name]), "current": tab is current}
        for tab in queue.TABS
    ]


def next_url(request: HttpRequest, cursor: str) -> str:
    if not cursor:
        return ""
    kept = {name: request.GET[name] for name in ("tab", "q") if name in request.GET}
    return "?" + urlencode(kept | {"after": cursor})


@may("see_cases")
@require_GET
def next_case(request: HttpRequest, pk: int) -> HttpResponse:
    """On to the next case that needs the desk, without the way back over the list."""
    case, visible = access_case(request.user, pk), partial(among, request.user)
    behind: Case | None = queue.next_for_desk(case, now=timezone.now(), visible=visible)
    if behind is None:
        messages.success(request, "Nothing else needs you.")
        return redirect("desk:queue")
    return redirect("desk:case", behind.pk)
