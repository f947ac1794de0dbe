from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from complaints.playbooks.facts import public_holidays
from complaints.playbooks.working_time import BadHours, WorkingTime

PARIS = ZoneInfo("Europe/Paris")
OFFICE = WorkingTime.parse("mon-thu 09:00-17:00, fri 09:00-15:00", zone=PARIS)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=PARIS)


@pytest.mark.parametrize(
    ("moment", "is_open"),
    [
        ("2026-03-09 08:59:59", False),
        ("2026-03-09 09:00:00", True),
        ("2026-03-09 16:59:59", True),
        ("2026-03-09 17:00:00", False),
        ("2026-03-13 15:00:00", False),  # Friday
        ("2026-03-14 12:00:00", False),  # Saturday
    ],
)
def test_a_desk_is_open_from_its_opening_to_before_its_closing(moment: str, is_open: bool) -> None:
    assert OFFICE.is_open(at(moment)) is is_open


@pytest.mark.parametrize(
    ("since", "span", "until"),
    [
        ("2026-03-09 10:00", timedelta(hours=2), "2026-03-09 12:00"),
        ("2026-03-09 16:00", timedelta(hours=2), "2026-03-10 10:00"),
        ("2026-03-09 16:00", timedelta(hours=1), "2026-03-10 09:00"),  # closing time is not open time
        ("2026-03-13 14:00", timedelta(hours=2), "2026-03-16 10:00"),  # over the week-end
        ("2026-03-14 03:00", timedelta(0), "2026-03-16 09:00"),
        ("2026-03-09 10:00", timedelta(0), "2026-03-09 10:00"),
        ("2026-03-27 14:30", timedelta(hours=1), "2026-03-30 09:30"),  # summer time begins in between
        ("2026-03-09 09:00", timedelta(hours=38), "2026-03-16 09:00"),  # the whole week
    ],
)
def test_only_open_hours_count(since: str, span: timedelta, until: str) -> None:
    assert OFFICE.add(at(since), span) == at(until)


def test_hours_keep_to_the_clock_on_the_wall() -> None:
    assert OFFICE.next_open(at("2026-07-06 03:00")) == datetime(2026, 7, 6, 7, tzinfo=UTC)
    assert OFFICE.next_open(at("2026-01-05 03:00")) == datetime(2026, 1, 5, 8, tzinfo=UTC)


def test_holidays_are_no_working_time() -> None:
    bavaria = WorkingTime.parse("mon-fri 09:00-17:00", zone=PARIS, holidays=public_holidays("DE-BY"))

    assert bavaria.add(at("2026-01-05 16:00"), timedelta(hours=2)) == at("2026-01-07 10:00")  # Epiphany on the 6th


def test_a_calendar_without_any_open_hour_is_told() -> None:
    with pytest.raises(BadHours, match="no such span"):
        WorkingTime(PARIS, {}, frozenset[date]()).next_open(at("2026-03-09 10:00"))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "'' is no working time"),
        ("mon 9-17", "'mon 9-17' is no working time"),
        ("mun 09:00-17:00", "'mun' in 'mun 09:00-17:00' is no day"),
        ("fri-mon 09:00-17:00", "goes backwards"),
        ("mon 17:00-09:00", "closes before it opens"),
        ("mon 09:00-25:00", "holds no time of day"),
    ],
)
def test_nonsense_is_refused(text: str, said: str) -> None:
    with pytest.raises(BadHours, match=said):
        WorkingTime.parse(text, zone=PARIS)
