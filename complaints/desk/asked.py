"""How it stands with asking: the reporter for what is missing, or a source of truth that could not answer."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from datetime import datetime

from complaints.desk import when
from complaints.desk.words import MAIL_STATES, Word
from complaints.models import AttributionWait, Complaint, ReporterAnswer, ReporterMail
from complaints.notices.reporter_mail import mails_of
from complaints.vocabulary import Answer

Why, Outcome = AttributionWait.Why, AttributionWait.Outcome
IN_VAIN = (Outcome.SILENT, Outcome.EXHAUSTED)
HELD_BACK = ReporterMail.State.WITHHELD


@dataclasses.dataclass(frozen=True, slots=True)
class Asked:
    """may_ask: one click asks. to_read: an answer is there that a person must read. may_leave: it waited in vain."""

    word: Word | None = None
    problem: str = ""
    may_ask: bool = False
    to_read: bool = False
    may_leave: bool = False
    may_try: bool = False  # a source of truth may be asked again at once


def asked_of(complaints: Sequence[Complaint], *, now: datetime) -> dict[int, Asked]:
    """By complaint id; in three questions to the database for a whole page. Their waits must be loaded."""
    unsure = [each for each in complaints if each.answer == Answer.UNSURE or hasattr(each, "wait")]
    mails = {
        message: kinds[ReporterMail.Kind.ASK_MISSING]
        for message, kinds in mails_of(sorted({each.message_id for each in unsure})).items()
        if ReporterMail.Kind.ASK_MISSING in kinds
    }
    ids = [mail.pk for mail in mails.values()]
    unclear = ReporterAnswer.objects.filter(mail__in=ids, state=ReporterAnswer.State.UNCLEAR)
    to_read = set(unclear.values_list("mail_id", flat=True)) if ids else set()
    return {each.pk: asked_about(each, mails.get(each.message_id), to_read, now=now) for each in unsure}


def asked_about(complaint: Complaint, mail: ReporterMail | None, to_read: set[int], *, now: datetime) -> Asked:
    wait = getattr(complaint, "wait", None)
    lacks = complaint.answer == Answer.UNSURE and complaint.reporter_id and complaint.attribution.get("missing")
    is_asked = mail is not None and mail.state != HELD_BACK
    failed = mail is not None and mail.state == ReporterMail.State.FAILED
    problem = mail.problem if mail and (failed or not is_asked) else ""
    return Asked(
        word=(None if failed else word_of(wait, now=now)) or (MAIL_STATES[mail.state] if mail else None),
        problem=problem,
        may_ask=bool(lacks) and not is_asked,
        to_read=bool(mail and mail.pk in to_read),
        may_leave=bool(wait and wait.outcome in IN_VAIN),
        may_try=bool(wait and wait.why == Why.RESOLVER and wait.outcome in ("", Outcome.EXHAUSTED)),
    )


def word_of(wait: AttributionWait | None, *, now: datetime) -> Word | None:
    if wait is None or wait.outcome in (Outcome.ANSWERED, Outcome.LEFT):
        return None
    if wait.why == Why.RESOLVER:
        if wait.outcome:
            return Word("no source could tell", "warn", wait.reason)
        return Word(f"asked again {when.until(wait.due_at, now)}", "", wait.reason)
    if wait.outcome:
        return Word("asked, no answer", "warn", wait.reason)
    return Word(f"asked, waits until {wait.due_at:%-d %b}", "", wait.reason)
