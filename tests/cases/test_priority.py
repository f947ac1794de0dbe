from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from complaints.cases.priority import Weight, prioritise
from complaints.vocabulary import CaseState, Category

LIGHT = Weight(
    category=Category.SPAM,
    state=CaseState.INVESTIGATING,
    complaints=1,
    reporters=1,
    blacklists=0,
    proven=False,
    ladder=0,
    overdue=False,
)
weights = st.builds(
    Weight,
    category=st.sampled_from(Category),
    state=st.sampled_from(CaseState),
    complaints=st.integers(0, 10**7),
    reporters=st.integers(0, 10**6),
    blacklists=st.integers(0, 40),
    proven=st.booleans(),
    ladder=st.integers(0, 30),
    overdue=st.booleans(),
)


def test_a_single_complaint_of_spam_is_light() -> None:
    assert prioritise(LIGHT) == (22, [("category spam", 20), ("1 reporter", 2)])


def test_the_lines_explain_the_points_biggest_first() -> None:
    heavy = replace(LIGHT, complaints=57, reporters=41, blacklists=3, proven=True, ladder=2, overdue=True)

    assert prioritise(heavy) == (
        100,
        [
            ("category spam", 20),
            ("41 reporters", 20),
            ("2 relapses", 20),
            ("proven by our own check", 15),
            ("on 3 blacklists", 15),
            ("deadline passed", 10),
            ("57 complaints", 9),
        ],
    )


@given(weights)
def test_points_stay_between_0_and_100_and_are_the_sum_of_their_lines(weight: Weight) -> None:
    points, lines = prioritise(weight)

    assert 0 <= points <= 100
    assert points == min(100, sum(line[1] for line in lines))


@given(weights)
def test_a_relapse_never_makes_a_case_lighter(weight: Weight) -> None:
    assert prioritise(replace(weight, ladder=weight.ladder + 1))[0] >= prioritise(weight)[0]
