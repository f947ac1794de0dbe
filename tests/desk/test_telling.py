"""What an analyst sends by a click says what comes next and when, as a playbook's own letter does."""

from __future__ import annotations

from datetime import timedelta

import pytest

from complaints.desk.telling import tell_customer
from complaints.models import Notice
from complaints.playbooks.loading import activate_playbook, shipped_playbooks
from complaints.playbooks.outlook import outlook
from complaints.vocabulary import Cause, CustomerStatus
from tests.factories import NOON, make_case

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(("state", "step"), [("triage", "notify"), ("notified", "remind")])
def test_the_letter_names_the_measure_that_follows_and_its_date(state, step, settings):
    settings.DISPLAY_TIME_ZONE = "UTC"
    document = next(each for each in shipped_playbooks() if each["name"] == "bot")
    playbook = activate_playbook(document, now=NOON)
    told = CustomerStatus.NOTIFIED if state == "notified" else CustomerStatus.NONE
    deadline = NOON + timedelta(days=3) if state == "notified" else None
    case = make_case(
        state=state, playbook=playbook, cause=Cause.BOT, customer_status=told, deadline_at=deadline, complaint_count=9
    )
    tell_customer(case, actor="ada", now=NOON)
    notice = Notice.objects.get()
    assert notice.step == step
    coming = [(at, kind) for at, kind in outlook(case, now=NOON) if kind != "escalated"]
    assert coming, "the shipped playbook has consequences"
    text = " ".join(notice.text.split())
    for at, kind in coming:
        assert kind == "person" or f"{at:%-d %B %Y, %H:%M} (UTC)" in text
