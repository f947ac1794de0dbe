"""Envelope senders that name their notice: a bounce says by its recipient which mail did not arrive.

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

from complaints.cases.transitions import MACHINE, record
from complaints.models import Case, Message, Notice
from complaints.notices.letter import one_line
from complaints.vocabulary import CustomerStatus, EventKind

BOUNCE = re.compile(r"bounce\+(\d{1,18})-([0-9a-f]{10})@(.+)", re.IGNORECASE)
MAX_WORDS = 500


def bounce_address(notice_id: int) -> str:
    domain = settings.DESK_EMAIL.rpartition("@")[2]
    return f"bounce+{notice_id}-{signature(notice_id)}@{domain}"


def notice_of_bounce(address: str) -> int | None:
    """The id of the notice that a bounce's recipient names, or None when we never wrote that address."""
    found = BOUNCE.fullmatch(address.strip().strip("<>"))
    if not found:
        return None
    notice_id = int(found[1])
    return notice_id if constant_time_compare(signature(notice_id), found[2].lower()) else None


def signature(notice_id: int) -> str:
    return salted_hmac("complaints.bounce", str(notice_id), algorithm="sha256").hexdigest()[:10]


def record_bounces(messages: Sequence[Message], *, now: datetime) -> list[int]:
    """Notices that came back as undeliverable count as failed, once. Returns the ids of their cases."""
    cases = []
    for message in messages:
        for recipient in message.envelope_to.splitlines():
            notice_id = notice_of_bounce(recipient)
            problem = failure(message_from_bytes(message.raw)) if notice_id else None
            if notice_id and problem:
                cases += record_bounce(notice_id, problem=problem, now=now)
    return sorted(set(cases))


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
