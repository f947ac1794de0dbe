"""A mailed answer as the case page shows it: from whom, what it seems to say, what hangs on it. It moves nothing."""

from __future__ import annotations

from typing import Any

from complaints.cases.answers import CUSTOMER, OPEN_FOR_ANSWERS, AnswerKind
from complaints.models import Case, CaseEvent
from complaints.notices.intentions import Intention, read_intentions
from complaints.notices.replies import BY_MAIL, THIRD_PARTY
from complaints.vocabulary import EventKind

MEANS = {
    Intention.FIXED: (AnswerKind.FIXED, "It is fixed: verify it"),
    Intention.NOT_ME: (AnswerKind.NOT_ME, "They dispute it"),
    Intention.NEEDS_TIME: (AnswerKind.NEEDS_HELP, "They need time or help"),
}


def mail_answer(event: CaseEvent) -> dict[str, Any]:
    """What the template of an answer needs beside its words; nothing for one that was given on the portal."""
    data = event.data
    if data.get("answer") != BY_MAIL:
        return {}
    return {
        "message": data.get("message"),
        "sender": data.get("sender", ""),
        "is_third": data.get("thread") == THIRD_PARTY,
        "whole": data.get("whole", ""),
        "files": data.get("files", []),
    }


def offers_of(case: Case) -> dict[str, Any]:
    """What the newest mailed answer seems to say, for one click, as long as nobody has read it: {event, offers}."""
    return offers_in(case, case.events.filter(kind=EventKind.CUSTOMER_ANSWERED).order_by("-at", "-id").first())


def offers_in(case: Case, newest: CaseEvent | None) -> dict[str, Any]:
    """The same of an answer that was read with the story: one so old that the story ends before it is past offering."""
    if newest is None or newest.actor != CUSTOMER or newest.data.get("answer") != BY_MAIL:
        return {}
    if newest.data.get("thread") == THIRD_PARTY or case.state not in OPEN_FOR_ANSWERS:
        return {}
    found = read_intentions(str(newest.data.get("text") or ""))
    offers = [(*MEANS[each.intention], each.because) for each in found]
    return {"offered_at": newest.pk, "offers": offers} if offers else {}
