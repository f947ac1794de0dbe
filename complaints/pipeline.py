"""Read this first: a stored message → parsed → attributed → filed. Batches are the normal shape.

Each message is claimed by its Reading row, read without the database, and everything it leads to is
written in one transaction. A batch that fails is halved until the poisoned message stands alone; that
one is parked as "unread" with its problem, and the others go on.
"""

from __future__ import annotations

import dataclasses
import logging
import traceback
from collections.abc import Sequence
from datetime import datetime

from django.conf import settings
from django.db import InterfaceError, OperationalError, transaction
from django.utils import timezone

from complaints.addresses import NO_ADDRESS, address_key
from complaints.attribution import attribute
from complaints.attribution.networks import OwnNetworks
from complaints.cases.accusations import Accusation, Identity, has_come, identity_of, tells_when
from complaints.cases.filing import file_complaints
from complaints.cases.floods import let_through
from complaints.cases.questions import question_about
from complaints.checking import is_for_probes, record_arrivals
from complaints.claims import insist, new_claim
from complaints.formats import read_message
from complaints.models import Case, Message, Reading
from complaints.models.bulk import update_rows
from complaints.models.text import storable
from complaints.notices.answering import answer_by_machine
from complaints.notices.bounces import record_bounces
from complaints.notices.mail_loops import WRITTEN_BY_HAND
from complaints.notices.replies import record_replies
from complaints.notices.reporter_answers import ask_about, record_answers
from complaints.teaching import taught_rules
from complaints.vocabulary import Disposition, ParsedComplaint, ParsedMessage
from complaints.waiting import BATCH, claim_waiting, free

log = logging.getLogger(__name__)
Read = tuple[Message, ParsedMessage]


class LostClaim(Exception):
    """The claim ran out while we worked and another worker has the messages: ours is undone."""


@dataclasses.dataclass(slots=True)
class Processed:
    """What a call did, and whom it should wake."""

    read: int = 0
    unread: int = 0
    complaints: int = 0
    cases: set[int] = dataclasses.field(default_factory=set)
    opened: int = 0
    mails: list[int] = dataclasses.field(default_factory=list)  # to reporters

    def add(self, other: Processed) -> None:
        self.read += other.read
        self.unread += other.unread
        self.complaints += other.complaints
        self.cases |= other.cases
        self.opened += other.opened
        self.mails += other.mails


def process_messages(ids: Sequence[int], *, now: datetime | None = None) -> Processed:
    """Read and file those of `ids` that still wait. Safe to repeat, and to run beside another worker.

    Raises OperationalError or InterfaceError when the database is away: the messages wait for the next call.
    """
    total, now = Processed(), now or timezone.now()
    for start in range(0, len(ids), BATCH):
        total.add(process_batch(ids[start : start + BATCH], now=now))
    return total


def process_batch(ids: Sequence[int], *, now: datetime) -> Processed:
    claim, done = new_claim(), Processed()
    claimed = claim_waiting(ids, claim=claim, now=now)
    try:
        for portion in claimed.portions:
            found = list(Message.objects.filter(pk__in=portion).order_by("pk"))
            messages = let_through(found, claim=claim, now=now)
            done.add(read_and_file(messages, claim=claim, now=now))
    finally:
        if done.read + done.unread < claimed.count:  # this process lives on: nobody else would free them
            insist(lambda: free(claim, ids))
    for pk in claimed.suspects:
        done.add(process_batch([pk], now=now))
    return done


def queue_again(ids: Sequence[int] | None = None) -> list[int]:
    """Let messages shown as unread (these, or all) be read once more, after a format was mended; their ids.

    Nothing is made twice: what was read of them before is known by its identity.
    """
    parked = Reading.objects.filter(state=Reading.State.UNREAD)
    if ids is not None:
        parked = parked.filter(pk__in=ids)
    found = list(parked.values_list("pk", flat=True))
    for start in range(0, len(found), BATCH):
        again = {"state": Reading.State.WAITING, "claim": "", "claimed_at": None, "problem": ""}
        parked.filter(pk__in=found[start : start + BATCH]).update(**again)
    return found


def believed_server(message: Message) -> str | None:
    """Whose word on DKIM and SPF counts. What was pasted did not come by our server: its header may say anything."""
    return None if message.channel == Message.Channel.DESK else settings.AUTHSERV_ID or None


def read_and_file(messages: Sequence[Message], *, claim: str, now: datetime) -> Processed:
    try:
        ours, taught = OwnNetworks(), taught_rules()
        reads = [
            (
                m,
                read_message(
                    m.raw,
                    is_ours=ours.holds,
                    probe_domain=settings.PROBE_DOMAIN or None,
                    authserv_id=believed_server(m),
                    account_headers=settings.ACCOUNT_HEADERS,
                    taught=taught,
                ),
            )
            for m in messages
        ]
        return write(reads, claim=claim, now=now)
    except (OperationalError, InterfaceError):
        raise  # no message's fault: all of them wait until the database is back
    except LostClaim:
        log.warning("%d messages were taken over by another worker", len(messages))
        return Processed()
    except Exception as exc:  # any fault in one message must not hold the others up
        if len(messages) == 1:
            log.exception("message %s cannot be processed; it is shown as unread", messages[0].pk)
            return park(messages[0], exc, claim=claim, now=now)
    half, total = len(messages) // 2, Processed()
    total.add(read_and_file(messages[:half], claim=claim, now=now))
    total.add(read_and_file(messages[half:], claim=claim, now=now))
    return total


def write(reads: Sequence[Read], *, claim: str, now: datetime) -> Processed:
    accusations = accuse(reads)
    with transaction.atomic():
        finish_readings(reads, claim=claim, now=now)
        filed = file_complaints(accusations, now=now)
        arrived = record_arrivals(probes_among(reads), now=now)
        show_strays(arrived.strays, "sent to the mailbox of the relay probes, and no probe of ours")
        bounced = record_bounces(those(reads, Disposition.BOUNCE), now=now)
        if bounced:  # a committed alarm: the bell that rings for them may be lost
            Case.objects.active().filter(pk__in=bounced).update(due_at=now)
        replies = record_replies(those(reads, Disposition.CUSTOMER_REPLY), now=now)
        show_strays(replies.strays, "speaks of a case of ours, but not from an address that we wrote to about it")
        answered = record_answers(those(reads, Disposition.REPORTER_REPLY), now=now)
        show_strays(answered.strays, "answers a mail to a reporter that we never wrote")
        mails = answer_by_machine(written_by_hand(reads), now=now)
    found = ask_about(answered, now=now)
    unread = sum(parsed.disposition is Disposition.UNREADABLE for _, parsed in reads)
    return Processed(
        len(reads) - unread,
        unread,
        filed.complaints,
        {*filed.touched, *arrived.cases, *bounced, *replies.cases, *found},
        len(filed.opened),
        mails,
    )


def show_strays(messages: Sequence[Message], problem: str) -> None:
    """What is not what it seems may be anything, a complaint too: a human must look."""
    if messages:
        Reading.objects.filter(pk__in=[message.pk for message in messages]).update(
            state=Reading.State.UNREAD, problem=problem
        )


def probes_among(reads: Sequence[Read]) -> list[Message]:
    """By header or by envelope: a server that returns a probe writes its own headers."""
    return [message for message, parsed in reads if parsed.disposition is Disposition.PROBE or is_for_probes(message)]


def written_by_hand(reads: Sequence[Read]) -> list[int]:
    return [message.pk for message, parsed in reads if parsed.complaints and parsed.format in WRITTEN_BY_HAND]


def those(reads: Sequence[Read], disposition: Disposition) -> list[Message]:
    return [message for message, parsed in reads if parsed.disposition is disposition]


def accuse(reads: Sequence[Read]) -> list[Accusation]:
    """Every complaint of the batch with its attribution: whose address it was then."""
    named = [(message, parsed, complaint) for message, parsed in reads for complaint in parsed.complaints]
    identities = [place_in_time(message, parsed, complaint) for message, parsed, complaint in named]
    questions = [
        question_about(
            complaint,
            address=i[1],
            port=i[2],
            seen_at=i[3],
            exactly=tells_when(complaint, received_at=message.received_at),
            received_at=message.received_at,
        )
        for i, (message, _, complaint) in zip(identities, named, strict=True)
    ]
    return [
        Accusation(
            identity=identity,
            received_at=message.received_at,
            format=parsed.format or "",
            parsed=complaint,
            holding=holding,
            authenticated=proven_domain(complaint.reporter, parsed.authenticated),
        )
        for identity, (message, parsed, complaint), holding in zip(identities, named, attribute(questions), strict=True)
    ]


def proven_domain(reporter: str | None, domain: str | None) -> str | None:
    """The domain that our mail server vouches for, if it is the reporter's own; a forwarder's proves nothing."""
    own = (reporter or "").rpartition("@")[2].lower()
    return domain if domain and (own == domain or own.endswith(f".{domain}")) else None


def place_in_time(message: Message, parsed: ParsedMessage, complaint: ParsedComplaint) -> Identity:
    address = address_key(complaint.source_ip) if complaint.source_ip else NO_ADDRESS
    return identity_of(message.pk, complaint, address=address, seen_at=seen_at(message, complaint))


def seen_at(message: Message, complaint: ParsedComplaint) -> datetime:
    """The report's time, or its mail's; the time we got the mail where it gives none, or one that has not come yet.

    Never later than the mail: abuse "from tomorrow" would count as new abuse after a fix of today.
    """
    told, got = complaint.arrival_date, message.received_at
    return min(told, got) if told and has_come(complaint, received_at=got) else got


def finish_readings(reads: Sequence[Read], *, claim: str, now: datetime) -> None:
    """Mark the messages read. Raises LostClaim when another worker took one over meanwhile."""
    columns = ("state", "format", "disposition", "problem", "subject", "sender", "complaint_count", "read_at")
    rows = [
        (
            message.pk,
            Reading.State.UNREAD.value if parsed.disposition is Disposition.UNREADABLE else Reading.State.READ.value,
            parsed.format or "",
            parsed.disposition.value,
            storable(parsed.problem, 2000),
            storable(parsed.subject, 400),
            storable(parsed.sender, 320),
            len(parsed.complaints),
            now,
        )
        for message, parsed in reads
    ]
    if update_rows(Reading, "message_id", columns, rows, only={"claim": claim, "state": "waiting"}) != len(rows):
        raise LostClaim("another worker holds some of these messages")


def park(message: Message, exc: Exception, *, claim: str, now: datetime) -> Processed:
    """Show the message on the desk with the fault; it can be read again after a mend."""
    problem = "".join(traceback.format_exception_only(exc)).strip()
    where = traceback.extract_tb(exc.__traceback__)[-1]
    text = storable(f"{problem} ({where.filename.rpartition('/')[2]}, line {where.lineno})", 2000)
    Reading.objects.filter(pk=message.pk, claim=claim, state=Reading.State.WAITING).update(
        state=Reading.State.UNREAD, disposition=Disposition.UNREADABLE.value, problem=text, read_at=now
    )
    return Processed(unread=1)
