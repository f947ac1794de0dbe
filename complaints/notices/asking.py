"""Ask the reporter for exactly what is missing (RFC 6302 section 2), once for all complaints of their mail.

What was asked about is parked until the answer arrives by mail, at most so many days.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction

from complaints.cases.waits import wait_for_reporter
from complaints.models import Complaint, ReporterMail
from complaints.notices.reported import MOST_COMPLAINTS, line_of, source_of
from complaints.notices.reporter_mail import NoAnswer, answerable, queue_reporter_mail
from complaints.vocabulary import Answer

Kind, State = ReporterMail.Kind, ReporterMail.State
PARKED = frozenset({State.QUEUED, State.SENDING, State.SENT})


def missing_of(complaint: Complaint) -> list[str]:
    """What the reporter could add, of "port", "time", "zone" and "second"; nothing: asking would not help."""
    if complaint.answer != Answer.UNSURE or complaint.reporter_id is None:
        return []
    lacks = complaint.attribution.get("missing") or ()
    when = "second"  # the time is there, and too near to a change of holders
    if not complaint.seen_exactly:
        when = "time"
    elif complaint.evidence.get("zone_unknown"):
        when = "zone"
    return ["port"] * ("port" in lacks) + [when] * ("time" in lacks)


def ask_missing(complaints: Sequence[Complaint], *, by: str, now: datetime) -> ReporterMail:
    """`complaints`: of one message, with their reporter. Those that lack something are asked about and parked.

    Raises:
        NoAnswer: the mail must not be answered, or nothing is missing that its author could tell.
    """
    facts = facts_to_ask(complaints, now=now)
    about = answerable(*source_of(complaints), format=complaints[0].format, by=by)
    with transaction.atomic():
        mail = queue_reporter_mail(about, Kind.ASK_MISSING, facts=facts, now=now)
        if mail.state in PARKED:
            park(mail, now=now)
    return mail


def park(mail: ReporterMail, *, now: datetime) -> None:
    ids = [each["complaint"] for each in mail.facts["complaints"]]
    until = now + timedelta(days=settings.REPORTER_WAIT_DAYS)
    reason = f"The reporter was asked by mail for {in_words(mail)}"
    wait_for_reporter(ids, reason=reason, until=until, now=now)


WORDS = {"port": "the source port", "time": "the time", "zone": "the time zone", "second": "the time to the second"}


def in_words(mail: ReporterMail) -> str:
    missing = {what for each in mail.facts["complaints"] for what in each["missing"]}
    return " and ".join(words for what, words in WORDS.items() if what in missing)


def facts_to_ask(complaints: Sequence[Complaint], *, now: datetime) -> dict[str, Any]:
    """Raises NoAnswer when nothing is missing that the reporter could tell."""
    found = [(complaint, missing_of(complaint)) for complaint in complaints[:MOST_COMPLAINTS]]
    lines = [line_of(complaint) | {"missing": missing} for complaint, missing in found if missing]
    if not lines:
        raise NoAnswer("Nothing is missing that the reporter could tell.")
    return {"complaints": lines}
