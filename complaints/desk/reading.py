"""Which pages are reads of somebody's data beyond the case at hand, and what of them is noted. One table.

The case that one is led to by the queue, with its complaints, is the work; what one looks up is noted. A page that
renews itself is noted once, when it is opened.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qs, urlsplit

from allauth.core.internal.httpkit import get_client_ip
from django.db import OperationalError
from django.db.models import Model
from django.http import HttpRequest, HttpResponseBase
from django.utils import timezone

from complaints.cases.reads import record_read
from complaints.desk.live import wants_part
from complaints.desk.query import LONGEST, TOKEN
from complaints.models import AccessLog, Customer, Reporter

logger = logging.getLogger(__name__)
What = AccessLog.What
About = Callable[[HttpRequest, Mapping[str, Any]], str]  # "": nothing to note
CASE_PATH = re.compile(r"/case/(\d{1,18})(?:/|$)")
PERSONAL = frozenset({"address", "customer", "contract", "reporter"})
CASE_NUMBER = re.compile(r"#?(?:\d{4}-)?\d{1,12}")


def searched(request: HttpRequest, parts: Mapping[str, Any]) -> str:
    """The text that names somebody: narrowing by state or cause, and the number of a case, look nobody up.

    A further page of the same search is the same search, where it was turned to from there.
    """
    text = request.GET.get("q", "").strip()
    names = any(
        match["name"].lower() in PERSONAL if match["name"] else not CASE_NUMBER.fullmatch(match["value"] or "")
        for match in TOKEN.finditer(text[:LONGEST])
    )
    came_from = parse_qs(urlsplit(request.headers.get("Referer", "")).query)
    turned = "after" in request.GET and came_from.get("q", [""])[0].strip() == text
    return text if names and not turned else ""


def found_case(request: HttpRequest, parts: Mapping[str, Any]) -> str:
    """A case that was opened from a search, or by its address alone; those of the queue's lists are the work."""
    came_from = urlsplit(request.headers.get("Referer", ""))
    from_list = came_from.path == "/" and "q" not in parse_qs(came_from.query)
    return "" if from_list or CASE_PATH.match(came_from.path) else f"case #{parts['pk']}"


def numbered(noun: str) -> About:
    return lambda request, parts: f"{noun} {parts['pk']}"


def named(noun: str, model: type[Model], column: str) -> About:
    """By what people know it as."""
    return lambda request, parts: f"{noun} {model._default_manager.values_list(column, flat=True).get(pk=parts['pk'])}"


LOGGED: dict[str, tuple[AccessLog.What, About]] = {
    "queue": (What.SEARCH, searched),
    "case": (What.CASE, found_case),
    "whose": (What.WHOSE, lambda request, parts: request.GET.get("address", "").strip()),
    "customers": (What.SEARCH, searched),
    "customer": (What.CUSTOMER, named("customer", Customer, "reference")),
    "message": (What.MESSAGE, numbered("message")),
    "message-raw": (What.RAW, numbered("message")),
    "message-file": (What.RAW, numbered("message")),
    "reporter": (What.REPORTER, named("reporter", Reporter, "address")),
    "offenders-csv": (What.EXPORT, lambda request, parts: "offenders"),
}


def renews_itself(request: HttpRequest) -> bool:
    """A page that is open asks for its part; the same address typed by a person shows as much, and is a read."""
    return wants_part(request) and "HX-Request" in request.headers


def note_read(request: HttpRequest, response: HttpResponseBase) -> None:
    """After a page was made, if it is one of the table: one insert."""
    match = request.resolver_match
    entry = LOGGED.get(match.url_name or "") if match and match.app_name == "desk" else None
    if match is None or entry is None or request.method != "GET" or renews_itself(request):
        return
    if response.status_code not in (200, 302):
        return  # what was refused was not read
    what, about_of = entry
    if about := about_of(request, match.kwargs).replace("\0", ""):
        case = CASE_PATH.match(urlsplit(request.headers.get("Referer", "")).path)
        number = match.kwargs["pk"] if what == What.CASE else case[1] if case else ""
        try:
            record_read(
                request.user.get_username(), what, about, now=timezone.now(), case=str(number),
                came_from=get_client_ip(request) or "",
            )  # fmt: skip
        except OperationalError:
            # A long import may hold SQLite's write lock; whoever reads is not kept waiting for the second time.
            logger.exception("a read of user %s could not be noted", request.user.pk)
