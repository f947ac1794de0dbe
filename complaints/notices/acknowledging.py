"""Tell a reporter that their mail has arrived, and under which reference: those who want to hear it, and nobody else.

A receipt is the least of our mails: it gives way to a question, and no row is left of one that a limit forbids.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from django.conf import settings

from complaints.models import Complaint, OwedOutcome, Reporter, ReporterMail
from complaints.notices.reported import MOST_COMPLAINTS, line_of, source_of
from complaints.notices.reporter_mail import NoAnswer, answerable, next_slot, queue_reporter_mail
from complaints.vocabulary import Answer

Wants = Reporter.Wants


def wishes_for_receipt() -> list[str]:
    """The wishes (Reporter.wants) of those who get a receipt by machine."""
    return [Wants.ACKNOWLEDGEMENT.value, Wants.OUTCOME.value, *[Wants.DEFAULT.value] * settings.ACKNOWLEDGE]


def acknowledge(complaints: Sequence[Complaint], *, by: str, now: datetime) -> ReporterMail:
    """`complaints`: of one message, with their reporter.

    Raises:
        NoAnswer: the mail must not be answered, its reporter wants no receipt, or a limit forbids one today.
    """
    message, reporter = source_of(complaints)
    if reporter.wants not in wishes_for_receipt():
        raise NoAnswer("This reporter wants no receipt.")
    about = answerable(message, reporter, format=complaints[0].format, by=by)
    if about.by_machine and (refusal := next_slot(about, now=now)[1]):
        raise NoAnswer(refusal)
    facts = facts_of_report(complaints) | {"outcome": reporter.wants == Wants.OUTCOME}
    return queue_reporter_mail(about, ReporterMail.Kind.ACKNOWLEDGED, facts=facts, now=now)


def facts_of_report(complaints: Sequence[Complaint]) -> dict[str, Any]:
    """Nothing but what they told us themselves, and our reference: no case, no contract, no customer."""
    lines = [line_of(each) for each in complaints[:MOST_COMPLAINTS] if each.address]
    return {"complaints": lines, "reference": reference_of(complaints[0].message_id)}


def reference_of(message: int) -> str:
    """Names their mail and says nothing of the case: two reporters of one customer must not see that it is one."""
    return f"R{message:06d}"


def owe_outcomes(groups: Iterable[Sequence[Complaint]], *, now: datetime) -> None:
    """`groups`: the complaints of one message each. Whoever wants to hear the outcome is owed it, once a message."""
    wanted = [
        OwedOutcome(message_id=group[0].message_id, reporter=reporter, since=now, due_at=now)
        for group in groups
        if (reporter := group[0].reporter) is not None
        and reporter.wants == Wants.OUTCOME
        and any(each.answer != Answer.NOT_OURS for each in group)
    ]
    OwedOutcome.objects.bulk_create(wanted, ignore_conflicts=True)
