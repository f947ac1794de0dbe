"""An analyst has read a mailed answer and says what it means; and its files, to be downloaded and never opened here."""

from __future__ import annotations

import hashlib

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from complaints.cases.answers import AnswerKind, NoAnswerNow, record_answer
from complaints.cases.transitions import IllegalTransition
from complaints.desk.access import access_message, may
from complaints.desk.case_actions import case_action, refuse_stale
from complaints.desk.shown_answer import offers_of
from complaints.formats import MalformedComplaint
from complaints.formats.mail import Mail
from complaints.models import Case
from complaints.tasks import advance_cases, wake


def means(request: HttpRequest, pk: int, what: str) -> HttpResponse:
    """One click: the answer counts as this one of the portal's, in the analyst's name."""

    def said(request: HttpRequest, case: Case) -> None:
        refuse_stale(request, case)
        if what not in set(AnswerKind):
            raise Http404(f"no answer {what}")
        offered = {kind: because for kind, _, because in offers_of(case).get("offers", [])}
        kind = AnswerKind(what)
        try:
            record_answer(case, kind, text=offered.get(kind, ""), actor=request.user.get_username())
        except NoAnswerNow as exc:
            raise IllegalTransition(f"Nothing was changed: {exc}, and takes no answer.") from exc
        wake(advance_cases, [case.pk])
        messages.success(request, "The answer counts as if they had given it on their page.")

    return case_action(said)(request, pk)  # type: ignore[return-value]


@may("see_cases")
@require_GET
def attached(request: HttpRequest, pk: int, what: str) -> HttpResponse:
    """The bytes of one attachment, named by their SHA-256: a download that no browser is asked to understand."""
    message = access_message(request.user, pk)
    try:
        parts = Mail(message.raw).parts
    except MalformedComplaint as exc:
        raise Http404("this mail cannot be taken apart") from exc
    for part in parts:
        if hashlib.sha256(part.payload).hexdigest() == what:
            response = HttpResponse(part.payload, content_type="application/octet-stream")
            response["Content-Disposition"] = f'attachment; filename="attachment-{what[:12]}.bin"'
            response["X-Content-Type-Options"] = "nosniff"
            response["Content-Security-Policy"] = "sandbox; default-src 'none'"
            return response
    raise Http404("this mail has no such attachment")
