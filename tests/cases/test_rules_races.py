"""Thresholds and counters beside each other: every complaint stands in one case, and is counted once."""

import pytest

from complaints.cases.filing import file_complaints
from complaints.cases.ripening import ripen
from complaints.cases.rules import file_after_all
from complaints.models import Case, Complaint
from tests.cases.test_correction_races import together
from tests.cases.test_filing import accuse
from tests.factories import NOON, make_contract, make_message, make_rule

pytestmark = pytest.mark.django_db(transaction=True)


def accusation(number: int):  # type: ignore[no-untyped-def]
    message = make_message(str(number).encode())
    return accuse(message, make_contract(), reporter=f"r{number}@x{number}.example")


def test_workers_that_reach_a_threshold_together_count_each_complaint_once() -> None:
    make_rule("threshold", complaints=6, days=7)
    file_complaints([accusation(number) for number in range(5)], now=NOON)
    fresh = [accusation(number) for number in range(5, 13)]

    together(*[lambda each=each: file_complaints([each], now=NOON) for each in fresh])
    ripen(now=NOON)

    case = Case.objects.get()
    assert case.complaint_count == 13
    assert Complaint.objects.filter(case=case, ruling="").count() == 13


def test_four_people_bring_back_what_a_rule_kept_out_once() -> None:
    rule = make_rule("ignore")
    file_complaints([accusation(number) for number in range(20)], now=NOON)

    done = together(*[lambda: file_after_all(rule, since=NOON, actor="carla", now=NOON)] * 4)

    assert sum(filed for filed, _ in done) == 20
    assert Case.objects.get().complaint_count == 20
