"""The entries of a case's story in words. What is long, a whole talk or a day's complaints, comes when it is opened."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from django.urls import reverse
from django.utils import timezone
from django.utils.html import escape, format_html
from django.utils.safestring import SafeString

from complaints.cases.story import Accusation, Day, Entry, Line
from complaints.desk import corrected, regrouped, rule_words, when, words
from complaints.desk.outgoing_mail import letter_shown
from complaints.desk.shown_answer import mail_answer
from complaints.models import CheckRun, Notice
from complaints.notices.links import token_of
from complaints.vocabulary import CaseState, Cause, EventKind, Resolution, Verdict

MENTION = re.compile(r"((?<![\w@./-])@(?:\w[\w.+-]{0,148}\w|\w))")
WITHDRAWN = "The customer was not told by it. The case stands where it stood: write to them again, or move it."
FEW = 3  # complaints of a day that stand open
TEMPLATES = {
    kind: f"desk/story/{name}.html"
    for kind, name in {
        "complaints": "complaints",
        "check": "check",
        "notice": "notice",
        "note": "note",
        "customer_answered": "answer",
    }.items()
}
LINE = "desk/story/line.html"


def shown(entry: Entry, now: datetime) -> dict[str, Any]:
    """An entry with the words its template needs. `now` in the reader's zone."""
    at = timezone.localtime(entry.at)
    found = {"entry": entry, "what": entry.what, "template": TEMPLATES.get(entry.kind, LINE)}
    found |= {"at": when.day_and_time(at, now), "moment": at.isoformat(), "age": when.age(entry.at, now)}
    if entry.kind == "check":
        run = entry.what.run
        found["title"] = words.check_title(run.check_name)
        found["verdict"] = words.verdict_word(run.check_name, run.verdict) if run.verdict else None
        found["excerpt"] = conversation(entry.what.excerpt, remark_of(run))
        found |= {"talk": f"talk-{run.pk}", "listed": f"lists-{run.pk}"}
        found["lists"] = len(run.details.get("lists") or ())
    elif entry.kind == "notice":
        found |= letter_shown(entry.what, now) | {"portal": portal_of(entry.what)}
        found["title"] = words.NOTICES.get(entry.what.step, entry.what.step.replace("_", " ").capitalize())
    elif entry.kind == "customer_answered":
        found |= mail_answer(entry.what) | {"line": LINES[entry.kind](entry.what.data)}
    elif entry.kind in LINES:
        found["line"] = LINES[entry.kind](entry.what.data)
    if entry.kind == "complaints":
        found |= day_shown(entry.what)
    if entry.kind == EventKind.NOTE:
        # Every second part is an @name.
        found["parts"] = MENTION.split(str(entry.what.data.get("text") or ""))
    return found


def day_shown(day: Day) -> dict[str, Any]:
    """`version`: of the list that comes when it is opened, so that a list with news is asked for anew."""
    count = len(day.complaints)
    return {
        "count": count,
        "rows": rows_of_day(day.complaints) if count <= FEW else [],
        "version": f"{count}-{day.complaints[0].pk}",
    }


def rows_of_day(complaints: Iterable[Accusation]) -> list[tuple[Accusation, str, str]]:
    times = [(each, timezone.localtime(each.seen_at)) for each in complaints]
    return [(each, at.isoformat(), f"{at:%H:%M}") for each, at in times]


def remark_of(run: CheckRun) -> str:
    """What the line that decided means."""
    return words.REMARKS.get(Verdict(run.verdict), "") if run.verdict else ""


def conversation(lines: Sequence[Line], remark: str) -> SafeString:
    """A talk between servers, the line that decided marked. Not a template: there may be thousands of lines."""
    at = next((index for index, line in enumerate(lines) if line.decides), None)
    if at is None:
        return said(lines)
    marked = f"{lines[at].said} {lines[at].text}"
    return format_html("{}<mark>{}</mark>\n      ↑ {}\n{}", said(lines[:at]), marked, remark, said(lines[at + 1 :]))


def said(lines: Iterable[Line]) -> SafeString:
    return escape("".join(f"{line.said} {line.text}\n" for line in lines))


def moved_line(data: dict[str, Any]) -> tuple[str, str]:
    to = CaseState(data["to"])
    if to is CaseState.CLOSED:
        return f"Closed: {words.RESOLUTIONS[Resolution(data['resolution'])].lower()}", data.get("reason", "")
    return f"{words.STATES[CaseState(data['from'])]} → {words.STATES[to]}", data.get("reason", "")


def diagnosed_line(data: dict[str, Any]) -> tuple[str, str]:
    cause = Cause(data.get("cause") or "unknown")
    sureness = words.confidence_word(float(data.get("confidence") or 0)).text
    known = f" ({sureness})" if cause is not Cause.UNKNOWN else ""
    return f"Probable cause: {words.CAUSES[cause].lower()}{known}", "; ".join(
        data.get("because") or data.get("reasons") or []
    )


def opened_line(data: dict[str, Any]) -> tuple[str, str]:
    return "Case opened", f"Relapse of {data['relapse_of']}" if data.get("relapse_of") else ""


# The head and the second line of a plain history line, by kind of event.
LINES = {
    "opened": opened_line,
    "moved": moved_line,
    "diagnosed": diagnosed_line,
    "customer_saw": lambda data: ("The customer opened their page", ""),
    "assigned": rule_words.assigned_line,
    "notice_failed": lambda data: ("A mail could not be sent", str(data.get("problem") or "")),
    "notice_withdrawn": lambda data: (f"Mail to {data.get('to')} taken back before it went", WITHDRAWN),
    "forwarded": lambda data: (f"Complaint passed on to {data.get('to')}", str(data.get("problem") or "")),
    "customer_answered": lambda data: (
        words.ANSWERS_GIVEN.get(data.get("answer"), "Answer"),
        str(data.get("text") or ""),
    ),
    "note": lambda data: ("Note", str(data.get("text") or "")),
    "measure": lambda data: (
        f"{words.MEASURES.get(data.get('measure'), 'Measure')}: "
        f"{words.MEASURE_STATES.get(data.get('state'), words.Word('?')).text}",
        str(data.get("reason") or ""),
    ),
    "task": lambda data: (f"Task {'done' if data.get('done') else 'for a person'}", str(data.get("title") or "")),
    **corrected.LINES,
    **regrouped.LINES,
}


def portal_of(notice: Notice) -> str:
    """The page as the customer sees it; none where the secret no longer makes the token."""
    token = token_of(notice.link) if notice.link else ""
    return reverse("portal:case", args=[token]) if token else ""
