"""How long a line is watched: many times its longest pause, and never for ever."""

from datetime import UTC, datetime, timedelta

import pytest

from complaints.playbooks.watching import watch_span

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
DAY = 24


@pytest.mark.parametrize(
    ("hours", "days"),
    [
        ([], 7),
        ([0, 5], 7),  # too few to know its pauses
        ([0, 1, 2], 5),  # never less
        ([0, 30, 40], 7.5),
        ([0, 0, 0, 0, 30, 40], 7.5),  # many reports of one run lengthen nothing, and shorten nothing
        ([40, 0, 30], 7.5),
        ([0, 9 * DAY, 10 * DAY], 14),  # never more
    ],
)
def test_the_span_of_a_watch(hours: list[float], days: float) -> None:
    assert watch_span([NOON + timedelta(hours=hour) for hour in hours]) == timedelta(days=days)
