"""Mail that can be taken back, and when it goes."""

from __future__ import annotations

from datetime import timedelta

import pytest

from complaints.cases.answers import AnswerKind, record_answer
from complaints.models import Case, Notice
from complaints.notices.delivery import claim_due, deliver_due
from complaints.notices.taking_back import TooLate, send_after_all, take_back
from complaints.playbooks.runner import advance_case
from complaints.vocabulary import CaseState, EventKind, Resolution
from tests.factories import NOON, make_user
from tests.notices.rows import make_relay_case, queued

pytestmark = pytest.mark.django_db
UNDO = timedelta(seconds=60)


@pytest.fixture(autouse=True)
def undo(settings):
    settings.MAIL_UNDO = 60


def make_notice(step: str = "notify", **columns):
    return queued(make_relay_case(**{"state": CaseState.NOTIFIED, "state_since": NOON, **columns}), step)


def test_a_letter_waits_for_the_undo_time_and_goes_then(real_smtp):
    notice = make_notice()
    assert notice.due_at == NOON + UNDO
    assert deliver_due(now=NOON + UNDO - timedelta(seconds=1)) == 0
    assert deliver_due(now=NOON + UNDO) == 1


def test_a_letter_taken_back_never_goes_and_the_case_stays_and_says_so(real_smtp):
    notice = make_notice()
    take_back(notice, actor="ada", now=NOON)
    for hours in range(100):
        deliver_due(now=NOON + timedelta(hours=hours))
    notice.refresh_from_db()
    assert (notice.state, notice.problem) == (Notice.State.WITHDRAWN, "taken back by ada")
    assert Case.objects.get().state == CaseState.NOTIFIED
    event = notice.case.events.get(kind=EventKind.NOTICE_WITHDRAWN)
    assert (event.actor, event.data["to"]) == ("ada", "m.brenn@brenn.example")
    assert real_smtp.messages == []


def test_a_customer_who_was_not_told_is_neither_reminded_nor_escalated():
    notice = make_notice()
    take_back(notice, actor="ada", now=NOON)
    for days in (1, 2, 3, 9):
        advance_case(notice.case_id, now=NOON + timedelta(days=days))
    assert Case.objects.get().state != CaseState.ESCALATED
    assert list(Notice.objects.values_list("step", "state")) == [("notify", "withdrawn")]


def test_what_is_on_its_way_or_sent_cannot_be_taken_back(real_smtp):
    notice = make_notice()
    claim_due(None, now=NOON + UNDO)
    with pytest.raises(TooLate):
        take_back(notice, actor="ada", now=NOON + UNDO)
    Notice.objects.update(state=Notice.State.SENT)
    with pytest.raises(TooLate):
        take_back(notice, actor="ada", now=NOON + UNDO)
    assert not notice.case.events.filter(kind=EventKind.NOTICE_WITHDRAWN).exists()


def test_it_is_taken_back_once_and_may_go_after_all_with_a_new_undo_time(real_smtp):
    notice = make_notice()
    take_back(notice, actor="ada", now=NOON)
    with pytest.raises(TooLate):
        take_back(notice, actor="bob", now=NOON)
    send_after_all(notice, actor="ada", now=NOON + timedelta(hours=1))
    assert deliver_due(now=NOON + timedelta(hours=1)) == 0
    assert deliver_due(now=NOON + timedelta(hours=1) + UNDO) == 1
    with pytest.raises(TooLate):
        send_after_all(notice, actor="ada", now=NOON + timedelta(hours=2))
    assert len(real_smtp.messages) == 1


def test_nothing_goes_after_all_when_the_case_was_closed():
    notice = make_notice()
    take_back(notice, actor="ada", now=NOON)
    Case.objects.update(state=CaseState.CLOSED, closed_at=NOON, resolution=Resolution.NOT_ABUSE)
    with pytest.raises(TooLate, match="closed"):
        send_after_all(notice, actor="ada", now=NOON)


def test_the_night_is_quiet_except_for_answers(settings):
    settings.QUIET_HOURS, settings.MAIL_UNDO = "11:00-13:00", 0
    case = make_relay_case(state=CaseState.NOTIFIED)
    assert queued(case).due_at == NOON + timedelta(hours=1)
    record_answer(case, AnswerKind.FIXED, now=NOON - timedelta(minutes=5))
    assert queued(case, "solved").due_at == NOON


def test_the_button_of_the_case_page(client):
    client.force_login(make_user("ada"))
    notice = make_notice()
    Notice.objects.update(due_at=NOON + timedelta(days=9999))
    page = f"/case/{notice.case_id}"
    assert f"/notice/{notice.pk}/take-back" in client.get(page).content.decode()
    client.post(f"/notice/{notice.pk}/take-back")
    shown = client.get(page).content.decode()
    assert f"/notice/{notice.pk}/send-after-all" in shown
    assert "taken back before it went" in shown
    client.post(f"/notice/{notice.pk}/send-after-all")
    assert Notice.objects.get().state == Notice.State.QUEUED
    assert client.post(f"/notice/{notice.pk}/shred").status_code == 404
