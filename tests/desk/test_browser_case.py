"""Work on a case in a real browser: with a colleague, in one submit, and a measure that needs two."""
# ruff: noqa: F811 - a test names its fixtures, and two of them are imported

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from complaints.cases.transitions import add_note
from complaints.models import Case, CaseViewer, DeskTask, Intervention, Notice
from complaints.vocabulary import CaseState, Cause, CustomerStatus
from tests.desk.minute import after_the_minute
from tests.desk.test_browser import DESKTOP, PHONE, browser  # noqa: F401 - a fixture
from tests.factories import NOON, make_case, make_complaint, make_run, make_user

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def as_user(browser: Any, live_server: Any) -> Iterator[Any]:
    """Log in as anybody, each in a browser of their own; at the end none may have refused or missed anything."""
    troubles: list[str] = []
    contexts = []

    def go(name: str, path: str, **options: Any) -> Page:
        context = browser.new_context(base_url=live_server.url, **({"viewport": DESKTOP} | options))
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda said: troubles.append(said.text) if said.type == "error" else None)
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.goto("/login?next=" + path)
        page.get_by_label("User name").fill(name)
        page.get_by_label("Password").fill(name)
        page.get_by_role("button", name="Log in").click()
        page.wait_for_url(live_server.url + path)
        return page

    yield go
    for context in contexts:
        context.close()
    assert [text for text in troubles if "409" not in text] == []


@pytest.fixture
def case(db: None) -> Case:
    case = make_case(
        state="answered", customer_status=CustomerStatus.CLAIMS_FIXED, cause=Cause.OPEN_RELAY, cause_confidence=0.99
    )
    make_complaint(case, reporter="fbl@x.example")
    make_run(case, "relay", "bad")
    return case


def test_a_case_is_taken_over_from_a_colleague_who_is_on_it(as_user: Any, case: Case) -> None:
    bruno = make_user("bruno", "analyst")
    make_user("ada", "analyst")
    Case.objects.filter(pk=case.pk).update(assignee=bruno)
    theirs = as_user("bruno", f"/case/{case.pk}")
    mine = as_user("ada", f"/case/{case.pk}")

    expect(mine.get_by_text("bruno has just opened this case.")).to_be_visible(timeout=40_000)
    expect(theirs.get_by_text("ada has just opened this case.")).to_be_visible(timeout=40_000)
    mine.get_by_label("Note").fill("@bruno I take this one, you have enough")
    mine.get_by_role("button", name="Add note").click()
    expect(mine.get_by_text("It asks, by a task: bruno.")).to_be_visible()
    after_the_minute()
    mine.keyboard.press("a")
    expect(mine.get_by_text("You took this case over from bruno.")).to_be_visible()

    # His page is older than the change: what he presses there takes nothing back unseen.
    expect(theirs.get_by_text("ada asks you:")).to_be_visible(timeout=40_000)
    theirs.locator("#actions").get_by_role("button", name="Give it back").click()
    expect(theirs.get_by_text("the case was assigned anew, and is with ada now.")).to_be_visible()
    theirs.get_by_role("button", name="what ada asked").click()
    expect(theirs.get_by_text("ada asks you:")).to_have_count(0)
    case.refresh_from_db()
    assert str(case.assignee) == "ada"
    assert DeskTask.objects.get().done_by == "bruno"
    assert CaseViewer.objects.count() == 2


def test_a_letter_a_move_and_a_measure_by_keys_and_a_second_person_for_the_suspension(as_user: Any, case: Case) -> None:
    for name in ("bruno", "carla"):
        make_user(name, "senior")
    page = as_user("bruno", f"/case/{case.pk}")

    page.keyboard.press("i")
    page.get_by_label("Begin the letter with").select_option(label="We still see it")
    expect(page.get_by_label("Letter to the customer")).to_contain_text("")
    assert "We still see the problem" in page.get_by_label("Letter to the customer").input_value()
    page.get_by_label("Then", exact=True).select_option(label="It is the customer's turn")
    page.get_by_label("Deadline").select_option(label="2 days")
    page.get_by_label("Measure on the line").select_option("suspend")
    page.get_by_label("Why (the next").fill("it still sends")
    page.get_by_role("button", name="See what will happen").click()

    expect(page.get_by_role("heading", name="This will happen")).to_be_visible()
    expect(page.get_by_text("It begins only when a second person agrees.")).to_be_visible()
    assert page.evaluate("document.activeElement.id") == "plan"
    assert Axe().run(page).response["violations"] == []
    assert Notice.objects.count() == Intervention.objects.count() == 0
    page.get_by_role("button", name="Do it").click()
    expect(page.get_by_text("You are about to write to the customer")).to_be_visible()
    after_the_minute()
    case.refresh_from_db()
    assert case.state == CaseState.NOTIFIED

    other = as_user("carla", "/approvals")
    other.get_by_role("button", name="Agree").click()
    expect(other.get_by_text("You agreed. The measure begins after the undo time.")).to_be_visible()
    measure = Intervention.objects.get()
    assert (measure.state, measure.decided_by, measure.seconded_by) == ("decided", "bruno", "carla")


def test_a_page_older_than_the_case_keeps_what_was_typed(as_user: Any, case: Case) -> None:
    make_user("ada", "analyst")
    page = as_user("ada", f"/case/{case.pk}")
    page.keyboard.press("i")
    page.get_by_label("Letter to the customer").fill("My long letter")
    Case.objects.filter(pk=case.pk).update(stay=case.stay + 1)

    page.get_by_role("button", name="See what will happen").click()

    expect(page.get_by_text("What you wrote is kept below.")).to_be_visible()
    assert page.get_by_label("Letter to the customer").input_value() == "My long letter"


def test_an_act_on_a_case_is_taken_back_by_u_and_the_time_left_is_counted(as_user: Any, case: Case) -> None:
    make_user("ada", "analyst")
    page = as_user("ada", f"/case/{case.pk}")

    page.get_by_label("Note").fill("called them")
    page.get_by_role("button", name="Add note").click()
    expect(page.get_by_text("You are about to write the note “called them”.")).to_be_visible()
    expect(page.get_by_text(re.compile(r"^\d+ s left$"))).to_be_visible()
    assert Axe().run(page).response["violations"] == []
    page.locator("body").press("u")

    expect(page.get_by_text("Taken back: 1 case is as before.")).to_be_visible()
    expect(page.get_by_text("You are about to")).to_have_count(0)
    after_the_minute()
    assert case.events.count() == 0


def test_what_is_long_comes_when_it_is_opened_and_stays_when_news_come(as_user: Any, case: Case) -> None:
    make_user("ada", "analyst")
    for n in range(5):
        make_complaint(case, reporter=f"r{n}@x.example", seen_at=NOON + timedelta(minutes=n))
    asked: list[str] = []
    page = as_user("ada", f"/case/{case.pk}")
    page.on("request", lambda request: asked.append(request.url) if "/more/" in request.url else None)

    page.get_by_text("complaints from").last.click()
    expect(page.get_by_text("r3@x.example")).to_be_visible()
    add_note(case, actor="carla", text="called them")

    expect(page.get_by_text("called them")).to_be_visible(timeout=40_000)
    expect(page.get_by_text("r3@x.example")).to_be_visible()
    assert len(asked) == 1  # it was not asked for again


def test_a_long_story_goes_on_in_place_and_stays_long(as_user: Any, case: Case) -> None:
    make_user("ada", "analyst")
    for n in range(50):
        add_note(case, actor="carla", text=f"note number {n}.")
    page = as_user("ada", f"/case/{case.pk}")
    expect(page.get_by_text("note number 49.")).to_be_visible()
    expect(page.get_by_text("note number 3.")).to_have_count(0)
    page.get_by_label("Note").fill("half a thought")

    page.get_by_role("link", name="Show what was before").click()
    expect(page.get_by_text("note number 3.")).to_be_visible()
    add_note(case, actor="carla", text="called them")

    expect(page.get_by_text("called them")).to_be_visible(timeout=40_000)
    expect(page.get_by_text("note number 3.")).to_be_visible()
    assert page.get_by_label("Note").input_value() == "half a thought"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_a_case_with_company_is_clean_for_assistive_technology_and_fits(
    as_user: Any, case: Case, size: dict[str, int], scheme: str
) -> None:
    bruno = make_user("bruno", "senior", first_name="Bruno" * 5, last_name="Long" * 5)
    make_user("carla", "senior")
    Case.objects.filter(pk=case.pk).update(assignee=bruno)
    as_user("bruno", f"/case/{case.pk}")
    page = as_user("carla", f"/case/{case.pk}", viewport=size, color_scheme=scheme)
    page.get_by_label("Note").fill("@carla @bruno " + "long" * 60)
    page.get_by_role("button", name="Add note").click()
    expect(page.locator("#others-here")).to_contain_text("just opened this case", timeout=40_000)
    page.locator("#interact > summary").click()
    page.get_by_label("Letter to the customer").fill("long" * 60)
    page.get_by_role("button", name="See what will happen").click()

    for path in ("", "/tasks"):
        if path:
            page.goto(path)
        found = Axe().run(page).response["violations"]
        assert [(path, each["id"], [node["html"] for node in each["nodes"]]) for each in found] == []
        assert page.evaluate("document.documentElement.scrollWidth") <= size["width"], path
