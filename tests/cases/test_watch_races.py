"""Two workers at the same sweep: everything is counted, said and put together once."""

from __future__ import annotations

from datetime import timedelta

import pytest

from complaints.cases.campaigns import find_campaigns
from complaints.cases.feeds import watch_feeds
from complaints.cases.reporters import tally
from complaints.cases.rises import watch_rises
from complaints.cases.tallies import Flow, count_complaints, record_flow
from complaints.models import (
    CampaignMember,
    DeskTask,
    Feed,
    Product,
    Reading,
    ReporterTally,
    Rise,
    Tally,
    TallyPosition,
)
from tests.cases.test_correction_races import together
from tests.factories import NOON, make_case, make_complaint, make_contract, make_message

pytestmark = pytest.mark.django_db(transaction=True)
NONE, MIDNIGHT = timedelta(0), NOON.replace(hour=0)
WORKERS = 3


def test_workers_that_sweep_together_count_each_complaint_once() -> None:
    case = make_case(make_contract(product="DSL"))
    for number in range(40):
        make_complaint(case, reporter="a@x.example", subject=f"Swiss watches, only {number} pieces left")
    TallyPosition.objects.create(name="reporters", ahead=10**6, at=NOON - timedelta(hours=1))

    for _ in range(3):
        together(*[lambda: count_complaints(now=NOON, lag=NONE, batch=15)] * WORKERS)
        together(*[lambda: find_campaigns(now=NOON, lag=NONE, batch=15)] * WORKERS)
        together(*[lambda: tally(now=NOON)] * WORKERS)

    assert set(Tally.objects.values_list("kind", "n")) == {("all", 40), ("product", 40), ("contract", 40)}
    assert Product.objects.count() == 1
    assert (CampaignMember.objects.count(), CampaignMember.objects.values("campaign").distinct().count()) == (40, 1)
    assert ReporterTally.objects.get().complaints == 40


def test_workers_that_watch_together_say_it_once() -> None:
    days = [MIDNIGHT - timedelta(days=back) for back in range(57)]
    Tally.objects.bulk_create(Tally(kind="all", metric="complaints", span="day", at=at, n=100) for at in days)
    Tally.objects.filter(at=MIDNIGHT).update(n=900)
    for number in range(12):
        message = make_message(str(number).encode(), state="unread", received_at=NOON)
        told = {"format": "arf", "sender": "fbl@x.example", "disposition": "complaint"}
        Reading.objects.filter(message=message).update(**told)
    Feed.objects.create(format="arf", first_at=NOON, last_at=NOON)

    together(*[lambda: watch_rises(now=NOON)] * WORKERS, *[lambda: watch_feeds(now=NOON, lag=NONE)] * WORKERS)

    assert Rise.objects.count() == 1
    assert sorted(DeskTask.objects.values_list("kind", "key")) == [
        ("feed-failing", "format arf"),
        ("rise", "all:0:complaints"),
    ]


def test_two_calls_about_the_same_days_leave_one_number_each() -> None:
    contracts = [make_contract(f"C-{number}") for number in range(20)]
    here = [Flow(each.pk, NOON.date(), messages=1, failed=1) for each in contracts]
    there = [Flow(each.pk, NOON.date(), messages=2, failed=2) for each in reversed(contracts)]

    together(lambda: record_flow(here), lambda: record_flow(there))

    assert Tally.objects.count() == 40
    assert len(set(Tally.objects.values_list("n", flat=True))) == 1
