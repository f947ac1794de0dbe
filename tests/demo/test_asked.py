"""Lena forgets the port, is asked by the desk, and answers: the whole way by real mail."""

from __future__ import annotations

import random

import pytest

from complaints.demo.asked import answer_mail, host_behind_port, read_question
from complaints.demo.seed import TRUSTED, import_world, vouch_for
from complaints.demo.strays import STRAYS, Occasion
from complaints.demo.world import build_world
from complaints.models import Complaint, ReporterMail
from complaints.notices.delivery import deliver_due
from tests.factories import NOON
from tests.notices.reporters import receive

DESK = "abuse@isp.example"


@pytest.mark.django_db
def test_a_forgotten_port_is_asked_for_and_told_and_names_the_right_line(real_smtp, settings):
    settings.DESK_EMAIL = DESK
    world = build_world(born_at=NOON)
    import_world(world)
    vouch_for(TRUSTED, now=NOON)
    stray = STRAYS["port_forgotten"](Occasion(world, random.Random(3), NOON, 77, DESK))
    receive(stray.mail, sender=stray.sender)
    assert Complaint.objects.get().answer == "unsure"

    deliver_due(model=ReporterMail, now=NOON)
    (caught,) = real_smtp.messages
    question = read_question(caught.raw, to=caught.rcpt_tos[0])
    assert question is not None
    host = host_behind_port(world)
    answer = answer_mail(question, host, written_at=NOON, number=78, to=DESK)
    receive(answer, sender=question.reporter.address)
    assert Complaint.objects.get().contract.reference == host.contract


def test_other_mail_is_no_question():
    assert read_question(b"Subject: hello\r\n\r\nhello\r\n", to=TRUSTED[0]) is None
    assert read_question(b"X-Abuse-Answer: ask_missing\r\n\r\nhello\r\n", to="nobody@x.example") is None
