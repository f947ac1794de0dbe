"""The newcomer's way, in a real browser on the real process tree: log in, see why, be the customer, see it proven."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from playwright.sync_api import Page, expect, sync_playwright

from complaints.demo import life
from complaints.demo.small import SmallWorld
from tests.conftest import LOOK_MS
from tests.services.desk import Desk
from tests.test_main_job import ADDRESS, desk, must  # noqa: F401 - desk is a fixture

pytestmark = [pytest.mark.processes, pytest.mark.browser, pytest.mark.timeout(400)]
PASSWORD = "only-for-this-test"
WAIT_MS = 60_000
Windows = Callable[[], Page]


@pytest.fixture
def world(desk: Desk) -> Iterator[SmallWorld]:  # noqa: F811
    """The customer's technician repairs at once, and leaves the button to whoever looks at the page."""
    outside = life.Desk(site=desk.site, listener=("127.0.0.1", desk.port["smtp"]), address="abuse@isp.example")
    places: dict[str, Any] = {name: ("127.0.0.1", desk.port[name]) for name in ("mailbox", "dns")}
    with SmallWorld(outside, relay_port=desk.port["relay"], address=ADDRESS, habit="by_hand", **places) as world:
        yield world


@pytest.fixture
def window(chromium: str) -> Iterator[Windows]:
    """A window of a person of its own, who shares no log-in with the others. No page may miss or refuse anything."""
    troubles: list[str] = []

    def open_one() -> Page:
        page = browser.new_context(viewport={"width": 1360, "height": 900}).new_page()
        page.set_default_timeout(WAIT_MS)
        page.on("console", lambda said: troubles.append(said.text) if said.type == "error" else None)
        page.on("pageerror", lambda error: troubles.append(str(error)))
        return page

    expect.set_options(timeout=WAIT_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium, args=["--no-sandbox", "--disable-background-networking"]
        )
        yield open_one
        browser.close()
    expect.set_options(timeout=LOOK_MS)
    assert troubles == []


def test_a_newcomer_sees_a_complaint_become_a_proven_fix(
    desk: Desk,  # noqa: F811
    world: SmallWorld,
    window: Windows,
) -> None:
    desk.environment["DJANGO_SUPERUSER_PASSWORD"] = PASSWORD
    must(desk, "createsuperuser", "--noinput", "--username", "ada", "--email", "ada@isp.example")
    with desk.running():
        analyst = window()
        log_in(analyst, desk.site)
        set_up_an_app(analyst)
        expect(analyst.get_by_role("heading", name="Nothing needs you")).to_be_visible()

        world.begin()
        row = analyst.locator("tr[data-row]")
        expect(row).to_contain_text("With the customer")  # the page renews itself: nobody reloads it
        expect(row.locator(".chip", has_text="proven")).to_be_visible()
        row.get_by_role("link", name="Open relay").click()
        read_the_case(analyst)

        customer = window()
        customer.goto(world.wait_for_notice("notify").link)
        expect(customer.locator("h1")).to_have_text("Strangers are sending mail through your mail server")
        expect(customer.locator(".todo").first).to_contain_text("They stop the server from passing on mail")
        expect(analyst.locator("#story")).to_contain_text("The customer opened their page")

        desk.wait_until(lambda: "C-1" not in world.memory.troubled, within_s=60)
        customer.get_by_role("button", name="I have fixed it, check now").click()
        expect(customer.locator("h1")).to_have_text(re.compile("We are checking|It looks good so far|Solved"))
        expect(customer.locator("h1")).to_have_text("Solved. Thank you!")

        expect(analyst.locator(".turn")).to_have_text("Closed: fixed and verified. New evidence opens a linked case.")
        assert story(analyst) == [
            "Solved, thank you",
            "Closed: fixed and verified",
            f"Relay check of {ADDRESS}",
            f"Relay check of {ADDRESS}",
            "Customer answered: “I have fixed it”",
            "The customer opened their page",
            "First notice",
            "Investigating → With the customer",
        ]
    assert world.wait_for_notice("solved").to == "nora@atelier-brenn.example"


def log_in(page: Page, site: str) -> None:
    page.goto(site)
    page.get_by_label("User name").fill("ada")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()


def set_up_an_app(page: Page) -> None:
    """Whoever may cut lines is asked at the first log-in: two pages, and the code that an app would show."""
    page.get_by_role("link", name="Use an authenticator app").click()
    secret = page.locator("#authenticator_secret").inner_text()
    page.get_by_label("Code").fill(format_hotp_value(hotp_value(secret, int(time.time()) // 30)))
    page.get_by_role("button", name="Set it up").click()
    page.get_by_role("link", name="I have kept them").click()


def read_the_case(page: Page) -> None:
    """Everything that says why this case is there, and what was done about it."""
    expect(page.locator("h1")).to_have_text(f"Open relay at {ADDRESS}, Atelier Brenn")
    expect(page.locator(".turn")).to_contain_text("The customer's turn")
    contract = page.locator("#facts .card", has_text="Held address")
    expect(contract).to_contain_text("C-1")
    expect(contract).to_contain_text("since 1 Jan 2024")
    expect(contract).to_contain_text("static line sure")

    relay = page.locator("#story li", has_text=f"Relay check of {ADDRESS}")
    expect(relay).to_contain_text("came back through")
    expect(relay).to_contain_text("accepted for a domain that is not theirs")
    lists = page.locator("#story li", has_text=f"Blacklists of {ADDRESS}")
    lists.locator("summary").click()
    expect(lists.locator("td", has_text="no answer").first).to_be_visible()

    mail = page.locator("#story li", has_text="First notice")
    mail.get_by_text("The mail as sent").click()
    expect(mail.locator("pre")).to_contain_text("Hello Nora Brenn,")
    expect(mail.frame_locator("iframe").get_by_role("heading").first).to_be_visible()

    page.locator(".complaints a").first.click()
    expect(page.locator(".told")).to_contain_text("Atelier Brenn, contract C-1")
    page.go_back()


def story(page: Page) -> list[str]:
    """The heads of the story's newest entries."""
    heads = [head.strip() for head in page.locator("#story .tl > li > b:first-of-type").all_inner_texts()]
    return heads[:8]
