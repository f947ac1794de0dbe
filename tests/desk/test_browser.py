"""The desk in a real browser: keys, live parts, dialogs, and what assistive technology finds."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.utils import timezone
from playwright.sync_api import Page, expect, sync_playwright

from complaints.cases.transitions import add_note, move_case, record
from complaints.models import Case, ProbeArrival, Reading
from complaints.notices.compose import queue_notice
from complaints.vocabulary import CaseState, Cause, EventKind
from tests.desk.minute import after_the_minute
from tests.factories import make_case, make_complaint, make_contract, make_message, make_run, make_user

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
REPORT = b"""Subject: spam
Content-Type: multipart/mixed; boundary=b

--b

look at this
--b
Content-Type: application/zip; name="%s.zip"

PK
--b
Content-Type: message/rfc822

Received: from x ([192.0.2.10]) by y
Subject: win

%s
--b--
""" % (b"long" * 40, b"wide" * 400)
PHONE, DESKTOP = {"width": 400, "height": 800}, {"width": 1360, "height": 900}


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
def enter(browser: Any, live_server: Any) -> Iterator[Any]:
    """Log in as a supervisor; at the end the browser must not have refused or missed anything."""
    troubles: list[str] = []
    contexts = []
    make_user("root", is_staff=True, is_superuser=True)

    def go(path: str = "/", **options: Any) -> Page:
        context = browser.new_context(base_url=live_server.url, **({"viewport": DESKTOP} | options))
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda said: troubles.append(said.text) if said.type == "error" else None)
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.goto("/login?next=" + path)
        page.get_by_label("User name").fill("root")
        page.get_by_label("Password").fill("root")
        page.get_by_role("button", name="Log in").click()
        page.wait_for_url(live_server.url + path)
        return page

    yield go
    for context in contexts:
        context.close()
    assert [text for text in troubles if "404" not in text] == []


@pytest.fixture
def full_case() -> Case:
    """A case in which everything has happened once."""
    reasons = [["proven by our own check", 15]]
    case = make_case(
        state="triage", cause=Cause.OPEN_RELAY, cause_confidence=0.99, priority=80, priority_reasons=reasons
    )
    message = make_message(REPORT, state="read")
    evidence = {
        "source_reason": "Received line 1: from a host [192.0.2.10]",
        "received": ["from x ([192.0.2.10]) by y"],
    }
    make_complaint(case, reporter="fbl@x.example", message=message, evidence=evidence)
    talk = [{"dir": ">", "text": "RCPT TO:<t@p.example>"}, {"dir": "<", "text": "250 Ok"}]
    run = make_run(case, details={"transcript": talk, "forms": [{"form": "plain", "recipient": "<t@p.example>"}]})
    ProbeArrival.objects.create(run=run, form="plain", message=message, peer="192.0.2.10:25", arrived_at=timezone.now())
    lists = [{"list": "Some list", "status": "listed", "codes": ["127.0.0.2"]}, {"list": "Other", "status": "unknown"}]
    make_run(case, "dnsbl", details={"lists": lists})
    queue_notice(case, "notify", occurrence=1, now=timezone.now())
    record(case, EventKind.CUSTOMER_ANSWERED, actor="customer", answer="needs_help", text="until Friday?")
    add_note(case, actor="ada", text="called them")
    Reading.objects.filter(message=make_message(b"x", state="unread")).update(problem="no address is named")
    make_complaint(answer="unsure", attribution={"candidates": ["C-1", "C-2"], "reason": "shared"})
    make_complaint(answer="not-ours", address="198.51.100.7", reporter="lena@studio-hoff.example")
    return case


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_every_page_is_clean_for_assistive_technology_and_fits(
    enter: Any, full_case: Case, size: dict[str, int], scheme: str
) -> None:
    page = enter(viewport=size, color_scheme=scheme)
    case, message = f"/case/{full_case.pk}", f"/message/{full_case.complaints.get().message_id}"
    lists = ("/", "/?tab=verifying", "/?q=nobody", "/unread", "/unattributed", "/not-ours", "/answers", "/offenders")
    for path in (*lists, case, f"{case}/close", message, "/nowhere"):
        page.goto(path)
        found = Axe().run(page).response["violations"]
        assert [(path, each["id"], [node["html"] for node in each["nodes"]]) for each in found] == []
        assert page.evaluate("document.documentElement.scrollWidth") <= size["width"], path


def test_the_queue_is_walked_by_keys(enter: Any) -> None:
    first, second = (make_case(f"C-{n}", state="triage", priority=p) for n, p in enumerate((90, 40)))
    page = enter()
    focused = lambda: page.evaluate("document.activeElement.id")  # noqa: E731

    page.keyboard.press("j")
    assert focused() == f"case-{first.pk}"
    page.keyboard.press("j")
    page.keyboard.press("j")
    assert focused() == f"case-{second.pk}"
    page.keyboard.press("k")
    assert focused() == f"case-{first.pk}"
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/case/{first.pk}")
    page.keyboard.press("n")
    page.wait_for_url(f"**/case/{second.pk}")
    page.keyboard.press("q")
    page.wait_for_url("**/")
    page.keyboard.press("/")
    page.keyboard.type("jk?")
    assert page.get_by_label("Search cases").input_value() == "jk?"


def test_the_keys_are_explained_and_can_be_switched_off(enter: Any) -> None:
    make_case(state="triage")
    page = enter()

    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
    page.get_by_label("Single keys work on this computer").uncheck()
    page.keyboard.press("Escape")
    page.keyboard.press("j")

    assert "case-" not in page.evaluate("document.activeElement.id")


def test_the_reasons_of_a_priority_show_on_focus_and_hide_on_escape(enter: Any) -> None:
    case = make_case(state="triage", priority=15, priority_reasons=[["proven by our own check", 15]])
    page = enter()
    tip = page.locator(f"#why-{case.pk}")

    page.locator(f"#pri-{case.pk}").focus()
    expect(tip).to_be_visible()
    page.keyboard.press("Escape")
    expect(tip).to_be_hidden()


def test_no_row_moves_under_the_reader_until_they_say_so(enter: Any) -> None:
    first, second = (make_case(f"C-{n}", state="triage", priority=p) for n, p in enumerate((90, 40)))
    page = enter()
    page.keyboard.press("j")
    Case.objects.filter(pk=second.pk).update(priority=100)

    expect(page.get_by_text("The queue has changed.")).to_be_visible(timeout=40_000)
    rows = "[...document.querySelectorAll('[data-row]')].map(row => row.id)"
    assert page.evaluate(rows) == [f"row-{first.pk}", f"row-{second.pk}"]
    assert page.evaluate("document.activeElement.id") == f"case-{first.pk}"
    page.get_by_role("button", name="Show now").click()
    expect(page.locator("[data-row]").first).to_have_id(f"row-{second.pk}")


def test_news_in_a_case_appear_and_what_was_unfolded_stays_so(enter: Any, full_case: Case) -> None:
    page = enter(f"/case/{full_case.pk}")
    fold = page.locator(".k-notice details")
    fold.locator("summary").click()

    add_note(full_case, actor="carla", text="just called them")

    expect(page.get_by_text("just called them")).to_be_visible(timeout=40_000)
    assert fold.evaluate("each => each.open")


def test_text_being_written_survives_that_the_case_moves_on(enter: Any, full_case: Case) -> None:
    page = enter(f"/case/{full_case.pk}")
    page.get_by_label("Note").fill("half a sen")

    move_case(full_case, CaseState.NOTIFIED, actor="carla", reason="told them by phone")

    expect(page.get_by_text("This case has moved on while you were writing.")).to_be_visible(timeout=40_000)
    assert page.get_by_label("Note").input_value() == "half a sen"


def test_closing_asks_in_a_dialog_and_then_closes(enter: Any) -> None:
    case = make_case(make_contract("C-7"), state="triage")
    page = enter(f"/case/{case.pk}")

    page.keyboard.press("c")
    dialog = page.get_by_role("dialog", name=f"Close case {case.number}?")
    dialog.get_by_label("How did it end?").select_option("not_abuse")
    dialog.get_by_label("Why?").fill("A newsletter they had asked for")
    dialog.get_by_role("button", name="Close the case").click()

    expect(page.get_by_text("You are about to close it: not abuse.")).to_be_visible()
    after_the_minute()
    expect(page.get_by_text("Closed: not abuse. New evidence opens a linked case.")).to_be_visible(timeout=40_000)


def test_the_admin_works_under_the_same_policy(enter: Any) -> None:
    page = enter("/admin/")

    page.goto("/admin/complaints/assignment/add/")
    page.locator(".calendarbox").first.wait_for(state="attached")
    page.locator("#id_valid_from_0 ~ .datetimeshortcuts a").first.click()

    assert page.locator("#id_valid_from_0").input_value() != ""
