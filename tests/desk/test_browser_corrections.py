"""Corrections, and who had an address, in a real browser: for keys, for assistive technology, on every width."""
# ruff: noqa: F811 - a test names its fixtures, and two of them are imported

from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.utils import timezone
from playwright.sync_api import expect

from complaints.cases.corrections import apply_reattribution
from complaints.cases.reattribution import propose_reattributions
from complaints.models import Assignment, Case, Complaint, Notice, Reattribution
from complaints.notices.compose import queue_notice
from tests.desk.test_browser import DESKTOP, PHONE, browser, enter  # noqa: F401 - fixtures
from tests.factories import make_assignment, make_case, make_complaint, make_contract, make_customer, make_network

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
LONG = "A customer whose name does not end, Holding and Sons and Daughters Ltd"


@pytest.fixture
def corrected(db: None) -> Case:
    """One correction done, whose contract had been told, and a second that waits; the case of the second."""
    now = timezone.now()
    make_network("192.0.2.0/24")
    make_customer("K-2", name=LONG)
    make_contract("C-2", customer="K-2")
    for number, contract in ((1, "C-1"), (2, "C-3")):
        address = f"192.0.2.{number}"
        case = make_case(contract, address=address, complaint_count=2, opened_at=now - timedelta(days=2))
        for minute in (1, 2):
            at = now - timedelta(days=1, minutes=minute)
            make_complaint(case, address=address, seen_at=at, subject="Cheap watches " * 9)
        letter = queue_notice(case, "notify", occurrence=1, now=now)
        assert letter
        Notice.objects.filter(pk=letter.pk).update(state="sent", sent_at=now)
        make_assignment("C-2", f"{address}/32", kind=Assignment.Kind.LEASE, valid_from=now - timedelta(days=9))
        propose_reattributions(
            Complaint.objects.values_list("pk", flat=True), because="leases.csv was imported", now=now
        )
        if number == 1:
            apply_reattribution(Reattribution.objects.values_list("pk", flat=True), actor="ada", now=now, note="late")
    make_assignment("C-9", "192.0.2.0/24", valid_from=now - timedelta(days=400))
    return case


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_the_pages_are_clean_for_assistive_technology_and_fit(
    enter: Any,
    corrected: Case,
    size: dict[str, int],
    scheme: str,
) -> None:
    page = enter(viewport=size, color_scheme=scheme)
    first = Reattribution.objects.filter(state="proposed").order_by("pk")[0].pk
    whose = "/whose?" + urlencode({"address": "192.0.2.2"})
    paths = ("/corrections", f"/corrections/review?group={first}", f"/case/{corrected.pk}", "/whose", whose)
    for path in (*paths, "/whose?address=192.0.2.0/24&span=year", "/whose?address=203.0.113.7"):
        page.goto(path)
        found = Axe().run(page).response["violations"]
        assert [(path, each["id"], [node["html"] for node in each["nodes"]]) for each in found] == []
        assert page.evaluate("document.documentElement.scrollWidth") <= size["width"], path


def test_a_correction_is_looked_at_and_done_by_keys_alone(enter: Any, corrected: Case) -> None:
    page = enter("/corrections")
    page.keyboard.press("j")
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Space")
    page.keyboard.press("r")
    expect(page.get_by_role("heading", name="What would move")).to_be_visible()
    page.keyboard.press("w")
    page.keyboard.type("the log was late")
    page.get_by_role("heading", name="What would move").click()
    page.keyboard.press("m")

    expect(page.get_by_text("2 complaints moved.")).to_be_visible()
    assert {row.note for row in Reattribution.objects.filter(from_case=corrected)} == {"the log was late"}


def test_the_bars_say_in_words_what_they_show(enter: Any, corrected: Case) -> None:
    page = enter("/whose?address=192.0.2.2")
    expect(page.get_by_role("img", name="Holders over time; the table below says the same")).to_be_visible()
    assert page.locator("g.bar.meant title").text_content().startswith(f"C-2, {LONG}: ")
