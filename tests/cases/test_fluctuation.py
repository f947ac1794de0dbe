"""When a day or an hour is a rise, and when it is only a Wednesday."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, timedelta

import pytest

from complaints.cases.fluctuation import SHAPE, Band, Sharp, band, day_band, filled, hour_band, is_rise

MONDAY = date(2026, 3, 9)
WEDNESDAY, SUNDAY = MONDAY + timedelta(days=2), MONDAY + timedelta(days=6)
SHARP = Sharp(least=10, times=1.5)


def weeks(day: date, level: float, *, number: int = 8, noise: float = 0.1, seed: int = 1) -> dict[date, float]:
    """The days before `day`, with the shape of a usual week."""
    dice = random.Random(seed)
    days = [day - timedelta(days=back) for back in range(1, number * 7 + 1)]
    return {each: round(level * SHAPE[each.weekday()] * dice.gauss(1, noise)) for each in days}


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("level", [40, 400, 4000])
def test_no_day_of_usual_weeks_is_a_rise(level: int, seed: int) -> None:
    days = weeks(MONDAY + timedelta(days=90), level, number=20, seed=seed)
    for day in sorted(days)[-70:]:
        past = {each: n for each, n in days.items() if each < day}
        assert not is_rise(days[day], day_band(past, day), SHARP), (day, days[day])


def test_a_monday_after_a_quiet_week_end_is_no_rise() -> None:
    past = weeks(MONDAY, 1000)
    assert not is_rise(1000, day_band(past, MONDAY), SHARP)
    assert past[MONDAY - timedelta(days=1)] < 900


def test_a_sunday_as_full_as_two_wednesdays_is_one() -> None:
    assert is_rise(2200, day_band(weeks(SUNDAY, 1000), SUNDAY), SHARP)


@pytest.mark.parametrize(("n", "rises"), [(1100, False), (1300, False), (2500, True), (10_000, True)])
def test_only_what_stands_out_is_a_rise(n: int, rises: bool) -> None:
    assert is_rise(n, day_band(weeks(WEDNESDAY, 1000), WEDNESDAY), SHARP) is rises


def test_last_months_flood_does_not_hide_the_next() -> None:
    past = weeks(WEDNESDAY, 1000)
    for back in range(20, 26):
        past[WEDNESDAY - timedelta(days=back)] = 50_000
    assert is_rise(2500, day_band(past, WEDNESDAY), SHARP)


@pytest.mark.parametrize(
    ("n", "rises"), [(0, False), (9, False), (10, True), (200, True)]
)  # nobody complained about this line for weeks
def test_a_quiet_line_needs_more_than_chance(n: int, rises: bool) -> None:
    past = filled({}, since=MONDAY - timedelta(weeks=8), until=MONDAY)
    assert is_rise(n, day_band(past, MONDAY), SHARP) is rises


def test_after_one_week_the_shape_of_a_usual_week_helps_out() -> None:
    past = weeks(WEDNESDAY, 1000, number=1)
    expected = day_band(past, WEDNESDAY)
    assert expected is not None
    assert 950 < expected.usual < 1250
    assert not is_rise(1150, expected, SHARP)
    assert is_rise(3000, expected, SHARP)


@pytest.mark.parametrize("days", [0, 6])
def test_of_a_few_days_nothing_is_known(days: int) -> None:
    past = dict.fromkeys([MONDAY - timedelta(days=back) for back in range(1, days + 1)], 5.0)
    assert day_band(past, MONDAY) is None
    assert not is_rise(10_000, None, SHARP)


def test_days_from_before_the_weeks_looked_at_do_not_count() -> None:
    old = {MONDAY - timedelta(weeks=9, days=back): 9000.0 for back in range(30)}
    assert day_band(weeks(MONDAY, 10, noise=0) | old, MONDAY) == day_band(weeks(MONDAY, 10, noise=0), MONDAY)


def test_an_hour_is_compared_with_its_own_hour_of_the_week() -> None:
    noon = datetime(2026, 3, 11, 12, tzinfo=UTC)
    past = {
        noon - timedelta(hours=back): 100.0 if 8 <= (noon.hour - back) % 24 <= 18 else 5.0 for back in range(1, 1500)
    }
    assert not is_rise(110, hour_band(past, noon), SHARP)
    assert is_rise(400, hour_band(past, noon), SHARP)
    night = noon - timedelta(hours=10)
    assert is_rise(110, hour_band(past, night), SHARP)
    assert hour_band({}, noon) is None


def test_a_band_is_never_narrower_than_chance() -> None:
    assert band(100, 0) == Band(100, 50, 150)
    assert band(0, 0) == Band(0, 0, 5)


def test_a_day_without_any_is_a_nought_once_counting_has_begun() -> None:
    since, until = MONDAY, MONDAY + timedelta(days=3)
    assert list(filled({MONDAY + timedelta(days=1): 4}, since=since, until=until).values()) == [0, 4, 0]
    assert filled({}, since=until, until=since) == {}
