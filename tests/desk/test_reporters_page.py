"""The reporters: the list by how much they send, and a page each."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from complaints.models import Flood, Reporter, ReporterMail, ReporterTally
from tests.factories import NOON, make_case, make_complaint, make_reporter, make_rule


def reporter(address: str = "bot@noise.example", **columns: Any) -> Reporter:
    return Reporter.objects.create(address=address, **({"first_seen_at": NOON} | columns))


def test_the_list_shows_who_sends_most_first_and_how_often_they_were_right(ada: Client) -> None:
    reporter("quiet@x.example", recent=1)
    reporter("loud@x.example", recent=99, right=9, wrong=1, right_cases=9, wrong_cases=1)
    page = ada.get("/reporters").content.decode()

    assert page.index("loud@x.example") < page.index("quiet@x.example")
    assert "85% right" in page
    assert "9 for, 1 against" in page
    assert "not known" in page


def test_reporters_are_found_by_a_part_of_their_address(ada: Client) -> None:
    reporter("fbl@mail.x.example")
    reporter("other@y.example")
    page = ada.get("/reporters?q=X.EXAMPLE").content.decode()

    assert "fbl@mail.x.example" in page
    assert "other@y.example" not in page
    assert "Nobody like that" in ada.get("/reporters?q=nowhere").content.decode()


@pytest.mark.parametrize(
    ("show", "expected"), [("trusted", "a@x.example"), ("distrusted", "b@x.example"), ("wrong", "c@x.example")]
)
def test_filters_leave_those_that_they_name(ada: Client, show: str, expected: str) -> None:
    reporter("a@x.example", trust="trusted")
    reporter("b@x.example", trust="distrusted")
    reporter("c@x.example", right=1, wrong=2)
    page = ada.get(f"/reporters?show={show}").content.decode()

    assert [address for address in ("a@x.example", "b@x.example", "c@x.example") if address in page] == [expected]


def test_pages_go_on_behind_the_last_one_seen(ada: Client) -> None:
    Reporter.objects.bulk_create(
        Reporter(address=f"r{n:03}@x.example", first_seen_at=NOON, recent=n // 2) for n in range(120)
    )
    seen: list[str] = []
    url = "/reporters"
    while url:
        context = ada.get(url).context
        seen += [row["reporter"].address for row in context["rows"]]
        url = f"/reporters{context['next']}" if context["next"] else ""

    assert len(seen) == len(set(seen)) == 120
    assert seen[:2] == ["r119@x.example", "r118@x.example"]
    assert ada.get("/reporters?after=nonsense.9").status_code == 200


def test_a_reporters_page_tells_what_they_sent_and_what_became_of_it(ada: Client) -> None:
    case = make_case()
    complaint = make_complaint(case, reporter="bot@noise.example", received_at=timezone.now())
    bot = complaint.reporter
    assert bot is not None
    today = timezone.now().date()
    for days, count in ((0, 3), (1, 4)):
        day = today - timedelta(days=days)
        ReporterTally.objects.create(reporter=bot, day=day, category="spam", format="arf", complaints=count)
    make_rule(name="Noise rule", reporter=["noise.example"])
    ReporterMail.objects.create(
        incoming=complaint.message, reporter=bot, kind="acknowledged", thread="t", day=today, decided_by="machine",
        to_email="bot@noise.example", subject="s", text="t", due_at=timezone.now(), queued_at=timezone.now(),
    )  # fmt: skip
    Flood.objects.create(sender="bot@noise.example", began_at=NOON, last_at=NOON, put_off=7)
    page = ada.get(f"/reporters/{bot.pk}").content.decode()

    assert case.number in page
    assert '<dd class="num">7</dd>' in page
    assert "<svg" in page
    assert "Noise rule" in page
    assert "says that we have it" in page
    assert "7 mails read later" in page
    assert "Keep this" not in page  # an analyst looks


def test_trust_and_wishes_are_changed_with_a_line_of_history(bruno: Client) -> None:
    bot = reporter()
    given = {"trust": "distrusted", "wants": "silence", "note": " asked twice "}
    page = bot_page = bruno.post(f"/reporters/{bot.pk}", given, follow=True).content.decode()
    bot.refresh_from_db()

    assert (bot.trust, bot.wants, bot.note, bot.authenticated) == ("distrusted", "silence", "asked twice", False)
    assert "trust: as measured" in page
    assert "Kept." in bot_page
    assert "it stood so already" in bruno.post(f"/reporters/{bot.pk}", given, follow=True).content.decode()
    assert bot.changes.count() == 1


def test_a_value_that_there_is_not_changes_nothing(bruno: Client) -> None:
    bot = reporter()
    page = bruno.post(f"/reporters/{bot.pk}", {"trust": "adored"}).content.decode()

    assert "not one of the available choices" in page
    bot.refresh_from_db()
    assert bot.trust == ""


def test_an_analyst_looks_and_changes_nothing(ada: Client) -> None:
    bot = reporter()
    assert ada.post(f"/reporters/{bot.pk}", {"trust": "trusted"}).status_code == 403


@pytest.mark.parametrize("count", [1, 30])
def test_the_list_asks_as_much_for_thirty_as_for_one(ada: Client, count: int, sql_of: Any) -> None:
    for number in range(count):
        reporter(f"r{number}@x.example")
    ada.get("/reporters")
    statements = sql_of(lambda: ada.get("/reporters"))

    assert len(statements) <= 7
    assert not any("OFFSET" in each or "COUNT(" in each for each in statements)


def test_who_changed_the_address_is_found_among_those_of_the_same_domain(ada: Client) -> None:
    old = make_reporter("fbl@x.example", recent=7, right=5.0, right_cases=5)
    new = make_reporter("reports@feeds.x.example", recent=2)
    for stranger in ("fbl@ax.example", "fbl@x.example.test", "a@gmail.com", "b@gmail.com"):
        make_reporter(stranger)

    page = ada.get(f"/reporters/{new.pk}")
    assert [each for each, _ in page.context["same_voice"]] == [old]
    assert "7 complaints in 30 days" in page.content.decode()
    mailbox = Reporter.objects.get(address="a@gmail.com")
    assert "The same voice" not in ada.get(f"/reporters/{mailbox.pk}").content.decode()
