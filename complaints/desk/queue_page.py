"""The queue: what needs a human, best first; and any search, which is the same page with other words in the box."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET

from complaints.cases import queue
from complaints.cases.counting import Counted
from complaints.desk import filters
from complaints.desk.access import access_case, among, may
from complaints.desk.acted import shown_actions
from complaints.desk.first_steps import first_steps
from complaints.desk.live import live_answer, render_live, wants_part
from complaints.desk.narrowings import Asking
from complaints.desk.query import Query, QueryError, parse
from complaints.desk.rows import rows_of
from complaints.desk.search import Found, search
from complaints.desk.tabs import TAB, TABS, Tab, counts_for, shown_lists, shown_tabs, tab_of
from complaints.desk.views_kept import views_of
from complaints.models import Case

NOTHING = Found([])


@may("see_cases")
@require_GET
def queue_page(request: HttpRequest) -> HttpResponse:
    now = timezone.now()
    text = text_of(request)
    counted = counts_for(request.user, now)  # type: ignore[arg-type]
    try:
        query = parse(text)
    except QueryError as exc:
        return queue_of(request, Query(), NOTHING, counted, now, text=text, error=exc)
    found = search(query, asking_of(request, now))
    if found.exact and (case := queue.page_of(found.branches, size=1).cases):
        return redirect("desk:case", case[0].pk)
    return queue_of(request, query, found, counted, now, text=str(query))


def text_of(request: HttpRequest) -> str:
    """What stands in the box: what was written, else the tab's own search."""
    text = request.GET.get("q", "").strip()[: 10 * 400]
    return text or str(TAB.get(request.GET.get("tab", "you"), TABS[0]).query)


def asking_of(request: HttpRequest, now: datetime) -> Asking:
    return Asking(request.user, now, among(request.user, Case.objects.all()))  # type: ignore[arg-type]


def queue_of(
    request: HttpRequest, query: Query, found: Found, counted: Counted, now: datetime, *, text: str, error: Any = None
) -> HttpResponse:
    tab = None if error else tab_of(query)
    plain = tab if tab and query == tab.query else None  # the tab itself, not a search within it
    try:
        page = page_of(found, request.GET.get("after", ""), tab)
    except queue.BadCursor:
        return redirect("desk:queue")
    # A desk with nothing to do still shows what the machine and the customers are at.
    idle = plain is TABS[0] and not page.cases and not error
    rest = page_of(search(TAB["open"].query, asking_of(request, now)), "", None) if idle else queue.Page([])
    context = {
        "nav": "queue",
        "text": text,
        "title": plain.title if plain else f"Search: {text}",
        "is_search": plain is None,
        "error": error and error_parts(text, error),
        "capped": found.capped,
        "rows": rows_of(rest.cases or page.cases, now),
        "is_rest": bool(rest.cases),
        "next": next_url(request, page.next),
        "is_first": not request.GET.get("after"),
        "first_page": "?" + urlencode({"q": text}) if plain is None else f"?tab={plain.name}",
        "empty": plain.empty if plain else None,
        "first_steps": first_steps(request.user) if idle and not rest.cases else [],
        "tabs": shown_tabs(request.user, counted, tab),  # type: ignore[arg-type]
        "actions": shown_actions(request, now),
        "lists": shown_lists(request.user, counted),  # type: ignore[arg-type]
    }
    part = render_live("desk/_queue_rows.html", context, request)
    if wants_part(request):
        return live_answer("desk/_queue_live.html", context | part, request)
    context |= {"fields": filters.fields_of(query), "flags": filters.flags_of(query)}
    context["views"] = views_of(request.user)  # type: ignore[arg-type]
    return render(request, "desk/queue.html", context | part)


def page_of(found: Found, after: str, tab: Tab | None) -> queue.Page:
    if not found.branches:
        return queue.Page([])
    return queue.page_of(found.branches, after=after, newest_first=bool(tab and tab.newest_first))


def error_parts(text: str, error: QueryError) -> dict[str, Any]:
    """The text in three parts, the middle one being what is wrong."""
    return {
        "what": error.what,
        "before": text[: error.start],
        "wrong": text[error.start : error.end],
        "behind": text[error.end :],
        "place": error.start + 1,
        "allowed": error.allowed,
    }


def next_url(request: HttpRequest, cursor: str) -> str:
    if not cursor:
        return ""
    kept = {name: request.GET[name] for name in ("tab", "q") if name in request.GET}
    return "?" + urlencode(kept | {"after": cursor})


@may("see_cases")
@require_GET
def narrow(request: HttpRequest) -> HttpResponse:
    """The form beside the box: writes what was chosen into the search, and shows it."""
    text = request.GET.get("q", "")
    try:
        query = filters.rewritten(parse(text), request.GET, request.GET.getlist("is"))
    except QueryError as exc:
        messages.error(request, f"{exc.what[0].upper()}{exc.what[1:]}. Allowed: {', '.join(exc.allowed[:6])}.")
        return redirect(f"{reverse('desk:queue')}?{urlencode({'q': text})}")
    return redirect(f"{reverse('desk:queue')}?{urlencode({'q': str(query)})}" if str(query) else "desk:queue")


@may("see_cases")
@require_GET
def next_case(request: HttpRequest, pk: int) -> HttpResponse:
    """On to the next case that needs the desk, without the way back over the list."""
    case, now = access_case(request.user, pk), timezone.now()
    behind = queue.next_of(search(TABS[0].query, asking_of(request, now)).branches, case)
    if behind is None:
        messages.success(request, "Nothing else needs you.")
        return redirect("desk:queue")
    return redirect("desk:case", behind.pk)
