"""A morning at the queue in a real browser: by keys alone, and for assistive technology."""
# ruff: noqa: F811 - a test names its fixtures, and two of them are imported

from __future__ import annotations

from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.utils import timezone
from playwright.sync_api import Page, expect

from complaints import bulk
from complaints.cases.words import read_words
from complaints.models import Case, DeskAction, SavedView, User
from complaints.vocabulary import Cause, CustomerStatus
from tests.desk.test_browser import DESKTOP, PHONE, browser, enter  # noqa: F401 - fixtures
from tests.factories import make_case, make_complaint, make_contract, make_customer, make_run

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def mixed(db: None) -> list[Case]:
    """Thirty cases that need the desk: unwanted newsletters, disputes, and others."""
    found = []
    for n in range(30):
        kind = ("newsletter", "dispute", "other")[n % 3]
        case = make_case(
            make_contract(f"C-{n}", customer=make_customer(f"K-{n}", name=f"Customer {n}")),
            address=f"192.0.2.{n + 1}",
            state="answered" if kind == "dispute" else "triage",
            customer_status=CustomerStatus.DISPUTES if kind == "dispute" else CustomerStatus.NONE,
            cause=Cause.BULK_MAIL if kind == "newsletter" else Cause.UNKNOWN,
            priority=99 - n,
            priority_reasons=[["41 reporters", 20]],
        )
        make_complaint(case, address=case.address_text, subject="Cheap watches" if kind == "newsletter" else "Hello")
        make_run(case, "relay", "clean")
        found.append(case)
    read_words()
    return found


def keys(page: Page, *pressed: str) -> None:
    for key in pressed:
        page.keyboard.press(key)


def search(page: Page, text: str) -> None:
    page.keyboard.press("/")
    page.keyboard.type(text)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Search: ")
    expect(page.locator("[data-row]").first).to_be_visible()


def close_selected(page: Page, ending: str, why: str, count: str) -> None:
    """From the selection to the deed, by keys: the first field has the focus."""
    page.keyboard.press("c")
    expect(page.get_by_role("heading", level=1)).to_have_text(f"Close {count}?")
    page.keyboard.type(ending)
    keys(page, "Tab")
    page.keyboard.type(why)
    keys(page, "Tab", "Enter")
    expect(page.get_by_text("about to be closed").first).to_be_visible()


def carry_out() -> None:
    """What the worker does when the minutes are over."""
    for action in DeskAction.objects.filter(state="held"):
        bulk.carry_out_due([action.pk], now=action.due_at)


def test_a_mixed_queue_of_thirty_cases_is_cleared_by_keys_alone(enter: Any, mixed: list[Case]) -> None:
    page = enter()

    search(page, "watches state:triage")
    keys(page, "X")
    close_selected(page, "Not abuse", "Newsletters that they had asked for", "10 cases")
    page.goto("/")
    search(page, "said:disputes")
    keys(page, "X")
    close_selected(page, "Not ours", "They moved out before", "10 cases")
    page.goto("/?tab=you")
    for case in mixed[2::3]:
        while page.evaluate("document.activeElement.id") != f"case-{case.pk}":
            page.keyboard.press("j")
        page.keyboard.press("x")
    expect(page.get_by_text("10 cases selected")).to_be_visible()
    keys(page, ".")
    page.keyboard.type("close")
    keys(page, "Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Close 10 cases?")
    page.keyboard.type("Stale")
    keys(page, "Tab")
    page.keyboard.type("Nothing since March")
    keys(page, "Tab", "Enter")
    expect(page.get_by_text("about to be closed").first).to_be_visible()
    carry_out()

    page.goto("/")
    expect(page.get_by_text("Nothing needs you")).to_be_visible()
    ends = [case.resolution for case in Case.objects.order_by("pk")]
    assert ends == ["not_abuse", "not_ours", "stale"] * 10


def test_closing_many_is_taken_back_by_one_key(enter: Any, mixed: list[Case]) -> None:
    page = enter()

    keys(page, "j", "x", "j", "x", "j", "x")
    close_selected(page, "Stale", "old", "3 cases")
    rows = page.locator("[data-row].done")
    expect(rows).to_have_count(3)
    expect(rows.first).to_contain_text("Being closed by root")
    # One goes on at the first case that is still to be worked on.
    assert page.evaluate("document.activeElement.id") == f"case-{mixed[3].pk}"
    keys(page, "u")
    expect(page.get_by_text("Taken back: 3 cases are as before.")).to_be_visible()
    carry_out()

    assert not Case.objects.filter(state="closed").exists()


def test_the_case_in_focus_is_assigned_to_me_by_one_key_and_given_back_by_another(
    enter: Any, mixed: list[Case]
) -> None:
    page = enter()

    keys(page, "j", "a")
    expect(page.get_by_text("1 case is assigned to root")).to_be_visible()
    assert Case.objects.get(pk=mixed[0].pk).assignee == User.objects.get(username="root")
    keys(page, "u")
    expect(page.get_by_text("Taken back: 1 case is as before.")).to_be_visible()
    assert Case.objects.get(pk=mixed[0].pk).assignee is None


def test_the_same_is_done_by_mouse(enter: Any, mixed: list[Case]) -> None:
    page = enter()

    page.get_by_label(f"Select case {mixed[0].number}").check()
    page.get_by_label(f"Select case {mixed[4].number}").check()
    page.get_by_role("button", name="Close c").click()
    page.get_by_label("How did they end?").select_option("stale")
    page.get_by_label("Why?").fill("old")
    page.get_by_role("button", name="Close these 2 cases").click()
    page.get_by_role("button", name="Undo").click()

    expect(page.get_by_text("Taken back: 2 cases are as before.")).to_be_visible()


def test_the_selection_is_kept_while_the_list_renews_itself(enter: Any, mixed: list[Case]) -> None:
    page = enter()
    keys(page, "j", "x")
    Case.objects.filter(pk=mixed[1].pk).update(reporter_count=77)

    expect(page.locator(f"#row-{mixed[1].pk}")).to_contain_text("77", timeout=40_000)
    expect(page.get_by_text("1 case selected")).to_be_visible()
    expect(page.get_by_label(f"Select case {mixed[0].number}")).to_be_checked()
    assert page.evaluate("document.activeElement.id") == f"case-{mixed[0].pk}"


def test_the_form_writes_the_search_and_the_search_fills_the_form(enter: Any, mixed: list[Case]) -> None:
    page = enter()

    page.get_by_text("Filter", exact=True).click()
    page.get_by_label("Cause", exact=True).select_option("bulk")
    page.get_by_role("button", name="Show these").click()
    expect(page.get_by_label("Search cases")).to_have_value("turn:you cause:bulk")
    expect(page.locator("[data-row]")).to_have_count(10)
    page.get_by_text("Views", exact=True).click()
    page.get_by_label("Keep this search as").fill("newsletters")
    page.get_by_role("button", name="Keep").click()
    page.goto("/")
    keys(page, ".")
    page.keyboard.type("newsl")
    keys(page, "Enter")

    expect(page.locator("[data-row]")).to_have_count(10)
    assert SavedView.objects.get().query == "turn:you cause:bulk"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_the_queue_in_all_its_states_is_clean_for_assistive_technology_and_fits(
    enter: Any, mixed: list[Case], size: dict[str, int], scheme: str
) -> None:
    page = enter(viewport=size, color_scheme=scheme)

    def look(what: str) -> None:
        found = Axe().run(page).response["violations"]
        assert [(what, each["id"], [node["html"] for node in each["nodes"]]) for each in found] == []
        assert page.evaluate("document.documentElement.scrollWidth") <= size["width"], what

    for path in ("/?q=state:triage+cause:rely", "/?q=nothing", "/?tab=customers"):
        page.goto(path)
        look(path)
    page.goto("/")
    keys(page, "j", "x")
    look("selected")
    keys(page, ".")
    look("palette")
    keys(page, "Escape")
    for name in ("Filter", "Views", "More"):
        page.get_by_text(name, exact=True).click()
        look(name)
        keys(page, "Escape")
    keys(page, "c")
    page.get_by_label("Why?").wait_for()
    look("preview")
    page.get_by_label("How did they end?").select_option("stale")
    page.get_by_label("Why?").fill("old " * 200)
    page.get_by_role("button", name="Close this case").click()
    look("done")
    carry_out()
    page.goto(f"/bulk/{DeskAction.objects.get().pk}")
    look("result")
    assert DeskAction.objects.get().made_at < timezone.now()
