"""Send the mails that were decided. A row is claimed, sent, and marked; whoever finds nothing to claim does nothing.

One way for every kind of mail: what is special about mail to customers and to reporters stands in customer_post.py
and reporter_post.py.

Sent once at most. SMTP cannot say whether a mail went when worker or server die between the end of its content and
the mark on its row: such a mail is not sent again, but shown as one that may have gone, and a person decides. Both
copies would carry the same Message-ID.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from functools import partial
from itertools import chain
from typing import Any, Protocol, TypeVar

from django.core.mail import EmailMessage, get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from complaints.cases.corrections import in_question
from complaints.cases.holds import is_held
from complaints.claims import dead_claims, insist, new_claim
from complaints.models import Forward, Hold, Notice, ReporterMail
from complaints.models.outgoing import OutgoingMail
from complaints.notices import customer_post, forward_post, reporter_post
from complaints.notices.mail import OUTAGE, Refused, Undeliverable, Unsure, describe, send

M = TypeVar("M", bound=OutgoingMail)
State = OutgoingMail.State
STALE_CLAIM = timedelta(minutes=10)
# Together a little less than 24 hours; then a human must look.
PAUSES = [timedelta(minutes=minutes) for minutes in (1, 5, 15, 60, 120, 240, 480, 480)]


class Post(Protocol):
    """A module for one kind of mail."""

    RELATED: tuple[str, ...]  # rows that are read with each mail

    def refuse(self, mail: Any) -> None:
        """Raises Undeliverable when the letter would be wrong by now."""

    def in_mails(
        self, mails: Sequence[Any], *, now: datetime
    ) -> tuple[list[list[Any]], Sequence[tuple[Any, datetime, str]]]:
        """Groups that go as one mail each, and those that have to wait: until when, and why."""

    def mail_of(self, mails: Sequence[Any], *, now: datetime) -> EmailMessage:
        """Of a group; it goes in the name of the first."""

    def finish(self, mail: Any, *, now: datetime, refused: str | None = None) -> None:
        """Sent or failed, and the row says so: what else must be written in the same transaction.

        refused: the code with which the recipient's server refused the address; "" where it gave none.
        """


POSTS: dict[type[OutgoingMail], Post] = {Notice: customer_post, ReporterMail: reporter_post, Forward: forward_post}


def deliver_due(
    ids: Iterable[int] | None = None,
    *,
    model: type[OutgoingMail] = Notice,
    now: datetime | None = None,
    limit: int = 100,
) -> int:
    """Claim what is due (of `ids`, or of all) and send it over one connection. Returns how many were claimed."""
    started = timezone.now()
    now = now or started
    mails = claim_due(ids, model=model, now=now, limit=limit)
    connection = get_connection()
    try:
        groups = sort_out(mails, now=now)
        for index, group in enumerate(groups):
            moment = now + timedelta(seconds=(timezone.now() - started) // timedelta(seconds=1))
            if is_held(Hold.What.MAIL):  # somebody pressed the switch while we were sending
                give_back(chain(*groups[index:]))
                break
            try:
                connection.open()
            except OUTAGE as exc:  # no server: the rest need not wait for the same time-out one by one
                postpone_all(chain(*groups[index:]), problem=describe(exc), now=moment)
                break
            deliver(*group, now=moment, connection=connection)
    finally:
        connection.close()
    return len(mails)


def sort_out(mails: list[Any], *, now: datetime) -> list[list[Any]]:
    """Groups of claimed mails that go as one; what has to wait is given back."""
    if not mails:
        return []
    going, waiting = POSTS[type(mails[0])].in_mails(mails, now=now)
    for mail, until, why in waiting:
        mine(mail).update(state=State.QUEUED, claim="", due_at=until, problem=why)
    return going


def claim_due(
    ids: Iterable[int] | None, *, model: type[OutgoingMail] = Notice, now: datetime, limit: int = 100
) -> list[Any]:
    """Mails that are this worker's alone, none while all mail is held. What a dead worker held is due again after
    STALE_CLAIM.
    """
    if is_held(Hold.What.MAIL):
        return []
    free = Q(state=State.QUEUED) | Q(state=State.SENDING, handed_at=None, claimed_at__lte=now - STALE_CLAIM)
    due = all_of(model).filter(free, due_at__lte=now)
    if model is not ReporterMail:  # what is in question waits: perhaps the mail would reach the wrong customer
        in_doubt: QuerySet[Any] = all_of(model)
        due = due.exclude(pk__in=in_doubt.filter(case__in=in_question()).values("pk"))
    due_notices = due
    if ids is not None:
        due = due.filter(pk__in=list(ids))
    wanted = list(due.order_by("due_at", "pk").values_list("pk", flat=True)[:limit])
    if not wanted:
        return []
    if model is Notice:  # what waits for the same people goes along, as a digest
        addresses = due_notices.filter(pk__in=wanted).values("to_email")
        wanted += due_notices.filter(to_email__in=addresses).values_list("pk", flat=True)[:limit]
    claim = new_claim()
    # The conditions stand in the UPDATE again: of two workers that chose the same row, one changes it.
    all_of(model).filter(free, pk__in=wanted).update(state=State.SENDING, claim=claim, claimed_at=now)
    return list(all_of(model).filter(claim=claim).select_related(*POSTS[model].RELATED).order_by("due_at", "pk"))


def all_of(model: type[M]) -> QuerySet[M]:
    return model._default_manager.all()


def due_mails(model: type[OutgoingMail], now: datetime, *, limit: int) -> list[int]:
    """Ids of what waits to be sent, the oldest first; none while all mail is held."""
    if is_held(Hold.What.MAIL):
        return []
    held = all_of(model).filter(state__in=[State.QUEUED, State.SENDING], due_at__lte=now)
    return list(held.order_by("due_at").values_list("pk", flat=True)[:limit])


def release_dead(*, now: datetime | None = None) -> None:
    """Queue again what a worker that died had not begun to send; what it was sending is in doubt.

    A worker that lives elsewhere counts as dead when its claim is stale.
    """
    now = now or timezone.now()
    for model in POSTS:
        held = all_of(model).filter(state=State.SENDING)
        dead = dead_claims(held.order_by().values_list("claim", flat=True).distinct())
        if dead:
            held.filter(claim__in=dead, handed_at=None).update(state=State.QUEUED, claim="")
        gone = Q(claim__in=dead) | Q(claimed_at__lte=now - STALE_CLAIM)
        for mail in held.filter(gone).exclude(handed_at=None).select_related(*POSTS[model].RELATED):
            finish(mail, State.FAILED, now=now, problem=str(Unsure("its worker died while handing it over")))


def deliver(*group: Any, now: datetime, connection: BaseEmailBackend | None = None) -> None:
    """Send claimed mails as one and write what came of it on each: sent, later again, or failed."""
    mails = [mail for mail in group if hold(mail, now=now) and is_right(mail, now=now)]
    if not mails:
        return
    if len(mails) > 1 or getattr(mails[0], "carried_by_id", None):
        carry(mails)
    try:
        send(POSTS[type(mails[0])].mail_of(mails, now=now), connection or get_connection())
    except Undeliverable as exc:
        refused = exc.status if isinstance(exc, Refused) else None
        for mail in mails:
            finish(mail, State.FAILED, now=now, problem=str(exc), refused=refused)
    except OUTAGE as exc:
        if connection:
            connection.close()  # it may be half dead; the next mail opens a new one
        for mail in mails:
            postpone(mail, problem=describe(exc), now=now)
    else:
        for mail in mails:  # insists: a mail that went and is not marked would be in doubt
            insist(partial(finish, mail, State.SENT, now=now, problem="", sent_at=now))


def is_right(mail: OutgoingMail, *, now: datetime) -> bool:
    """Whether it may still go; if not, it says why."""
    try:
        if mail.tries > len(PAUSES) + 1:  # it has failed so often that no answer is recorded
            raise Undeliverable(f"given up after {mail.tries - 1} tries: {mail.problem or 'each one broke off'}")
        POSTS[type(mail)].refuse(mail)
    except Undeliverable as exc:
        finish(mail, State.FAILED, now=now, problem=str(exc))
        return False
    return True


def carry(notices: Sequence[Notice]) -> None:
    """The first carries the others: written before they go, so that a bounce finds them all."""
    first, *others = notices
    mine(first).update(carried_by=None)
    for each in others:
        mine(each).update(carried_by=first)


def mine(mail: OutgoingMail) -> QuerySet[Any]:
    """The row, as long as this worker's claim holds it."""
    return all_of(type(mail)).filter(pk=mail.pk, state=State.SENDING, claim=mail.claim).exclude(claim="")


def hold(mail: OutgoingMail, *, now: datetime) -> bool:
    """Renew the claim just before sending; False when it grew stale meanwhile and another worker has the mail."""
    held = bool(mine(mail).update(claimed_at=now, handed_at=now, tries=F("tries") + 1))
    mail.tries += held
    return held


def give_back(mails: Iterable[OutgoingMail]) -> None:
    """Unsent, untried, as if they had never been claimed."""
    for mail in mails:
        mine(mail).update(state=State.QUEUED, claim="", handed_at=None)


def postpone_all(mails: Iterable[OutgoingMail], *, problem: str, now: datetime) -> None:
    for mail in mails:
        if hold(mail, now=now):
            postpone(mail, problem=problem, now=now)


def postpone(mail: OutgoingMail, *, problem: str, now: datetime) -> None:
    if mail.tries > len(PAUSES):
        finish(mail, State.FAILED, problem=f"given up after {mail.tries} tries: {problem}", now=now)
        return
    later = now + PAUSES[mail.tries - 1]
    mine(mail).update(state=State.QUEUED, claim="", handed_at=None, problem=problem, due_at=later)


def finish(
    mail: OutgoingMail, state: str, *, now: datetime, problem: str, refused: str | None = None, **columns: datetime
) -> None:
    """The row and what follows from it, together and once."""
    with transaction.atomic():
        if not mine(mail).update(state=state, claim="", problem=problem, **columns):
            return
        mail.state, mail.problem = state, problem
        POSTS[type(mail)].finish(mail, now=now, refused=refused)
