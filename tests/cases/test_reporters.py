"""What is counted and measured of reporters, behind the intake."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from complaints.cases.reporters import NothingChanged, change_reporter, measure_all, prove_tallies, tally
from complaints.models import Case, Complaint, Reporter, ReporterTally, TallyPosition
from tests.factories import NOON, make_case, make_complaint

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)


def tallies() -> list[tuple[str, date, str, int]]:
    rows = ReporterTally.objects.order_by("reporter", "day", "category")
    return list(rows.values_list("reporter__address", "day", "category", "complaints"))


def counted(minutes: int = 2) -> int:
    """As the clock rings: each minute."""
    return sum(tally(now=NOON + each * MINUTE) for each in range(minutes + 1))


def ended(number: int, resolution: str, *reporters: str, days_ago: int = 0) -> Case:
    at = NOON - timedelta(days=days_ago)
    case = make_case(f"C-{number}", state="closed", closed_at=at, resolution=resolution)
    for reporter in reporters:
        make_complaint(case, reporter=reporter)
    return case


def test_complaints_are_counted_by_day_and_kind_and_once() -> None:
    make_complaint(reporter="a@x.example")
    make_complaint(reporter="a@x.example")
    make_complaint(reporter="a@x.example", category="scan")
    make_complaint(reporter="b@x.example", received_at=NOON - timedelta(days=1))
    make_complaint()

    assert counted() == 5
    assert counted() == 0
    assert tallies() == [
        ("a@x.example", date(2026, 3, 10), "scan", 1),
        ("a@x.example", date(2026, 3, 10), "spam", 2),
        ("b@x.example", date(2026, 3, 9), "spam", 1),
    ]
    assert dict(Reporter.objects.values_list("address", "recent")) == {"a@x.example": 3, "b@x.example": 1}


def test_what_is_younger_than_a_minute_waits_for_open_transactions() -> None:
    make_complaint(reporter="a@x.example")
    assert tally(now=NOON) == 0
    assert tally(now=NOON + MINUTE) == 0  # now it knows how far the ids go
    assert tally(now=NOON + timedelta(seconds=119)) == 0
    assert tally(now=NOON + 2 * MINUTE) == 1


def test_more_is_added_to_what_was_counted() -> None:
    make_complaint(reporter="a@x.example")
    counted()
    make_complaint(reporter="a@x.example")
    tally(now=NOON + 4 * MINUTE)
    tally(now=NOON + 6 * MINUTE)

    assert tallies() == [("a@x.example", date(2026, 3, 10), "spam", 2)]


def test_the_night_proves_the_counters_right() -> None:
    make_complaint(reporter="a@x.example")
    make_complaint(reporter="b@x.example")
    counted()
    ReporterTally.objects.filter(reporter__address="a@x.example").update(complaints=7)
    Reporter.objects.update(recent=99)

    assert prove_tallies(now=NOON + timedelta(hours=1)) == 1
    assert prove_tallies(now=NOON + timedelta(hours=1)) == 0
    assert [count for *_, count in tallies()] == [1, 1]
    assert set(Reporter.objects.values_list("recent", flat=True)) == {1}


def test_old_complaints_leave_the_last_thirty_days() -> None:
    make_complaint(reporter="a@x.example")
    counted()
    prove_tallies(now=NOON + timedelta(days=29))
    assert Reporter.objects.get().recent == 1

    prove_tallies(now=NOON + timedelta(days=30))
    assert Reporter.objects.get().recent == 0


def test_reporters_are_measured_by_how_their_cases_ended_each_case_once() -> None:
    ended(1, "fixed_verified", "a@x.example", "a@x.example", "b@x.example")
    ended(2, "not_abuse", "a@x.example", days_ago=90)
    ended(3, "no_response", "b@x.example")
    ended(4, "fixed_verified", "b@x.example", days_ago=451)
    make_case("C-5")

    assert measure_all(now=NOON) == 2
    assert measure_all(now=NOON) == 0
    a, b = Reporter.objects.order_by("address")
    assert (a.right, a.wrong, a.right_cases, a.wrong_cases) == (1.0, 0.5, 1, 1)
    assert (b.right, b.wrong, b.right_cases, b.wrong_cases) == (1.0, 0.0, 1, 0)


def test_what_anybody_wrote_in_the_name_of_a_proven_reporter_is_not_held_against_them() -> None:
    ended(1, "fixed_verified", "fbl@x.example", "fbl@x.example")
    ended(2, "not_abuse", "fbl@x.example")
    ended(3, "not_abuse", "by.hand@y.example")
    first = Complaint.objects.filter(reporter__address="fbl@x.example").order_by("pk")[0]
    Complaint.objects.filter(pk=first.pk).update(evidence={"authenticated": "x.example"})

    measure_all(now=NOON)

    counted = Reporter.objects.values_list("address", "right_cases", "wrong_cases").order_by("address")
    assert list(counted) == [("by.hand@y.example", 0, 1), ("fbl@x.example", 1, 0)]


def test_what_is_no_more_true_is_forgotten() -> None:
    case = ended(1, "not_abuse", "a@x.example")
    measure_all(now=NOON)
    Case.objects.filter(pk=case.pk).update(state="triage", closed_at=None, resolution="")

    assert measure_all(now=NOON) == 1
    assert Reporter.objects.get().wrong == 0


def test_a_change_by_a_person_leaves_a_line() -> None:
    make_complaint(reporter="a@x.example")
    reporter = Reporter.objects.get()
    change = change_reporter(reporter, actor="carla", now=NOON, trust="trusted", no_mail=True)

    assert change.text == "trust: as measured; no mail: no → trusted; yes"
    assert Reporter.objects.get().trust == "trusted"
    with pytest.raises(NothingChanged):
        change_reporter(reporter, actor="carla", now=NOON, trust="trusted", no_mail=True)


def test_a_counter_that_another_worker_has_moved_is_left_to_it(monkeypatch: pytest.MonkeyPatch) -> None:
    from complaints.cases import reporters

    make_complaint(reporter="a@x.example")
    tally(now=NOON)
    tally(now=NOON)
    honest = reporters.add_tallies

    def overtaken(counts: object, upto: int, to: int) -> bool:
        TallyPosition.objects.update(upto=to)
        return honest(counts, upto, to)  # type: ignore[arg-type]

    tally(now=NOON + MINUTE)
    monkeypatch.setattr(reporters, "add_tallies", overtaken)
    assert tally(now=NOON + 2 * MINUTE) == 0
    assert tallies() == []
