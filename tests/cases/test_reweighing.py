"""Other weights: tried first, then given to every open case, by whoever comes along."""

from __future__ import annotations

from datetime import timedelta

import pytest

from complaints.cases.assessment import assess
from complaints.cases.queue import page_of
from complaints.cases.reweighing import (
    StaleWeights,
    reweigh,
    reweigh_calm,
    reweigh_late,
    save_weights,
    try_weights,
    weights_now,
)
from complaints.cases.weights import DEFAULTS, BadWeight
from complaints.models import Case, PriorityWeights
from complaints.vocabulary import Category
from tests.factories import NOON, make_case, make_complaint

pytestmark = pytest.mark.django_db
SCANS_FIRST = DEFAULTS | {"severity.scan": 60}


def weighed(number: int, category: Category) -> Case:
    case = make_case(f"C-{number}", category=category)
    assess(case, now=NOON)
    return case


def saved(document: dict[str, int], *, instead_of: int = 0) -> PriorityWeights:
    return save_weights(document, instead_of=instead_of, actor="carla", reason="scans", now=NOON)


def test_the_queue_is_shown_as_it_would_be_and_nothing_changes() -> None:
    spam, scan, other = weighed(1, Category.SPAM), weighed(2, Category.SCAN), weighed(3, Category.OTHER)
    places, looked_at = try_weights(SCANS_FIRST)

    assert [(each.case, each.was, each.now, each.up) for each in places] == [
        (scan, 2, 1, 1),
        (spam, 1, 2, -1),
        (other, 3, 3, 0),
    ]
    assert looked_at == 3
    assert (places[0].points_were, places[0].points) == (17, 62)
    scan.refresh_from_db()
    assert scan.priority == 17


def test_cases_of_equal_points_keep_the_order_of_their_numbers_before_and_after() -> None:
    cases = [weighed(number, Category.SPAM) for number in range(6)]
    places, _ = try_weights(DEFAULTS | {"severity.spam": 0})

    assert {each.points for each in places} == {2}
    assert [(each.case, each.up) for each in places] == [(case, 0) for case in cases]
    assert page_of(Case.objects.all()).cases == cases


def test_what_is_shown_is_what_comes() -> None:
    for number, category in enumerate((Category.SPAM, Category.SCAN, Category.OTHER, Category.BOT)):
        weighed(number, category)
    places, _ = try_weights(SCANS_FIRST)
    saved(SCANS_FIRST)
    while reweigh(now=NOON):
        pass

    queue = Case.objects.active().order_by("-priority", "id")
    assert [(case.pk, case.priority) for case in queue] == [(each.case.pk, each.points) for each in places]
    assert ["category scan", 60] in Case.objects.get(category="scan").priority_reasons


def test_open_cases_are_weighed_anew_portion_by_portion_and_closed_ones_are_left() -> None:
    cases = [weighed(number, Category.SCAN) for number in range(3)]
    closed = weighed(9, Category.SCAN)
    Case.objects.filter(pk=closed.pk).update(state="closed", closed_at=NOON, resolution="stale")
    version = saved(SCANS_FIRST)

    assert [reweigh(now=NOON, most=2) for _ in range(4)] == [2, 1, 0, 0]
    assert set(Case.objects.filter(pk__in=[case.pk for case in cases]).values_list("priority", flat=True)) == {62}
    assert Case.objects.get(pk=closed.pk).priority == 17
    version.refresh_from_db()
    assert version.finished_at == NOON


def test_a_newer_version_overtakes_one_that_is_still_being_given() -> None:
    weighed(1, Category.SCAN)
    saved(SCANS_FIRST)
    saved(SCANS_FIRST | {"severity.scan": 30}, instead_of=1)
    while reweigh(now=NOON):
        pass

    assert Case.objects.get().priority == 32
    assert not PriorityWeights.objects.filter(finished_at=None).exists()


def test_who_looked_at_older_weights_is_refused() -> None:
    saved(SCANS_FIRST)
    with pytest.raises(StaleWeights):
        saved(DEFAULTS | {"proven": 1})
    assert weights_now() == (1, SCANS_FIRST)


def test_nonsense_is_refused_and_nothing_kept() -> None:
    with pytest.raises(BadWeight):
        saved(DEFAULTS | {"proven": 99})
    assert weights_now() == (0, DEFAULTS)


def test_a_case_that_was_not_weighed_yet_keeps_what_it_has() -> None:
    case = make_case(priority=7)
    saved(SCANS_FIRST)
    while reweigh(now=NOON):
        pass
    case.refresh_from_db()
    assert case.priority == 7


def test_a_weight_that_is_no_more_known_harms_nobody() -> None:
    PriorityWeights.objects.create(number=1, document={"gone": 9}, created_at=NOON, created_by="c", reason="r")
    assert weighed(1, Category.SPAM).priority == 22


def test_a_case_rises_when_its_time_passes_though_nobody_looks_at_it() -> None:
    case = weighed(1, Category.SPAM)
    Case.objects.update(deadline_at=NOON)
    assert reweigh_late(now=NOON - timedelta(seconds=1)) == 0
    assert reweigh_late(now=NOON) == 1
    assert reweigh_late(now=NOON) == 0
    case.refresh_from_db()
    assert case.priority == 32


def test_a_case_stops_rising_a_day_after_its_last_complaint_though_nobody_looks_at_it() -> None:
    case = make_case(last_seen_at=NOON)
    make_complaint(case, seen_at=NOON)
    assess(case, now=NOON)
    Case.objects.update(weighed={**(case.weighed or {}), "last_day": 8})

    assert reweigh_calm(now=NOON + timedelta(hours=23)) == 0
    assert reweigh_calm(now=NOON + timedelta(hours=24)) == 1
    assert reweigh_calm(now=NOON + timedelta(hours=25)) == 0
    case.refresh_from_db()
    assert case.weighed
    assert (case.weighed["last_day"], case.priority) == (0, 22)
