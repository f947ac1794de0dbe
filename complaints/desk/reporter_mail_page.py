"""Write to a reporter by hand: the mail as it will be sent, and the button that sends it.

One page for every kind: asking for what is missing, and saying that an address is not ours.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from complaints.desk import words
from complaints.desk.access import access_message, may
from complaints.models import Message, ReporterMail
from complaints.notices import asking, not_ours
from complaints.notices.reported import complaints_of, source_of
from complaints.notices.reporter_mail import ABOUT, NoAnswer, answerable, compose, mails_of
from complaints.tasks import deliver_reporter_mails, wake

Kind, State = ReporterMail.Kind, ReporterMail.State


class Writing(NamedTuple):
    title: str
    verb: Any
    facts: Any
    back: str  # name of the list that it is reached from


KINDS = {
    Kind.ASK_MISSING: Writing(
        "Ask the reporter for what is missing", asking.ask_missing, asking.facts_to_ask, "desk:unattributed"
    ),
    Kind.NOT_OURS: Writing(
        "Tell the reporter that it is not ours", not_ours.tell_not_ours, not_ours.facts_to_tell, "desk:not-ours"
    ),
}


@may("work_cases")
@require_http_methods(["GET", "HEAD", "POST"])
def ask(request: HttpRequest, pk: int) -> HttpResponse:
    return reporter_mail_page(request, pk, Kind.ASK_MISSING)


@may("work_cases")
@require_http_methods(["GET", "HEAD", "POST"])
def tell_not_ours(request: HttpRequest, pk: int) -> HttpResponse:
    return reporter_mail_page(request, pk, Kind.NOT_OURS)


def reporter_mail_page(request: HttpRequest, pk: int, kind: ReporterMail.Kind) -> HttpResponse:
    message = access_message(request.user, pk)
    if request.method == "POST":
        send(request, message, kind)
        return redirect(KINDS[kind].back)
    mail = mails_of([message.pk]).get(message.pk, {}).get(kind)
    context: dict[str, Any] = {"nav": "unattributed", "message": message, "kind": kind, "title": KINDS[kind].title}
    context |= {"back": KINDS[kind].back, "sender": settings.DEFAULT_FROM_EMAIL}
    if mail and mail.state != State.WITHHELD:
        context |= {"mail": mail, "written": mail, "state": words.MAIL_STATES[State(mail.state)]}
    else:
        context |= {"withheld": mail} | draft(request, message, kind)
    return render(request, "desk/reporter_mail.html", context)


def draft(request: HttpRequest, message: Message, kind: ReporterMail.Kind) -> dict[str, Any]:
    """The mail as it would be sent now, or why it must not be."""
    complaints = complaints_of(message, ABOUT[kind])
    try:
        facts = KINDS[kind].facts(complaints, now=timezone.now())
        about = answerable(*source_of(complaints), format=complaints[0].format, by=request.user.get_username())
        return {"written": compose(about, kind, facts)}
    except NoAnswer as exc:
        return {"problem": str(exc)}


def send(request: HttpRequest, message: Message, kind: ReporterMail.Kind) -> None:
    """Pressed twice it is sent once: a message has one mail of each kind."""
    complaints = complaints_of(message, ABOUT[kind])
    try:
        mail = KINDS[kind].verb(complaints, by=request.user.get_username(), now=timezone.now())
    except NoAnswer as exc:
        messages.error(request, f"No mail was sent. {exc}")
        return
    if mail.state == State.QUEUED:
        messages.success(request, f"A mail to {mail.to_email} is on its way.")
        wake(deliver_reporter_mails, [mail.pk])
    else:
        messages.info(request, f"{mail.to_email} had this mail before. Nothing more was sent.")
