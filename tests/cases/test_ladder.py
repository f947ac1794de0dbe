from datetime import UTC, datetime, timedelta

import pytest

from complaints.cases.ladder import FORGOTTEN, HALF_LIFE, PastCase, points_of
from complaints.vocabulary import Category, Resolution

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)


def past(
    ago: timedelta = timedelta(0),
    category: Category = Category.SPAM,
    resolution: Resolution = Resolution.FIXED_VERIFIED,
) -> PastCase:
    return PastCase(category, resolution, NOW - ago)


def test_a_first_offender_has_none() -> None:
    assert points_of([], now=NOW) == 0


@pytest.mark.parametrize(("half_lives", "left"), [(0, 10), (1, 5), (2, 2.5), (8, 0.0)])
def test_points_fade_by_half(half_lives: int, left: float) -> None:
    assert points_of([past(half_lives * HALF_LIFE)], now=NOW) == left
    assert HALF_LIFE * 8 == FORGOTTEN


def test_they_add_up_over_categories() -> None:
    assert points_of([past(), past(category=Category.PHISHING), past(category=Category.VULNERABLE)], now=NOW) == 28


@pytest.mark.parametrize("resolution", [Resolution.NOT_ABUSE, Resolution.NOT_OURS, Resolution.MERGED, Resolution.STALE])
def test_what_was_nobodys_fault_leaves_none(resolution: Resolution) -> None:
    assert points_of([past(resolution=resolution)], now=NOW) == 0


def test_silence_weighs_more_than_a_fix() -> None:
    assert points_of([past(resolution=Resolution.NO_RESPONSE)], now=NOW) == 15


def test_a_clock_that_runs_ahead_adds_nothing() -> None:
    assert points_of([past(-timedelta(days=1))], now=NOW) == 10
