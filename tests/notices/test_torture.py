"""Ten thousand mails of machines that answer each other, and us, behind one mailbox: we say one word, and no more.

Each machine answers every mail that it sees, ours and the others', with a copy to us, and quotes the complaint, so that
each of its mails could be taken for a new one. Most bear no mark of a machine (RFC 3834 section 5 asks for one).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import cycle, islice
from typing import NamedTuple

import pytest

from complaints.cases.floods import later_ids
from complaints.intake import Arrival, store_messages
from complaints.models import Notice, Reading, ReporterMail
from complaints.notices.delivery import deliver_due
from complaints.pipeline import process_messages
from tests.factories import NOON
from tests.notices.reporters import LENA, SHARED, make_shared_address, receive, spam_from, vouch_for, written

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]
MAILS, AT_ONCE = 10_000, 500
OWN = "192.0.2.25"
BOUNCED = "\nThis is the mail system. Your message could not be delivered.\n"


class Seen(NamedTuple):
    """A mail that the machines see: ours, or one of theirs."""

    subject: str
    message_id: str
    envelope: str


Machine = Callable[[Seen, int], tuple[bytes, str]]  # the answer, and its envelope sender


def answering(seen: Seen) -> str:
    return f"In-Reply-To: {seen.message_id}\nReferences: {seen.message_id}\n"


def on_holiday(seen: Seen, number: int) -> tuple[bytes, str]:
    more = f"Auto-Submitted: auto-replied\n{answering(seen)}"
    return written(quote(), number=number, subject="Abwesenheit", more=more), ""


def ticket_system(seen: Seen, number: int) -> tuple[bytes, str]:
    return written(quote(), number=number, subject=f"[Ticket {number}] received"), LENA


def talkative(seen: Seen, number: int) -> tuple[bytes, str]:
    return written(quote(), number=number, subject=f"Re: {seen.subject}"[:200], more=answering(seen)), LENA


def without_sender(seen: Seen, number: int) -> tuple[bytes, str]:
    return written(quote(), number=number, subject=f"Re: {seen.subject}"[:200]), ""


def mailing_list(seen: Seen, number: int) -> tuple[bytes, str]:
    more = "List-Id: <abuse.studio-hoff.example>\nPrecedence: list\n"
    return written(quote(), number=number, more=more), "list-bounces@studio-hoff.example"


def pretends_a_bounce(seen: Seen, number: int) -> tuple[bytes, str]:
    returned = written(quote() + BOUNCED, number=number, subject="Undelivered Mail Returned to Sender")
    return returned, "mailer-daemon@studio-hoff.example"


def forwards_back(seen: Seen, number: int) -> tuple[bytes, str]:
    more = "X-Forwarded-To: abuse@isp.example\nReply-To: abuse@isp.example\n"
    return written(quote(), number=number, subject=f"Fwd: {seen.subject}"[:200], more=more), seen.envelope or LENA


def says_no_time(seen: Seen, number: int) -> tuple[bytes, str]:
    text = f"Hello abuse team,\n\nplease stop the spam from your customer.\n\nSource IP: {SHARED}\n\nTicket {number}\n"
    return written(text, number=number, subject=f"Spam, ticket {number}", at=clock(number)), LENA


MACHINES: list[Machine] = [
    on_holiday, ticket_system, talkative, without_sender, mailing_list, pretends_a_bounce, forwards_back, says_no_time,
]  # fmt: skip


def clock(number: int) -> datetime:
    return NOON + timedelta(minutes=number // AT_ONCE)


def quote() -> str:
    return spam_from(SHARED)


@pytest.fixture(autouse=True)
def desk(settings):
    settings.DESK_EMAIL, settings.DEFAULT_FROM_EMAIL = "abuse@isp.example", "Example Net <abuse@isp.example>"
    settings.ACKNOWLEDGE = settings.NOT_OURS_REPLY = settings.ASK_REPORTERS = True
    settings.REPORTER_MAILS_A_DAY = settings.REPORTER_MAILS_IN_ALL = 1000  # no limit shall be what saves us
    make_shared_address()
    vouch_for()


def take_in(mails: list[tuple[bytes, str]], *, now: datetime) -> None:
    arrivals = [Arrival(raw, "smtp", peer="192.0.2.99", envelope_from=envelope) for raw, envelope in mails]
    process_messages([stored.message_id for stored in store_messages(arrivals, now=now)], now=now)


def test_ten_thousand_answers_of_machines_get_one_mail_from_us(real_smtp):
    receive(written(quote()))
    seen: deque[Seen] = deque([Seen("Spam", "<1.lena@studio-hoff.example>", LENA)], maxlen=50)
    machines, number, heard = cycle(MACHINES), 1, 0
    while number <= MAILS:
        deliver_due(model=ReporterMail, now=clock(number))
        seen.extend(Seen(c.mail["Subject"], c.mail["Message-ID"], c.mail_from) for c in real_smtp.messages[heard:])
        heard = len(real_smtp.messages)
        answers = []
        for machine in islice(machines, AT_ONCE):
            number += 1
            raw, envelope = machine(seen[number % len(seen)], number)
            answers.append((raw, envelope))
            seen.append(Seen(f"Re: {number}", f"<{number}.lena@studio-hoff.example>", envelope))
        take_in(answers, now=clock(number))
    while waiting := later_ids(limit=AT_ONCE):  # what was put off as a flood is read behind the rest
        process_messages(waiting, now=clock(number))
    deliver_due(model=ReporterMail, now=clock(number))
    assert len(real_smtp.messages) == 1
    assert Notice.objects.count() == 0
    assert Reading.objects.filter(state="waiting").count() == 0
