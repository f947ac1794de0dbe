"""What was written to and fro about a case: with the customer, with reporters, and with others, each for itself."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from complaints.desk import words
from complaints.desk.access import access_case, may
from complaints.desk.shown_answer import mail_answer
from complaints.models import Case, Complaint, ReporterAnswer, ReporterMail
from complaints.models.outgoing import OutgoingMail
from complaints.notices.by_hand import next_message, phrases, preview, write_to_customer, write_to_reporter
from complaints.notices.letter import LINK_MARK
from complaints.notices.reported import source_of
from complaints.notices.reporter_mail import NoAnswer, answerable
from complaints.tasks import deliver_notices, deliver_reporter_mails, wake
from complaints.vocabulary import CaseState, EventKind

MOST = 100  # mails of a thread
MOST_REPORTS = 20
LINK_SHOWN = "[the customer's own link]"


@may("see_cases", to_post="work_cases")
@require_http_methods(["GET", "HEAD", "POST"])
def conversation(request: HttpRequest, pk: int) -> HttpResponse:
    case = access_case(request.user, pk)
    text, to = request.POST.get("words", "").strip(), request.POST.get("to", "customer")
    context: dict[str, Any] = {"nav": "queue", "case": case, "words": text, "to": to}
    if request.method == "POST" and not text:
        messages.error(request, "Nothing was sent: write something first.")
    elif request.method == "POST" and request.POST.get("do") == "send":
        send_to_customer(request, case, text) if to == "customer" else send_to_reporter(request, case, to, text)
        return redirect("desk:conversation", pk)
    elif request.method == "POST" and to == "customer":
        context["preview"] = preview(case, text)
    language = str(case.owner.get("language") or "en")
    ready = phrases(language)
    chosen = request.GET.get("phrase", "")
    if chosen.isdecimal() and len(chosen) < 4 and int(chosen) < len(ready):
        context["words"] = ready[int(chosen)][1]
    context |= {"phrases": ready, "number": next_message(case), "is_open": case.state != CaseState.CLOSED}
    context |= {"reports": list(reports_of(case).values())} | threads_of(case)
    return render(request, "desk/conversation.html", context)


def threads_of(case: Case) -> dict[str, list[dict[str, Any]]]:
    answers = case.events.filter(kind=EventKind.CUSTOMER_ANSWERED).order_by("-at", "-id")[:MOST]
    said = [(mail_answer(event), event) for event in answers]
    customer = [ours(each) for each in case.notices.order_by("-queued_at", "-id")[:MOST]]
    customer += [theirs(shown, event) for shown, event in said if not shown.get("is_third")]
    third = [theirs(shown, event) for shown, event in said if shown.get("is_third")]
    found = Complaint.objects.filter(case=case, reporter__isnull=False).values("message")
    mails = ReporterMail.objects.filter(incoming__in=found).select_related("reporter").order_by("-id")[:MOST]
    back = ReporterAnswer.objects.filter(mail__incoming__in=found).select_related("mail__reporter").order_by("-id")
    reporters = [ours(each) for each in mails]
    reporters += [
        {"at": each.at, "who": str(each.mail.reporter), "text": each.text, "message": each.message_id}
        for each in back[:MOST]
    ]
    threads = {"customer": customer, "reporters": reporters, "third": third}
    return {name: sorted(thread, key=lambda each: each["at"]) for name, thread in threads.items()}


def ours(mail: Any) -> dict[str, Any]:
    state = words.MAIL_STATES[OutgoingMail.State(mail.state)]
    text = mail.text.replace(LINK_MARK, LINK_SHOWN)
    return {"at": mail.sent_at or mail.queued_at, "to": mail.to_email, "subject": mail.subject, "text": text} | {
        "state": state
    }


def theirs(shown: dict[str, Any], event: Any) -> dict[str, Any]:
    said = words.ANSWERS_GIVEN.get(str(event.data.get("answer")), "Answer")
    who = shown.get("sender") or event.actor
    return {"at": event.at, "who": who, "subject": said, "text": str(event.data.get("text") or "")} | shown


def reports_of(case: Case) -> dict[int, Complaint]:
    """The newest mails of reporters in the case, by message."""
    found = Complaint.objects.filter(case=case, reporter__isnull=False).select_related("reporter", "message")
    newest = found.order_by("-id")[: MOST_REPORTS * 5]
    return dict(list({each.message_id: each for each in newest}.items())[:MOST_REPORTS])


def send_to_customer(request: HttpRequest, case: Case, text: str) -> None:
    number = request.POST.get("number", "")
    if case.state == CaseState.CLOSED or not number.isdecimal() or len(number) > 6:
        messages.error(request, "Nothing was sent: the case is closed, or the page was incomplete.")
        return
    who = request.user.get_username()
    notice = write_to_customer(case, text, number=int(number), actor=who, now=timezone.now())
    if notice is None:
        messages.error(request, "Nothing was sent: this case has no contact with an address to write to.")
        return
    wake(deliver_notices, [notice.pk])
    messages.success(request, f"A mail to {notice.to_email} is on its way.")


def send_to_reporter(request: HttpRequest, case: Case, to: str, text: str) -> None:
    complaint = reports_of(case).get(int(to)) if to.isdecimal() and len(to) < 19 else None
    if complaint is None:
        messages.error(request, "Nothing was sent: choose the mail that you answer.")
        return
    try:
        about = answerable(*source_of([complaint]), format=complaint.format, by=request.user.get_username())
    except NoAnswer as exc:
        messages.error(request, f"Nothing was sent. {exc}")
        return
    mine = Complaint.objects.filter(message=complaint.message_id, reporter=complaint.reporter_id).order_by("pk")[:500]
    mail = write_to_reporter(about, list(mine), text, now=timezone.now())
    wake(deliver_reporter_mails, [mail.pk])
    messages.success(request, f"A mail to {mail.to_email} is on its way.")
