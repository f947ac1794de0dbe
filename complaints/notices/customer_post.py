"""What is special about sending a notice: the link of the customer's page, the case's history and status."""

from __future__ import annotations

from datetime import datetime

from django.core.mail import EmailMessage
from django.db import transaction

from complaints.cases.transitions import MACHINE, record
from complaints.models import Case, Notice
from complaints.notices.letter import LINK_MARK
from complaints.notices.links import make_link, portal_url
from complaints.notices.mail import Undeliverable, notice_mail
from complaints.notices.next_contact import after_return
from complaints.vocabulary import CaseState, CustomerStatus, EventKind

RELATED: tuple[str, ...] = ("case", "link")
AFTER_CLOSING = frozenset({"solved", "withdrawn"})  # letters that are meant for a closed case
EVENTS = {Notice.State.SENT: EventKind.NOTICE_SENT, Notice.State.FAILED: EventKind.NOTICE_FAILED}


def refuse(mail: Notice) -> None:
    state = Case.objects.values_list("state", flat=True).get(pk=mail.case_id)
    if state == CaseState.CLOSED and mail.step not in AFTER_CLOSING:
        raise Undeliverable("not sent: the case was closed before it could go out")
    if mail.link and mail.link.revoked_at:
        raise Undeliverable("not sent: its link was revoked")


def mail_of(mail: Notice, *, now: datetime) -> EmailMessage:
    return notice_mail(mail, url=link_of(mail, now=now))


def link_of(notice: Notice, *, now: datetime) -> str:
    """The address of the page. A link that the present secret key cannot make any more is replaced."""
    if LINK_MARK not in notice.text:
        return ""  # a letter without a button leads nowhere
    url = notice.link and portal_url(notice.link)
    if url:
        return url
    with transaction.atomic():
        notice.link = make_link(notice.case, now=now)
        notice.save(update_fields=["link"])
    fresh = portal_url(notice.link)
    assert fresh is not None, "a link made this moment has its token"
    return fresh


def finish(mail: Notice, *, now: datetime, refused: str | None = None) -> None:
    data = {"problem": mail.problem} if mail.problem else {}
    record(
        mail.case, EVENTS[Notice.State(mail.state)], actor=MACHINE, now=now,
        notice=mail.pk, step=mail.step, occurrence=mail.occurrence, to=mail.to_email, **data,
    )  # fmt: skip
    if mail.state == Notice.State.SENT:
        Case.objects.filter(pk=mail.case_id, customer_status=CustomerStatus.NONE).update(
            customer_status=CustomerStatus.NOTIFIED
        )
        return
    Case.objects.active().filter(pk=mail.case_id).update(due_at=now)  # a customer who was not told is somebody's turn
    if refused is not None:
        after_return(mail, problem=mail.problem, status=refused, now=now)
