"""What is long on a case's page, asked for when somebody opens it: a day's complaints, a whole talk, a letter."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.http import require_GET

from complaints.cases.story import Accusation, accusations_of, check_story
from complaints.desk import words
from complaints.desk.access import access_case, may
from complaints.desk.case_story import conversation, remark_of, rows_of_day
from complaints.desk.conversation import LINK_SHOWN
from complaints.models import Case, CheckRun
from complaints.notices.letter import LINK_MARK

MOST = 1_000
PLACE = re.compile(r"(day|talk|lists|notice)-(\d{1,18})", re.ASCII)


@may("see_cases")
@require_GET
def case_more(request: HttpRequest, pk: int, what: str) -> HttpResponse:
    """By itself for the page of the case, and as a page of its own without script. `what`: key of an entry."""
    place = PLACE.fullmatch(what)
    case = access_case(request.user, pk)
    if not place:
        raise Http404(f"nothing on a case is called {what}")
    template, title, found = PARTS[place[1]](case, place[2])
    whole = "HX-Request" not in request.headers
    context = {"case": case, "part": template, "title": title, "nav": "queue"} | found
    return render(request, "desk/case_more.html" if whole else template, context)


def day(case: Case, number: str) -> tuple[str, str, dict[str, Any]]:
    try:
        begin = timezone.make_aware(datetime.strptime(number, "%Y%m%d"))
        end = timezone.make_aware(datetime.strptime(number, "%Y%m%d") + timedelta(days=1))
    except (ValueError, OverflowError):
        raise Http404(f"no such day: {number}") from None
    rows = map(Accusation._make, accusations_of(case).filter(seen_at__gte=begin, seen_at__lt=end)[:MOST])
    return "desk/_complaint_rows.html", f"Complaints of {begin:%A %-d %B %Y}", {"rows": rows_of_day(rows)}


def talk(case: Case, number: str) -> tuple[str, str, dict[str, Any]]:
    run = get_object_or_404(case.checks.prefetch_related("arrivals"), pk=number)
    said = conversation(check_story(run, list(run.arrivals.all())).lines, remark_of(run))
    return "desk/_talk.html", title_of(run), {"said": said}


def lists(case: Case, number: str) -> tuple[str, str, dict[str, Any]]:
    run = get_object_or_404(case.checks, pk=number)
    rows = [(row, words.ON_LIST.get(str(row.get("status")), words.Word("?"))) for row in check_story(run, ()).lists]
    return "desk/_lists_said.html", title_of(run), {"lists": rows}


def title_of(run: CheckRun) -> str:
    return f"{words.check_title(run.check_name)} of {run.address_text}"


def notice(case: Case, number: str) -> tuple[str, str, dict[str, Any]]:
    letter = get_object_or_404(case.notices.defer("html"), pk=number)
    text = letter.text.replace(LINK_MARK, LINK_SHOWN)
    return "desk/_letter.html", f"Letter to {letter.to_email}", {"letter": letter, "text": text}


PARTS: dict[str, Callable[[Case, str], tuple[str, str, dict[str, Any]]]] = {
    "day": day,
    "talk": talk,
    "lists": lists,
    "notice": notice,
}
