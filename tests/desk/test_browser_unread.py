"""An analyst's hand on what no format could read, in a real browser: marked, taken, taught; and the pages beside it."""
# ruff: noqa: F811 - a test names its fixtures, and two of them are imported

from __future__ import annotations

from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe

from complaints.models import Complaint, Customer, Message, Reading, SenderRule
from complaints.pipeline import process_messages, queue_again
from complaints.teaching import taught_rules
from tests.desk.test_browser import DESKTOP, PHONE, browser, enter  # noqa: F401 - fixtures
from tests.factories import make_assignment, make_message, make_network

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
ODD = (
    "From: CERT Nord <report@cert-nord.example>\nSubject: Hinweis {n}\nDate: Tue, 10 Mar 2026 11:55:00 +0000\n\n"
    "Vorfall {n}\nVerursacher -> 192.0.2.10 (Quellport 5123{n})\nZeitpunkt -> 2026-03-10 11:50:0{n} +0000\n"
    "{wide}\n"
)
MARK = """text => {
    const node = document.querySelector("pre.mail").firstChild, at = node.textContent.indexOf(text);
    const range = document.createRange();
    range.setStart(node, at); range.setEnd(node, at + text.length);
    getSelection().removeAllRanges(); getSelection().addRange(range);
}"""


@pytest.fixture
def odd(transactional_db: None) -> list[Message]:
    make_network()
    make_assignment("C-1")
    found = [make_message(ODD.format(n=n, wide="wide" * 80).encode(), state="unread") for n in (1, 2)]
    Reading.objects.update(sender="report@cert-nord.example", subject="Hinweis", problem="no format knew it")
    return found


def mark(page: Any, text: str) -> None:
    page.evaluate(MARK, text)
    page.wait_for_timeout(50)


def test_marked_text_is_taken_and_filed(enter: Any, odd: list[Message]) -> None:
    page = enter(viewport=DESKTOP)
    page.goto(f"/message/{odd[0].pk}")
    assert page.input_value("#id_source_ip") == "192.0.2.10"  # ours, named in the text
    for text, field in (("51231", "id_source_port"), ("2026-03-10 11:50:01 +0000", "id_at")):
        mark(page, text)
        page.click(f"[data-take={field}]")
    page.click("text=File this complaint")
    page.wait_for_url(f"**/message/{odd[0].pk}")

    complaint = Complaint.objects.get()
    assert (complaint.port, complaint.seen_exactly, complaint.contract.reference) == (51231, True, "C-1")


def test_sender_is_taught_by_marking_and_its_mails_are_read(enter: Any, odd: list[Message]) -> None:
    page = enter(viewport=DESKTOP)
    page.goto(f"/message/{odd[0].pk}")
    for text, field in (("192.0.2.10", "source_ip"), ("51231", "source_port"), ("2026-03-10", "arrival_date")):
        mark(page, text)
        page.click(f"[data-take-before=before-{field}]")
    page.click("text=Try it on stored mails")
    page.wait_for_selector("text=It reads 2 of 2")
    assert Axe().run(page).response["violations"] == []
    page.click("text=Put it in use")
    page.wait_for_selector("text=2 unread mails are being read again")

    assert [field.before for field in taught_rules()[0].fields] == ["Verursacher -> ", " (Quellport ", "Zeitpunkt -> "]
    waiting = list(Reading.objects.filter(state="waiting").values_list("pk", flat=True))
    process_messages(waiting or queue_again([each.pk for each in odd]))
    assert list(Complaint.objects.order_by("port").values_list("port", flat=True)) == [51231, 51232]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_the_pages_are_clean_for_assistive_technology_and_fit(
    enter: Any, odd: list[Message], size: dict[str, int], scheme: str
) -> None:
    page = enter(viewport=size, color_scheme=scheme)
    SenderRule.objects.create(
        sender="report@cert-nord.example", category="scan", fields={"source_ip": {"before": "Verursacher -> "}},
        message=odd[0], created_by="carla", created_at=odd[0].received_at,
    )  # fmt: skip
    customer = Customer.objects.get()
    paths = ("/sender-rules", "/enter", "/customers", f"/customers/{customer.pk}", f"/message/{odd[0].pk}")
    for path in paths:
        page.goto(path)
        assert Axe().run(page).response["violations"] == [], path
        assert page.evaluate("document.documentElement.scrollWidth") <= size["width"], path
