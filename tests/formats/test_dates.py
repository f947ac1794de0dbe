from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from complaints.formats.dates import dates_in, read_mail_date, stated_zone, zone_of

NOON = datetime(2026, 3, 3, 12, 0, 0, tzinfo=UTC)
MIDNIGHT = datetime(2026, 3, 3, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("Tue, 3 Mar 2026 12:00:00 +0000", NOON),
        ("Tue,  3 Mar 2026 13:00:00 +0100 (CET)", NOON),
        ("3 Mar 2026 12:00 GMT", NOON),
        ("Mon, 3 Mar 2026 12:00:00 UT", NOON),  # a wrong weekday is no reason to lose the time
        ("Tue, 3 Mar 2026 07:00:00 EST", NOON),
        ("Tue, 3 Mar 2026 05:00:00 -0700 (MST)", NOON),
        ("Tue, 3 Mar 2026 12:00:00 -0000 (EST)", NOON),  # the number wins over the comment
        ("Tue, 3 Mar 2026 12:00:00 XYZ", NOON),  # RFC 5322 section 4.3: unknown zones count as -0000
        ("Tue, 03-Mar-26 12:00:00 GMT", NOON),
        ("Tuesday, 3 March 2026 12:00:00 +0000", NOON),
        ("Tue, 3 Mar 2026", MIDNIGHT),
        ("Tue Mar  3 12:00:00 2026", NOON),
        ("Tue Mar  3 07:00:00 EST 2026", NOON),
        ("2026-03-03T12:00:00Z", NOON),
        ("2026-03-03 12:00:00.123 UTC", NOON),
        ("2026-03-03 13:00:00+01:00", NOON),
        ("2026-03-03", MIDNIGHT),
        ("03/Mar/2026:13:00:00 +0100", NOON),
        ("3 Mar 2026 12:00:60 GMT", datetime(2026, 3, 3, 12, 0, 59, tzinfo=UTC)),  # a leap second
        ("3 Mar 71 12:00:00 GMT", datetime(1971, 3, 3, 12, 0, 0, tzinfo=UTC)),
        ("Tue, 3 Mar 2026 12:00PM UTC", NOON),
        ("Tue, 3 Mar 2026 12:00AM", MIDNIGHT),
        ("3 Mar 2026 13:00 GMT+1", NOON),
        ("2026-03-03 08:30 UTC-0330", NOON),
        ("2026/03/03 12:00", NOON),
        ("03.03.2026 12:00:00", NOON),
        ("Di, 03.03.2026 um 13:00 Uhr MEZ", NOON),
        ("3. März 2026", MIDNIGHT),
        ("3 de marzo de 2026", MIDNIGHT),
        ("3 juillet 2026", datetime(2026, 7, 3, tzinfo=UTC)),
        ("March 3rd, 2026 at 7:00 AM EST", NOON),
        ("25/03/2026", datetime(2026, 3, 25, tzinfo=UTC)),
        ("03/25/2026", datetime(2026, 3, 25, tzinfo=UTC)),
        ("3/4/2026 1:00 PM", datetime(2026, 3, 4, 13, 0, tzinfo=UTC)),  # only Americans write it with PM
        ("03/04/2026", None),  # the third of April or the fourth of March
        ("1.3.2026.4", None),
        ("30 Feb 2026 12:00:00 GMT", None),
        ("3 Foo 2026 12:00:00 GMT", None),
        ("1 Jan 0001 00:00:00 +1400", None),  # before the first year that a datetime knows
        ("(invalid)", None),
        ("", None),
        (None, None),
    ],
)
def test_date_is_read_in_utc(text: str | None, moment: datetime | None):
    assert read_mail_date(text) == moment


def test_dates_are_found_inside_a_text():
    text = "between 2026-03-03 12:00:00 and Tue, 3 Mar 2026 00:00:00 +0000; rule 10.2.3, order 2026-99-99"

    assert list(dates_in(text)) == [NOON, MIDNIGHT]


def test_date_without_a_zone_takes_the_one_that_the_caller_knows():
    cet = timedelta(hours=1)

    assert read_mail_date("03.03.2026 13:00", cet) == NOON
    assert read_mail_date("3 Mar 2026 12:00 GMT", cet) == NOON
    assert zone_of("Tue, 3 Mar 2026 13:00:00 +0100") == cet


def test_log_line_without_a_year_is_of_the_latest_year_that_fits():
    text = "Mar  3 12:00:00 host sshd[1]: x\nDec 31 23:00:00 host sshd[1]: x"

    assert list(dates_in(text)) == []
    assert list(dates_in(text, near=NOON)) == [NOON, datetime(2025, 12, 31, 23, 0, tzinfo=UTC)]


@pytest.mark.parametrize(
    ("text", "hours"),
    [
        ("Time Zone: UTC", 0),
        ("All times are GMT+1.", 1),
        ("alle Zeiten in MEZ", 1),
        ("Timestamps: -03:30", -3.5),
        ("at times the server is slow", None),
        ("this time of the west", None),
    ],
)
def test_zone_is_stated_once_for_a_whole_text(text: str, hours: float | None):
    assert stated_zone(text) == (None if hours is None else timedelta(hours=hours))
