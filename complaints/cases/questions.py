"""What attribution is asked about a complaint: the same of a fresh one and of one stored long ago."""

from __future__ import annotations

import dataclasses
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings

from complaints.attribution import Question
from complaints.attribution.evidence import content_names, names_of
from complaints.attribution.times import read_time
from complaints.models import Complaint
from complaints.vocabulary import ParsedComplaint

ZONE_UNKNOWN = timedelta(hours=14)  # zones lie between UTC-12 and UTC+14


@dataclasses.dataclass(frozen=True, slots=True)
class Told:
    """What a reporter added to a complaint later. It never touches the columns that tell complaints apart."""

    port: int | None = None
    at: datetime | None = None


def question_about(
    parsed: ParsedComplaint, *, address: bytes, port: int | None, seen_at: datetime, exactly: bool,
    received_at: datetime,
) -> Question:  # fmt: skip
    """exactly: False where the report gave no time, and `seen_at` is when we got it."""
    return Question(
        address=address,
        port=port or None,
        at=seen_at,
        at_exactly=exactly,
        slack=slack_of(parsed.zone_known, parsed.off_by) if exactly else timedelta(0),
        known_by=known_by(received_at),
        names=names_of(parsed),
        accounts=parsed.accounts,
    )


def question_of(complaint: Complaint) -> Question:
    """The question of a stored complaint, with what the reporter told later. Other columns of it are not asked."""
    evidence, told = complaint.evidence, told_of(complaint)
    return Question(
        address=bytes(complaint.address),
        port=told.port or complaint.port or None,
        at=told.at or complaint.seen_at,
        at_exactly=told.at is not None or complaint.seen_exactly,
        slack=stored_slack(complaint, told),
        known_by=known_by(complaint.received_at),
        names=content_names(
            complaint.category,
            evidence.get("reported_uris", ()),
            evidence.get("reported_domains", ()),
            about_mail=bool(complaint.feedback_type or evidence.get("original_mail_from") or evidence.get("received")),
        ),
        accounts=tuple(evidence.get("accounts", ())),
    )


def known_by(received_at: datetime) -> datetime:
    """A mail tells of what has been; the clocks of leases may differ from ours."""
    return received_at + timedelta(seconds=settings.CLOCK_TOLERANCE)


def stored_slack(complaint: Complaint, told: Told) -> timedelta:
    if told.at is None and not complaint.seen_exactly:
        return timedelta(0)  # attribution has a window of its own for that
    if told.at is not None:
        return slack_of(zone_known=True)
    off_by = complaint.evidence.get("off_by", 0)
    return slack_of(not complaint.evidence.get("zone_unknown"), off_by if isinstance(off_by, int) else 0)


def slack_of(zone_known: bool, off_by: int = 0) -> timedelta:
    """off_by: seconds, see ParsedComplaint."""
    tolerance = timedelta(seconds=settings.CLOCK_TOLERANCE) if zone_known else ZONE_UNKNOWN
    return tolerance + timedelta(seconds=off_by)


def told_of(complaint: Complaint) -> Told:
    """What cannot be read is as if it had not been told."""
    found: dict[str, Any] = complaint.evidence.get("told") or {}
    port, at = found.get("port"), found.get("at")
    try:
        when = read_time(at) if isinstance(at, str) else None
    except ValueError:
        when = None
    return Told(port if isinstance(port, int) and 1 <= port <= 65535 else None, when)
