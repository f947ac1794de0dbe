"""The countings that the page of repeat offenders shows: what one would count, at the time they name."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.test import Client
from django.utils import timezone

from complaints.models import Case, Offender, OffenderCount
from complaints.reporting import _kept_offenders as kept_offenders
from complaints.reporting import offenders
from complaints.reporting._kept_offenders import MOST, SPANS, count_due, kept_count, kept_rows, midnight
from complaints.tasks import count_offenders
from complaints.vocabulary import CaseState, Category, Resolution
from tests.desk.conftest import carla, sql_of  # noqa: F401 - fixtures
from tests.factories import NOON, make_case, make_complaint, make_contract, make_customer

DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)


def make_offenders(now: datetime) -> None:
    """Nine contracts that differ in every column, some of which did nothing in the shorter periods."""
    for n in range(9):
        contract = make_contract(f"C-{n}", customer=make_customer(f"K-{9 - n}", name=f"{'bA'[n % 2]}rand {n * 7 % 9}"))
        last: Case | None = None
        for back in range(n % 4 + 1):
            opened = now - (3 + 9 * back + n) * DAY
            ended = {"state": CaseState.CLOSED, "closed_at": opened + (n + 1) * timedelta(hours=5)}
            how = (Resolution.FIXED_VERIFIED, Resolution.NO_RESPONSE, Resolution.NOT_ABUSE)[(n + back) % 3]
            last = make_case(contract, opened_at=opened, relapse_of=last, resolution=how, **ended)
            for hour in range(n % 3 + 1):
                make_complaint(last, seen_at=opened + hour * timedelta(minutes=7))
        if n % 2:
            make_case(contract, category=Category.BOT, opened_at=now - n * 20 * DAY)


@pytest.mark.django_db
@pytest.mark.parametrize("days", SPANS)
@pytest.mark.parametrize("sort", [column.name for column in offenders.COLUMNS])
def test_what_is_kept_is_what_one_would_count(days: int, sort: str) -> None:
    make_offenders(NOON)
    count_due(now=NOON, zone=UTC)
    kept = kept_count(days, now=NOON, zone=UTC)
    assert kept

    assert list(kept_rows(kept, sort=sort)) == list(
        offenders.rows(midnight(NOON, days, UTC), NOON, sort=sort, most=MOST)
    )


@pytest.mark.django_db
@pytest.mark.parametrize("sort", [column.name for column in offenders.COLUMNS])
def test_the_first_of_every_column_are_kept_where_there_are_more(monkeypatch: pytest.MonkeyPatch, sort: str) -> None:
    monkeypatch.setattr(kept_offenders, "MOST", 2)
    monkeypatch.setattr(kept_offenders, "ASKED_AT_ONCE", 2)
    make_offenders(NOON)
    count_due(now=NOON, zone=UTC)
    kept = kept_count(90, now=NOON, zone=UTC)
    assert kept

    assert list(kept_rows(kept, sort=sort)) == list(offenders.rows(midnight(NOON, 90, UTC), NOON, sort=sort, most=2))


@pytest.mark.django_db
def test_it_is_counted_anew_after_a_minute_and_shows_what_came_meanwhile() -> None:
    count_due(now=NOON, zone=UTC)
    make_case("C-1", opened_at=NOON + timedelta(seconds=20))

    assert count_due(now=NOON + timedelta(seconds=59), zone=UTC) == []
    assert count_due(now=NOON + MINUTE, zone=UTC) == list(SPANS)
    assert [row.contract.reference for row in Offender.objects.filter(count=7)] == ["C-1"]


@pytest.mark.django_db
def test_what_takes_long_is_counted_less_often() -> None:
    count_due(now=NOON, zone=UTC)
    OffenderCount.objects.filter(days=365).update(took_s=10)

    assert 365 not in count_due(now=NOON + timedelta(seconds=499), zone=UTC)
    assert 365 in count_due(now=NOON + timedelta(seconds=500), zone=UTC)


@pytest.mark.django_db
def test_a_new_day_is_a_new_period() -> None:
    zone = ZoneInfo("Europe/Berlin")
    before = datetime(2026, 3, 10, 22, 59, 50, tzinfo=UTC)  # ten seconds before midnight there
    count_due(now=before, zone=zone)
    after = before + timedelta(seconds=20)

    assert kept_count(7, now=after, zone=zone) is None
    assert count_due(now=after, zone=zone) == list(SPANS)
    kept = kept_count(7, now=after, zone=zone)
    assert kept
    assert kept.since == datetime(2026, 3, 4, tzinfo=zone)


@pytest.mark.django_db
def test_a_counting_that_nobody_renews_is_not_shown() -> None:
    count_due(now=NOON, zone=UTC)

    assert kept_count(7, now=NOON + timedelta(hours=5), zone=UTC)
    assert kept_count(7, now=NOON + timedelta(hours=6), zone=UTC) is None


@pytest.mark.django_db
def test_the_page_reads_what_is_kept_and_no_case_and_no_complaint(
    carla: Client,  # noqa: F811
    sql_of: Callable[[Callable[[], object]], list[str]],  # noqa: F811
) -> None:
    make_offenders(timezone.now())
    count_offenders()

    for path in ("/offenders", "/offenders?days=365&sort=customer"):
        statements = sql_of(lambda path=path: carla.get(path))  # type: ignore[misc]
        told = [sql for sql in statements if 'FROM "complaints_case"' in sql or 'FROM "complaints_complaint"' in sql]
        assert told == []
    assert "Counted" in carla.get("/offenders").content.decode()


@pytest.mark.django_db
def test_without_a_counting_the_page_counts_by_itself(carla: Client) -> None:  # noqa: F811
    make_case("C-1", opened_at=timezone.now() - DAY)
    page = carla.get("/offenders?days=7").content.decode()

    assert "C-1" in page
    assert "Counted" not in page
