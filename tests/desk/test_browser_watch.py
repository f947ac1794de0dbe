"""Cases among others in a real browser: merging, campaigns, the watch; and what assistive technology finds there."""
# ruff: noqa: F811 - a test names its fixtures, and two of them are imported

from __future__ import annotations

import os
from datetime import timedelta
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.utils import timezone
from playwright.sync_api import expect

from complaints.cases.campaigns import find_campaigns
from complaints.cases.regrouping import link_case
from complaints.cases.rises import watch_rises
from complaints.models import Campaign, Case, Feed, Product, Tally
from complaints.vocabulary import Category
from tests.desk.test_browser import DESKTOP, PHONE, browser, enter  # noqa: F401 - fixtures
from tests.factories import make_case, make_complaint, make_contract

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
DAY = timedelta(days=1)
LONG = (
    "Exclusive Swiss luxury watches at a very special price, only few pieces left in our storehouse in Rotterdam today"
)


@pytest.fixture
def world() -> Case:
    """Lines of four customers that took part in a run, one of them with three cases, a rise and a silent feed."""
    now = timezone.now()
    cases = [make_case(make_contract(f"C-100{n}", customer=f"K-{n}"), opened_at=now - DAY) for n in range(4)]
    for n, case in enumerate(cases):
        for minute in range(6 if n == 0 else 1):
            seen = now - timedelta(minutes=10 * minute + n)
            address = f"192.0.2.{10 + minute % 3}"
            make_complaint(case, address=address, reporter=f"r{minute}@reporter.example", subject=LONG, seen_at=seen)
    case = cases[0]
    case.headline = "Open relay at 192.0.2.10: 6 complaints from 6 reporters"
    case.complaint_count = 6
    case.save()
    make_case(case.contract, category=Category.BOT, headline="Infected machine at 192.0.2.11", opened_at=now)
    link_case(cases[1], parent=case, actor="ada", reason="the same customer's sister", now=now)
    find_campaigns(now=now, lag=timedelta(0))
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    product = Product.objects.create(name="DSL 100 business with a rather long name")
    shape = (100, 108, 112, 106, 101, 77, 74)
    rows = []
    for back in range(0, 120):
        at = midnight - back * DAY
        usual = shape[at.weekday()] + back % 7
        for kind, ref, n in (("all", 0, usual), ("product", product.pk, usual // 3), ("contract", case.contract_id, 2)):
            high = n * 4 if back in (0, 30) else n
            rows.append(
                Tally(kind=kind, ref=ref, metric="complaints", span="day", at=at, n=max(high, 60 if not back else 0))
            )
    Tally.objects.bulk_create(rows)
    watch_rises(now=now)
    habit = {"first_at": now - 30 * DAY, "gaps": [1] * 40, "outcomes": [[n, 1] for n in range(20)]}
    Feed.objects.create(
        sender="complaints@feedback-loop.example", last_at=now - 2 * DAY, silent_since=now - 2 * DAY, **habit
    )
    Feed.objects.create(
        format="xarf4", last_at=now, failing_since=now, **(habit | {"outcomes": [[n, n % 2] for n in range(20)]})
    )
    return case


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_every_page_is_clean_for_assistive_technology_and_fits(
    enter: Any, world: Case, size: dict[str, int], scheme: str
) -> None:
    page = enter(viewport=size, color_scheme=scheme)
    near = Case.objects.get(category=Category.BOT)
    regroup = f"/case/{world.pk}/regroup"
    paths = {
        "watch": "/watch",
        "campaigns": "/campaigns",
        "campaign": f"/campaigns/{Campaign.objects.get().pk}",
        "case": f"/case/{world.pk}",
        "regroup": regroup,
        "merge": f"{regroup}?what=merge&to={near.number}",
        "split": f"{regroup}?what=split&about=192.0.2.11",
        "wrong": f"{regroup}?what=merge&to=2026-99999",
    }
    for name, path in paths.items():
        page.goto(path)
        if shots := os.environ.get("ABUSEDESK_SHOTS"):
            page.screenshot(path=f"{shots}/{name}-{size['width']}-{scheme}.png", full_page=True)
        found = Axe().run(page).response["violations"]
        assert [(path, each["id"], [node["html"] for node in each["nodes"]]) for each in found] == []
        assert page.evaluate("document.documentElement.scrollWidth") <= size["width"], path


def test_two_cases_are_merged_and_parted_again(enter: Any, world: Case) -> None:
    near = Case.objects.get(category=Category.BOT)
    page = enter(f"/case/{near.pk}")
    page.get_by_role("link", name="Merge, split, move complaints or link …").click()
    page.wait_for_url(f"**/case/{near.pk}/regroup")
    page.get_by_role("link", name=f"{world.number}").and_(page.get_by_text("Merge into it")).click()
    expect(page.get_by_role("heading", name="What will happen")).to_be_visible()
    page.get_by_label("Why").fill("the same machine")
    page.get_by_role("button", name="Do it").click()

    expect(page.get_by_text(f"Case {near.number} was merged into case {world.number}.")).to_be_visible()
    page.get_by_role("button", name=f"{near.number} merged into {world.number}").click()

    expect(page.get_by_text(f"Undone: case {near.number} stands as before.")).to_be_visible()
    near.refresh_from_db()
    assert near.state != "closed"
