"""Rules tried on what came in: what is said of them must be what would have been."""

from __future__ import annotations

from datetime import timedelta

import pytest

from complaints.cases.rules_match import Line
from complaints.cases.rules_trial import Trial, try_rules
from complaints.models import Case
from tests.factories import NOON, make_case, make_complaint, make_contract, make_run

pytestmark = pytest.mark.django_db
NOISE = Line(id=0, kind="ignore", reporters=frozenset({"noise.example"}))


def case_of(number: int, *reporters: str, days_ago: int = 1) -> Case:
    at = NOON - timedelta(days=days_ago)
    case = make_case(f"C-{number}", opened_at=at)
    for reporter in reporters:
        make_complaint(case, reporter=reporter, received_at=at, seen_at=at)
    return case


def tried(*lines: Line, instead_of: tuple[Line, ...] = (), **options: object) -> Trial:
    return try_rules(lines, instead_of=instead_of, about=0, now=NOON, **options)  # type: ignore[arg-type]


def test_a_case_that_only_ignored_ones_opened_would_not_be_there() -> None:
    gone = case_of(1, "a@noise.example", "b@noise.example")
    case_of(2, "a@noise.example", "lena@fine.example")
    trial = tried(NOISE)

    assert (trial.complaints, trial.fitted, trial.fewer, trial.proven, trial.more) == (4, 3, [gone.pk], [], 0)
    assert [case.pk for case in trial.cases] == [gone.pk]


@pytest.mark.parametrize("proof", ["check", "fix", "cause"])
def test_a_proven_case_is_named_as_such(proof: str) -> None:
    case = case_of(1, "a@noise.example")
    if proof == "check":
        make_run(case, "relay", "bad")
    elif proof == "fix":
        Case.objects.update(state="closed", closed_at=NOON, resolution="fixed_verified")
    else:
        Case.objects.update(cause_confidence=0.95)

    assert tried(NOISE).proven == [case.pk]


def test_what_an_older_rule_would_keep_away_by_now_is_not_counted_for_the_new_one() -> None:
    case_of(1, "a@noise.example")
    older = Line(id=7, kind="ignore", categories=frozenset({"spam"}))

    assert tried(older, NOISE, instead_of=(older,)).fewer == []


def test_a_threshold_counts_in_the_order_of_arrival_and_within_its_days() -> None:
    enough = case_of(1, "a@x.example", "b@y.example")
    spread = make_case("C-2", opened_at=NOON - timedelta(days=20))
    for days in (20, 10):
        at = NOON - timedelta(days=days)
        make_complaint(spread, reporter="a@x.example", received_at=at, seen_at=at)
    line = Line(id=0, kind="threshold", complaints=2, days=7)

    assert tried(line).fewer == [spread.pk]
    assert enough.pk not in tried(line).fewer


def test_a_rule_that_is_taken_away_would_have_opened_more() -> None:
    contract = make_contract("C-1")
    for _ in range(2):
        made = make_complaint(reporter="a@noise.example", received_at=NOON - timedelta(days=1))
        made.answer, made.contract, made.ruling = "owner", contract, "ignored"
        made.save()

    assert tried(instead_of=(NOISE,)).more == 1
    assert tried(NOISE, instead_of=(NOISE,)).more == 0


def test_older_complaints_and_cases_are_left_alone() -> None:
    case_of(1, "a@noise.example", days_ago=31)

    assert tried(NOISE).complaints == 0


def test_old_mails_that_were_read_again_do_not_hide_the_young_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("complaints.cases.rules_trial.PORTION", 2)
    case_of(1, "a@noise.example")
    for number in range(2, 7):
        case_of(number, "a@noise.example", days_ago=40)

    assert tried(NOISE).fitted == 1


def test_it_stops_by_the_clock_and_says_how_far_it_came(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("complaints.cases.rules_trial.PORTION", 2)
    old = case_of(1, "a@noise.example", days_ago=9)
    for number, days in ((2, 5), (3, 3), (4, 1)):
        case_of(number, "a@noise.example", days_ago=days)
    times = iter([0.0, 7.0])
    trial = tried(NOISE, clock=lambda: next(times))

    assert (trial.is_cut, trial.complaints, trial.since) == (True, 2, NOON - timedelta(days=3))
    assert len(trial.fewer) == 2
    assert old.pk not in trial.fewer
