"""Decide a mail to a reporter: one row, once a message and kind, within the limits. Sending it is delivery.py.

The machine writes to a reporter at most once a day in a thread, so many times a day in all, and so many times a day
to everybody together. What a limit forbids is kept as WITHHELD with the reason: an analyst may send it all the same.
"""

from __future__ import annotations

import dataclasses
import hashlib
import re
import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction
from django.db.models import Max

from complaints.cases.transitions import MACHINE
from complaints.formats import MalformedComplaint
from complaints.formats.header_text import Headers
from complaints.formats.mail import Mail
from complaints.models import AttributionWait, Complaint, Message, Reporter, ReporterMail
from complaints.models.text import storable
from complaints.notices.mail_loops import Incoming, return_path_of, why_silent
from complaints.notices.reporter_letter import LetterFor, language_of_mail, write_letter
from complaints.notices.senders import our_addresses
from complaints.vocabulary import Answer

Kind, State = ReporterMail.Kind, ReporterMail.State
MESSAGE_ID = re.compile(r"<[!-;=?-~]{1,250}@[!-;=?-~]{1,250}>")
MOST_REFERENCES = 20
TRIES = 5
ENVELOPES = frozenset({Message.Channel.SMTP, Message.Channel.LMTP})
# Which answers of attribution a letter of a kind speaks of: once none is left, it would only confuse.
ABOUT = {Kind.ASK_MISSING: Answer.UNSURE, Kind.NOT_OURS: Answer.NOT_OURS}


class NoAnswer(Exception):
    """This mail must not be answered; the text says why."""


@dataclasses.dataclass(frozen=True, slots=True)
class Answerable:
    """A reporter's mail with what an answer to it needs. `to`: the envelope's sender; by hand the author himself."""

    message: Message
    reporter: Reporter
    mail: Mail
    to: str
    by: str

    @property
    def by_machine(self) -> bool:
        return self.by == MACHINE


def answerable(message: Message, reporter: Reporter, *, format: str, by: str) -> Answerable:
    """Raises NoAnswer."""
    try:
        mail = Mail(message.raw)
    except MalformedComplaint as exc:
        raise NoAnswer(f"the mail cannot be read: {exc}") from exc
    has_envelope = message.channel in ENVELOPES
    path = return_path_of(mail.headers, envelope_from=message.envelope_from, has_envelope=has_envelope)
    incoming = Incoming(headers=mail.headers, return_path=path, format=format, desks=our_addresses())
    by_hand = by != MACHINE
    if reason := why_silent(incoming, by_hand=by_hand) or (None if by_hand else why_not_by_machine(reporter)):
        raise NoAnswer(f"This mail is not answered: {reason}.")
    to = reporter.address if by_hand or path is None else path
    try:
        validate_email(to)
    except ValidationError:
        raise NoAnswer(f"{to[:254]!r} is no address that mail can be sent to.") from None
    return Answerable(message, reporter, mail, to, by)


def why_not_by_machine(reporter: Reporter) -> str | None:
    if reporter.no_mail or reporter.wants == Reporter.Wants.SILENCE:
        return "this reporter is never written to by machine"
    return None if reporter.authenticated else "nobody vouches for its reporter"


def compose(about: Answerable, kind: str, facts: Mapping[str, Any]) -> dict[str, Any]:
    """The columns of the mail as it will be sent."""
    headers = about.mail.headers
    subject = storable(headers.readable("subject"), 200)
    letter = write_letter(
        LetterFor(
            kind=kind,
            language=language_of_mail(about.mail),
            by_machine=about.by_machine,
            subject=subject,
            sent=storable(headers.readable("date"), 100),
            message_id=own_id(headers),
            facts=facts,
        )
    )
    return {
        "to_email": about.to,
        "language": letter.language,
        "subject": letter.subject[:300],
        "text": letter.text,
        "references": " ".join(references(headers)),
        "facts": dict(facts),
        "decided_by": about.by,
    }


def queue_reporter_mail(about: Answerable, kind: str, *, facts: Mapping[str, Any], now: datetime) -> ReporterMail:
    """One mail of a kind in answer to a message; a repeat returns the first one. A person's word lifts the limits.

    What a limit withheld before is sent when a person decides so.
    """
    for _ in range(TRIES):
        existing = ReporterMail.objects.filter(incoming=about.message, kind=kind).first()
        if existing is not None:
            return existing if about.by_machine else send_withheld(existing, about, facts, now=now)
        slot, refusal = next_slot(about, now=now) if about.by_machine else (None, "")
        letter = {} if refusal else compose(about, kind, facts)
        try:
            with transaction.atomic():
                return ReporterMail.objects.create(
                    incoming=about.message,
                    reporter=about.reporter,
                    kind=kind,
                    message_id=new_message_id(about.message),
                    state=State.WITHHELD if refusal else State.QUEUED,
                    problem=refusal,
                    thread=thread_of(about),
                    day=now.date(),
                    slot=slot,
                    queued_at=now,
                    due_at=now,
                    **({"to_email": about.to, "facts": dict(facts), "decided_by": about.by} | letter),
                )
        except IntegrityError:  # another worker took the slot, or decided the same mail: look again
            continue
    raise NoAnswer("Too many workers write to this reporter at once.")


def next_slot(about: Answerable, *, now: datetime) -> tuple[int | None, str]:
    """The number of this mail in the reporter's day, or the limit that forbids it, in words."""
    today = ReporterMail.objects.filter(reporter=about.reporter, day=now.date(), slot__isnull=False)
    if today.filter(thread=thread_of(about)).exists():
        return None, "Not sent: this reporter had an answer in the same thread today."
    used = today.aggregate(last=Max("slot"))["last"] or 0
    if used >= settings.REPORTER_MAILS_A_DAY:
        return None, f"Not sent: this reporter had {used} mails from us today, which is the limit."
    all_today = ReporterMail.objects.filter(day=now.date(), slot__isnull=False)
    if all_today[: settings.REPORTER_MAILS_IN_ALL].count() >= settings.REPORTER_MAILS_IN_ALL:
        return None, f"Not sent: {settings.REPORTER_MAILS_IN_ALL} mails went to reporters today, which is the limit."
    return used + 1, ""


def send_withheld(mail: ReporterMail, about: Answerable, facts: Mapping[str, Any], *, now: datetime) -> ReporterMail:
    if mail.state == State.WITHHELD:
        held = ReporterMail.objects.filter(pk=mail.pk, state=State.WITHHELD)
        held.update(state=State.QUEUED, problem="", due_at=now, **compose(about, mail.kind, facts))
        mail.refresh_from_db()
    return mail


def is_still_wanted(mail: ReporterMail) -> bool:
    """Whether what it speaks of is still so, for one complaint at least."""
    ids = [each["complaint"] for each in mail.facts.get("complaints", ())]
    about = ABOUT.get(Kind(mail.kind))
    return about is None or Complaint.objects.filter(pk__in=ids, answer=about.value).exists()


def stop_waiting(mail: ReporterMail, *, now: datetime) -> None:
    """The question did not arrive: what waits for its answer waits in vain, and the desk should see that today."""
    if mail.kind != Kind.ASK_MISSING:
        return
    ids = [each["complaint"] for each in mail.facts.get("complaints", ())]
    waiting = AttributionWait.objects.filter(complaint__in=ids, why=AttributionWait.Why.REPORTER, outcome="")
    waiting.update(outcome=AttributionWait.Outcome.SILENT, ended_at=now)


def own_id(headers: Headers) -> str:
    found = MESSAGE_ID.search((headers.first("message-id") or "")[:1000])
    return found[0] if found else ""


def references(headers: Headers) -> list[str]:
    """RFC 5322 section 3.6.4: the parent's References (else its In-Reply-To), and the parent's own id last."""
    parents = " ".join(headers.every("references")) or " ".join(headers.every("in-reply-to"))
    found = MESSAGE_ID.findall(parents[:20_000])
    own = own_id(headers)
    kept = [each for each in (*found[:1], *found[1:][-(MOST_REFERENCES - 2) :]) if each != own]
    return [*dict.fromkeys(kept), own] if own else []


def thread_of(about: Answerable) -> str:
    """A digest: an id of somebody else's may be as long as it likes."""
    ids = references(about.mail.headers)
    return hashlib.sha256(ids[0].encode() if ids else bytes(about.message.sha256)).hexdigest()


def new_message_id(message: Message) -> str:
    """Fixed when the mail is decided; formats/reporter_reply.py knows an answer by it."""
    domain = settings.DESK_EMAIL.rpartition("@")[2]
    return f"<reporter-{message.pk}.{secrets.token_hex(8)}@{domain}>"


def mails_of(message_ids: Sequence[int]) -> dict[int, dict[str, ReporterMail]]:
    """The mails in answer to these messages, by message and kind."""
    found: dict[int, dict[str, ReporterMail]] = {}
    for mail in ReporterMail.objects.filter(incoming__in=message_ids).order_by("pk"):
        found.setdefault(mail.incoming_id, {})[mail.kind] = mail
    return found
