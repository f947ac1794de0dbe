"""Passkeys in a real browser, with an authenticator of its own; the log-in as assistive technology finds it."""

from __future__ import annotations

from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from complaints.models import User
from tests.desk.test_browser import DESKTOP, PHONE, browser  # noqa: F401 - browser is a fixture
from tests.factories import make_user

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
KEY = {
    "protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True,
    "isUserVerified": True, "automaticPresenceSimulation": True,
}  # fmt: skip


@pytest.fixture
def page(browser: Any, live_server: Any) -> Any:  # noqa: F811
    """A window with a passkey device in it; whatever the policy refuses fails the test."""
    troubles: list[str] = []
    context = browser.new_context(base_url=live_server.url, viewport=DESKTOP)
    page = context.new_page()
    page.on("console", lambda said: troubles.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.device = context.new_cdp_session(page)
    page.device.send("WebAuthn.enable")
    page.device.send("WebAuthn.addVirtualAuthenticator", {"options": KEY})
    yield page
    context.close()
    assert troubles == []


def log_in(page: Page, name: str) -> None:
    page.goto("/login")
    page.get_by_label("User name").fill(name)
    page.get_by_label("Password").fill(name)
    page.get_by_role("button", name="Log in").click()


def set_up_a_key(page: Page, *, passwordless: bool = True) -> None:
    page.goto("/account/second-factor/key/add/")
    page.get_by_label("Name it").fill("work laptop")
    page.get_by_label("Passkey: it also logs in").set_checked(passwordless)
    page.get_by_role("button", name="Go on with the key").click()
    page.get_by_role("link", name="I have kept them").click()
    expect(page.get_by_role("link", name="Queue", exact=True)).to_be_visible()


def test_a_passkey_logs_in_without_name_and_password(page: Page) -> None:
    make_user("ada")
    log_in(page, "ada")
    set_up_a_key(page)
    page.get_by_role("button", name="Log out").click()

    page.get_by_role("button", name="Use a passkey").click()

    expect(page.get_by_role("link", name="Queue", exact=True)).to_be_visible()
    page.goto("/account/")
    expect(page.get_by_text("work laptop")).to_be_visible()


def test_who_can_cut_lines_gets_in_by_a_key_as_second_factor(page: Page, settings: Any) -> None:
    settings.SECOND_FACTOR = "risky"
    make_user("bruno", "senior")
    log_in(page, "bruno")
    expect(page.get_by_role("heading", name="Second factor")).to_be_visible()
    page.get_by_role("link", name="Use a passkey or a security key").click()
    set_up_a_key(page, passwordless=False)
    page.get_by_role("button", name="Log out").click()

    log_in(page, "bruno")
    page.get_by_role("button", name="Use a passkey or security key").click()

    expect(page.get_by_role("link", name="Queue", exact=True)).to_be_visible()


def test_a_key_that_is_not_used_says_so(page: Page) -> None:
    User.objects.all().delete()
    page.goto("/login")
    refusal = "Promise.reject(new DOMException('no', 'NotAllowedError'))"
    page.evaluate("() => { navigator.credentials.get = () => " + refusal + " }")

    page.get_by_role("button", name="Use a passkey").click()

    expect(page.get_by_role("alert")).to_contain_text("The key was not used: it was cancelled")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_log_in_and_account_are_clean(page: Page, size: Any, scheme: Any) -> None:
    make_user("carla", "supervisor")
    page.set_viewport_size(size)
    page.emulate_media(color_scheme=scheme)
    page.goto("/login")
    assert Axe().run(page).response["violations"] == []
    log_in(page, "carla")
    page.wait_for_url("**/")
    paths = ("/account/", "/account/second-factor/app/activate/", "/account/second-factor/key/add/",
             "/account/password", "/account/confirm", "/approvals", "/read-log")  # fmt: skip
    for path in paths:
        page.goto(path)
        found = Axe().run(page).response["violations"]
        assert [(each["id"], each["nodes"][0]["html"]) for each in found] == [], path
        assert page.evaluate("document.documentElement.scrollWidth") <= size["width"], path
