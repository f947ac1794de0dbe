"""Evidence as it came in: readable and inert. Nothing of a mail is ever markup, a link or a request here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_GET

from complaints.attribution.networks import OwnNetworks
from complaints.by_hand import ASIDE
from complaints.desk import words
from complaints.desk.access import access_case, access_message, access_notice, may
from complaints.desk.asked import asked_of
from complaints.desk.by_hand_form import ComplaintForm
from complaints.desk.shown_mail import Line, Room, deciding_lines, mark_whole, show_mail
from complaints.formats.addresses import addresses_in
from complaints.formats.evidence import Evidence, evidence_of
from complaints.models import Complaint, Message
from complaints.notices.letter import LINK_MARK
from complaints.teaching import sender_of
from complaints.vocabulary import Answer, Category, Disposition

MOST_COMPLAINTS = 100
MOST_SEARCHED, MOST_NAMED = 100_000, 500  # characters, and addresses in them, that are looked through for ours
# Fields that a person may show by marking: name in the rule, name in the form by hand, title.
TEACHABLE = (
    ("source_ip", "source_ip", "Address"),
    ("source_port", "source_port", "Source port"),
    ("arrival_date", "at", "Time"),
    ("reported_uri", "url", "Page"),
    ("original_subject", "subject", "Subject of the mail"),
)
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
    return show_message(request, access_message(request.user, pk))


def show_message(
    request: HttpRequest, message: Message, *, form: ComplaintForm | None = None, status: int = 200, **more: Any
) -> HttpResponse:
    """form: as it came back, with what is wrong in it. more: of the page's context."""
    reading = getattr(message, "reading", None)
    complaints = message.complaints.select_related("case", "contract__customer", "reporter", "wait", "rule")
    found = list(complaints.order_by("id")[: MOST_COMPLAINTS + 1])
    shown = found[:MOST_COMPLAINTS]
    asked = asked_of(shown, now=timezone.now())
    mail = evidence_of(message.raw)
    context = {
        "message": message,
        "channel": words.CHANNELS[message.channel],
        "reading": reading,
        "kind": words.DISPOSITIONS[Disposition(reading.disposition)] if reading and reading.disposition else "",
        "mail": show_mail(mail, deciding_lines(shown), Room()),
        "complaints": [told(complaint) | {"asked": asked.get(complaint.pk)} for complaint in shown],
        "is_cut": len(found) > MOST_COMPLAINTS,
        "is_aside": reading is not None and reading.problem.startswith(ASIDE),
    }
    if form is not None or more or (reading and reading.state != reading.State.WAITING and not found):
        context |= by_hand_context(message, mail, form)
    return render(request, "desk/message.html", context | more, status=status)


def by_hand_context(message: Message, mail: Evidence, form: ComplaintForm | None) -> dict[str, Any]:
    """What a person needs to read it instead: a form, with what the text says of our own addresses."""
    text, ours = "\n".join(each.text for each in mail.texts), OwnNetworks()
    named = islice((address for _, address in addresses_in(text[:MOST_SEARCHED])), MOST_NAMED)
    addresses = [each for each in dict.fromkeys(named) if ours.holds(each)]
    sender = sender_of(message)
    initial = {"reporter": sender, "source_ip": addresses[0] if len(addresses) == 1 else ""}
    return {
        "by_hand": form or ComplaintForm(initial=initial),
        "addresses": addresses[:12],
        "sender": sender,
        "sender_domain": sender.rpartition("@")[2],
        "teachable": TEACHABLE,
    }


def told(complaint: Complaint) -> dict[str, object]:
    """A complaint with the answer to whose address it was, in words, and the fields that were read."""
    made = deciding_lines([complaint])
    fields = [(title, listed(complaint.evidence.get(name), made)) for title, name in FIELDS]
    return {
        "complaint": complaint,
        "category": words.CATEGORIES[Category(complaint.category)],
        "whose": words.WHOSE[Answer(complaint.answer)],
        "format": words.format_title(complaint.format),
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
