"""Counters that are kept behind the filing, and the rises that show in them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from django.utils import timezone

from complaints import tasks
from complaints.cases.positions import LAG
from complaints.cases.rises import open_rises, watch_rises
from complaints.cases.tallies import Flow, count_complaints, days_of, forget_tallies, record_flow
from complaints.models import Contract, Product, Rise, SweepPosition, Tally
from tests.factories import NOON, make_case, make_complaint, make_contract

pytestmark = pytest.mark.django_db
NOW = timedelta(0)
MIDNIGHT = NOON.replace(hour=0)
TODAY = NOON.date()


def count(at: datetime = NOON, **given: int) -> int:
    return count_complaints(now=at, lag=NOW, **given)


def rows(**given: object) -> list[tuple[object, ...]]:
    found = Tally.objects.filter(**given).order_by("kind", "span", "at", "ref")
    return list(found.values_list("kind", "ref", "span", "at", "n"))


def history(kind: str, ref: int, n: int, *, days: int = 56, metric: str = "complaints") -> None:
    moments = [MIDNIGHT - timedelta(days=back) for back in range(1, days + 1)]
    Tally.objects.bulk_create(Tally(kind=kind, ref=ref, metric=metric, span="day", at=at, n=n) for at in moments)


def today(kind: str, ref: int, n: int, metric: str = "complaints", at: datetime = MIDNIGHT) -> None:
    Tally.objects.update_or_create(kind=kind, ref=ref, metric=metric, span="day", at=at, defaults={"n": n})


def test_complaints_are_counted_by_hour_and_day_for_network_product_and_contract() -> None:
    product = Product.objects.create(name="DSL")
    case = make_case(make_contract(product="DSL"))
    for minutes in (0, 59, 60):
        make_complaint(case, received_at=NOON + timedelta(minutes=minutes))

    assert count() == 3

    one = NOON + timedelta(hours=1)
    assert rows() == [
        ("all", 0, "day", MIDNIGHT, 3), ("all", 0, "hour", NOON, 2), ("all", 0, "hour", one, 1),
        ("contract", case.contract_id, "day", MIDNIGHT, 3),
        ("product", product.pk, "day", MIDNIGHT, 3),
        ("product", product.pk, "hour", NOON, 2), ("product", product.pk, "hour", one, 1),
    ]  # fmt: skip


def test_each_is_counted_once_however_often_the_sweep_runs() -> None:
    case = make_case()
    for _ in range(3):
        make_complaint(case)
        count()
        count()

    assert [row[-1] for row in rows(kind="contract")] == [3]


def test_a_full_batch_goes_on_where_it_ended() -> None:
    case = make_case()
    for _ in range(5):
        make_complaint(case)

    assert [count(batch=2), count(batch=2), count(batch=2), count(batch=2)] == [2, 2, 1, 0]
    assert [row[-1] for row in rows(kind="contract")] == [5]


@pytest.mark.parametrize(
    "columns",
    [{"answer": "not-ours"}, {"category": "not_spam"}, {"format": "listing"}],
    ids=lambda each: next(iter(each)),
)
def test_what_blames_nobody_of_ours_is_not_counted(columns: dict[str, str]) -> None:
    make_complaint(**columns)
    assert (count(), rows()) == (1, [])


def test_the_last_word_about_a_days_mail_stands() -> None:
    contract = make_contract()
    record_flow([Flow(contract.pk, TODAY, messages=100, queue=7)])
    record_flow([Flow(contract.pk, TODAY, messages=120)])

    found = {metric: days_of("contract", [contract.pk], metric, since=MIDNIGHT) for metric in ("messages", "queue")}
    assert found == {"messages": {contract.pk: {TODAY: 120}}, "queue": {contract.pk: {TODAY: 7}}}


def test_a_network_that_gets_three_times_as_many_rises_once_and_ends() -> None:
    history("all", 0, 100)
    today("all", 0, 300)

    [began] = watch_rises(now=NOON)
    assert watch_rises(now=NOON + timedelta(hours=1)) == []
    rise = Rise.objects.get(pk=began)
    assert (rise.kind, rise.metric, rise.value, rise.usual, rise.most, rise.began_at) == (
        "all", "complaints", 300, 100, 150, MIDNIGHT,
    )  # fmt: skip
    today("all", 0, 900)
    watch_rises(now=NOON + timedelta(hours=2))
    assert [(each.value, each.ended_at) for each in open_rises()] == [(900, None)]

    tomorrow = MIDNIGHT + timedelta(days=1, hours=9)
    watch_rises(now=tomorrow)
    assert (open_rises(), Rise.objects.get().ended_at) == ([], tomorrow)


def test_a_usual_day_is_no_rise() -> None:
    history("all", 0, 100)
    today("all", 0, 130)
    assert watch_rises(now=NOON) == []


def test_a_line_that_was_quiet_for_weeks_rises_with_ten_complaints_a_day() -> None:
    history("all", 0, 1000)
    quiet, loud = make_contract("C-1"), make_contract("C-2")
    today("contract", quiet.pk, 9)
    today("contract", loud.pk, 10)

    watch_rises(now=NOON)

    assert [(each.kind, each.ref, each.value) for each in open_rises()] == [("contract", loud.pk, 10)]
    assert open_rises("contract", quiet.pk) == []


def test_before_a_week_was_counted_nothing_rises() -> None:
    history("all", 0, 10, days=5)
    today("contract", make_contract().pk, 5000)
    assert watch_rises(now=NOON) == []


def test_mail_flow_is_watched_the_same_way_and_a_day_that_nobody_told_is_no_nought() -> None:
    contract = make_contract()
    for back in range(1, 29):
        if back % 7 < 5:
            record_flow([Flow(contract.pk, TODAY - timedelta(days=back), messages=2000, failed=20)])
    yesterday = MIDNIGHT - timedelta(days=1)
    record_flow([Flow(contract.pk, yesterday.date(), messages=90_000, failed=30)])

    watch_rises(now=NOON)

    assert [(each.metric, each.value, each.usual) for each in open_rises()] == [("messages", 90_000, 2000)]


def test_a_sudden_hour_rises_before_the_day_is_over() -> None:
    history("all", 0, 240)
    hours = [NOON - timedelta(hours=back) for back in range(2, 24 * 40)]
    Tally.objects.bulk_create(Tally(kind="all", metric="complaints", span="hour", at=at, n=10) for at in hours)
    Tally.objects.create(kind="all", metric="complaints", span="hour", at=NOON - timedelta(hours=1), n=60)
    today("all", 0, 150)

    watch_rises(now=NOON)

    assert [(each.value, each.usual, each.began_at) for each in open_rises()] == [(60, 10, NOON - timedelta(hours=1))]


def test_what_lies_further_back_than_the_watch_looks_is_forgotten() -> None:
    history("contract", Contract.objects.count() + 1, 5, days=100)
    history("all", 0, 5, days=100)

    assert forget_tallies(now=NOON) == 38
    assert Tally.objects.filter(kind="all").count() == 100


def test_days_are_those_of_utc() -> None:
    make_complaint(make_case(), received_at=datetime(2026, 3, 11, 0, 30, tzinfo=UTC))
    count()
    assert days_of("all", [0], "complaints", since=MIDNIGHT) == {0: {date(2026, 3, 11): 1}}


def test_the_tasks_of_the_beat_do_all_of_it() -> None:
    case = make_case()
    make_complaint(case, subject="Swiss watches, only few pieces left", received_at=timezone.now())
    wait_out_the_lag()

    tasks.tend_watch()
    tasks.find_campaigns()
    tasks.watch_rises()
    tasks.tidy_watch()

    assert Tally.objects.get(kind="contract").n == 1
    assert case.complaints.get().membership.by == "first"


def wait_out_the_lag() -> None:
    """As if the sweeps had looked two minutes ago: what was there then must have been committed since."""
    tasks.tend_watch()
    tasks.find_campaigns()
    SweepPosition.objects.update(seen_at=timezone.now() - LAG)
