"""A time without a zone may be half a day off: the complaint says so."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from complaints.formats import read_message
from complaints.formats.dates import ZONELESS, read_mail_date
from complaints.vocabulary import ParsedComplaint

NOON = datetime(2026, 3, 3, 12, 0, 0, tzinfo=UTC)
FAIL2BAN = "Lines containing failures of 192.0.2.7\n{}Mar  3 12:00:00 host sshd[1]: failed 192.0.2.7 port 5122\n"
FIREWALL = "Source IP: 192.0.2.7\n{}Event Date Time,Source Port\n2026-03-03 12:00:00,51022\n"
ARF = """From: fbl@mailhaus.example
Date: Tue, 3 Mar 2026 12:30:00 +0000
Content-Type: multipart/report; report-type=feedback-report; boundary=b

--b
Content-Type: text/plain

An abuse report.
--b
Content-Type: message/feedback-report

Feedback-Type: abuse
Version: 1
Source-IP: 192.0.2.7
{}
--b
Content-Type: message/rfc822

Subject: x

--b--
"""


def read(text: str, *, date: str = "Tue, 3 Mar 2026 12:30:00 +0000") -> ParsedComplaint:
    header = "" if text.startswith("From:") else f"From: a@reporter.example\nSubject: attack\nDate: {date}\n\n"
    complaints = read_message((header + text).encode()).complaints
    assert len(complaints) == 1
    return complaints[0]


def table(column: str, time: str) -> str:
    return f'"{column}","ip","port","tag","asn"\n"{time}","192.0.2.7","123","ntp","64500"\n'


@pytest.mark.parametrize(
    ("text", "known"),
    [
        (ARF.format("Arrival-Date: Tue, 3 Mar 2026 12:00:00 +0000"), True),
        (ARF.format("Arrival-Date: Tue, 3 Mar 2026 12:00:00 -0000"), True),  # UTC: only the writer's place is unknown
        (ARF.format("Arrival-Date: Tue, 3 Mar 2026 12:00:00 GMT"), True),
        (ARF.format("Arrival-Date: Tue, 3 Mar 2026 12:00:00"), False),
        (ARF.format("Arrival-Date: Tue, 3 Mar 2026 12:00:00 ABCT"), False),  # a zone that nobody knows
        (ARF.format("Arrival-Date: 2026-03-03 12:00:00"), False),
        (table("timestamp", "2026-03-03 12:00:00"), True),  # Shadowserver's column is UTC by its documentation
        (table("event_time", "2026-03-03 12:00:00"), False),
        (table("event_time", "2026-03-03T12:00:00Z"), True),
        (FAIL2BAN.format(""), False),  # half an hour before the mail: may be another zone's log
        (FAIL2BAN.format("All times are UTC.\n"), True),
        (FIREWALL.format(""), False),
        (FIREWALL.format("Time zone: UTC\n"), True),
        ("We got spam from 192.0.2.7 at 2026-03-03 12:00:00\n", False),
        ("We got spam from 192.0.2.7 at 2026-03-03 12:00:00 UTC\n", True),
        ("We got spam from 192.0.2.7 at 2026-03-03 12:00:00\nAll times in UTC.\n", True),
    ],
)
def test_complaint_says_whether_its_time_had_a_zone(text: str, known: bool):
    complaint = read(text)

    assert (complaint.arrival_date, complaint.zone_known) == (NOON, known)


def test_log_is_in_no_known_zone_where_the_mail_is_in_none():
    complaint = read(FAIL2BAN.format(""), date="Tue, 3 Mar 2026 12:30:00")

    assert (complaint.arrival_date, complaint.zone_known) == (NOON, False)


@pytest.mark.parametrize(
    ("date", "known"),
    [
        ("Tue, 3 Mar 2026 12:00:04 +0000", True),
        ("Tue, 3 Mar 2026 12:14:00 +0000", True),
        ("Tue, 3 Mar 2026 13:00:04 +0100", False),  # in the mail's zone the log would be an hour older
        ("Tue, 3 Mar 2026 11:58:00 +0000", False),  # and here younger than the mail
    ],
)
def test_log_is_in_the_zone_of_the_mail_that_tells_of_it_at_once(date: str, known: bool):
    assert read(FAIL2BAN.format(""), date=date).zone_known is known


def test_complaint_that_says_no_time_was_written_after_the_deed():
    complaint = read("We got spam from 192.0.2.7\n")

    assert (complaint.arrival_date, complaint.time_stated) == (NOON.replace(minute=30), False)
    assert read("We got spam from 192.0.2.7 at 2026-03-03 12:00:00 UTC\n").time_stated is True
    assert read(ARF.format("X: y")).time_stated is False


@pytest.mark.parametrize("zone", ["IST", "BST", "CST", "AST", "ECT", "AMT"])
def test_zone_of_several_meanings_is_none(zone: str):
    assert read(ARF.format(f"Arrival-Date: Tue, 3 Mar 2026 12:00:00 {zone}")).zone_known is False
    assert read(f"We got spam from 192.0.2.7 at 2026-03-03 12:00:00\nTime zone: {zone}\n").zone_known is False
    assert read(ARF.format(f"Arrival-Date: Tue, 3 Mar 2026 12:00:00 +0100 ({zone})")).zone_known is True


def test_bare_day_may_be_off_by_a_day():
    complaint = read(table("event_time", "2026-03-03"))

    assert (complaint.arrival_date, complaint.zone_known, complaint.off_by) == (NOON.replace(hour=0), False, 86_400)


def test_mark_of_a_date_without_a_zone_is_kept_in_reckoning_and_never_leaves_the_formats():
    marked = read_mail_date("2026-03-03 12:00:00")

    assert marked is not None
    assert marked.tzinfo is ZONELESS
    assert max(marked, NOON.replace(hour=1)).tzinfo is ZONELESS
    assert (marked, hash(marked)) == (NOON, hash(NOON))
    assert read(ARF.format("Arrival-Date: 2026-03-03 12:00:00")).arrival_date.tzinfo is UTC


def test_complaint_without_a_time_has_no_zone_to_miss():
    assert read(ARF.replace("Date: Tue, 3 Mar 2026 12:30:00 +0000\n", "").format("X: y")).zone_known is True
