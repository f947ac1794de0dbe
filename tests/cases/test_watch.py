"""Counters that are kept behind the filing, and the rises that show in them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from django.utils import timezone

from complaints import tasks
from complaints.cases import tallies
from complaints.cases.positions import LAG
from complaints.cases.rises import open_rises, watch_rises
from complaints.cases.tallies import Flow, count_complaints, days_of, forget_tallies, record_flow
from complaints.models import Contract, DeskTask, Product, ReporterTally, Rise, SweepPosition, Tally
from tests.factories import NOON, make_case, make_complaint, make_contract, make_reporter

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


def test_a_product_has_its_counter_though_nobody_wrote_it_into_the_table_of_products() -> None:
    make_complaint(make_case(make_contract(product="Fibre 500")))
    make_complaint(make_case(make_contract("C-2", product="")))

    count()
    count()

    assert list(Product.objects.values_list("name", "kind", "protected")) == [("Fibre 500", "business", False)]
    assert [row[1:] for row in rows(kind="product", span="day")] == [(Product.objects.get().pk, "day", MIDNIGHT, 1)]


def test_names_of_products_without_end_do_not_fill_the_table(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tallies, "MOST_PRODUCTS", 2)
    for number in range(4):
        make_complaint(make_case(make_contract(f"C-{number}", product=f"Line {number}")))

    count()

    assert list(Product.objects.order_by("name").values_list("name", flat=True)) == ["Line 0", "Line 1"]


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
    [{"answer": "not-ours"}, {"category": "not_spam"}, {"format": "listing"}, {"ruling": "ignored"}],
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

    tomorrow = MIDNIGHT + timedelta(days=1, hours=12)
    watch_rises(now=tomorrow)
    assert (open_rises(), Rise.objects.get().ended_at) == ([], tomorrow)


def through(days: int, *, a_day: int, began: datetime = MIDNIGHT) -> None:
    """Every ten minutes of these days the watch looks, while complaints come at the same pace."""
    for number in range(days * 24 * 6):
        now = began + timedelta(minutes=10 * number + 5)
        today("all", 0, a_day * (number % 144) // 144, at=now.replace(hour=0, minute=0))
        watch_rises(now=now)


def test_a_wave_of_three_days_is_one_rise_and_one_task_and_ends_on_the_day_after() -> None:
    history("all", 0, 100)
    through(3, a_day=400)
    through(1, a_day=100, began=MIDNIGHT + timedelta(days=3))

    rise, task = Rise.objects.get(), DeskTask.objects.get()
    assert (rise.value, rise.began_at) == (397, MIDNIGHT)
    assert rise.ended_at == task.done_at
    assert rise.ended_at is not None
    assert rise.ended_at < MIDNIGHT + timedelta(days=3, hours=13)


def test_a_rise_that_is_over_by_the_afternoon_ends_in_the_evening() -> None:
    history("all", 0, 100)
    hours = [NOON - timedelta(hours=back) for back in range(2, 24 * 40)]
    Tally.objects.bulk_create(Tally(kind="all", metric="complaints", span="hour", at=at, n=4) for at in hours)
    Tally.objects.create(kind="all", metric="complaints", span="hour", at=NOON - timedelta(hours=1), n=60)
    today("all", 0, 104)
    watch_rises(now=NOON)

    watch_rises(now=NOON + timedelta(hours=6))
    assert len(open_rises()) == 1
    watch_rises(now=NOON + timedelta(hours=7))
    assert open_rises() == []


def test_a_rise_of_the_network_is_a_task_that_says_who_makes_it_and_ends_with_it() -> None:
    history("all", 0, 100)
    today("all", 0, 300)
    loud = make_contract("C-7")
    history("contract", loud.pk, 2)
    today("contract", loud.pk, 150)
    told = {"reporter": make_reporter("fbl@loud.example"), "category": "spam", "format": "arf"}
    ReporterTally.objects.create(**told, day=TODAY, complaints=200)
    ReporterTally.objects.create(**told, day=TODAY - timedelta(days=3), complaints=56)

    watch_rises(now=NOON)
    watch_rises(now=NOON + timedelta(minutes=10))

    task = DeskTask.objects.get(kind="rise")
    assert task.title == "Far more complaints than usual: the whole network"
    assert task.text == (
        "300 since 2026-03-10 00:00 UTC, where 100 are usual and up to 150 would be expected. Most of it today: "
        "fbl@loud.example 200 (usually 2); C-7 150 (usually 2). It ends by itself when it has been back within the "
        "expected for six hours."
    )
    watch_rises(now=MIDNIGHT + timedelta(days=1, hours=12))
    task.refresh_from_db()
    assert (task.done_at, task.done_by) == (MIDNIGHT + timedelta(days=1, hours=12), "machine")


def test_who_ended_the_task_is_not_asked_again_while_the_rise_goes_on() -> None:
    history("all", 0, 100)
    today("all", 0, 300)
    watch_rises(now=NOON)
    DeskTask.objects.update(done_at=NOON, done_by="ada")

    watch_rises(now=NOON + timedelta(hours=1))

    assert DeskTask.objects.filter(done_at=None).count() == 0


def test_a_product_rises_with_its_own_task_that_names_its_lines() -> None:
    product, mine, other = Product.objects.create(name="DSL"), make_contract("C-1", product="DSL"), make_contract("C-2")
    history("product", product.pk, 5)
    today("product", product.pk, 80)
    today("contract", mine.pk, 9)
    today("contract", other.pk, 9)

    watch_rises(now=NOON)

    task = DeskTask.objects.get(kind="rise")
    assert task.title == "Far more complaints than usual: product DSL"
    assert "C-1 9 (usually 0)" in task.text
    assert "C-2" not in task.text


def test_a_product_that_is_counted_since_yesterday_had_no_noughts_before() -> None:
    history("all", 0, 100)
    today("all", 0, 100)
    product = Product.objects.create(name="Fibre 500")
    history("product", product.pk, 30, days=1)
    today("product", product.pk, 90)

    assert watch_rises(now=NOON) == []


def test_mails_of_a_line_that_fail_are_a_task_unless_a_case_tells_of_it_and_many_sent_are_none() -> None:
    with_case, without, newsletter = make_contract("C-1"), make_contract("C-2"), make_contract("C-3")
    make_case(with_case)
    for contract, metric in ((with_case, "failed"), (without, "failed"), (newsletter, "messages")):
        history("contract", contract.pk, 20, metric=metric)
        today("contract", contract.pk, 5000, metric=metric)

    assert len(watch_rises(now=NOON)) == 3

    titles = list(DeskTask.objects.filter(kind="rise").values_list("title", flat=True))
    assert titles == [f"Far more failed deliveries than usual: contract C-2 of {without.customer}"]


def test_many_lines_whose_mail_fails_are_ten_tasks_and_no_more() -> None:
    for number in range(12):
        contract = make_contract(f"C-{number}")
        history("contract", contract.pk, 20, metric="failed")
        today("contract", contract.pk, 5000, metric="failed")

    assert len(watch_rises(now=NOON)) == 12
    assert DeskTask.objects.filter(kind="rise").count() == 10


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


def test_a_file_of_monday_tells_of_the_week_end_and_the_next_quiet_day_ends_it() -> None:
    contract = make_contract()
    history("contract", contract.pk, 50, metric="failed")
    saturday, sunday = (MIDNIGHT - timedelta(days=back) for back in (3, 2))
    Tally.objects.filter(at__gt=sunday).delete()
    today("contract", contract.pk, 60, "failed", at=saturday)
    today("contract", contract.pk, 9000, "failed", at=sunday)

    watch_rises(now=NOON)
    assert [(each.value, each.began_at) for each in open_rises()] == [(9000, sunday)]

    today("contract", contract.pk, 40, "failed", at=MIDNIGHT - timedelta(days=1))
    watch_rises(now=NOON + timedelta(hours=7))
    assert open_rises() == []


def test_what_nobody_tells_of_any_more_does_not_rise_for_ever() -> None:
    contract = make_contract()
    history("contract", contract.pk, 50, metric="failed")
    today("contract", contract.pk, 9000, "failed")
    watch_rises(now=NOON)

    watch_rises(now=NOON + timedelta(days=4))
    assert len(open_rises()) == 1
    watch_rises(now=NOON + timedelta(days=5))
    assert open_rises() == []


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
