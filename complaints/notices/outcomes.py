"""Tell reporters who want to hear it what became of their report: passed on, fixed, too old, or closed.

Nothing rings when a case moves: what is owed is a row (OwedOutcome), and the sweep looks at each now and then. So it
holds whoever moved the case, and however complaints were moved between cases meanwhile.
"""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from complaints.cases.transitions import MACHINE
from complaints.models import Complaint, OwedOutcome, Reporter, ReporterMail
from complaints.notices.acknowledging import facts_of_report
from complaints.notices.reporter_mail import NoAnswer, answerable, next_slot, queue_reporter_mail
from complaints.vocabulary import CaseState, CustomerStatus, Resolution

Kind = ReporterMail.Kind
LOOK_AGAIN = timedelta(minutes=15)
PATIENCE = timedelta(days=180)
OUTCOMES = {frozenset({Resolution.FIXED_VERIFIED}): Kind.FIXED, frozenset({Resolution.STALE}): Kind.TOO_OLD}


@dataclasses.dataclass(frozen=True, slots=True)
class Fate:
    """How a case stands that complaints of the mail are filed in. resolution: empty while it is open."""

    resolution: str
    is_told: bool


def outcome_of(fates: Iterable[Fate]) -> Kind | None:
    """What can be said of a report by now. Its worst part decides: "fixed" is said when all of it is. Pure."""
    known = set(fates)
    if not known:
        return None
    still_open = {fate for fate in known if not fate.resolution}
    if still_open:
        return Kind.FORWARDED if all(fate.is_told for fate in still_open) else None
    return OUTCOMES.get(frozenset(Resolution(fate.resolution) for fate in known), Kind.CLOSED)


def tell_outcomes(*, now: datetime, limit: int = 200) -> list[int]:
    """Look at what is owed and due; ids of the mails that were decided. Safe to repeat and to run twice at once."""
    due = OwedOutcome.objects.filter(ended_at=None, due_at__lte=now).select_related("reporter").order_by("due_at")
    owed = list(due[:limit])
    complaints = complaints_of(owed)
    written = [settle(each, complaints[each.message_id], now=now) for each in owed]
    return [mail.pk for mail in written if mail and mail.state == ReporterMail.State.QUEUED]


def complaints_of(owed: Sequence[OwedOutcome]) -> dict[int, list[Complaint]]:
    """Those that are filed in a case, by message: of the others nothing can be told."""
    filed = Complaint.objects.filter(message__in=[each.message_id for each in owed], case__isnull=False)
    found: dict[int, list[Complaint]] = defaultdict(list)
    for complaint in filed.select_related("case").order_by("pk"):
        found[complaint.message_id].append(complaint)
    return found


def settle(owed: OwedOutcome, complaints: Sequence[Complaint], *, now: datetime) -> ReporterMail | None:
    """One mail at most; what a limit forbids today is looked at tomorrow."""
    mine = [each for each in complaints if each.reporter_id == owed.reporter_id]
    kind = outcome_of(fate_of(each) for each in mine)
    if owed.reporter.wants != Reporter.Wants.OUTCOME:
        end(owed, "its reporter does not want to hear the outcome any more", now=now)
    elif kind is None or (kind is Kind.FORWARDED and was_told(owed, kind)):
        look_again(owed, at=now + LOOK_AGAIN, now=now)
    else:
        return tell(owed, kind, mine, now=now)
    return None


def tell(owed: OwedOutcome, kind: Kind, complaints: Sequence[Complaint], *, now: datetime) -> ReporterMail | None:
    try:
        about = answerable(owed.message, owed.reporter, format=complaints[0].format, by=MACHINE)
    except NoAnswer as exc:
        end(owed, str(exc), now=now)
        return None
    if not was_told(owed, kind) and next_slot(about, now=now)[1]:
        tomorrow = (now + timedelta(days=1)).replace(hour=0, minute=10)
        look_again(owed, at=tomorrow, now=now)
        return None
    mail = queue_reporter_mail(about, kind, facts=facts_of_report(complaints), now=now)  # a repeat finds the first one
    if kind is Kind.FORWARDED:
        look_again(owed, at=now + LOOK_AGAIN, now=now)
    else:
        end(owed, "", now=now)
    return mail


def fate_of(complaint: Complaint) -> Fate:
    case = complaint.case
    assert case is not None, "only filed complaints have a fate"
    is_closed = case.state == CaseState.CLOSED
    return Fate(case.resolution if is_closed else "", case.customer_status != CustomerStatus.NONE)


def was_told(owed: OwedOutcome, kind: Kind) -> bool:
    return ReporterMail.objects.filter(incoming=owed.message_id, kind=kind).exists()


def look_again(owed: OwedOutcome, *, at: datetime, now: datetime) -> None:
    if now - owed.since > PATIENCE:
        end(owed, "nothing came of it within half a year", now=now)
    else:
        OwedOutcome.objects.filter(pk=owed.pk, ended_at=None).update(due_at=at)


def end(owed: OwedOutcome, remark: str, *, now: datetime) -> None:
    OwedOutcome.objects.filter(pk=owed.pk, ended_at=None).update(ended_at=now, remark=remark[:200])
