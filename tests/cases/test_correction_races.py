"""Corrections beside each other and beside new complaints: each stands in one case, and the counts are right."""

import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from itertools import count
from typing import Any

import pytest
from django.db import connection

from complaints.cases.corrections import apply_reattribution, revert_reattribution
from complaints.cases.filing import file_complaints
from complaints.cases.reattribution import ask_again, propose_reattributions
from complaints.models import Case, Complaint, Contract, Reattribution
from tests.cases.test_filing import accuse
from tests.factories import NOON, make_assignment, make_case, make_complaint, make_contract, make_message, make_network

pytestmark = pytest.mark.django_db(transaction=True)


def together(*works: Callable[[], Any]) -> list[Any]:
    """Run all at the same moment, each in a thread of its own; what they returned, or the error."""
    gate, results = threading.Barrier(len(works)), list[Any]()

    def run(work: Callable[[], Any]) -> None:
        gate.wait()
        try:
            results.append(work())
        except Exception as exc:
            results.append(exc)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [each for each in results if isinstance(each, Exception)] == []
    return results


def misplaced(number: int) -> list[int]:
    """Complaints in a case of C-1 that are C-2's; the ids of their proposals."""
    make_network("192.0.2.0/24")
    case = make_case("C-1", complaint_count=number)
    for minute in range(number):
        make_complaint(case, seen_at=NOON + timedelta(minutes=minute))
    make_assignment("C-2")
    propose_reattributions(Complaint.objects.values_list("pk", flat=True), because="leases.csv", now=NOON)
    return list(Reattribution.objects.values_list("pk", flat=True))


def test_four_people_apply_the_same_corrections_once() -> None:
    ids = misplaced(20)
    done = together(*[lambda: apply_reattribution(ids, actor="ada", now=NOON)] * 4)

    assert sum(each.moved for each in done) == 20
    assert Case.objects.get(contract__reference="C-2").complaint_count == 20
    assert Case.objects.get(contract__reference="C-1").resolution == "merged"


def test_halves_applied_at_the_same_moment_leave_the_counts_right() -> None:
    ids = misplaced(20)
    together(
        lambda: apply_reattribution(ids[:10], actor="ada", now=NOON),
        lambda: apply_reattribution(ids[10:], actor="ben", now=NOON),
    )
    counts = {case.contract.reference: case.complaint_count for case in Case.objects.select_related("contract")}
    assert counts == {"C-1": 0, "C-2": 20}


def test_what_is_filed_into_a_case_while_others_leave_it_is_counted() -> None:
    ids = misplaced(10)
    first, second = make_contract("C-1"), make_contract("C-2")
    fresh = messages()
    together(
        lambda: apply_reattribution(ids, actor="ada", now=NOON),
        *[file_into(contract, next(fresh)) for contract in (first, second) for _ in range(3)],
    )
    for case in Case.objects.all():
        assert case.complaint_count == case.complaints.count()
    assert Complaint.objects.filter(contract=second).count() == 13
    assert Complaint.objects.filter(contract=first, case__state="investigating").count() == 3


def messages() -> Iterator[Any]:
    return (make_message(b"%d" % number) for number in count())


def file_into(contract: Contract, message: Any) -> Callable[[], Any]:
    return lambda: file_complaints([accuse(message, contract)], now=NOON)


def test_a_correction_is_undone_once() -> None:
    ids = misplaced(5)
    apply_reattribution(ids, actor="ada", now=NOON)
    done = together(*[lambda: revert_reattribution(ids, actor="ben", now=NOON)] * 3)

    assert sum(each.moved for each in done) == 5
    assert Case.objects.active().get(contract__reference="C-1").complaint_count == 5


def test_workers_that_ask_about_the_same_complaint_file_it_once() -> None:
    make_network("192.0.2.0/24")
    complaint = make_complaint(answer="unsure")
    make_assignment("C-1")
    together(*[lambda: ask_again([complaint.pk], now=NOON)] * 4)

    assert (Case.objects.get().complaint_count, Reattribution.objects.count()) == (1, 1)
