"""Playbooks in a real browser: for keys, for assistive technology, on every width."""
# ruff: noqa: F811 - a test names its fixtures, and two of them are imported

import os
from copy import deepcopy
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.utils import timezone
from playwright.sync_api import Page, expect
from pytest_django import Settings

from complaints.models import CheckRun, PlaybookVersion
from complaints.playbooks.loading import begin_with_shipped
from complaints.playbooks.runner import advance_case
from complaints.playbooks.versions import make_draft
from tests.desk.test_browser import DESKTOP, PHONE, browser, enter  # noqa: F401 - fixtures
from tests.factories import make_assignment, make_case, make_complaint, make_network

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def draft(db: None, settings: Settings) -> PlaybookVersion:
    """A draft that escalates sooner, and a case of last week that it would have treated otherwise."""
    settings.DNS_RESOLVERS, settings.RELAY_PACE = (("127.0.0.1", 9),), 0
    make_network("192.0.2.0/24")
    make_assignment("C-1")
    opened = timezone.now() - timedelta(days=6, hours=1)
    begin_with_shipped(now=opened)
    case = make_case("C-1", opened_at=opened)
    make_complaint(case, received_at=opened, seen_at=opened)
    for hours in (0, 0, 24, 36, 60, 72, 96):
        at = opened + timedelta(hours=hours)
        advance_case(case.pk, now=at)
        CheckRun.objects.filter(state="queued").update(state="done", verdict="bad", finished_at=at)
        advance_case(case.pk, now=at)
    document = deepcopy(PlaybookVersion.objects.get(name="open relay").document)
    steps = {step["id"]: step for step in document["steps"]}
    steps["escalate"]["after"] = "30h"
    steps["limit"]["with"]["measure"] = "suspend"
    steps["limit"]["when"] = {
        "may_measure": True,
        "not_in_force": "suspend",
        "contract_in": ["business", "residential"],
    }
    document["steps"].remove(steps["limit-by-hand"])
    return make_draft(document, actor="bea", now=timezone.now(), text="sooner")


def paths(draft: PlaybookVersion) -> list[str]:
    here = f"/playbooks/{draft.pk}"
    return ["/playbooks", here, f"{here}/step/limit", f"{here}/about", f"{here}/try"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_the_pages_are_clean_for_assistive_technology_and_fit(
    enter: Any, draft: PlaybookVersion, size: dict[str, int], scheme: str
) -> None:
    page = enter(viewport=size, color_scheme=scheme)
    for path in paths(draft):
        page.goto(path)
        look(page, f"{path.strip('/').replace('/', '_')}-{size['width']}-{scheme}")
    page.get_by_role("button", name="Play them again").click()
    expect(page.get_by_text("1 case escalated earlier")).to_be_visible()
    look(page, f"tried-{size['width']}-{scheme}")
    page.goto(f"/playbooks/{draft.pk}/step/limit")
    page.get_by_label("Reason, for the history").fill("")
    page.get_by_label("After", exact=True).fill("soon")
    page.get_by_role("button", name="Save the step").click()
    expect(page.get_by_text("'soon' is no span of time")).to_be_visible()
    look(page, f"wrong-{size['width']}-{scheme}")


def look(page: Page, name: str) -> None:
    """Nothing for axe to say, nothing wider than the window; a picture where somebody asked for one."""
    if folder := os.environ.get("SCREENSHOTS"):
        page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)
    found = Axe().run(page).response["violations"]
    assert [(each["id"], each["nodes"][0]["html"]) for each in found] == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), name


def test_a_step_is_changed_by_keys_alone_and_without_a_script(enter: Any, draft: PlaybookVersion) -> None:
    page = enter(f"/playbooks/{draft.pk}", java_script_enabled=False)
    page.get_by_role("link", name="Change step remind").focus()
    page.keyboard.press("Enter")
    page.get_by_label("After", exact=True).fill("20h")
    page.keyboard.press("Enter")

    expect(page.get_by_text("Saved in the draft.")).to_be_visible()
    draft.refresh_from_db()
    assert next(step for step in draft.document["steps"] if step["id"] == "remind")["after"] == "20h"
