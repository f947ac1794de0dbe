"""The read log: who read whose data, beyond the case they were working on. Written once, kept for a while.

And what logging in leaves behind: sessions that have ended.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session

from complaints.models import AccessLog, SharedCount

PORTION = 5000  # rows deleted by one statement


def record_read(
    who: str, what: AccessLog.What, about: str, *, now: datetime, case: str = "", came_from: str = ""
) -> AccessLog:
    """One row, one insert. about: whose; it is cut, never refused: a read that cannot be described is one as well."""
    return AccessLog.objects.create(
        at=now, who=who[:150], what=what, about=about[:200], case=case[:20], came_from=came_from[:45]
    )


def forget_reads(*, now: datetime, days: int) -> int:
    """Delete what is older than `days`, portion by portion; how many rows."""
    old, gone = AccessLog.objects.filter(at__lt=now - timedelta(days=days)), 0
    while ids := list(old.values_list("pk", flat=True)[:PORTION]):
        gone += AccessLog.objects.filter(pk__in=ids).delete()[0]
    return gone


def forget_sessions(*, now: datetime) -> int:
    """Delete sessions that have run out, what is shown of them, and counts of refused log-ins; how many sessions."""
    SharedCount.objects.filter(expires__lt=now).delete()
    gone = Session.objects.filter(expire_date__lt=now).delete()[0]
    UserSession.objects.exclude(session_key__in=Session.objects.values("session_key")).delete()
    return gone
