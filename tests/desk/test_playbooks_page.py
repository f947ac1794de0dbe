"""The supervisor's pages of playbooks."""

from __future__ import annotations

import html
import re
from copy import deepcopy
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from complaints.models import CheckRun, PlaybookVersion
from complaints.playbooks.loading import begin_with_shipped
from complaints.playbooks.runner import advance_case
from complaints.playbooks.versions import make_draft
from complaints.playbooks.yaml_text import write_yaml
from tests.factories import NOON, make_assignment, make_case, make_complaint, make_network


@pytest.fixture
def relay(db: None) -> PlaybookVersion:
    begin_with_shipped(now=NOON)
    return PlaybookVersion.objects.get(name="open relay")


def text_of(response: Any) -> str:
    return html.unescape(" ".join(re.sub(r"<[^>]+>", " ", response.content.decode()).split()))


def draft_of(version: PlaybookVersion, actor: str = "bea") -> PlaybookVersion:
    return make_draft(version.document, actor=actor, now=NOON)


def test_playbooks_are_for_supervisors(ada: Client, carla: Client, relay: PlaybookVersion) -> None:
    for url in ("/playbooks", f"/playbooks/{relay.pk}", f"/playbooks/{relay.pk}/yaml"):
        assert (ada.get(url).status_code, carla.get(url).status_code) == (403, 200)
    assert "/playbooks" not in ada.get("/").content.decode()
    assert "/playbooks" in carla.get("/").content.decode()


def test_one_of_the_programs_own_and_one_of_a_person_say_so(carla: Client, relay: PlaybookVersion) -> None:
    page = text_of(carla.get(f"/playbooks/{relay.pk}"))
    assert "Came with the program, 10 Mar 2026" in page
    assert "; active since 10 Mar 2026" in page
    assert "Written by bea, " in text_of(carla.get(f"/playbooks/{draft_of(relay).pk}"))


def test_the_list_says_whom_each_is_for_and_how_many_follow_it(carla: Client, relay: PlaybookVersion) -> None:
    make_case("C-1", playbook=relay)

    page = text_of(carla.get("/playbooks"))

    assert "Open mail relay Cases where the cause is an open relay 1 active 1 open case" in page
    assert "Every case that no other playbook is closer to" in page


def test_a_draining_version_is_listed_while_a_case_follows_it(carla: Client, relay: PlaybookVersion) -> None:
    case = make_case("C-1", playbook=relay)
    PlaybookVersion.objects.filter(pk=relay.pk).update(state="draining")
    assert "draining" in text_of(carla.get("/playbooks"))

    case.delete()

    assert "draining" not in text_of(carla.get("/playbooks"))
    assert "version 1 done" in text_of(carla.get(f"/playbooks/{relay.pk}"))


def test_a_playbook_reads_as_sentences(carla: Client, relay: PlaybookVersion) -> None:
    page = text_of(carla.get(f"/playbooks/{relay.pk}"))

    assert "After 36 hours, if it is the first time: send the reminder." in page
    assert "After 14 days, in working hours, if no task about it waits for a person: ask a person: Call the" in page
    assert "Investigating leads to With the customer, Triage, Closed." in page


def test_a_draft_is_made_compared_and_activated(carla: Client, relay: PlaybookVersion) -> None:
    carla.post(f"/playbooks/{relay.pk}/draft")
    draft = PlaybookVersion.objects.get(state="draft")
    assert "What differs from version 1 Nothing." in text_of(carla.get(f"/playbooks/{draft.pk}"))

    carla.post(f"/playbooks/{draft.pk}/activate", {"revision": draft.revision})

    states = PlaybookVersion.objects.filter(name="open relay").order_by("number").values_list("number", "state")
    assert list(states) == [(1, "draining"), (2, "active")]
    assert "carla activated version 2" in text_of(carla.get(f"/playbooks/{draft.pk}"))


def test_a_second_request_for_a_draft_leads_to_the_first(carla: Client, relay: PlaybookVersion) -> None:
    draft = draft_of(relay)
    assert carla.post(f"/playbooks/{relay.pk}/draft")["Location"] == f"/playbooks/{draft.pk}"


def test_a_button_of_an_older_page_does_nothing_and_says_so(carla: Client, relay: PlaybookVersion) -> None:
    draft = draft_of(relay)
    page = carla.post(f"/playbooks/{draft.pk}/activate", {"revision": draft.revision + 1}, follow=True)
    assert "was changed by somebody else since you opened it" in text_of(page)
    assert carla.post(f"/playbooks/{draft.pk}/activate", follow=True).status_code == 200
    assert carla.post(f"/playbooks/{draft.pk}/explode", {"revision": 1}, follow=True).status_code == 200
    draft.refresh_from_db()
    assert draft.state == "draft"


def test_the_difference_is_told_in_words(carla: Client, relay: PlaybookVersion) -> None:
    document = deepcopy(relay.document)
    steps = {step["id"]: step for step in document["steps"]}
    steps["remind"]["after"] = "48h"
    document["steps"].remove(steps["limit-by-hand"])
    draft = make_draft(document, actor="bea", now=NOON)

    page = text_of(carla.get(f"/playbooks/{draft.pk}"))

    assert (
        "Changed With the customer, step remind After 36 hours, if it is the first time: send the reminder. "
        "After 48 hours, if it is the first time: send the reminder." in page
    )
    assert "Removed Escalated, step limit-by-hand" in page


def test_a_file_becomes_a_draft_and_comes_back_as_it_was(carla: Client, relay: PlaybookVersion) -> None:
    text = write_yaml(relay.document | {"note": "ours"})
    carla.post("/playbooks/load", {"file": SimpleUploadedFile("relay.yaml", text.encode())})
    draft = PlaybookVersion.objects.get(state="draft")

    assert carla.get(f"/playbooks/{draft.pk}/yaml").content.decode() == text


@pytest.mark.parametrize(
    ("raw", "problem"),
    [
        (b"steps: [", "x.yaml: line 1:"),
        (
            b"name: x\nsteps:\n- {id: a, in_state: nowhere, action: move}\n",
            "x.yaml: line 3: step a: in_state 'nowhere'",
        ),
        (b"a" * 300_000, "x.yaml: 200,001 bytes are more than"),
    ],
)
def test_a_file_that_is_wrong_is_refused_with_its_line(
    carla: Client, relay: PlaybookVersion, raw: bytes, problem: str
) -> None:
    page = carla.post("/playbooks/load", {"file": SimpleUploadedFile("x.yaml", raw)}, follow=True)
    assert problem in text_of(page)
    assert not PlaybookVersion.objects.filter(state="draft").exists()
    assert "Choose a file first." in text_of(carla.post("/playbooks/load", follow=True))


def test_a_draft_can_be_thrown_away(carla: Client, relay: PlaybookVersion) -> None:
    draft = draft_of(relay)
    carla.post(f"/playbooks/{draft.pk}/discard", {"revision": draft.revision})
    assert carla.get(f"/playbooks/{draft.pk}").status_code == 404


def test_who_is_not_the_author_is_asked_to_agree_to_what_suspends(carla: Client, relay: PlaybookVersion) -> None:
    document = deepcopy(relay.document)
    next(step for step in document["steps"] if step["id"] == "limit")["with"]["measure"] = "suspend"
    draft = make_draft(document, actor="bea", now=NOON)
    assert "Agree as the second person" in text_of(carla.get(f"/playbooks/{draft.pk}"))

    page = carla.post(f"/playbooks/{draft.pk}/activate", {"revision": draft.revision}, follow=True)
    assert "a second person, who is not you, must agree first" in text_of(page)
    carla.post(f"/playbooks/{draft.pk}/second", {"revision": draft.revision})

    draft.refresh_from_db()
    assert (draft.state, draft.seconded_by) == ("draft", "carla")


def test_the_list_asks_a_bounded_number_of_small_questions(carla: Client, relay: PlaybookVersion, sql_of: Any) -> None:
    statements = sql_of(lambda: carla.get("/playbooks"))
    assert not [sql for sql in statements if "COUNT(" in sql or "OFFSET" in sql]
    counting = [sql for sql in statements if 'FROM "complaints_case"' in sql]
    assert counting
    assert all("LIMIT 1000" in sql for sql in counting)


def test_a_dry_run_shows_what_would_have_happened_beside_what_did(
    carla: Client, relay: PlaybookVersion, settings: Settings
) -> None:
    settings.DNS_RESOLVERS, settings.RELAY_PACE = (("127.0.0.1", 9),), 0
    make_network("192.0.2.0/24")
    make_assignment("C-1")
    opened = timezone.now() - timedelta(days=6, hours=1)
    case = make_case("C-1", opened_at=opened)
    make_complaint(case, received_at=opened, seen_at=opened)
    advance_case(case.pk, now=opened)
    CheckRun.objects.filter(state="queued").update(state="done", verdict="bad", finished_at=opened)
    for hours in (0, 24, 36, 60, 72, 96):
        at = opened + timedelta(hours=hours)
        advance_case(case.pk, now=at)
        CheckRun.objects.filter(state="queued").update(state="done", verdict="bad", finished_at=at)
        advance_case(case.pk, now=at)
    document = deepcopy(relay.document)
    next(step for step in document["steps"] if step["id"] == "escalate")["after"] = "30h"
    draft = make_draft(document, actor="bea", now=NOON)
    assert carla.get(f"/playbooks/{draft.pk}/try").status_code == 200

    page = text_of(carla.post(f"/playbooks/{draft.pk}/try", {"days": "7"}))

    assert "1 case compared" in page
    assert "1 letter fewer" in page
    assert "1 case escalated earlier" in page
    assert case.number in page


def test_a_dry_run_without_any_case_says_so(carla: Client, relay: PlaybookVersion) -> None:
    page = text_of(carla.post(f"/playbooks/{relay.pk}/try", {"days": "nonsense"}))
    assert "followed this playbook, or would have." in page
