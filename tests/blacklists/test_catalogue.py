from __future__ import annotations

import json
from io import StringIO
from pathlib import Path

import pytest
import yaml
from django.core.management import call_command

from complaints.blacklists import blacklists, load_catalogue
from complaints.checks import load_lists
from complaints.models import Blacklist

pytestmark = pytest.mark.django_db

ENTRY = {
    "name": "example",
    "zone": "bl.example.org",
    "families": ["ipv4"],
    "codes": {"127.0.0.2": {"meaning": "trap hit", "cause": "spam-source"}},
    "enabled": True,
    "source": "https://bl.example.org/",
    "weight": 0.5,
    "how": "by form",
}


@pytest.fixture
def ship(settings, tmp_path: Path):
    """Write the shipped catalogue and load it."""

    def write(*entries: dict):
        path = tmp_path / "lists.yaml"
        path.write_text(yaml.safe_dump({"lists": list(entries)}))
        settings.CHECK_LISTS_FILE = str(path)
        return load_catalogue()

    return write


def only_row() -> Blacklist:
    return Blacklist.objects.get()


def test_shipped_catalogue_becomes_rows_that_mean_the_same():
    load_catalogue()
    assert sorted(blacklists(), key=lambda each: each.name) == sorted(load_lists(), key=lambda each: each.name)


def test_desk_without_a_catalogue_begins_with_the_shipped_one():
    assert {each.name for each in blacklists()} == {each.name for each in load_lists()}


def test_loading_twice_changes_nothing(ship):
    first, second = ship(ENTRY), ship(ENTRY)
    assert (first.added, second.added, second.changed) == (("example",), (), ())


def test_shipped_update_is_taken_over_where_the_site_changed_nothing(ship):
    ship(ENTRY)
    loaded = ship(ENTRY | {"weight": 0.9, "families": ["ipv4", "ipv6"]})
    assert (loaded.changed, loaded.kept) == (("example",), ())
    assert (only_row().weight, only_row().families) == (0.9, ["ipv4", "ipv6"])


def test_what_the_site_changed_wins_and_the_shipped_value_shows_as_a_difference(ship):
    ship(ENTRY)
    Blacklist.objects.update(weight=0.1)
    loaded = ship(ENTRY | {"weight": 0.9, "how": "by mail"})
    assert loaded.kept == ("example",)
    assert (only_row().weight, only_row().how) == (0.1, "by mail")
    assert only_row().differences == {"weight": (0.9, 0.1)}


def test_list_that_is_shipped_no_more_is_switched_off_once(ship):
    ship(ENTRY)
    other = ENTRY | {"name": "other", "zone": "other.example.org"}
    assert ship(other).withdrawn == ("example",)
    Blacklist.objects.filter(name="example").update(enabled=True)  # the site wants it all the same
    assert ship(other).withdrawn == ()
    assert Blacklist.objects.get(name="example").enabled


def test_list_of_the_sites_own_stays_as_it_is(ship):
    own = Blacklist.objects.create(**(ENTRY | {"zone": "own.example.org", "name": "own"}))
    ship(ENTRY)
    own.refresh_from_db()
    assert (own.shipped, own.enabled, own.withdrawn) == ({}, True, False)


def test_zone_that_the_site_asks_under_a_name_of_its_own_is_not_asked_twice(ship):
    Blacklist.objects.create(**(ENTRY | {"name": "own"}))
    assert ship(ENTRY).added == ()


def test_key_of_the_site_survives_an_update(ship):
    ship(ENTRY)
    Blacklist.objects.update(key="sitekey")
    ship(ENTRY | {"weight": 0.9})
    assert [each.asked_zone(4) for each in blacklists()] == ["sitekey.bl.example.org"]


def test_command_says_what_it_did(ship):
    ship(ENTRY)
    out = StringIO()
    call_command("load_blacklists", stdout=out)
    assert json.loads(out.getvalue()) == {"added": [], "changed": [], "withdrawn": [], "kept": []}
