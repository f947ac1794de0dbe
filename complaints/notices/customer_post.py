"""What is special about sending a notice: the link of the customer's page, the case's history and status."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from django.core.mail import EmailMessage
from django.db import transaction
from django.db.models import Count

from complaints.cases.transitions import MACHINE, record
from complaints.models import Case, Notice
from complaints.notices.digest import digest_mail
from complaints.notices.letter import LINK_MARK
from complaints.notices.links import make_link, portal_url
from complaints.notices.mail import ENOUGH, Undeliverable, Waiting, notice_mail
from complaints.notices.next_contact import after_return
from complaints.notices.timing import ALONE, Letter, day_began, may_go, waits_until
from complaints.notices.timing import in_mails as bundles
from complaints.notices.when_due import answered_lately, is_urgent, rules
from complaints.vocabulary import CaseState, CustomerStatus, EventKind

RELATED: tuple[str, ...] = ("case", "link", "brand")
AFTER_CLOSING = frozenset({"solved", "withdrawn"})  # letters that are meant for a closed case
LONGEST_THREAD = 20
EVENTS = {Notice.State.SENT: EventKind.NOTICE_SENT, Notice.State.FAILED: EventKind.NOTICE_FAILED}


def refuse(mail: Notice) -> None:
    state = Case.objects.values_list("state", flat=True).get(pk=mail.case_id)
    if state == CaseState.CLOSED and mail.step not in AFTER_CLOSING:
        raise Undeliverable("not sent: the case was closed before it could go out")
    if mail.link and mail.link.revoked_at:
        raise Undeliverable("not sent: its link was revoked")


def mail_of(mails: Sequence[Notice], *, now: datetime) -> EmailMessage:
    urls = [link_of(each, now=now) for each in mails]
    if len(mails) > 1:
        return digest_mail(mails, urls)
    return notice_mail(mails[0], url=urls[0], thread=thread_of(mails[0]))


def thread_of(notice: Notice) -> list[str]:
    """Letters of the case that went to this address before, also as part of a digest."""
    before = Notice.objects.filter(case=notice.case_id, to_email=notice.to_email, state=Notice.State.SENT)
    sent = before.order_by("-sent_at", "-pk").values_list("message_id", "carried_by__message_id")[:LONGEST_THREAD]
    return list(dict.fromkeys(carrier or own for own, carrier in reversed(sent)))


def in_mails(notices: Sequence[Notice], *, now: datetime) -> tuple[list[list[Notice]], list[Waiting]]:
    """What goes as one mail each, and what has to wait: it is night, or its address got enough today."""
    answered, given = answered_lately({each.case_id for each in notices}, now=now), rules()
    letters = [as_letter(each, answered, now=now) for each in notices]
    sent = sent_today({each.to_email for each in notices}, since=day_began(now, given)) if given.a_day else {}
    going: list[list[Notice]] = []
    waiting: list[Waiting] = []
    known = {each.pk: each for each in notices}
    for mail in bundles(letters):
        count = sent.get(mail[0].to, 0)
        until = waits_until(now, sent_today=count, at_once=mail[0].at_once, rules=given)
        if until is None:
            going.append([known[each.key] for each in mail])
            sent[mail[0].to] = count + 1
        else:
            why = "" if may_go(sent_today=count, at_once=mail[0].at_once, rules=given) else ENOUGH
            waiting += [(known[each.key], until, why) for each in mail]
    return going, waiting


def as_letter(notice: Notice, answered: dict[int, datetime], *, now: datetime) -> Letter:
    urgent = is_urgent(notice.case, notice.step, answered, now=now)
    alone = notice.step in ALONE
    return Letter(
        notice.pk, notice.case_id, notice.to_email.lower(), notice.language,
        brand=notice.brand_id or 0, alone=alone, at_once=urgent,
    )  # fmt: skip


def sent_today(addresses: Iterable[str], *, since: datetime) -> dict[str, int]:
    """Mails by address in lower case; a digest is one."""
    sent = Notice.objects.filter(to_email__in=list(addresses), sent_at__gte=since, carried_by=None)
    counts: dict[str, int] = {}
    for address, count in sent.order_by().values_list("to_email").annotate(count=Count("pk")):
        counts[address.lower()] = counts.get(address.lower(), 0) + count
    return counts


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
