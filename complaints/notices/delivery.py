"""Send the mails that were decided. A row is claimed, sent, and marked; whoever finds nothing to claim does nothing.

Sent once, with one exception that SMTP cannot remove: a worker that dies after the server said "250" and before
the row is marked leaves a mail that is sent again once its claim is stale. Both copies carry the same Message-ID.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from datetime import datetime, timedelta

from django.core.mail import get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from complaints.cases.transitions import MACHINE, record
from complaints.claims import dead_claims, insist, new_claim
from complaints.models import Case, Notice
from complaints.notices.links import make_link, portal_url
from complaints.notices.mail import OUTAGE, Undeliverable, describe, mail_of, send
from complaints.vocabulary import CaseState, CustomerStatus, EventKind

STALE_CLAIM = timedelta(minutes=10)
# Together a little less than 24 hours; then a human must look.
PAUSES = [timedelta(minutes=minutes) for minutes in (1, 5, 15, 60, 120, 240, 480, 480)]
AFTER_CLOSING = frozenset({"solved"})  # letters that are meant for a closed case


def deliver_due(ids: Iterable[int] | None = None, *, now: datetime | None = None, limit: int = 100) -> int:
    """Claim what is due (of `ids`, or of all) and send it over one connection. Returns how many were claimed."""
    now, started = now or timezone.now(), time.monotonic()
    notices = claim_due(ids, now=now, limit=limit)
    connection = get_connection()
    try:
        for index, notice in enumerate(notices):
            moment = now + timedelta(seconds=int(time.monotonic() - started))
            try:
                connection.open()
            except OUTAGE as exc:  # no server: the rest need not wait for the same time-out one by one
                postpone_all(notices[index:], problem=describe(exc), now=moment)
                break
            deliver(notice, now=moment, connection=connection)
    finally:
        connection.close()
    return len(notices)


def claim_due(ids: Iterable[int] | None, *, now: datetime, limit: int = 100) -> list[Notice]:
    """Notices that are this worker's alone. What a dead worker held is due again after STALE_CLAIM."""
    free = Q(state=Notice.State.QUEUED) | Q(state=Notice.State.SENDING, claimed_at__lte=now - STALE_CLAIM)
    due = Notice.objects.filter(free, due_at__lte=now)
    if ids is not None:
        due = due.filter(pk__in=list(ids))
    wanted = list(due.order_by("due_at", "pk").values_list("pk", flat=True)[:limit])
    if not wanted:
        return []
    claim = new_claim()
    # The conditions stand in the UPDATE again: of two workers that chose the same row, one changes it.
    Notice.objects.filter(free, pk__in=wanted).update(state=Notice.State.SENDING, claim=claim, claimed_at=now)
    return list(Notice.objects.filter(claim=claim).select_related("case", "link").order_by("due_at", "pk"))


def release_dead() -> None:
    """Queue again what a worker that died was sending."""
    held = Notice.objects.filter(state=Notice.State.SENDING)
    dead = dead_claims(held.order_by().values_list("claim", flat=True).distinct())
    if dead:
        held.filter(claim__in=dead).update(state=Notice.State.QUEUED)


def deliver(notice: Notice, *, now: datetime, connection: BaseEmailBackend | None = None) -> None:
    """Send one claimed notice and write what came of it: sent, later again, or failed."""
    if not hold(notice, now=now):
        return
    try:
        refuse_what_must_not_go(notice)
        send(mail_of(notice, url=link_of(notice, now=now)), connection or get_connection())
    except Undeliverable as exc:
        give_up(notice, problem=str(exc), now=now)
    except OUTAGE as exc:
        if connection:
            connection.close()  # it may be half dead; the next mail opens a new one
        postpone(notice, problem=describe(exc), now=now)
    else:
        mark_sent(notice, now=now)


def hold(notice: Notice, *, now: datetime) -> bool:
    """Renew the claim just before sending; False when it grew stale meanwhile and another worker has the mail."""
    mine = Notice.objects.filter(pk=notice.pk, state=Notice.State.SENDING, claim=notice.claim).exclude(claim="")
    held = bool(mine.update(claimed_at=now, tries=F("tries") + 1))
    notice.tries += held
    return held


def refuse_what_must_not_go(notice: Notice) -> None:
    """Raises Undeliverable when the letter would be wrong by now, or has failed so often that no answer is recorded."""
    if notice.tries > len(PAUSES) + 1:
        raise Undeliverable(f"given up after {notice.tries - 1} tries: {notice.problem or 'each one broke off'}")
    state = Case.objects.values_list("state", flat=True).get(pk=notice.case_id)
    if state == CaseState.CLOSED and notice.step not in AFTER_CLOSING:
        raise Undeliverable("not sent: the case was closed before it could go out")
    if notice.link and notice.link.revoked_at:
        raise Undeliverable("not sent: its link was revoked")


def link_of(notice: Notice, *, now: datetime) -> str:
    """The address of the page. A link that the present secret key cannot make any more is replaced."""
    url = notice.link and portal_url(notice.link)
    if url:
        return url
    with transaction.atomic():
        notice.link = make_link(notice.case, now=now)
        notice.save(update_fields=["link"])
    fresh = portal_url(notice.link)
    assert fresh is not None, "a link made this moment has its token"
    return fresh


def postpone_all(notices: Iterable[Notice], *, problem: str, now: datetime) -> None:
    for notice in notices:
        if hold(notice, now=now):
            postpone(notice, problem=problem, now=now)


def postpone(notice: Notice, *, problem: str, now: datetime) -> None:
    if notice.tries > len(PAUSES):
        give_up(notice, problem=f"given up after {notice.tries} tries: {problem}", now=now)
        return
    Notice.objects.filter(pk=notice.pk, claim=notice.claim).update(
        state=Notice.State.QUEUED, claim="", problem=problem, due_at=now + PAUSES[notice.tries - 1]
    )


def give_up(notice: Notice, *, problem: str, now: datetime) -> None:
    finish(notice, Notice.State.FAILED, EventKind.NOTICE_FAILED, now=now, problem=problem)


def mark_sent(notice: Notice, *, now: datetime) -> None:
    """Insists: a mail that went and is not marked would go a second time."""
    insist(lambda: write_sent(notice, now=now))


def write_sent(notice: Notice, *, now: datetime) -> None:
    with transaction.atomic():
        finish(notice, Notice.State.SENT, EventKind.NOTICE_SENT, now=now, problem="", sent_at=now)
        Case.objects.filter(pk=notice.case_id, customer_status=CustomerStatus.NONE).update(
            customer_status=CustomerStatus.NOTIFIED
        )


def finish(notice: Notice, state: str, kind: EventKind, *, now: datetime, problem: str, **columns: datetime) -> None:
    """The row and its line in the history, together and once."""
    with transaction.atomic():
        open_row = Notice.objects.filter(pk=notice.pk, state=Notice.State.SENDING, claim=notice.claim)
        if not open_row.update(state=state, claim="", problem=problem, **columns):
            return
        data = {"problem": problem} if problem else {}
        record(
            notice.case, kind, actor=MACHINE, now=now,
            notice=notice.pk, step=notice.step, occurrence=notice.occurrence, to=notice.to_email, **data,
        )  # fmt: skip
    notice.state, notice.problem = state, problem
