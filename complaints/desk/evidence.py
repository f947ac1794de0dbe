"""Evidence as it came in: readable and inert. Nothing of a mail is ever markup, a link or a request here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_GET

from complaints.desk import words
from complaints.desk.access import access_case, access_message, access_notice, may
from complaints.desk.asked import asked_of
from complaints.desk.shown_mail import Line, Room, deciding_lines, mark_whole, show_mail
from complaints.formats.evidence import evidence_of
from complaints.models import Complaint
from complaints.notices.letter import LINK_MARK
from complaints.vocabulary import Answer, Category, Disposition

MOST_COMPLAINTS = 100
FIELDS = (
    ("Address named by", "source_reason"),
    ("Envelope sender", "original_mail_from"),
    ("Recipient", "original_rcpt_to"),
    ("Reported domains", "reported_domains"),
    ("Reported addresses of pages", "reported_uris"),
    ("Reporter's software", "user_agent"),
    ("Failed authentication", "auth_failure"),
    ("What became of it", "delivery_result"),
    ("Received", "received"),
    ("Sender proven by our mail server", "authenticated"),
    ("Also in the report", "extra"),
    ("The reporter told later", "told"),
)
MOST_FURTHER = 60  # lines of what else a structured report says
LONGEST_FURTHER = 300
# Mail is shown in a frame of its own that may do nothing at all but use the styles it carries.
FRAME_POLICY = "sandbox; default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'"


@may("see_cases")
@require_GET
def message_page(request: HttpRequest, pk: int) -> HttpResponse:
    message = access_message(request.user, pk)
    reading = getattr(message, "reading", None)
    complaints = message.complaints.select_related("case", "contract__customer", "reporter", "wait", "rule")
    found = list(complaints.order_by("id")[: MOST_COMPLAINTS + 1])
    shown = found[:MOST_COMPLAINTS]
    asked = asked_of(shown, now=timezone.now())
    context = {
        "message": message,
        "reading": reading,
        "kind": words.DISPOSITIONS[Disposition(reading.disposition)] if reading and reading.disposition else "",
        "mail": show_mail(evidence_of(message.raw), deciding_lines(shown), Room()),
        "complaints": [told(complaint) | {"asked": asked.get(complaint.pk)} for complaint in shown],
        "is_cut": len(found) > MOST_COMPLAINTS,
    }
    return render(request, "desk/message.html", context)


def told(complaint: Complaint) -> dict[str, object]:
    """A complaint with the answer to whose address it was, in words, and the fields that were read."""
    made = deciding_lines([complaint])
    fields = [(title, listed(complaint.evidence.get(name), made)) for title, name in FIELDS]
    return {
        "complaint": complaint,
        "category": words.CATEGORIES[Category(complaint.category)],
        "whose": words.WHOSE[Answer(complaint.answer)],
        "method": words.METHODS.get(complaint.method, complaint.method or "assignment"),
        "reason": complaint.attribution.get("reason", ""),
        "candidates": complaint.attribution.get("candidates", []),
        "fields": [(title, lines) for title, lines in fields if lines],
    }


def flat(value: object, name: str = "") -> Iterator[str]:
    """JSON as lines "outer.inner: value", each cut short; the whole of it is in the raw mail."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from flat(inner, f"{name}.{key}" if name else str(key))
    elif isinstance(value, list):
        for inner in value:
            yield from flat(inner, name)
    elif value not in (None, ""):
        text = f"{name}: {value}"
        yield text if len(text) <= LONGEST_FURTHER else f"{text[:LONGEST_FURTHER]}…"


def listed(value: object, made: Mapping[str, str]) -> list[Line]:
    if not value:
        return []
    if isinstance(value, dict):
        return [mark_whole("", line, {}) for line in islice(flat(value), MOST_FURTHER)]
    return [mark_whole("", str(each), made) for each in (value if isinstance(value, list) else [value])]


@may("see_cases")
@require_GET
def message_raw(request: HttpRequest, pk: int) -> HttpResponse:
    """Always a download of plain text: no browser is ever asked to understand it."""
    message = access_message(request.user, pk)
    response = HttpResponse(message.raw, content_type="text/plain; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="message-{message.pk}.eml.txt"'
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "sandbox; default-src 'none'"
    return response


@xframe_options_sameorigin
@may("see_cases")
@require_GET
def notice_html(request: HttpRequest, pk: int) -> HttpResponse:
    """Our own mail as the customer's program shows it, for a sandboxed frame."""
    notice = access_notice(request.user, pk)
    access_case(request.user, notice.case_id)
    response = HttpResponse(notice.html.replace(LINK_MARK, "#"))
    response["Content-Security-Policy"] = FRAME_POLICY
    return response
