"""What a case weighs is looked up once, kept, and costs as few statements as it can."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from complaints.cases.assessment import assess
from complaints.cases.priority import prioritise, weight_from
from complaints.cases.weighing import MOST_REPORTERS, weigh
from complaints.models import Case, PriorityWeights, Product, Reporter
from complaints.vocabulary import ContractKind
from tests.factories import NOON, make_case, make_complaint, make_run

pytestmark = pytest.mark.django_db


def weighed(case: Case) -> dict[str, Any]:
    assess(case, now=NOON)
    case.refresh_from_db()
    assert case.weighed is not None
    return dict(case.weighed)


def test_a_domain_is_one_voice_and_the_best_reporter_counts() -> None:
    case = make_case()
    for reporter in ("a@x.example", "b@mail.x.example", "c@gmail.com", "d@gmail.com"):
        make_complaint(case, reporter=reporter)
    Reporter.objects.filter(address="a@x.example").update(authenticated=True, right=27, wrong=0)
    found = weighed(case)

    assert (found["reporters"], found["precision"]) == (3, 0.97)
    assert case.reporter_count == 4


def test_whom_nobody_vouches_for_is_believed_less() -> None:
    case = make_case()
    make_complaint(case, reporter="a@x.example")
    assert weighed(case)["precision"] == 0.525

    Reporter.objects.update(authenticated=True)
    assert weighed(case)["precision"] == 0.7
    Reporter.objects.update(trust="distrusted")
    assert weighed(case)["precision"] == 0.05


def test_the_lists_that_name_it_are_named_with_what_each_says() -> None:
    case = make_case()
    rows = [
        {"list": "XBL", "status": "listed", "weight": 1.0},
        {"list": "Policy", "status": "policy", "weight": 0.1},
        {"list": "Old", "status": "listed"},
    ]
    make_run(case, "dnsbl", details={"lists": rows})

    assert weighed(case)["lists"] == [["Old", 0.5], ["XBL", 1.0]]


def test_the_line_is_of_the_kind_of_its_product() -> None:
    case = make_case(owner={"product": "Clinic"})
    assert weighed(case)["kind"] == "business"
    Product.objects.create(name="Clinic", kind=ContractKind.CRITICAL)
    case = Case.objects.get()
    assert weighed(case)["kind"] == "critical"
    PriorityWeights.objects.create(number=1, document={}, created_at=NOON, created_by="carla", reason="r")
    assert weighed(case)["kind"] == "critical"


def test_what_came_today_is_compared_with_the_days_before() -> None:
    case = make_case(first_seen_at=NOON - timedelta(days=5), complaint_count=10)
    for _ in range(4):
        make_complaint(case, seen_at=NOON - timedelta(hours=1))
    make_complaint(case, seen_at=NOON - timedelta(days=1))
    found = weighed(case)

    assert (found["last_day"], found["a_day_before"]) == (4, 1.5)


@pytest.mark.parametrize(("left", "promise"), [(3, ""), (2, ""), (1, "half"), (-1, "passed")])
def test_the_promised_time_is_half_gone_or_passed(left: int, promise: str) -> None:
    case = make_case(state_since=NOON - timedelta(hours=2), deadline_at=NOON + timedelta(hours=left))
    assert weighed(case)["promise"] == promise


def test_the_newest_weights_hold() -> None:
    PriorityWeights.objects.create(
        number=1, document={"severity.spam": 50}, created_at=NOON, created_by="c", reason="r"
    )
    PriorityWeights.objects.create(
        number=2, document={"severity.spam": 60}, created_at=NOON, created_by="c", reason="r"
    )
    case = make_case()
    weighed(case)

    assert ["category spam", 60] in case.priority_reasons


def test_what_is_kept_gives_the_same_priority_again() -> None:
    case = make_case()
    make_complaint(case, reporter="a@x.example")
    found = weighed(case)

    assert prioritise(weight_from(found))[0] == case.priority


@pytest.mark.parametrize("complaints", [1, 30])
def test_weighing_takes_two_statements(complaints: int, django_assert_num_queries: Any) -> None:
    case = make_case()
    for number in range(complaints):
        make_complaint(case, reporter=f"r{number}@x{number}.example")
    PriorityWeights.objects.create(number=1, document={}, created_at=NOON, created_by="c", reason="r")
    with django_assert_num_queries(2):
        weigh(case, [], [], now=NOON)


def test_more_reporters_than_are_looked_at_are_counted() -> None:
    case = make_case()
    Reporter.objects.bulk_create(
        Reporter(address=f"r{n}@x.example", first_seen_at=NOON) for n in range(MOST_REPORTERS + 5)
    )
    complaint = make_complaint(case)
    for reporter in Reporter.objects.all():
        complaint.pk, complaint.port, complaint.reporter = None, reporter.pk, reporter
        complaint.save()

    assert weigh(case, [], [], now=NOON).reporters == MOST_REPORTERS + 5


def test_all_of_the_last_day_count_though_only_the_youngest_are_looked_at() -> None:
    case = make_case(complaint_count=70, first_seen_at=NOON - timedelta(days=4))
    for number in range(60):
        make_complaint(case, seen_at=NOON - timedelta(minutes=number))
    for number in range(10):
        make_complaint(case, seen_at=NOON - timedelta(days=2, minutes=number))

    assert [weighed(case)[name] for name in ("last_day", "a_day_before")] == [60, 3.3]


def test_the_same_inputs_weigh_the_same_in_whatever_order_they_came() -> None:
    said = [(f"r{n % 7}@x{n % 5}.example", NOON - timedelta(hours=n)) for n in range(40)]
    found = []
    for number, order in enumerate((said, said[::-1], said[20:] + said[:20])):
        case = make_case(f"C-{number}", complaint_count=40, first_seen_at=said[-1][1])
        for reporter, at in order:
            make_complaint(case, reporter=reporter, seen_at=at)
        lists = [{"list": name, "status": "listed", "weight": 1.0} for name in ("A", "B", "C")]
        make_run(case, "dnsbl", details={"lists": lists if number else lists[::-1]})
        assess(case, now=NOON)
        found.append((case.priority, case.priority_reasons, case.weighed))

    assert found[0] == found[1] == found[2]
