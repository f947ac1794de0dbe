"""A version's life: drafted, changed, seconded by another person, activated; the old one drains."""

from __future__ import annotations

from copy import deepcopy
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from complaints.models import PlaybookChange, PlaybookVersion
from complaints.playbooks.documents import BadPlaybook
from complaints.playbooks.loading import begin_with_shipped, read_playbook, shipped_playbooks
from complaints.playbooks.versions import (
    NotNow,
    StaleDraft,
    activate,
    change_draft,
    checked,
    discard_draft,
    make_draft,
    open_cases,
    retire,
    second,
)
from complaints.playbooks.yaml_text import MOST_BYTES, read_yaml, write_yaml
from tests.factories import NOON, make_case

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def shipped() -> None:
    begin_with_shipped(now=NOON)


def document(name: str = "open relay", **changes: Any) -> dict[str, Any]:
    found = next(each for each in shipped_playbooks() if each["name"] == name)
    return {**found, **changes}


def draft(**changes: Any) -> PlaybookVersion:
    return make_draft(document(**{"note": "new", **changes}), actor="ada", now=NOON)


def suspending() -> dict[str, Any]:
    found = deepcopy(document())
    step = next(each for each in found["steps"] if each["id"] == "limit")
    step["with"]["measure"] = "suspend"
    step["when"] = {"may_measure": True}
    return found


def states(name: str = "open relay") -> list[tuple[int, str]]:
    return list(PlaybookVersion.objects.filter(name=name).order_by("number").values_list("number", "state"))


def told() -> list[tuple[int, str, str]]:
    return list(PlaybookChange.objects.order_by("pk").values_list("number", "what", "actor"))


def test_a_draft_rules_nothing_until_it_is_activated_and_then_the_old_one_drains() -> None:
    version = draft()
    assert states() == [(1, "active"), (2, "draft")]

    activate(version, actor="carla", now=NOON)

    assert states() == [(1, "draining"), (2, "active")]
    assert (version.activated_by, version.activated_at) == ("carla", NOON)
    assert told() == [(2, "drafted", "ada"), (2, "activated", "carla")]


def test_there_is_one_draft_of_a_name() -> None:
    draft()
    with pytest.raises(NotNow, match="there is a draft of 'open relay' already"):
        draft()


def test_a_change_is_refused_to_who_looked_at_an_older_page() -> None:
    version = draft()
    other = PlaybookVersion.objects.get(pk=version.pk)
    change_draft(other, document(note="first"), actor="bea", now=NOON)

    with pytest.raises(StaleDraft, match="was changed by somebody else"):
        change_draft(version, document(note="second"), actor="ada", now=NOON)
    version.refresh_from_db()
    assert (version.document["note"], version.changed_by, version.revision) == ("first", "bea", 2)


def test_an_active_version_is_never_changed() -> None:
    active = PlaybookVersion.objects.get(name="open relay")
    with pytest.raises(StaleDraft):
        change_draft(active, document(note="x"), actor="ada", now=NOON)
    with pytest.raises(StaleDraft):
        discard_draft(active, actor="ada", now=NOON)


def test_a_draft_keeps_its_name() -> None:
    with pytest.raises(BadPlaybook, match="name: a draft of 'open relay' keeps its name"):
        change_draft(draft(), document("bot"), actor="ada", now=NOON)


def test_what_suspends_needs_a_second_person_before() -> None:
    version = make_draft(suspending(), actor="ada", now=NOON)
    with pytest.raises(NotNow, match="it suspends customers: a second person"):
        activate(version, actor="ada", now=NOON)
    with pytest.raises(NotNow, match="you wrote or activated it yourself"):
        second(version, actor="ada", now=NOON)
    second(version, actor="bea", now=NOON)
    with pytest.raises(NotNow):
        activate(version, actor="bea", now=NOON)
    assert states() == [(1, "active"), (2, "draft")]

    activate(version, actor="ada", now=NOON)

    assert (version.state, version.seconded_by) == ("active", "bea")


def test_a_change_takes_the_second_persons_word_away() -> None:
    version = make_draft(suspending(), actor="ada", now=NOON)
    second(version, actor="bea", now=NOON)
    change_draft(version, suspending() | {"note": "x"}, actor="carla", now=NOON)
    assert version.seconded_by == ""


def test_who_seconds_an_older_page_agrees_to_nothing() -> None:
    version = draft()
    other = PlaybookVersion.objects.get(pk=version.pk)
    change_draft(version, suspending(), actor="ada", now=NOON)
    with pytest.raises(StaleDraft):
        second(other, actor="bea", now=NOON)


def test_a_draft_that_is_thrown_away_leaves_its_history_and_its_number() -> None:
    discard_draft(draft(), actor="bea", now=NOON)
    assert states() == [(1, "active")]
    assert draft().number == 3
    assert told() == [(2, "drafted", "ada"), (2, "discarded", "bea"), (3, "drafted", "ada")]


def test_a_playbook_for_every_case_has_to_stay() -> None:
    general = PlaybookVersion.objects.get(name="mail abuse")
    with pytest.raises(BadPlaybook, match="one without 'for' has to stay"):
        retire(general, actor="ada", now=NOON)
    narrow = make_draft(document("mail abuse") | {"for": {"cause": ["bot"]}}, actor="ada", now=NOON)
    with pytest.raises(BadPlaybook):
        activate(narrow, actor="ada", now=NOON)
    assert states("mail abuse") == [(1, "active"), (2, "draft")]


def test_a_retired_playbook_drains_and_does_not_come_back() -> None:
    retire(PlaybookVersion.objects.get(name="bot"), actor="ada", now=NOON)
    begin_with_shipped(now=NOON + timedelta(days=1))
    assert states("bot") == [(1, "draining")]


def test_open_cases_are_counted_and_closed_ones_are_not() -> None:
    version = PlaybookVersion.objects.get(name="bot")
    make_case("C-1", playbook=version)
    make_case("C-2", playbook=version, state="closed", closed_at=NOON, resolution="stale")
    assert open_cases([version]) == {version.pk: 1}


@pytest.mark.parametrize("name", [each["name"] for each in shipped_playbooks()])
def test_what_is_shipped_is_right_and_survives_yaml(name: str) -> None:
    found = document(name)
    assert checked(found) == found
    assert read_yaml(write_yaml(found).encode(), checked) == found


WRONG = [
    ({"with": {"checks": ["relais"]}}, "step investigate: checks: ['relais'] is no list of"),
    ({"with": {}}, "step investigate: checks: is missing"),
    ({"with": {"checks": ["relay"], "port": 25}}, "step investigate: with: ['port'] is nothing that the action check"),
    ({"action": "move", "with": {"to": "verifying", "reason": "x"}}, "step investigate: to: no case moves from"),
    ({"action": "move", "with": {"to": "triage"}}, "step investigate: reason: is missing"),
    ({"action": "notify", "with": {"notice": "nosuch"}}, "step investigate: notice: no letter is written for 'nosuch'"),
    ({"action": "measure", "with": {"measure": "x", "reason": "y"}}, "step investigate: measure: 'x' is none of"),
    ({"when": {"quiet": "yes"}}, "step investigate: quiet: 'yes' is none of"),
    ({"after": "soon"}, "step investigate: 'soon' is no span of time"),
]


@pytest.mark.parametrize(("change", "problem"), WRONG)
def test_an_error_names_the_line_the_step_and_the_field(change: dict[str, Any], problem: str) -> None:
    found = deepcopy(document())
    found["steps"][0] |= change
    with pytest.raises(BadPlaybook) as caught:
        read_yaml(write_yaml(found).encode(), checked)
    assert problem in str(caught.value)
    assert str(caught.value).startswith("line ")


@pytest.mark.parametrize(
    ("raw", "problem"),
    [
        (b"x: [1", "line 1: expected ',' or ']'"),
        (b"\xff\xfe", "byte 0: this is no UTF-8 text"),
        (b"a" * (MOST_BYTES + 1), "are more than 200,000"),
        (b"a: &x [1]\nb: *x\n", "line 2: aliases"),
        (b"[" * 5000, "nested more than 12 deep"),
        (b"name: x\nnote: 2026-01-01\n", "put it in quotes"),
        (b"name: x\nnote: .inf\n", "put it in quotes"),
        (b'name: "a\\0"\n', "cannot be stored"),
        (b"!!python/object/apply:os.system [x]", "line 1: could not determine a constructor"),
        (b"- 1\n", "a playbook is a mapping"),
        (b"", "a playbook is a mapping"),
    ],
)
def test_hostile_text_is_refused_with_its_place(raw: bytes, problem: str) -> None:
    with pytest.raises(BadPlaybook) as caught:
        read_yaml(raw, checked)
    assert problem in str(caught.value)


def test_a_general_playbook_is_read_from_its_file() -> None:
    assert read_playbook()["name"] == "mail abuse"


def test_what_suspends_comes_in_by_the_command_line_as_a_draft(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    path = tmp_path / "x.yaml"
    path.write_text(write_yaml(suspending()))

    call_command("load_playbooks", path)

    assert states() == [(1, "active"), (2, "draft")]
    assert "a second person must agree" in capsys.readouterr().out


def test_what_is_exported_can_be_loaded_and_changes_nothing(tmp_path: Path) -> None:
    call_command("load_playbooks", "--export", tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir())[-1] == "vulnerable_service.yaml"
    call_command("load_playbooks", *tmp_path.iterdir())
    assert set(PlaybookVersion.objects.values_list("number", "state")) == {(1, "active")}


def test_a_file_that_is_wrong_is_named_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    path.write_text(write_yaml(document()).replace("- relay", "- rely", 1))
    with pytest.raises(CommandError, match=r"x\.yaml: line 7: step investigate: checks: "):
        call_command("load_playbooks", path)
