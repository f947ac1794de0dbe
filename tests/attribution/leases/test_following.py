"""A feed that grows: only what is new is read, a restart goes on, and a file that was replaced begins anew."""

from __future__ import annotations

from pathlib import Path

import pytest

from complaints.attribution.importing.leases.follow import Follower
from complaints.models import Assignment, FeedPosition, LineIdentifier
from tests.attribution.leases.test_feeds import V4, held, kea4, know, load, record
from tests.factories import make_network

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _plan() -> None:
    make_network("192.0.2.0/24")
    know("mac", "00:11:22:aa:bb:01", "anna")
    know("mac", "00:11:22:aa:bb:02", "bruno")
    know("radius_user", "anna@isp.example", "anna")


@pytest.fixture
def leases(tmp_path: Path) -> Path:
    path = tmp_path / "kea-leases4.csv"
    path.write_text(V4)
    return path


def add(path: Path, text: str) -> None:
    with path.open("a") as file:
        file.write(text)


def test_what_is_added_is_read_once(leases):
    follower = Follower(str(leases), reader="kea")
    add(leases, kea4(0))
    assert follower.catch_up() == 2
    assert follower.catch_up() == 0

    add(leases, kea4(30))

    assert follower.catch_up() == 1
    assert held() == [("anna", "192.0.2.10/32", 0, 90)]


def test_a_restart_goes_on_and_knows_the_columns_and_the_line(leases):
    told: list[str] = []
    Follower(str(leases), reader="kea").catch_up()
    add(leases, kea4(0) + "odd\n")

    assert Follower(str(leases), reader="kea", tell=told.append).catch_up() == 2
    assert held() == [("anna", "192.0.2.10/32", 0, 60)]
    assert told == [f"{leases}:3: 1 cells, but the header has 12"]


def test_half_a_line_waits_for_its_end(leases):
    follower = Follower(str(leases), reader="kea")
    line = kea4(0)
    add(leases, line[:20])
    follower.catch_up()

    add(leases, line[20:])
    follower.catch_up()

    assert held() == [("anna", "192.0.2.10/32", 0, 60)]


def test_half_a_record_is_read_again_after_a_restart(tmp_path):
    detail = tmp_path / "detail"
    text = record("Start", 0)
    detail.write_text(record("Start", -5, "zoe", "0") + text[:60])
    Follower(str(detail), reader="radius").catch_up()
    assert FeedPosition.objects.get().line == 8

    add(detail, text[60:])
    Follower(str(detail), reader="radius").catch_up()

    assert held() == [("anna", "192.0.2.10/32", 0, None)]


def test_a_file_that_was_replaced_is_read_to_its_end_and_then_the_new_one(leases):
    follower = Follower(str(leases), reader="kea")
    follower.catch_up()
    add(leases, kea4(0))
    leases.rename(leases.with_suffix(".1"))
    leases.write_text(V4 + kea4(5, "bruno", address="192.0.2.11"))

    follower.catch_up()

    assert held() == [("anna", "192.0.2.10/32", 0, 60), ("bruno", "192.0.2.11/32", 5, 65)]


def test_a_file_that_was_emptied_begins_anew(leases):
    follower = Follower(str(leases), reader="kea")
    add(leases, kea4(0))
    follower.catch_up()
    leases.write_text(V4[:30])
    follower.catch_up()
    leases.write_text(V4 + kea4(5, "bruno", address="192.0.2.11"))

    follower.catch_up()

    assert [row[0] for row in held()] == ["anna", "bruno"]


def test_it_stops_between_two_lines_and_goes_on_there(leases):
    add(leases, kea4(0) + kea4(5, "bruno", address="192.0.2.11"))
    asked = iter([False, False, False, True, True, True])
    Follower(str(leases), reader="kea").catch_up(until=lambda: next(asked))
    assert Assignment.objects.count() == 1

    Follower(str(leases), reader="kea").catch_up()

    assert Assignment.objects.count() == 2
    assert LineIdentifier.objects.count() == 3


def test_a_whole_file_is_read_whatever_was_followed(leases):
    add(leases, kea4(0))
    Follower(str(leases), reader="kea").catch_up()
    Assignment.objects.all().delete()

    load("kea", leases.read_text())

    assert Assignment.objects.count() == 1
