"""How far a time may be off, as the stamps of other servers on a mail's way show."""

from __future__ import annotations

import pytest

from complaints.formats import read_message

TOP = "Received: from mail.reporter.example (mail.reporter.example [198.51.100.9]) by mx.isp.example with ESMTP; "
OWN = "Received: by mail.reporter.example (Postfix, from userid 0) id 1; "
NOON = "Tue, 3 Mar 2026 12:00:00 +0000"
REPORT = """\
{received}From: abuse@reporter.example
Date: {date}
Subject: report
Content-Type: multipart/report; report-type=feedback-report; boundary=b

--b
Content-Type: text/plain

An abuse report.
--b
Content-Type: message/feedback-report

Feedback-Type: abuse
Version: 1
Source-IP: 192.0.2.7
Arrival-Date: {arrival}
--b
Content-Type: message/rfc822

Received: from pc (pc.customer.example [192.0.2.7]) by mx.reporter.example with ESMTP; {stamp}
Subject: x

--b--
"""


def off_by(*received: str, date: str = NOON, arrival: str = NOON, stamp: str = NOON) -> int:
    lines = "".join(line + "\n" for line in received)
    raw = REPORT.format(received=lines, date=date, arrival=arrival, stamp=stamp)
    (complaint,) = read_message(raw.encode()).complaints
    return complaint.off_by


@pytest.mark.parametrize(
    ("taken", "seconds"),
    [
        ("Tue, 3 Mar 2026 12:00:09 +0000", 0),
        ("Tue, 3 Mar 2026 13:04:59 +0100", 0),
        ("Tue, 3 Mar 2026 14:10:00 +0000", 7_800),  # the clock is late, or the mail lay around: who knows
        ("Tue, 3 Mar 2026 10:00:00 +0000", 7_200),  # the clock is ahead
        ("Tue, 3 Mar 2026 14:10:00", 0),  # without a zone it measures nothing
        ("Tue, 10 Mar 2026 12:00:00 +0000", 0),  # an old mail, sent again
        ("soon", 0),
    ],
)
def test_server_that_took_the_mail_measures_the_clock_of_its_author(taken: str, seconds: int):
    assert off_by(TOP + taken) == seconds


def test_first_server_of_another_house_measures_it_and_no_later_delay_counts():
    later = "Received: from mx.isp.example by store.isp.example with LMTP; Tue, 3 Mar 2026 18:00:00 +0000"

    assert off_by(later, TOP + "Tue, 3 Mar 2026 12:10:00 +0000", OWN + NOON) == 600
    assert off_by(OWN + "Tue, 3 Mar 2026 14:00:00 +0000") == 0  # its own servers have its own clock


def test_line_that_names_the_address_contradicts_the_stated_time():
    assert off_by(stamp="Tue, 3 Mar 2026 12:04:00 +0000") == 0
    assert off_by(stamp="Tue, 3 Mar 2026 09:00:00 +0000") == 10_800


def test_worse_of_both_counts():
    assert off_by(TOP + "Tue, 3 Mar 2026 13:00:00 +0000", stamp="Tue, 3 Mar 2026 14:00:00 +0000") == 7_200


LOG = """\
From: fail2ban@reporter.example
Date: {date}
Subject: [Fail2Ban] sshd: banned 192.0.2.7 from mail
Content-Type: text/plain

Hi,

The IP 192.0.2.7 has just been banned by Fail2Ban after 5 attempts against sshd.

Lines containing failures of 192.0.2.7

2026-03-03T{stamp} mail sshd[4711]: Failed password for root from 192.0.2.7 port 2100 ssh2
"""


@pytest.mark.parametrize(
    ("stamp", "seconds"),
    [
        ("11:40:00+00:00", 0),
        ("10:00:01+00:00", 0),  # so soon is usual
        ("07:00:00+00:00", 5 * 3600),  # late, or in another zone than the reporter thinks
        ("12:30:00+00:00", 0),  # a clock that is ahead is seen by others' stamps
    ],
)
def test_a_line_of_a_log_that_is_hours_older_than_its_mail_may_be_of_another_zone(stamp: str, seconds: int):
    (complaint,) = read_message(LOG.format(date=NOON, stamp=stamp).encode()).complaints
    assert (complaint.source_ip, complaint.off_by) == ("192.0.2.7", seconds)


def test_a_line_of_days_ago_is_told_late_and_no_zone_explains_it():
    raw = LOG.format(date="Thu, 5 Mar 2026 12:00:00 +0000", stamp="12:00:00+00:00")
    assert read_message(raw.encode()).complaints[0].off_by == 0
