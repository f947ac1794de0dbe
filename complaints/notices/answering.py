"""What the machine answers by itself: people who wrote by hand and for whom somebody vouches, and nobody else."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from django.conf import settings
from django.db.models import Q, QuerySet

from complaints.cases.transitions import MACHINE
from complaints.models import Complaint, Reporter, ReporterMail
from complaints.notices.acknowledging import acknowledge, owe_outcomes, wishes_for_receipt
from complaints.notices.asking import ask_missing
from complaints.notices.mail_loops import WRITTEN_BY_HAND
from complaints.notices.not_ours import tell_not_ours
from complaints.notices.reported import by_message
from complaints.notices.reporter_mail import NoAnswer
from complaints.vocabulary import Answer

MOST_COMPARED = 20  # of the mails that their author had from us
TOLD = ("address", "port", "resource", "seen_at", "seen_exactly")


def answer_by_machine(message_ids: Iterable[int], *, now: datetime) -> list[int]:
    """Ask, tell and acknowledge the authors of these messages where a machine may; ids of mails. Safe to repeat.

    Asked by ABUSEDESK_ASK_REPORTERS, told by ABUSEDESK_NOT_OURS_REPLY; a receipt by the reporter's wish, and
    ABUSEDESK_ACKNOWLEDGE for those who have none. What must not be answered is left to an analyst, without a row.
    """
    groups = [group for group in by_message(to_answer(list(message_ids))) if is_vouched_for(group[0])]
    owe_outcomes(groups, now=now)
    return [pk for group in groups for pk in answer_one(group, now=now)]


def to_answer(message_ids: Sequence[int]) -> QuerySet[Complaint]:
    answers = [Answer.UNSURE.value] * settings.ASK_REPORTERS + [Answer.NOT_OURS.value] * settings.NOT_OURS_REPLY
    found = Complaint.objects.filter(
        Q(answer__in=answers) | Q(reporter__wants__in=wishes_for_receipt()), message__in=message_ids,
        format__in=WRITTEN_BY_HAND, reporter__authenticated=True, reporter__no_mail=False,
    ).exclude(reporter__wants=Reporter.Wants.SILENCE)  # fmt: skip
    return found.select_related("reporter", "message").order_by("reporter", "message", "pk")


def answer_one(complaints: Sequence[Complaint], *, now: datetime) -> list[int]:
    """The complaints of one message. What is missing first: the limit of a thread leaves no room for a second mail."""
    if tells_nothing_new(complaints):
        return []
    verbs = [ask_missing] * settings.ASK_REPORTERS + [tell_not_ours] * settings.NOT_OURS_REPLY + [acknowledge]
    queued = []
    for verb in verbs:
        try:
            mail = verb(complaints, by=MACHINE, now=now)
        except NoAnswer:
            continue
        if mail.state == ReporterMail.State.QUEUED:
            queued.append(mail.pk)
    return queued


def tells_nothing_new(complaints: Sequence[Complaint]) -> bool:
    """Whether all of it stood in mails of theirs that we answered: a ticket system that quotes a report in its receipt
    opens a new thread each time, bears no mark, and would have an answer of ours for each.
    """
    mails = ReporterMail.objects.filter(reporter=complaints[0].reporter_id, slot__isnull=False)
    others = mails.exclude(incoming=complaints[0].message_id).order_by("-pk").values_list("incoming")[:MOST_COMPARED]
    before = Complaint.objects.filter(message__in=[pk for (pk,) in others]).only(*TOLD)
    known = {each for complaint in before for each in (told_by(complaint), told_by(complaint)._replace(at=None))}
    return {told_by(each) for each in complaints} <= known


class ToldOf(NamedTuple):
    address: bytes
    port: int
    resource: str
    at: datetime | None  # None: it may be the mail's own, which is new with every mail


def told_by(complaint: Complaint) -> ToldOf:
    at = complaint.seen_at if complaint.seen_exactly else None
    return ToldOf(bytes(complaint.address), complaint.port, complaint.resource, at)


def is_vouched_for(complaint: Complaint) -> bool:
    """Where our own mail server says whose mail was proven, this very mail must be; else a human's word for them."""
    return bool(complaint.evidence.get("authenticated")) or not settings.AUTHSERV_ID
