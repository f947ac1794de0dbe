"""Machines that answer each other: whatever the other side does, we fall silent."""

from __future__ import annotations

from collections.abc import Callable
from email.message import EmailMessage

import pytest

from complaints.models import ReporterMail
from complaints.notices.delivery import deliver_due
from tests.factories import NOON
from tests.notices.reporters import (
    LENA,
    SHARED,
    make_shared_address,
    receive,
    spam_from,
    spam_number,
    vouch_for,
    written,
)
from tests.services.smtp import Sink

pytestmark = pytest.mark.django_db
ROUNDS = 40
Responder = Callable[[EmailMessage, int], bytes]


@pytest.fixture(autouse=True)
def desk(settings):
    settings.DESK_EMAIL, settings.DEFAULT_FROM_EMAIL = "abuse@isp.example", "Example Net <abuse@isp.example>"
    settings.REPORTER_MAILS_A_DAY = 3
    make_shared_address()
    vouch_for()


def play(sink: Sink, responder: Responder, *, envelope: str = LENA) -> int:
    """Their machine answers each of our mails, and we get the answer; how many mails we sent."""
    receive(written(spam_from(SHARED)))
    answered = 0
    for number in range(2, ROUNDS):
        deliver_due(model=ReporterMail, now=NOON)
        for caught in sink.messages[answered:]:
            answered += 1
            receive(responder(caught.mail, number), sender=envelope)
    return len(sink.messages)


def polite(ours: EmailMessage, number: int) -> bytes:
    more = f"Auto-Submitted: auto-replied\nIn-Reply-To: {ours['Message-ID']}\n"
    return written(spam_from(SHARED), number=number, subject="Out of office", more=more)


def rude(ours: EmailMessage, number: int) -> bytes:
    """A ticket system that says nothing of being one, and quotes the complaint in its receipt."""
    more = f"In-Reply-To: {ours['Message-ID']}\n"
    return written(spam_from(SHARED), number=number, subject=f"Re: {ours['Subject']}", more=more)


def forgetful(ours: EmailMessage, number: int) -> bytes:
    """Begins a new thread each time, without a reference and without a mark."""
    return written(spam_from(SHARED), number=number, subject=f"[Ticket {number}] received")


def echo(ours: EmailMessage, number: int) -> bytes:
    """Sends our own mail back to us under its name."""
    ours.replace_header("From", f"Lena <{LENA}>")
    return ours.as_bytes()


def advancing(ours: EmailMessage, number: int) -> bytes:
    """As forgetful as the other, and each time it tells of something new."""
    return written(spam_number(number), number=number, subject=f"[Ticket {number}] received")


@pytest.mark.parametrize("responder", [polite, rude, echo, forgetful])
def test_one_mail_is_all_that_a_machine_gets_from_us(real_smtp, responder):
    assert play(real_smtp, responder) == 1


def test_a_machine_that_has_always_something_new_to_tell_gets_no_more_than_a_days_mails(real_smtp):
    assert play(real_smtp, advancing) == 3


def test_a_null_sender_gets_one_mail_also_when_it_hides_in_new_threads(real_smtp):
    assert play(real_smtp, forgetful, envelope="") == 1
