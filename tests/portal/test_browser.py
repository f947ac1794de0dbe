"""The customer's page in a real browser: what policies, scripts and style sheets do together."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.utils import timezone
from playwright.sync_api import Page, expect, sync_playwright

from complaints.addresses import prefix_key
from complaints.cases.transitions import move_case
from complaints.models import Blacklist, Case, CheckRun, Listing
from complaints.vocabulary import CaseState, CustomerStatus, Resolution, Verdict
from tests.notices.rows import make_link_and_token, make_proof, make_relay_case, make_run

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
PHONE, DESKTOP = {"width": 360, "height": 740}, {"width": 1200, "height": 900}


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Any]:
    with pytest.MonkeyPatch.context() as patch, sync_playwright() as playwright:
        patch.setenv(
            "DJANGO_ALLOW_ASYNC_UNSAFE", "1"
        )  # Playwright keeps a loop in this thread; the tests do not use it
        started = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture
def visit(browser: Any, live_server: Any) -> Iterator[Any]:
    """Open the page of a case; at the end, the browser must have had nothing to complain about."""
    complaints: list[str] = []
    contexts = []

    def go(case: Case, **options: Any) -> Page:
        context = browser.new_context(**{"viewport": PHONE, **options})
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: complaints.extend([message.text] if message.type == "error" else []))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(f"{live_server.url}/c/{make_link_and_token(case, now=timezone.now())[1]}")
        return page

    yield go
    for context in contexts:
        context.close()
    assert complaints == []


@pytest.fixture
def case() -> Case:
    case = make_relay_case(state=CaseState.NOTIFIED, customer_status=CustomerStatus.NOTIFIED, now=timezone.now())
    make_proof(case, at=timezone.now())
    make_run(case, "dnsbl", verdict=Verdict.BAD, at=timezone.now())
    return case


def make_delisting(case: Case) -> None:
    """One list to be asked, one that was asked, one that has let go."""
    now = timezone.now()
    for number, columns in enumerate(({}, {"asked_at": now}, {"asked_at": now, "gone_at": now})):
        zone = f"list{number}.example"
        blacklist = Blacklist.objects.create(
            name=f"List {number}", zone=zone, delisting=f"https://{zone}/remove", how="fill in the form", who="anybody"
        )
        Listing.objects.create(
            blacklist=blacklist, key=prefix_key(f"{case.address_text}/32"), status="listed",
            first_seen_at=case.opened_at, last_seen_at=now, **columns,
        )  # fmt: skip


def start_check(case: Case) -> CheckRun:
    return make_run(case, verdict="", state=CheckRun.State.RUNNING, at=timezone.now())


def test_fixed_is_pressed_the_check_is_watched_and_the_page_comes_to_solved_by_itself(visit, case):
    page = visit(case)
    page.get_by_role("button", name="I have fixed it, check now").click()
    expect(page.get_by_role("heading", name="We are checking now")).to_be_visible()
    case.refresh_from_db()
    assert case.state == CaseState.VERIFYING
    run = start_check(case)
    CheckRun.objects.filter(pk=run.pk).update(state=CheckRun.State.DONE, verdict=Verdict.CLEAN)
    expect(page.get_by_role("heading", name="First check passed")).to_be_visible()
    move_case(case, CaseState.CLOSED, actor="machine", reason="x", resolution=Resolution.FIXED_VERIFIED)
    expect(page.get_by_role("heading", name="Solved. Thank you!")).to_be_visible()


def test_without_scripts_the_answer_arrives_and_the_page_says_how_to_look_again(visit, case):
    page = visit(case, java_script_enabled=False)
    page.locator("button.primary").click()
    expect(page.locator("#now")).to_contain_text("We are checking now")
    expect(page.get_by_text("Look again now")).to_be_visible()


def test_a_text_that_is_being_written_is_not_thrown_away_when_the_case_moves(visit, case):
    move_case(case, CaseState.VERIFYING, actor="customer", reason="x", fixed_claimed_at=timezone.now())
    start_check(case)
    page = visit(case)
    page.get_by_text("I need help or more time").click()
    page.get_by_label("What do you need, and until when?").fill("Until Tuesday")
    move_case(case, CaseState.NOTIFIED, actor="machine", reason="x")
    expect(page.get_by_text("There is news about your case.")).to_be_visible()
    expect(page.get_by_label("What do you need, and until when?")).to_have_value("Until Tuesday")


def test_the_whole_page_can_be_answered_with_the_keyboard(visit, case):
    page = visit(case)
    for _ in range(6):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.textContent").startswith("I need help"):
            break
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.type("Help, please")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="A person is reading your answer")).to_be_visible()


@pytest.mark.parametrize("viewport", [PHONE, DESKTOP], ids=["phone", "desktop"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("language", ["en", "de", "fr"])
@pytest.mark.parametrize("state", [CaseState.NOTIFIED, CaseState.VERIFYING, CaseState.ESCALATED, CaseState.CLOSED])
def test_no_barrier_is_found_and_nothing_sticks_out(visit, case, state, scheme, viewport, language):
    case.owner["language"] = language
    case.save()
    make_delisting(case)
    if state == CaseState.CLOSED:
        move_case(case, state, actor="machine", reason="x", resolution=Resolution.FIXED_VERIFIED)
    elif state != CaseState.NOTIFIED:
        move_case(case, state, actor="machine", reason="x", fixed_claimed_at=timezone.now())
    page = visit(case, color_scheme=scheme, viewport=viewport)
    page.evaluate("document.querySelectorAll('details').forEach(each => { each.open = true })")
    assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
