"""Evidence as it came in: readable and inert. Nothing of a mail is ever markup, a link or a request here."""

from __future__ import annotations

import dataclasses

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_GET

from complaints.desk import words
from complaints.desk.access import access_case, access_message, access_notice, desk_page
from complaints.formats.errors import MalformedComplaint
from complaints.formats.header_text import readable
from complaints.formats.mail import Mail
from complaints.formats.mail_parts import Part
from complaints.models import Complaint, Message
from complaints.notices.letter import LINK_MARK
from complaints.vocabulary import Answer, Category

MOST_SHOWN = 40_000  # characters of one part; the raw mail has the rest
MOST_COMPLAINTS = 100
MOST_HEADERS = 200
READABLE = ("text/", "message/")
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
)
# Mail is shown in a frame of its own that may do nothing at all but use the styles it carries.
FRAME_POLICY = "sandbox; default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'"


@dataclasses.dataclass(frozen=True, slots=True)
class ShownPart:
    title: str
    text: str
    note: str


@desk_page
@require_GET
def message_page(request: HttpRequest, pk: int) -> HttpResponse:
    message = access_message(request.user, pk)
    complaints = message.complaints.select_related("case", "contract__customer", "reporter").order_by("id")
    found = list(complaints[: MOST_COMPLAINTS + 1])
    headers, parts, problem = opened(message)
    context = {
        "message": message,
        "reading": getattr(message, "reading", None),
        "headers": headers,
        "parts": parts,
        "problem": problem,
        "complaints": [told(complaint) for complaint in found[:MOST_COMPLAINTS]],
        "is_cut": len(found) > MOST_COMPLAINTS,
    }
    return render(request, "desk/message.html", context)


def told(complaint: Complaint) -> dict[str, object]:
    """A complaint with the answer to whose address it was, in words, and the fields that were read."""
    fields = [(title, listed(complaint.evidence.get(name))) for title, name in FIELDS]
    return {
        "complaint": complaint,
        "category": words.CATEGORIES[Category(complaint.category)],
        "whose": words.WHOSE[Answer(complaint.answer)],
        "method": words.METHODS.get(complaint.method, complaint.method or "assignment"),
        "reason": complaint.attribution.get("reason", ""),
        "candidates": complaint.attribution.get("candidates", []),
        "fields": [(title, lines) for title, lines in fields if lines],
    }


def listed(value: object) -> list[str]:
    if not value:
        return []
    return [str(each) for each in value] if isinstance(value, list) else [str(value)]


def opened(message: Message) -> tuple[list[tuple[str, str]], list[ShownPart], str]:
    """Header fields, readable parts, and what could not be opened. However broken the mail, something is shown."""
    raw = message.raw
    try:
        mail = Mail(raw)
    except MalformedComplaint as exc:
        return [], [plain(raw)], str(exc)
    headers = [
        (name.title(), readable(value) or "") for name, values in mail.headers.values.items() for value in values
    ]
    try:
        parts = [shown(part) for part in mail.parts]
    except MalformedComplaint as exc:
        return headers[:MOST_HEADERS], [plain(mail.body)], str(exc)
    return headers[:MOST_HEADERS], parts, mail.limit_note or ""


def plain(raw: bytes) -> ShownPart:
    text = raw[:MOST_SHOWN].decode("utf-8", "replace")
    return ShownPart("The mail as bytes", text, cut_note(len(raw)))


def shown(part: Part) -> ShownPart:
    title = part.content_type + (f", “{part.filename}”" if part.filename else "")
    if not part.content_type.startswith(READABLE):
        return ShownPart(title, "", f"{len(part.payload):,} bytes, not shown: the raw mail has them")
    text = part.text
    return ShownPart(title, text[:MOST_SHOWN], cut_note(len(text)))


def cut_note(size: int) -> str:
    return f"Only the first {MOST_SHOWN:,} of {size:,} characters are shown" if size > MOST_SHOWN else ""


@desk_page
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
@desk_page
@require_GET
def notice_html(request: HttpRequest, pk: int) -> HttpResponse:
    """Our own mail as the customer's program shows it, for a sandboxed frame."""
    notice = access_notice(request.user, pk)
    access_case(request.user, notice.case_id)
    response = HttpResponse(notice.html.replace(LINK_MARK, "#"))
    response["Content-Security-Policy"] = FRAME_POLICY
    return response
