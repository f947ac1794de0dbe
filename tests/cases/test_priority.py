from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from complaints.cases.priority import Weight, prioritise, weight_from
from complaints.cases.weights import DEFAULTS, SETTINGS, BadWeight, read_weights
from complaints.vocabulary import CaseState, Category, ContractKind

LIGHT = Weight(
    category=Category.SPAM,
    state=CaseState.INVESTIGATING,
    complaints=1,
    reporters=1,
    proven=False,
    kind=ContractKind.RESIDENTIAL,
    ladder=0,
)
weights = st.builds(
    Weight,
    category=st.sampled_from(Category),
    state=st.sampled_from(CaseState),
    complaints=st.integers(0, 10**7),
    last_day=st.integers(0, 50),
    a_day_before=st.floats(0, 10**6),
    reporters=st.integers(0, 10**6),
    precision=st.floats(0, 1),
    lists=st.lists(st.tuples(st.sampled_from("abcdef"), st.floats(0, 1)), max_size=6).map(tuple),
    proven=st.booleans(),
    kind=st.sampled_from(ContractKind),
    ladder=st.integers(0, 30),
    promise=st.sampled_from(["", "half", "passed"]),
)
documents = st.fixed_dictionaries({name: st.integers(0, setting.most) for name, setting in SETTINGS.items()})


def test_a_single_complaint_of_spam_is_light() -> None:
    assert prioritise(LIGHT) == (24, [("category spam", 20), ("1 independent reporter", 4)])


def test_the_lines_explain_the_points_biggest_first() -> None:
    heavy = replace(
        LIGHT, complaints=57, last_day=40, a_day_before=5.0, reporters=41, precision=0.9,
        lists=(("UCE", 0.1), ("XBL", 1.0), ("CBL", 0.8), ("PSBL", 0.6)), proven=True, kind=ContractKind.BUSINESS,
        ladder=2, promise="passed",
    )  # fmt: skip

    assert prioritise(heavy) == (
        100,
        [
            ("category spam", 20),
            ("41 independent reporters", 20),
            ("2 relapses", 20),
            ("proven by our own check", 15),
            ("on XBL, CBL, PSBL and 1 more", 12),
            ("rising: 40 in the last day, 5 a day before", 10),
            ("promised time passed", 10),
            ("57 complaints", 9),
            ("business line", 2),
        ],
    )


def test_reporters_who_are_often_wrong_take_away_and_our_own_proof_brings_back() -> None:
    doubted = replace(LIGHT, precision=0.3)

    assert prioritise(doubted) == (
        12,
        [("category spam", 20), ("1 independent reporter", 4), ("reporters right in 30% at best", -12)],
    )
    assert prioritise(replace(doubted, proven=True))[0] == 24 + 15


@pytest.mark.parametrize(
    ("last_day", "before", "points"), [(2, 0.0, 0), (3, 0.0, 5), (8, 1.0, 10), (8, 8.0, 0), (50, 1.0, 10)]
)
def test_a_rise_counts_by_its_steepness(last_day: int, before: float, points: int) -> None:
    rising = [
        line[1] for line in prioritise(replace(LIGHT, last_day=last_day, a_day_before=before))[1] if "rising" in line[0]
    ]

    assert sum(rising) == points


def test_half_of_the_time_counts_less_than_all_of_it() -> None:
    assert prioritise(replace(LIGHT, promise="half"))[0] == 27
    assert prioritise(replace(LIGHT, promise="passed"))[0] == 34


def test_other_weights_make_another_priority() -> None:
    assert prioritise(LIGHT, DEFAULTS | {"severity.spam": 60, "reporters": 0})[0] == 60


@given(weights, documents)
def test_points_stay_between_0_and_100_and_are_the_sum_of_their_lines(weight: Weight, points: dict[str, int]) -> None:
    worth, lines = prioritise(weight, points)

    assert 0 <= worth <= 100
    assert worth == max(0, min(100, sum(line[1] for line in lines)))


@given(weights)
def test_a_relapse_never_makes_a_case_lighter(weight: Weight) -> None:
    assert prioritise(replace(weight, ladder=weight.ladder + 1))[0] >= prioritise(weight)[0]


@given(weights)
def test_one_more_reporter_never_makes_a_case_lighter(weight: Weight) -> None:
    if weight.reporters:
        assert prioritise(replace(weight, reporters=weight.reporters + 1))[0] >= prioritise(weight)[0]


@given(weights)
def test_what_was_kept_weighs_the_same(weight: Weight) -> None:
    assert weight_from(weight.as_json()) == weight


@pytest.mark.parametrize(
    "document", [{"severity.spma": 1}, {"proven": -1}, {"proven": 41}, {"proven": "9"}, {"proven": True}]
)
def test_nonsense_is_no_weight(document: dict[str, object]) -> None:
    with pytest.raises(BadWeight):
        read_weights(document)


def test_a_version_of_before_a_weight_was_there_has_its_default() -> None:
    assert read_weights({"proven": 7}) == {**DEFAULTS, "proven": 7}
