"""Envelope senders that name their mail: a bounce says by its recipient which notice, or which mail to a reporter
(bounce+r…), did not arrive.

The short HMAC keeps strangers from declaring mails undelivered by counting numbers.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from email import message_from_bytes
from email.message import Message as Mail

from django.conf import settings
from django.db import transaction
from django.utils.crypto import constant_time_compare, salted_hmac

from complaints.attribution.contacts import note_bounced
from complaints.cases.transitions import MACHINE, record
from complaints.models import Case, Message, Notice, ReporterMail
from complaints.notices.letter import one_line
from complaints.notices.reporter_mail import stop_waiting
from complaints.vocabulary import CustomerStatus, EventKind

BOUNCE = re.compile(r"bounce\+(r?\d{1,18})-([0-9a-f]{10})@(.+)", re.IGNORECASE)
MAX_WORDS = 500
TO_REPORTER = "r"


def bounce_address(notice_id: int) -> str:
    return address_of(str(notice_id))


def reporter_bounce_address(mail_id: int) -> str:
    return address_of(f"{TO_REPORTER}{mail_id}")


def address_of(name: str) -> str:
    domain = settings.DESK_EMAIL.rpartition("@")[2]
    return f"bounce+{name}-{signature(name)}@{domain}"


def notice_of_bounce(address: str) -> int | None:
    """The id of the notice that a bounce's recipient names, or None when we never wrote that address."""
    name = mail_of_bounce(address)
    return int(name) if name and name.isdecimal() else None


def mail_of_bounce(address: str) -> str | None:
    """What address_of was given, "12" or "r12"; None when we never made this address."""
    found = BOUNCE.fullmatch(address.strip().strip("<>"))
    if not found:
        return None
    name = found[1].lower()
    return name if constant_time_compare(signature(name), found[2].lower()) else None


def signature(name: str) -> str:
    return salted_hmac("complaints.bounce", name, algorithm="sha256").hexdigest()[:10]


def record_bounces(messages: Sequence[Message], *, now: datetime) -> list[int]:
    """Mails that came back as undeliverable count as failed, once. Returns the ids of the notices' cases."""
    cases = []
    for message in messages:
        for recipient in message.envelope_to.splitlines():
            name = mail_of_bounce(recipient)
            problem = failure(message_from_bytes(message.raw)) if name else None
            if name and problem and name.startswith(TO_REPORTER):
                record_reporter_bounce(int(name.removeprefix(TO_REPORTER)), problem=problem, now=now)
            elif name and problem:
                cases += record_bounce(int(name), problem=problem, now=now)
    return sorted(set(cases))


def record_reporter_bounce(mail_id: int, *, problem: str, now: datetime) -> None:
    mail = ReporterMail.objects.filter(pk=mail_id, state=ReporterMail.State.SENT).first()
    if mail is None:
        return
    with transaction.atomic():
        sent = ReporterMail.objects.filter(pk=mail_id, state=ReporterMail.State.SENT)
        if sent.update(state=ReporterMail.State.FAILED, problem=f"came back: {problem}"):
            stop_waiting(mail, now=now)


def record_bounce(notice_id: int, *, problem: str, now: datetime) -> list[int]:
    notice = Notice.objects.select_related("case").filter(pk=notice_id).first()
    if notice is None:
        return []
    with transaction.atomic():
        sent = Notice.objects.filter(pk=notice_id, state=Notice.State.SENT)
        if not sent.update(state=Notice.State.FAILED, problem=f"came back: {problem}"):
            return []
        record(
            notice.case, EventKind.NOTICE_FAILED, actor=MACHINE, now=now,
            notice=notice.pk, step=notice.step, occurrence=notice.occurrence, to=notice.to_email,
            problem=f"came back: {problem}",
        )  # fmt: skip
        note_bounced(notice.to_email, reason=problem, now=now)
        if not notice.case.notices.filter(state=Notice.State.SENT).exists():  # then nobody has been told
            Case.objects.filter(pk=notice.case_id, customer_status=CustomerStatus.NOTIFIED).update(
                customer_status=CustomerStatus.NONE
            )
    return [notice.case_id]


def failure(mail: Mail) -> str | None:
    """Why a delivery status notification (RFC 3464) says it failed for good; None for delays and everything else."""
    for part in mail.walk():
        if part.get_content_type() != "message/delivery-status":
            continue
        for fields in part.walk():
            if str(fields.get("Action", "")).strip().lower() == "failed":
                said = fields.get("Diagnostic-Code") or fields.get("Status") or "no reason given"
                return one_line(str(said))[:MAX_WORDS]
    return None
