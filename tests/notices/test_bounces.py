"""Mails of ours that come back."""

from __future__ import annotations

from typing import Any

import pytest

from complaints.models import Case, Notice
from complaints.notices.bounces import bounce_address, record_bounces
from complaints.notices.delivery import deliver_due
from complaints.vocabulary import CaseState, CustomerStatus, EventKind
from tests.factories import NOON, make_message
from tests.notices.rows import make_relay_case, queued

pytestmark = pytest.mark.django_db
REPORT = """From: MAILER-DAEMON@mx.example
Subject: Undelivered
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary=b

--b
Content-Type: text/plain

Sorry.
--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example

Final-Recipient: rfc822; m.brenn@brenn.example
Action: {action}
Status: 5.1.1
Diagnostic-Code: smtp; 550 5.1.1
 no such user

--b--
"""


@pytest.fixture
def notice(real_smtp) -> Any:
    found = queued(make_relay_case(state=CaseState.NOTIFIED))
    deliver_due(now=NOON)
    return found


def bounce(to: str, action: str = "failed"):
    raw = REPORT.format(action=action).replace("\n", "\r\n").encode()
    return make_message(raw, envelope_to=f"abuse@isp.example\n{to}", state="read")


def test_a_mail_that_came_back_is_failed_with_the_servers_reason_and_the_customer_is_not_told(notice):
    assert record_bounces([bounce(bounce_address(notice.pk))], now=NOON) == [notice.case_id]
    notice.refresh_from_db()
    assert (notice.state, notice.problem) == (Notice.State.FAILED, "came back: smtp; 550 5.1.1 no such user")
    assert notice.case.events.filter(kind=EventKind.NOTICE_FAILED).count() == 1
    assert Case.objects.get().customer_status == CustomerStatus.NONE


def test_the_same_bounce_read_twice_counts_once(notice):
    back = bounce(bounce_address(notice.pk))
    assert [record_bounces([back], now=NOON) for _ in range(2)] == [[notice.case_id], []]


@pytest.mark.parametrize("action", ["delayed", "delivered", "relayed", "expanded"])
def test_a_report_of_anything_but_failure_changes_nothing(notice, action):
    assert record_bounces([bounce(bounce_address(notice.pk), action)], now=NOON) == []


def test_a_bounce_to_an_address_we_never_wrote_changes_nothing(notice):
    assert record_bounces([bounce(f"bounce+{notice.pk}-0123456789@localhost")], now=NOON) == []
    assert record_bounces([bounce(bounce_address(notice.pk + 1), "FAILED")], now=NOON) == []


def test_a_customer_who_got_an_earlier_mail_stays_told(real_smtp, notice):
    second = queued(notice.case, "remind")
    deliver_due(now=NOON)
    record_bounces([bounce(bounce_address(second.pk))], now=NOON)
    assert Case.objects.get().customer_status == CustomerStatus.NOTIFIED
