"""What a person reads where no format could: complaints filed by hand, mails put aside, calls and letters written down.

The mail stays as it came; its Reading says who decided, and the complaints go the way of all others: attributed, filed,
in a case. The same said twice is filed once.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid

from django.conf import settings
from django.db import transaction
from django.db.models import F

from complaints.cases.filing import Filed, file_complaints
from complaints.claims import new_claim
from complaints.formats import read_message
from complaints.intake import Arrival, store_messages
from complaints.models import Message, Reading
from complaints.models.text import storable
from complaints.notices.mail_loops import READ_BY_HAND
from complaints.pipeline import accuse, believed_server
from complaints.vocabulary import Disposition, ParsedComplaint, ParsedMessage
from complaints.waiting import claim_waiting

FORMAT = READ_BY_HAND
ASIDE = "Put aside by "
State = Reading.State


def file_by_hand(message: Message, complaints: Sequence[ParsedComplaint], *, by: str, now: datetime) -> Filed:
    """Attribute and file what a person has read from this mail. Safe to repeat."""
    vouched = read_message(message.raw, authserv_id=believed_server(message)).authenticated
    parsed = ParsedMessage(
        format=FORMAT, disposition=Disposition.COMPLAINT, complaints=tuple(complaints), authenticated=vouched
    )
    accusations = accuse([(message, parsed)])  # outside the transaction: it may ask a service far away
    with transaction.atomic():
        filed = file_complaints(accusations, now=now)
        Reading.objects.filter(pk=message.pk).update(
            state=State.READ,
            format=FORMAT,
            disposition=Disposition.COMPLAINT.value,
            problem=f"Read by {by}",
            claim="",
            claimed_at=None,
            complaint_count=F("complaint_count") + filed.complaints,
            read_at=now,
        )
    return filed


def put_aside(message: Message, *, why: str, by: str, now: datetime) -> bool:
    """No complaint, a person says. False when it is not unread any more."""
    parked = Reading.objects.filter(pk=message.pk, state=State.UNREAD)
    problem = storable(f"{ASIDE}{by}: {why}" if why else f"{ASIDE}{by}", 2000)
    return bool(parked.update(state=State.READ, disposition=Disposition.OTHER.value, problem=problem, read_at=now))


def take_back(message: Message, *, by: str, now: datetime) -> bool:
    """Undo `put_aside`: it is unread again."""
    aside = Reading.objects.filter(pk=message.pk, state=State.READ, problem__startswith=ASIDE)
    problem = f"Was put aside, and {by} took it back"
    return bool(
        aside.update(state=State.UNREAD, disposition=Disposition.UNREADABLE.value, problem=problem, read_at=now)
    )


def write_down(
    *, how: str, reporter: str, words: str, complaints: Sequence[ParsedComplaint], by: str, now: datetime
) -> tuple[Message, Filed]:
    """A call or a letter becomes a Message of our own words, and its complaints are filed.

    Raises StorageUnavailable.
    """
    raw = as_mail(how=how, reporter=reporter, words=words, by=by, now=now)
    (stored,) = store_messages([Arrival(raw, Message.Channel.DESK.value, peer=by)], now=now)
    claim_waiting([stored.message_id], claim=new_claim(), now=now)  # nobody else shall read it meanwhile
    message = Message.objects.get(pk=stored.message_id)
    return message, file_by_hand(message, complaints, by=by, now=now)


def as_mail(*, how: str, reporter: str, words: str, by: str, now: datetime) -> bytes:
    mail = EmailMessage()
    mail["From"] = reporter or settings.DESK_EMAIL
    mail["To"] = settings.DESK_EMAIL
    mail["Subject"] = f"Complaint by {how}, written down by {by}"
    mail["Date"] = format_datetime(now)
    mail["Message-ID"] = make_msgid(domain=settings.DESK_EMAIL.rpartition("@")[2] or "desk.invalid")
    mail["Auto-Submitted"] = "no"
    mail.set_content(words or "(no words)")
    return mail.as_bytes()


def paste(raw: bytes, *, by: str, now: datetime) -> int:
    """A mail as text, or what a page shows of it: stored as it is; the id of its message. Raises StorageUnavailable."""
    (stored,) = store_messages([Arrival(raw, Message.Channel.DESK.value, peer=by)], now=now)
    return stored.message_id
