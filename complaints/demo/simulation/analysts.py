"""The people at the desk: what they do in office hours with the cases that stand at their turn.

They know no truth. They see what the desk shows, do what it offers by the desk's own verbs, and are not quick.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from django.db.models import Count

from complaints.cases.corrections import apply_reattribution
from complaints.cases.proposals import groups
from complaints.cases.queue import needs_desk, page_of
from complaints.cases.transitions import StaleCase, move_case
from complaints.desk.telling import NobodyToTell, tell_customer
from complaints.models import Case
from complaints.playbooks.closing import DENIED
from complaints.tasks import advance_cases, wake
from complaints.vocabulary import CaseState, Cause, Resolution

WHO = "analyst"
OFFICE = range(8, 17)  # hours; at weekends nobody is there
EVERY = timedelta(hours=1)
MOST_AN_HOUR = 20
LOOKED_AT = 400  # most of those who wait can be passed over at a glance
PATIENCE = timedelta(days=5)  # with a case that has been escalated, or a customer who is talked to


class Analysts:
    def __init__(self) -> None:
        self.looked_at: datetime | None = None
        self.items = 0  # beside cases: what had to be confirmed

    def work(self, now: datetime) -> None:
        if now.weekday() > 4 or now.hour not in OFFICE or (self.looked_at and now - self.looked_at < EVERY):
            return
        self.looked_at = now
        self.items += correct(now)
        done = 0
        for case in page_of(needs_desk(now), size=LOOKED_AT).cases:
            act = ACTS.get(CaseState(case.state))
            try:
                done += act is not None and act(case, now)
            except (NobodyToTell, StaleCase):
                continue
            if done == MOST_AN_HOUR:
                return


def correct(now: datetime) -> int:
    """Confirm the corrections that an import brought, as the page shows them: how many groups there were."""
    found, _ = groups()
    for group in found:
        corrected = apply_reattribution(group.ids, actor=WHO, now=now)
        wake(advance_cases, corrected.cases)
    return len(found)


def after_triage(case: Case, now: datetime) -> bool:
    """A single voice that proves nothing is waited with, and put away when nobody else speaks; else they are told.
    Where the desk shows that it was nobody's fault, it is put away at once."""
    if case.cause in (Cause.FORWARDED, Cause.FORGED):
        return close(case, Resolution.NOT_ABUSE, "The mail did not begin at this line", now)
    if agree(case) or case.complaint_count > 4:
        return tell(case, now)
    if now - case.last_seen_at > PATIENCE:
        return close(case, Resolution.STALE, "One voice, no sign of a cause, and nothing since", now)
    return False


def agree(case: Case) -> bool:
    """Two people name one address, and one of them shows why, or three do: of many, each may be named by a slip."""
    named = case.complaints.values("address").annotate(voices=Count("reporter", distinct=True))
    enough = 1 if case.complaints.filter(evidence__has_key="received").exists() else 2
    return named.filter(voices__gt=enough).exists()


def after_answer(case: Case, now: datetime) -> bool:
    """Who denies and is not seen again was right; who is seen again is told so; others get help by telephone."""
    waited, disputes = now - case.state_since, case.customer_status in DENIED
    if case.last_seen_at > case.state_since or (waited > timedelta(days=1) and not disputes):
        return tell(case, now)
    if disputes and waited > timedelta(days=2):
        return close(case, Resolution.NOT_ABUSE, "The customer found nothing, and nothing was seen since", now)
    return False


def after_escalation(case: Case, now: datetime) -> bool:
    """Nobody answers: the case rests when nothing is seen any more."""
    if now - case.state_since > PATIENCE and now - case.last_seen_at > PATIENCE:
        return close(case, Resolution.NO_RESPONSE, "No answer, and nothing seen for days", now)
    return False


ACTS: dict[CaseState, Callable[[Case, datetime], bool]] = {
    CaseState.TRIAGE: after_triage,
    CaseState.ANSWERED: after_answer,
    CaseState.ESCALATED: after_escalation,
}


def tell(case: Case, now: datetime) -> bool:
    tell_customer(case, actor=WHO, now=now)
    wake(advance_cases, [case.pk])
    return True


def close(case: Case, resolution: Resolution, reason: str, now: datetime) -> bool:
    move_case(case, CaseState.CLOSED, actor=WHO, reason=reason, resolution=resolution, now=now)
    return True
