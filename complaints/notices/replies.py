"""Customers who answer our mail by mail: their words go into the case's thread, and a person reads them.

A reply is known by the Message-ID of one of our notices in its In-Reply-To or References (RFC 5322 section 3.6.4), else
by the notice's own envelope sender among its recipients: nobody guesses those. Then by the mark in its subject, from
a contact of the contract; and a case number alone counts only from the address that we wrote to: otherwise anybody
could put words into a stranger's case. What comes from somebody else than a contact is kept apart as a third party's.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.crypto import constant_time_compare, salted_hmac

from complaints.cases.answers import CUSTOMER
from complaints.cases.transitions import StaleCase, move_case, record
from complaints.formats.customer_reply import case_number, marks_in_subject, return_addresses
from complaints.formats.evidence import evidence_of
from complaints.formats.header_text import bare_address
from complaints.formats.mail import Mail
from complaints.models import Case, CaseEvent, Contact, Forward, Message, Notice
from complaints.models.text import storable
from complaints.notices.own_words import MOST_WORDS, words_of
from complaints.notices.verp import notice_of_bounce
from complaints.vocabulary import CaseState, CustomerStatus, EventKind

MESSAGE_ID = re.compile(r"<[^<>\s]{1,400}>")
MOST_IDS = 50
BY_MAIL, THIRD_PARTY = "mail", "third"
MOST_WHOLE = 20_000
MOST_FILES = 50
ENVELOPES = frozenset({Message.Channel.SMTP, Message.Channel.LMTP})
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
    if passed_on := forward_answered(mail):
        put_into_case(passed_on.case.lives_on, {"forward": passed_on.pk}, mail, message, now=now, to=passed_on.to_email)
        return [passed_on.case.lives_on.pk]
    notice = next((found for way in WAYS if (found := way(mail, message))), None)
    if notice is None:
        return []
    told = [notice, *Notice.objects.filter(carried_by=notice).select_related("case")]
    for each in told:
        put_into_case(each.case.lives_on, {"notice": each.pk}, mail, message, now=now, to=each.to_email)
    return sorted({each.case.lives_on.pk for each in told})


def put_into_case(
    case: Case, answered: Mapping[str, int], mail: Mail, message: Message, *, now: datetime, to: str
) -> None:
    """answered: the mail of ours, by its kind. to: whom that was written to."""
    with transaction.atomic():
        if CaseEvent.objects.filter(case=case, kind=EventKind.CUSTOMER_ANSWERED, data__message=message.pk).exists():
            return
        told = {"answer": BY_MAIL, "message": message.pk, **answered} | read(mail, message, case, to=to)
        record(case, EventKind.CUSTOMER_ANSWERED, actor=CUSTOMER, now=now, **told)
        interrupt(case, now=now)


def read(mail: Mail, message: Message, case: Case, *, to: str) -> dict[str, Any]:
    """Their words; all of the text where something was folded away; files by name alone, never opened."""
    words = words_of(mail)
    found: dict[str, Any] = {"text": storable(words, MOST_WORDS), "sender": storable(sender_of(mail), 320)}
    evidence = evidence_of(message.raw)
    whole = next((text.text.strip() for text in evidence.texts if not text.name), "")
    if whole and " ".join(whole.split()) != " ".join(words.split()):
        found["whole"] = storable(whole, MOST_WHOLE)
    if evidence.attachments:
        found["files"] = [
            {"name": storable(each.name, 200), "type": storable(each.content_type, 100), "size": each.size,
             "sha256": each.sha256} for each in evidence.attachments[:MOST_FILES]
        ]  # fmt: skip
    if not is_contact(sender_of(mail), case, to=to):
        found["thread"] = THIRD_PARTY
    return found


def sender_of(mail: Mail) -> str:
    return (bare_address(mail.headers.first("from")) or "").lower()


def is_contact(sender: str, case: Case, *, to: str) -> bool:
    contacts = Contact.objects.filter(contract=case.contract_id, email__iexact=sender)
    return sender == to.lower() or (bool(sender) and contacts.exists())


def ids_answered(mail: Mail) -> list[str]:
    named = f"{mail.headers.first('in-reply-to') or ''} {mail.headers.first('references') or ''}"
    return MESSAGE_ID.findall(named)[-MOST_IDS:]


def forward_answered(mail: Mail) -> Forward | None:
    """A reseller's own desk answers to a complaint that was passed on."""
    ids = ids_answered(mail)
    found = Forward.objects.select_related("case").filter(message_id__in=ids) if ids else Forward.objects.none()
    return found.order_by("-pk").first()


def notice_answered(mail: Mail, message: Message) -> Notice | None:
    ids = ids_answered(mail)
    return Notice.objects.select_related("case").filter(message_id__in=ids).order_by("-pk").first() if ids else None


def notice_of_recipient(mail: Mail, message: Message) -> Notice | None:
    """Their program answered to where our mail came from. A null sender is a bounce in some form of its own."""
    if message.channel in ENVELOPES and not message.envelope_from.strip("<> "):
        return None
    written = [*message.envelope_to.splitlines(), *return_addresses(mail)]
    ids = {found for address in written[:MOST_IDS] if (found := notice_of_bounce(address)) is not None}
    return Notice.objects.select_related("case").filter(pk__in=ids).order_by("-pk").first() if ids else None


def notice_of_mark(mail: Mail, message: Message) -> Notice | None:
    """The last mail of the case whose number and mark stand in the subject; only for a contact of the contract."""
    number, mark = marks_in_subject(mail) or ("", "")
    if not number or not constant_time_compare(mark_of(number), mark):
        return None
    last = Notice.objects.filter(case__in=Case.objects.numbered(number)).select_related("case").order_by("-pk").first()
    return last if last and is_contact(sender_of(mail), last.case, to=last.to_email) else None


def notice_to_sender(mail: Mail, message: Message) -> Notice | None:
    """The last mail we wrote to this sender about the case that they name."""
    number, sender = case_number(mail), sender_of(mail)
    if number is None or not sender:
        return None
    wrote = Notice.objects.filter(case__in=Case.objects.numbered(number), to_email__iexact=sender)
    return wrote.select_related("case").order_by("-pk").first()


WAYS = (notice_answered, notice_of_recipient, notice_of_mark, notice_to_sender)


def subject_mark(number: str) -> str:
    """For the end of a subject: it survives where a program drops References and writes to our plain address."""
    return f"[{number}-{mark_of(number)}]"


def mark_of(number: str) -> str:
    return salted_hmac("complaints.subject", number, algorithm="sha256").hexdigest()[:10]


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
