"""The page of the weights: the queue as it would be, before anything is saved."""

from __future__ import annotations

from typing import Any

from django.test import Client

from complaints.cases.assessment import assess
from complaints.cases.reweighing import weights_now
from complaints.cases.weights import DEFAULTS
from complaints.desk.priority_page import field_name
from complaints.models import PriorityWeights
from complaints.vocabulary import Category
from tests.factories import NOON, make_case


def given(**changes: int) -> dict[str, Any]:
    weights = DEFAULTS | {name.replace("__", "."): value for name, value in changes.items()}
    return {field_name(name): value for name, value in weights.items()} | {"number": "0"}


def test_the_shipped_weights_are_shown(carla: Client) -> None:
    page = carla.get("/priority").content.decode()
    assert "The shipped weights hold" in page
    assert f'name="{field_name("severity.spam")}" value="20"' in page


def test_a_change_is_tried_on_the_queue_and_not_saved(carla: Client) -> None:
    for number, category in enumerate((Category.SPAM, Category.SCAN)):
        assess(make_case(f"C-{number}", category=category), now=NOON)
    page = carla.post("/priority", given(severity__scan=60) | {"do": "try"}).content.decode()

    assert "up by 1" in page
    assert "down by 1" in page
    assert not PriorityWeights.objects.exists()


def test_saving_needs_a_reason_and_stands_in_the_history(carla: Client) -> None:
    page = carla.post("/priority", given(severity__scan=60) | {"do": "save"}).content.decode()
    assert "Say why" in page
    assert not PriorityWeights.objects.exists()

    page = carla.post(
        "/priority", given(severity__scan=60) | {"do": "save", "reason": "scans first"}, follow=True
    ).content.decode()
    assert weights_now()[1]["severity.scan"] == 60
    assert "scans first" in page
    assert "Scan: 15 → 60" in page


def test_a_number_that_may_not_stand_there_is_refused(carla: Client) -> None:
    page = carla.post("/priority", given(proven=999) | {"do": "save", "reason": "x"}).content.decode()
    assert "less than or equal to 40" in page
    assert not PriorityWeights.objects.exists()


def test_a_page_older_than_the_weights_changes_nothing(carla: Client) -> None:
    carla.post("/priority", given(proven=10) | {"do": "save", "reason": "one"})
    page = carla.post("/priority", given(proven=20) | {"do": "save", "reason": "two"}).content.decode()

    assert "Nothing was saved" in page
    assert weights_now()[1]["proven"] == 10


def test_who_may_only_look_changes_nothing(olga: Client) -> None:
    assert olga.get("/priority").status_code == 200
    assert olga.post("/priority", given(proven=10) | {"do": "save", "reason": "one"}).status_code == 403


def test_the_history_shows_a_version_of_another_program(carla: Client) -> None:
    """It knows a weight that is no more, and allowed more than may be set today."""
    document = {"severity.spam": 10_000, "gone": 3}
    PriorityWeights.objects.create(number=1, document=document, reason="old", created_at=NOON, created_by="ada")

    assert carla.get("/priority").status_code == 200
