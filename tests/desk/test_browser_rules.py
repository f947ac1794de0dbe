"""The pages of rules, reporters and weights in a real browser: by keyboard, by screen reader, wide and narrow."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.test import Client
from django.utils import timezone
from playwright.sync_api import Page, expect, sync_playwright

from complaints.cases.assessment import assess
from complaints.models import Reporter, ReporterTally, Rule
from complaints.vocabulary import Category
from tests.factories import make_case, make_complaint, make_rule, make_run, make_user

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
PHONE, DESKTOP = {"width": 400, "height": 800}, {"width": 1360, "height": 900}
Enter = Callable[..., Page]


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Any]:
    with pytest.MonkeyPatch.context() as patch, sync_playwright() as playwright:
        # Playwright keeps a loop in this thread; the tests do not use it.
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
        started = playwright.chromium.launch(
            executable_path=chromium, args=["--no-sandbox", "--disable-background-networking"]
        )
        yield started
        started.close()


@pytest.fixture
def enter(browser: Any, live_server: Any) -> Iterator[Enter]:
    """A page of somebody who may do everything; at the end the browser must not have refused anything."""
    troubles: list[str] = []
    contexts = []
    user = make_user("root", is_staff=True, is_superuser=True)

    def go(path: str, **options: Any) -> Page:
        client = Client()
        client.force_login(user)
        context = browser.new_context(base_url=live_server.url, **({"viewport": DESKTOP} | options))
        contexts.append(context)
        cookies = client.cookies.items()
        context.add_cookies([{"name": name, "value": each.value, "url": live_server.url} for name, each in cookies])
        page: Page = context.new_page()
        page.on("console", lambda said: troubles.append(said.text) if said.type == "error" else None)
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.goto(path)
        return page

    yield go
    for context in contexts:
        context.close()
    assert troubles == []


@pytest.fixture
def filled() -> Rule:
    """A rule of each kind, a reporter with a past, and some cases."""
    now = timezone.now()
    for number, category in enumerate((Category.SPAM, Category.SCAN, Category.BOT)):
        case = make_case(f"C-{number}", category=category, opened_at=now - timedelta(days=1))
        make_complaint(case, reporter="bot@noise.example", received_at=now, seen_at=now)
        assess(case, now=now)
    make_run(case)
    reporter = Reporter.objects.get()
    ReporterTally.objects.create(reporter=reporter, day=now.date(), category="spam", format="arf", complaints=3)
    long = "A rule with a name that is as long as people make them when nobody stops them at all"
    make_rule("allow", name=long, category=["phishing"])
    make_rule("threshold", complaints=3, reporters=2, days=7, until=now - timedelta(days=1))
    make_rule("route", team="Legal", active=False)
    rule = make_rule("ignore", name="Noise", prefix=["2001:db8::/32"], category=["spam", "scan"])
    make_complaint(reporter="bot@noise.example", rule=rule, ruling="ignored", received_at=now)
    return rule


def seen_through(page: Page, width: int) -> None:
    found = Axe().run(page).response["violations"]
    assert [(page.url, each["id"], [node["html"] for node in each["nodes"]]) for each in found] == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width, page.url


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_every_page_is_clean_for_assistive_technology_and_fits(
    enter: Enter, filled: Rule, size: dict[str, int], scheme: str
) -> None:
    page = enter("/rules", viewport=size, color_scheme=scheme)
    reporter = Reporter.objects.get()
    for path in ("/rules", f"/rules/{filled.pk}", "/reporters", "/reporters?q=zz", f"/reporters/{reporter.pk}"):
        page.goto(path)
        seen_through(page, size["width"])
    page.goto("/rules/new?reporter=noise.example")
    page.get_by_label("Name", exact=True).fill("Noise")
    page.get_by_label("Why").fill("never right")
    page.get_by_role("button", name="Try on the last 30 days").click()
    expect(page.get_by_role("alert")).to_contain_text("1 of these was proven")
    seen_through(page, size["width"])
    page.goto("/priority")
    page.get_by_label("Scan", exact=True).fill("60")
    page.get_by_role("button", name="Show the queue with these weights").click()
    expect(page.get_by_role("region", name="The queue as it would be")).to_be_visible()
    seen_through(page, size["width"])


def test_a_rule_is_moved_through_the_order_by_keyboard_alone(enter: Enter, filled: Rule) -> None:
    page = enter("/rules")
    page.get_by_role("button", name="Move up: Noise").focus()
    for _ in range(2):  # the button keeps the focus
        page.keyboard.press("Enter")
        page.wait_for_url(f"**/rules?at={filled.pk}.up*")
        expect(page.get_by_role("button", name="Move up: Noise")).to_be_focused()

    assert [rule.pk for rule in Rule.objects.all()].index(filled.pk) == 1


def test_a_proven_case_stays_unless_it_is_said_twice(enter: Enter, filled: Rule) -> None:
    Rule.objects.update(active=False)
    page = enter("/rules/new?reporter=noise.example")
    page.get_by_label("Name", exact=True).fill("All of them")
    page.get_by_label("Why").fill("never right")
    page.get_by_role("button", name="Try on the last 30 days").click()
    page.get_by_role("button", name="Activate").click()
    expect(page.get_by_text("Not activated: tick this if you mean it.")).to_be_visible()

    page.get_by_label("Keep proven cases away all the same").check()
    page.get_by_role("button", name="Activate").click()
    expect(page.get_by_text("is active: it decides from the next complaint on")).to_be_visible()
