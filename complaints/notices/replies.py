"""Customers who answer our mail by mail: their words go into the case's thread, and a person reads them.

A reply is known by the Message-ID of one of our notices in its In-Reply-To or References (RFC 5322 section 3.6.4):
nobody guesses those. A case number alone, in the subject, counts only from the address that we wrote to: otherwise
anybody could put words into a stranger's case.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import transaction

from complaints.cases.answers import CUSTOMER
from complaints.cases.transitions import StaleCase, move_case, record
from complaints.formats.customer_reply import case_number
from complaints.formats.header_text import Headers, bare_address
from complaints.formats.mail import Mail
from complaints.models import Case, CaseEvent, Forward, Message, Notice
from complaints.models.text import storable
from complaints.notices.own_words import MOST_WORDS, words_of
from complaints.vocabulary import CaseState, CustomerStatus, EventKind

MESSAGE_ID = re.compile(r"<[^<>\s]{1,400}>")
MOST_IDS = 50
BY_MAIL = "mail"
# While a check proves a fix the machine goes on; the words stand in the history all the same.
INTERRUPTED = frozenset({CaseState.NOTIFIED, CaseState.ESCALATED})


@dataclasses.dataclass(frozen=True, slots=True)
class Replies:
    cases: list[int]  # ids
    strays: list[Message]  # they speak of a case, and we never wrote to their sender about it


def record_replies(messages: Sequence[Message], *, now: datetime) -> Replies:
    """Put each reply into its case, once; the answer to a digest into every case that it told of."""
    found = {message.pk: record_reply(message, now=now) for message in messages}
    cases = sorted({case for cases in found.values() for case in cases})
    return Replies(cases, [message for message in messages if not found[message.pk]])


def record_reply(message: Message, *, now: datetime) -> list[int]:
    """The cases it belongs to; none when it answers none of our mails."""
    mail = Mail(message.raw)
    if passed_on := forward_answered(mail.headers):
        put_into_case(passed_on.case, {"forward": passed_on.pk}, mail, message, now=now)
        return [passed_on.case_id]
    notice = notice_answered(mail.headers) or notice_to_sender(mail)
    if notice is None:
        return []
    told = [notice, *Notice.objects.filter(carried_by=notice).select_related("case")]
    for each in told:
        put_into_case(each.case, {"notice": each.pk}, mail, message, now=now)
    return [each.case_id for each in told]


def put_into_case(case: Case, answered: dict[str, int], mail: Mail, message: Message, *, now: datetime) -> None:
    with transaction.atomic():
        if CaseEvent.objects.filter(case=case, kind=EventKind.CUSTOMER_ANSWERED, data__message=message.pk).exists():
            return
        told = {
            "answer": BY_MAIL,
            "text": storable(words_of(mail), MOST_WORDS),
            "message": message.pk,
            **answered,
        }
        record(case, EventKind.CUSTOMER_ANSWERED, actor=CUSTOMER, now=now, **told)
        interrupt(case, now=now)


def ids_answered(headers: Headers) -> list[str]:
    named = f"{headers.first('in-reply-to') or ''} {headers.first('references') or ''}"
    return MESSAGE_ID.findall(named)[-MOST_IDS:]


def forward_answered(headers: Headers) -> Forward | None:
    ids = ids_answered(headers)
    found = Forward.objects.select_related("case").filter(message_id__in=ids) if ids else Forward.objects.none()
    return found.order_by("-pk").first()


def notice_answered(headers: Headers) -> Notice | None:
    ids = ids_answered(headers)
    return Notice.objects.select_related("case").filter(message_id__in=ids).order_by("-pk").first() if ids else None


def notice_to_sender(mail: Mail) -> Notice | None:
    """The last mail we wrote to this sender about the case that they name."""
    number, sender = case_number(mail), bare_address(mail.headers.first("from"))
    if number is None or sender is None:
        return None
    wrote = Notice.objects.filter(case__in=Case.objects.numbered(number), to_email__iexact=sender)
    return wrote.select_related("case").order_by("-pk").first()


def interrupt(case: Case, *, now: datetime) -> None:
    """It is a person's turn now: a machine must not read between the lines."""
    if case.state not in INTERRUPTED:
        return
    try:
        with transaction.atomic():
            reason = "The customer answered by mail"
            changes: dict[str, Any] = {"customer_status": CustomerStatus.ASKS_HELP}
            move_case(case, CaseState.ANSWERED, actor=CUSTOMER, reason=reason, now=now, **changes)
    except StaleCase:
        return  # it moved meanwhile; the answer stands in the history
