"""The page of the watch, its charts, and what a case says of its contract's counters."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta

import pytest
from django.test import Client
from django.utils import timezone

from complaints.cases.fluctuation import Band
from complaints.cases.tasks import open_task
from complaints.desk.watch_chart import Point, chart_of, nice, points_of, short
from complaints.models import DeskTask, Feed, Flood, Product, ReporterTally, Rise, Tally
from tests.factories import make_case, make_complaint, make_contract, make_reporter

DAY = timedelta(days=1)
MONDAY = date(2026, 3, 9)


@pytest.mark.parametrize(("top", "rounded"), [(1, 1), (3, 4), (9, 10), (10, 10), (11, 20), (41, 60), (999, 1000)])
def test_the_scale_ends_at_a_round_number(top: float, rounded: float) -> None:
    assert nice(top) == rounded


@pytest.mark.parametrize(
    ("n", "text"), [(0, "0"), (0.5, "0.5"), (750, "750"), (1500, "1.5k"), (2_000_000, "2M"), (3e9, "3G"), (4e12, "4T")]
)
def test_large_numbers_are_short_at_the_axis(n: float, text: str) -> None:
    assert short(n) == text


def test_a_chart_says_in_a_sentence_what_it_draws() -> None:
    counted = {MONDAY - DAY * back: 100.0 for back in range(1, 60)} | {MONDAY: 300.0}
    chart = chart_of(points_of(counted, today=MONDAY, days=14), what="Complaints")

    assert chart.said == (
        "Complaints, 14 days. 9 Mar so far: 300; expected were 50 to 150. Above what was expected: 9 Mar."
    )
    assert [above for *_, above in chart.dots] == [False] * 13 + [True]
    assert len(chart.areas) == 1


def test_days_that_nobody_told_are_left_out() -> None:
    points = [Point(MONDAY, None, None), Point(MONDAY + DAY, 5, Band(4, 0, 9)), Point(MONDAY + 2 * DAY, 0, None)]
    chart = chart_of(points, what="Messages")

    assert (len(chart.dots), chart.areas) == (2, [])
    empty = chart_of([Point(MONDAY, None, None)], what="Messages")
    assert empty.said == "Messages: nothing was counted yet."
    assert [text for _, text in empty.levels] == ["0", "1", "2"]


def tally(kind: str, ref: int, n: int, back: int) -> Tally:
    at = midnight() - back * DAY
    return Tally(kind=kind, ref=ref, metric="complaints", span="day", at=at, n=n)


def midnight() -> datetime:
    return timezone.now().replace(hour=0, minute=0, second=0, microsecond=0)


def rise_of(kind: str, ref: int, **columns: object) -> Rise:
    told = {"metric": "complaints", "began_at": midnight(), "last_at": midnight(), "value": 300, "usual": 5, "most": 17}
    return Rise.objects.create(kind=kind, ref=ref, **(told | columns))


def test_a_new_site_says_that_nothing_was_counted(ada: Client) -> None:
    page = ada.get("/watch").content.decode()
    assert "Nothing has been counted yet." in page
    assert "No machine has sent a report yet." in page


def test_rises_of_network_products_and_contracts_are_shown_with_their_cases(ada: Client) -> None:
    product, case = Product.objects.create(name="DSL"), make_case(make_contract("C-7", customer="K-7"))
    Tally.objects.bulk_create(tally(*key, n, back) for key in (("all", 0), ("product", product.pk)) for back, n in
                              [(back, 10) for back in range(60)])  # fmt: skip
    rise_of("all", 0)
    rise_of("product", product.pk)
    rise_of("contract", case.contract_id)

    page = ada.get("/watch").content.decode()

    assert [text in page for text in ("Whole network", "DSL", "Customer K-7", case.number, "60 times the usual")] == [
        True
    ] * 5
    assert page.count("<svg") == 2


def test_a_case_shows_the_rise_of_its_contract_and_only_that(ada: Client) -> None:
    case, other = make_case(), make_case(make_contract("C-2"))
    Tally.objects.bulk_create([tally("all", 0, 10, back) for back in range(60)])
    Tally.objects.bulk_create([tally("contract", case.contract_id, 300, 0)])
    rise_of("contract", case.contract_id)

    page = ada.get(f"/case/{case.pk}").content.decode()
    assert "<b>Complaints: 300</b>" in page
    assert 'aria-label="Complaints, 28 days.' in page
    assert "<svg" not in ada.get(f"/case/{other.pk}").content.decode()


def test_ended_rises_stand_below(ada: Client) -> None:
    rise_of("all", 0, ended_at=timezone.now())
    page = ada.get("/watch").content.decode()
    assert "Rises that ended" in page
    assert "Nothing rises" in page


def test_a_feed_that_has_stopped_is_no_longer_expected_by_a_persons_word(ada: Client, olga: Client) -> None:
    now = timezone.now()
    feed = Feed.objects.create(
        sender="fbl@x.example", first_at=now, last_at=now - 3 * DAY, gaps=[1] * 20, silent_since=now - 3 * DAY
    )
    open_task("feed-silent", "fbl@x.example", title="Nothing comes", actor="machine", now=now)
    assert "No longer expected" in ada.get("/watch").content.decode()
    assert "No longer expected" not in olga.get("/watch").content.decode()

    assert ada.post(f"/watch/feed/{feed.pk}/forget")["Location"] == "/watch#feeds"

    assert (Feed.objects.count(), DeskTask.objects.get().done_by) == (0, "ada")


def test_the_page_counts_no_complaints(ada: Client, sql_of: Callable[..., list[str]]) -> None:
    Tally.objects.bulk_create([tally("all", 0, 10, back) for back in range(60)])
    sent = sql_of(lambda: ada.get("/watch"))

    assert [sql for sql in sent if "complaints_complaint" in sql or "COUNT(" in sql] == []
    assert len(sent) <= 16


def test_the_menu_counts_the_rises_of_the_network_and_not_those_of_single_lines(ada: Client) -> None:
    rise_of("all", 0)
    rise_of("contract", make_contract().pk)

    page = ada.get("/watch").content.decode()
    assert '<span class="nav-count">1<span class="hidden"> rises</span></span>' in page


def test_a_rise_of_the_network_names_who_makes_most_of_it(ada: Client) -> None:
    contract, reporter = make_contract("C-7"), make_reporter("fbl@loud.example")
    Tally.objects.bulk_create([tally("contract", contract.pk, 250, 0), tally("contract", contract.pk, 28, 7)])
    told = {"reporter": reporter, "category": "spam", "format": "arf"}
    ReporterTally.objects.create(**told, day=midnight().date(), complaints=280)
    rise_of("all", 0)

    page = ada.get("/watch").content.decode()

    assert f'href="/reporters/{reporter.pk}">fbl@loud.example</a> 280 <span class="quiet">(usually 0)</span>' in page
    assert f'href="/contracts/{contract.pk}">C-7</a> 250 <span class="quiet">(usually 1)</span>' in page


def test_a_rise_is_a_task_that_a_person_may_end(ada: Client) -> None:
    task = open_task("rise", "all:0:complaints", title="Far more complaints", actor="machine", now=timezone.now())

    ada.post(f"/tasks/{task.pk}/done")

    assert DeskTask.objects.get().done_by == "ada"


def test_products_with_most_complaints_have_a_chart(ada: Client) -> None:
    products = [Product.objects.create(name=f"Line {number:02}") for number in range(14)]
    Tally.objects.bulk_create(tally("product", each.pk, 1 + each.pk % 14, 1) for each in products)

    page = ada.get("/watch").content.decode()
    shown = [each.name for each in products if f"<figcaption>{each.name}</figcaption>" in page]

    assert shown == [each.name for each in products if 1 + each.pk % 14 > 2]


def test_a_case_tells_that_one_of_its_reporters_floods_us(ada: Client) -> None:
    touched, other = make_case(), make_case(make_contract("C-2"))
    make_complaint(touched, reporter="fbl@loud.example")
    make_complaint(other, reporter="fbl@quiet.example")
    now = timezone.now()
    flood = Flood.objects.create(sender="fbl@loud.example", began_at=now, last_at=now, put_off=134)

    page = ada.get(f"/case/{touched.pk}").content.decode()
    assert '<b class="mono wrap">fbl@loud.example</b> sends more than is read at once: 134 of their mails' in page
    assert "sends more than is read at once" not in ada.get(f"/case/{other.pk}").content.decode()

    Flood.objects.filter(pk=flood.pk).update(ended_at=now)
    assert "sends more than is read at once" not in ada.get(f"/case/{touched.pk}").content.decode()


def test_bytes_are_told_as_people_read_them_and_the_network_stands_first(ada: Client) -> None:
    case = make_case()
    rise_of("contract", case.contract_id, metric="bytes", value=9_040_000_000, usual=45_500_000.0, most=115_900_000.0)
    rise_of("all", 0)

    page = ada.get("/watch")
    assert [row["rise"].kind for row in page.context["rises"]] == ["all", "contract"]
    text = page.content.decode().replace("\xa0", " ")
    assert [each in text for each in ("<b>8.4 GB</b>", "43.4 MB", "up to 110.5 MB")] == [True] * 3
    assert "<b>Bytes sent: 8.4 GB</b>" in ada.get(f"/case/{case.pk}").content.decode().replace("\xa0", " ")
