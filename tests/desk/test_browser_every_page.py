"""Every page there is, without a list of them: nothing for axe to say, nothing wider than the window.

The pages are those of the table of permissions and of the admin's registry, so a new one is walked by itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from django.conf import settings
from django.test import Client
from playwright.sync_api import Page, sync_playwright

from complaints.models import Campaign, Complaint, Customer, Reading, User
from tests.desk.everything import CLOSED, NO_PAGES, admin_paths, make_everything, paths_of
from tests.desk.permissions import OPENED
from tests.desk.test_permissions import URLS

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True, reset_sequences=True)]
PAGES = sorted(set(OPENED) & set(URLS) - NO_PAGES)
PARTS = 8  # that can be walked beside each other
DESK, PHONE = {"width": 1360, "height": 900}, {"width": 400, "height": 800}
# On the phone, in the dark: what hangs on width and colours. The rest is in the markup, which is the same.
LOOKS = ["color-contrast", "target-size", "link-in-text-block", "scrollable-region-focusable", "label", "button-name"]
WAYS = ((DESK, "light", {}), (PHONE, "dark", {"runOnly": LOOKS}))
ASK = """options => axe.run({resultTypes: ["violations"], ...options}).then(found =>
    found.violations.map(each => [each.id, ...each.nodes.slice(0, 3).map(node => node.html.slice(0, 200))]))"""


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Any]:
    with pytest.MonkeyPatch.context() as patch, sync_playwright() as playwright:
        # Playwright keeps a loop in this thread; the tests do not use it.
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
        arguments = ["--no-sandbox", "--disable-background-networking"]
        started = playwright.chromium.launch(executable_path=chromium, args=arguments)
        yield started
        started.close()


@pytest.fixture
def root(db: None) -> User:
    return make_everything()


@pytest.fixture
def page(browser: Any, live_server: Any, root: User) -> Iterator[Page]:
    client = Client()
    client.force_login(root)
    session = client.cookies[settings.SESSION_COOKIE_NAME].value
    context = browser.new_context(base_url=live_server.url)
    context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": live_server.url}])
    yield context.new_page()
    context.close()


def troubles_of(page: Page, path: str, *, status: int = 200) -> list[object]:
    answer = page.goto(path)
    assert answer is not None
    found: list[object] = [] if answer.status == status else [(path, answer.status)]
    if not page.url.endswith(path):
        found.append((path, "led to", page.url))
    page.evaluate(AXE_SCRIPT)
    for window, scheme, options in WAYS:
        page.set_viewport_size(window)  # type: ignore[arg-type]
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        found += [(path, scheme, each) for each in page.evaluate(ASK, options)]
        if (width := page.evaluate("document.documentElement.scrollWidth")) > window["width"]:
            found.append((path, f"{width} px wide in a window of {window['width']}"))
    return found


@pytest.mark.parametrize("part", range(PARTS))
def test_every_page_of_desk_and_account_is_clean_and_fits(page: Page, part: int) -> None:
    paths = paths_of({name: URLS[name] for name in PAGES[part::PARTS]})
    troubles = [troubles_of(page, path, status=404 if name in CLOSED else 200) for name, path in paths.items()]

    assert [each for each in troubles if each] == []


@pytest.mark.parametrize("part", range(PARTS))
def test_every_page_of_the_admin_is_clean_and_fits(page: Page, root: User, part: int) -> None:
    client = Client()
    client.force_login(root)
    allowed = [path for path in admin_paths() if client.get(path).status_code == 200]
    assert len(allowed) > 60
    troubles = [troubles_of(page, path) for path in allowed[part::PARTS]]

    assert [each for each in troubles if each] == []


def test_no_page_grows_with_words_that_have_no_break(page: Page) -> None:
    word = "W" * 150
    Customer.objects.update(name=word)
    Complaint.objects.update(subject=word)
    Reading.objects.filter(state="unread").update(sender=f"{word}@x.example", subject=word, problem=word)
    Campaign.objects.update(subject=word)
    page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    wide = {}
    for path in ("/case/1", "/message/1", "/unread", "/customers", "/customers/1", "/campaigns", "/campaigns/1", "/"):
        page.goto(path)
        if (width := page.evaluate("document.documentElement.scrollWidth")) > PHONE["width"]:
            wide[path] = width

    assert wide == {}


def test_the_table_of_what_is_no_page_names_nothing_that_is_gone() -> None:
    assert sorted((NO_PAGES | CLOSED) - set(OPENED)) == []
