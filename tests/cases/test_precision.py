from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from complaints.cases.precision import HALF_LIFE, LOOKS_BACK, PRIOR, Measured, measure, precision
from complaints.vocabulary import Resolution
from tests.factories import NOON

FIXED, NOT_ABUSE = Resolution.FIXED_VERIFIED, Resolution.NOT_ABUSE
ends = st.lists(st.tuples(st.sampled_from(Resolution), st.datetimes().map(lambda at: NOON - timedelta(days=at.day))))


def test_whoever_has_no_ended_case_is_taken_for_ordinary() -> None:
    assert measure([], now=NOON) == Measured()
    assert precision(0, 0) == pytest.approx(PRIOR)


@pytest.mark.parametrize(
    ("age", "weight"),
    [(timedelta(0), 1.0), (HALF_LIFE, 0.5), (2 * HALF_LIFE, 0.25), (LOOKS_BACK + timedelta(seconds=1), 0.0)],
)
def test_an_end_counts_half_as_much_after_each_half_life(age: timedelta, weight: float) -> None:
    found = measure([(FIXED, NOON - age), (NOT_ABUSE, NOON - age)], now=NOON)

    assert (found.right, found.wrong) == (pytest.approx(weight), pytest.approx(weight))
    assert (found.right_cases, found.wrong_cases) == (1, 1)


@pytest.mark.parametrize("resolution", [Resolution.NO_RESPONSE, Resolution.STALE, Resolution.MERGED])
def test_ends_that_prove_nothing_say_nothing(resolution: Resolution) -> None:
    assert measure([(resolution, NOON)], now=NOON) == Measured()


def test_ten_rights_lift_and_ten_wrongs_sink() -> None:
    assert precision(10, 0) == pytest.approx(0.93, abs=0.01)
    assert precision(0, 10) == pytest.approx(0.16, abs=0.01)


def test_a_persons_word_goes_before_what_is_measured() -> None:
    assert precision(0, 50, trust="trusted") == 0.95
    assert precision(50, 0, trust="distrusted") == 0.05


@given(ends)
def test_precision_is_a_share_and_the_order_of_ends_is_nothing(found: list[tuple[Resolution, object]]) -> None:
    one, other = measure(found, now=NOON), measure(list(reversed(found)), now=NOON)  # type: ignore[arg-type]

    assert 0 < precision(one.right, one.wrong) < 1
    assert precision(one.right, one.wrong) == pytest.approx(precision(other.right, other.wrong))
