"""Letters to the customer on the case page: how each stands, and taking one back while it waits."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.views.decorators.http import require_POST

from complaints.desk import when, words
from complaints.desk.access import access_case, may
from complaints.models import Notice
from complaints.notices.mail import MAY_HAVE_GONE
from complaints.notices.taking_back import TooLate, send_after_all, take_back
from complaints.tasks import advance_cases, wake
from complaints.vocabulary import CaseState

State = Notice.State
VERBS = {
    "take-back": (take_back, "Taken back. The customer is not told, and the case stands where it stood."),
    "send-after-all": (send_after_all, "It goes after all. Until then it can be taken back again."),
}


@may("see_cases", to_post="work_cases")
@require_POST
def change(request: HttpRequest, pk: int, verb: str) -> HttpResponse:
    if verb not in VERBS:
        raise Http404(f"no such act: {verb}")
    notice = get_object_or_404(Notice.objects.select_related("case"), pk=pk)
    case = access_case(request.user, notice.case_id)
    act, said = VERBS[verb]
    try:
        act(notice, actor=request.user.get_username(), now=timezone.now())
    except TooLate as exc:
        messages.error(request, str(exc))
    else:
        messages.success(request, said)
        wake(advance_cases, [case.pk])
    return redirect("desk:case", case.pk)


def letter_shown(notice: Notice, now: datetime) -> dict[str, Any]:
    """Its state as a chip, and what may be done to it."""
    waits = notice.state == State.QUEUED
    word = words.MAIL_STATES[notice.state]
    in_doubt = notice.state == State.FAILED and notice.problem.startswith(MAY_HAVE_GONE)
    if in_doubt:
        word = words.Word("may have gone", "bad", "Its worker or the mail server died while it was handed over")
    if notice.state == State.SENT and notice.problem:
        word = words.Word("sent, delayed on its way", "warn", notice.problem)
    return {
        "state": word,
        "goes": when.until(notice.due_at, now) if waits and notice.due_at > now else "",
        "may_take_back": waits,
        "may_send": (notice.state == State.WITHDRAWN or in_doubt) and notice.case.state != CaseState.CLOSED,
    }
