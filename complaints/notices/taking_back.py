"""A person takes a letter back before it goes, or sends it after all. The case stays where it is and says so."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.db.models import Q

from complaints.cases.transitions import record
from complaints.models import Case, Notice
from complaints.notices.mail import MAY_HAVE_GONE
from complaints.notices.when_due import letter_due
from complaints.vocabulary import CaseState, EventKind

State = Notice.State
TELLS = (State.QUEUED, State.SENDING, State.SENT)


class TooLate(Exception):
    """The letter went, or goes this moment; or it is not there to be sent. The text says which."""


def take_back(notice: Notice, *, actor: str, now: datetime) -> None:
    """Raises TooLate when it is no longer waiting. One that is being sent cannot be stopped."""
    with transaction.atomic():
        waiting = Notice.objects.filter(pk=notice.pk, state=State.QUEUED)
        if not waiting.update(state=State.WITHDRAWN, claim="", problem=f"taken back by {actor}", carried_by=None):
            raise TooLate("This mail is not waiting any more: it went, or it goes this moment.")
        # Others that were to go in its mail find another one.
        Notice.objects.filter(carried_by=notice, state=State.QUEUED).update(carried_by=None)
        record(
            notice.case, EventKind.NOTICE_WITHDRAWN, actor=actor, now=now,
            notice=notice.pk, step=notice.step, occurrence=notice.occurrence, to=notice.to_email,
        )  # fmt: skip


def send_after_all(notice: Notice, *, actor: str, now: datetime) -> None:
    """Queue what was taken back, or what may not have gone, as if it were decided now. Raises TooLate."""
    with transaction.atomic():
        case = Case.objects.get(pk=notice.case_id)
        if case.state == CaseState.CLOSED:
            raise TooLate("The case is closed: this mail would be wrong by now.")
        due = letter_due(case, notice.step, now=now)
        doubt = Q(state=State.FAILED, problem__startswith=MAY_HAVE_GONE)
        back = Notice.objects.filter(Q(state=State.WITHDRAWN) | doubt, pk=notice.pk)
        if not back.update(state=State.QUEUED, problem="", queued_at=now, due_at=due, tries=0, handed_at=None):
            raise TooLate("This mail does not wait for you, or somebody else sends it already.")
        record(
            case, EventKind.NOTICE_QUEUED, actor=actor, now=now,
            notice=notice.pk, step=notice.step, occurrence=notice.occurrence, to=notice.to_email,
        )  # fmt: skip


def was_taken_back(case: Case) -> bool:
    """Whether the letters of this turn were taken back and none tells the customer: then no machine goes on as if."""
    letters = set(case.notices.filter(occurrence__gte=case.turn - 1).values_list("state", flat=True))
    return State.WITHDRAWN in letters and letters.isdisjoint(TELLS)
