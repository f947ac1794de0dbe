"""The editor of a draft: one step at a time, without a script."""

from __future__ import annotations

import html
import re
from typing import Any

import pytest
from django.test import Client

from complaints.models import PlaybookVersion
from complaints.playbooks.loading import begin_with_shipped, shipped_playbooks
from complaints.playbooks.versions import change_draft, make_draft
from tests.factories import NOON

STEPS = [(document["name"], step["id"]) for document in shipped_playbooks() for step in document["steps"]]


@pytest.fixture
def draft(db: None) -> PlaybookVersion:
    begin_with_shipped(now=NOON)
    return make_draft(PlaybookVersion.objects.get(name="open relay").document, actor="bea", now=NOON)


def text_of(response: Any) -> str:
    return html.unescape(" ".join(re.sub(r"<[^>]+>", " ", response.content.decode()).split()))


def fields_of(response: Any) -> dict[str, Any]:
    """What a browser would send of the page as it stands."""
    form = response.context["form"]
    found: dict[str, Any] = {"revision": response.context["revision"]}
    for name in form.fields:
        value = form[name].value()
        if value not in (None, "", [], False):
            found[name] = value
    return found


def url(draft: PlaybookVersion, step: str) -> str:
    return f"/playbooks/{draft.pk}/step/{step}"


def step_of(draft: PlaybookVersion, name: str) -> dict[str, Any]:
    draft.refresh_from_db()
    return next(step for step in draft.document["steps"] if step["id"] == name)


@pytest.mark.one_database
@pytest.mark.parametrize(("name", "step"), STEPS, ids=[f"{name}-{step}" for name, step in STEPS])
def test_saving_a_step_untouched_changes_nothing(carla: Client, name: str, step: str) -> None:
    begin_with_shipped(now=NOON)
    draft = make_draft(PlaybookVersion.objects.get(name=name).document, actor="bea", now=NOON)
    before = step_of(draft, step)

    response = carla.post(url(draft, step), fields_of(carla.get(url(draft, step))))

    assert response.status_code == 302
    assert step_of(draft, step) == before


def test_a_step_is_changed(carla: Client, draft: PlaybookVersion) -> None:
    fields = fields_of(carla.get(url(draft, "remind"))) | {"after": "40h", "working": "on", "c_quiet": "null"}

    carla.post(url(draft, "remind"), fields | {"c_ladder_below": "", "c_contract_in": ["business", "critical"]})

    assert step_of(draft, "remind") == {
        "id": "remind", "in_state": "notified", "action": "notify", "after": "40h working",
        "when": {"quiet": None, "contract_in": ["business", "critical"]}, "with": {"notice": "remind"},
    }  # fmt: skip
    assert draft.changed_by == "carla"


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"after": "soon"}, "'soon' is no span of time"),
        ({"id": "Not a name"}, "A name is of small letters"),
        ({"c_complaints_from": "many"}, "Enter a number."),
        ({"p_notice": ""}, "Is missing."),
        ({"p_move_to": "investigating", "p_reason": "x"}, "no case moves from notified to investigating"),
        ({"p_move_to": "escalated"}, "is missing: every move says why"),
        ({"id": "escalate"}, "two steps share an id"),
        ({"after": "999d"}, "'999d' is longer than 366 days"),
        ({"case_age": "9" * 30 + "d"}, "is no span of time"),
    ],
)
def test_an_error_stands_at_its_field_and_nothing_typed_is_lost(
    carla: Client, draft: PlaybookVersion, fields: dict[str, str], told: str
) -> None:
    before = step_of(draft, "remind")
    sent = fields_of(carla.get(url(draft, "remind"))) | {"p_text": "kept"} | fields

    response = carla.post(url(draft, "remind"), sent)

    assert response.status_code == 200
    assert told in text_of(response)
    form = response.context["form"]
    assert {name: form[name].value() for name in sent if name in form.fields} == {
        name: str(value) for name, value in sent.items() if name in form.fields
    }
    assert 'name="p_text" value="kept"' in response.content.decode()
    assert step_of(draft, "remind") == before


def test_another_action_shows_its_own_fields_and_keeps_the_rest(carla: Client, draft: PlaybookVersion) -> None:
    sent = fields_of(carla.get(url(draft, "remind"))) | {"action": "task", "after": "77h", "fields": "1"}

    page = carla.post(url(draft, "remind"), sent)

    assert "What a person is to do" in text_of(page)
    assert 'value="77h"' in page.content.decode()
    assert 'name="p_notice" value="remind"' in page.content.decode()
    assert "Not saved yet" not in text_of(page)


def test_who_saves_an_older_page_is_told_and_may_save_again(carla: Client, draft: PlaybookVersion) -> None:
    sent = fields_of(carla.get(url(draft, "remind"))) | {"after": "40h"}
    change_draft(draft, draft.document | {"note": "by another"}, actor="bea", now=NOON)

    page = carla.post(url(draft, "remind"), sent)

    assert "What you typed is still here" in text_of(page)
    carla.post(url(draft, "remind"), sent | {"revision": page.context["revision"]})
    assert step_of(draft, "remind")["after"] == "40h"
    assert draft.document["note"] == "by another"


def test_a_new_step_goes_behind_the_last_of_its_state(carla: Client, draft: PlaybookVersion) -> None:
    page = carla.get(url(draft, "new-step") + "?state=notified")
    sent = fields_of(page) | {"id": "call", "action": "task", "p_title": "Call them", "after": "60h"}

    carla.post(url(draft, "new-step"), sent)

    draft.refresh_from_db()
    names = [step["id"] for step in draft.document["steps"] if step["in_state"] == "notified"]
    assert names[-2:] == ["remind", "call"]


def test_a_new_name_is_told_to_the_steps_that_wait_for_it(carla: Client, draft: PlaybookVersion) -> None:
    sent = fields_of(carla.get(url(draft, "verify"))) | {"id": "first-look"}
    carla.post(url(draft, "verify"), sent)
    assert step_of(draft, "verify-again")["when"] == {"verdict": {"first-look": "clean"}}


def test_steps_are_moved_and_removed_by_buttons(carla: Client, draft: PlaybookVersion) -> None:
    def press(step: str, verb: str) -> list[str]:
        draft.refresh_from_db()
        carla.post(f"{url(draft, step)}/{verb}", {"revision": draft.revision})
        draft.refresh_from_db()
        there = ("investigate", "notify", "nobody-to-tell")
        return [each["id"] for each in draft.document["steps"] if each["id"] in there]

    assert press("nobody-to-tell", "up") == ["investigate", "nobody-to-tell", "notify"]
    assert press("investigate", "up") == ["investigate", "nobody-to-tell", "notify"]
    assert press("investigate", "down") == ["nobody-to-tell", "investigate", "notify"]
    assert press("notify", "remove") == ["nobody-to-tell", "investigate"]
    assert press("investigate", "remove") == ["nobody-to-tell", "investigate"]  # it is waited for
    page = text_of(carla.get(f"/playbooks/{draft.pk}"))
    assert "step nobody-to-tell: waits for ['investigate'], which are no steps of this playbook" in page


def test_what_it_is_for_is_chosen(carla: Client, draft: PlaybookVersion) -> None:
    about = f"/playbooks/{draft.pk}/about"
    sent = fields_of(carla.get(about)) | {"title": "Relays at home", "for_contract": ["residential"]}

    carla.post(about, sent)

    draft.refresh_from_db()
    assert (draft.document["title"], draft.document["for"]) == (
        "Relays at home",
        {"cause": ["open_relay"], "contract": ["residential"]},
    )


def test_only_a_draft_can_be_edited(carla: Client, draft: PlaybookVersion) -> None:
    active = PlaybookVersion.objects.get(name="bot")
    assert carla.get(url(active, "notify")).status_code == 404
    assert carla.get(url(draft, "nosuch")).status_code == 404
    assert carla.get(f"/playbooks/{active.pk}/about").status_code == 404
    assert carla.post(f"{url(active, 'notify')}/remove").status_code == 404
