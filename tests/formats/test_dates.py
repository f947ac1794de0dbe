from __future__ import annotations

from datetime import UTC, datetime

import pytest

from complaints.formats.dates import dates_in, read_mail_date

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
