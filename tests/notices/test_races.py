"""Workers at the same moment: the constraint and the conditional update leave one effect."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from django.db import connection

from complaints.models import AttributionWait, Notice, PortalLink, ReporterMail
from complaints.notices.answering import answer_by_machine
from complaints.notices.asking import ask_missing
from complaints.notices.compose import queue_notice
from complaints.notices.delivery import deliver_due
from complaints.notices.reported import complaints_of
from complaints.vocabulary import Answer, CaseState, EventKind
from tests.factories import NOON, make_case
from tests.notices.reporters import SHARED, make_shared_address, receive, spam_from, spam_number, vouch_for, written
from tests.notices.rows import make_relay_case, queued

pytestmark = pytest.mark.django_db(transaction=True)


def at_once(work: Callable[[], Any], *, workers: int = 6) -> list[Any]:
    """Run `work` in several threads that start together; what they returned."""
    gate, results = threading.Barrier(workers), list[Any]()

    def run() -> None:
        gate.wait()
        try:
            results.append(work())
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _ in range(workers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def test_six_workers_decide_one_mail():
    case = make_relay_case(state=CaseState.NOTIFIED)
    found = at_once(lambda: queue_notice(case, "notify", occurrence=1, now=NOON))
    assert len(found) == 6
    assert len({notice.pk for notice in found}) == 1
    assert Notice.objects.count() == PortalLink.objects.count() == 1
    assert case.events.filter(kind=EventKind.NOTICE_QUEUED).count() == 1


def test_six_workers_send_each_mail_once(real_smtp):
    sent = sorted(queued(make_case(f"C-{number}")).to_email for number in range(5))
    assert sum(at_once(lambda: deliver_due(now=NOON))) == 5
    assert sorted(caught.rcpt_tos[0] for caught in real_smtp.messages) == sent
    assert set(Notice.objects.values_list("state", flat=True)) == {Notice.State.SENT}


def test_six_workers_ask_about_one_mail_once():
    make_shared_address()
    (message,) = receive(written(spam_from(SHARED)))
    ask = partial(ask_missing, complaints_of(message, Answer.UNSURE), by="ada", now=NOON)
    assert len({mail.pk for mail in at_once(ask)}) == 1
    assert ReporterMail.objects.count() == AttributionWait.objects.count() == 1


def test_six_workers_keep_the_limits_of_a_reporters_day(settings):
    settings.ASK_REPORTERS, settings.REPORTER_MAILS_A_DAY = False, 2
    make_shared_address()
    vouch_for()
    found = receive(*(written(spam_number(number), number=number) for number in range(6)))
    waiting = [message.pk for message in found]
    settings.ASK_REPORTERS = True
    at_once(lambda: answer_by_machine([waiting.pop()], now=NOON))
    states = sorted(ReporterMail.objects.values_list("state", flat=True))
    assert states == ["queued"] * 2 + ["withheld"] * 4


def test_six_workers_send_each_question_once(real_smtp):
    make_shared_address()
    vouch_for()
    receive(*(written(spam_number(number), number=number) for number in range(4)))
    assert sum(at_once(lambda: deliver_due(model=ReporterMail, now=NOON))) == 4
    sent = sorted(caught.mail["Message-ID"] for caught in real_smtp.messages)
    assert sent == sorted(ReporterMail.objects.values_list("message_id", flat=True))
