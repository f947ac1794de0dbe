"""A fix is proven at every address that the case names, also at one that came while it was being verified, and by all
that has been sent to the desk."""

from __future__ import annotations

from datetime import timedelta

import pytest

from complaints.cases.transitions import move_case
from complaints.models import Case, CheckRun, Reading
from complaints.playbooks.runner import advance_case
from complaints.vocabulary import CaseState, Category
from tests.factories import NOON, make_assignment, make_case, make_complaint, make_message, make_network, make_run

pytestmark = pytest.mark.django_db
CLAIMED = NOON + timedelta(hours=1)


def relay_being_verified() -> Case:
    """Its first two checks were clean."""
    make_network("192.0.2.0/24")
    make_assignment("C-1", "192.0.2.0/24")
    case = make_case("C-1", category=Category.SPAM)
    make_complaint(case, address="192.0.2.10", seen_at=NOON - timedelta(hours=5))
    make_run(case, "relay", "bad", queued_at=NOON - timedelta(days=3))
    move_case(case, CaseState.NOTIFIED, actor="machine", reason="proven", now=NOON)
    move_case(case, CaseState.VERIFYING, actor="customer", reason="fixed", now=CLAIMED, fixed_claimed_at=CLAIMED)
    go_on(case, minutes=0)
    go_on(case, minutes=16)
    return case


def go_on(case: Case, verdict: str = "clean", **later: float) -> str:
    """The playbook looks, and every check that it orders ends with `verdict`."""
    now = CLAIMED + timedelta(**later)
    advance_case(case.pk, now=now)
    CheckRun.objects.filter(state="queued").update(state="done", verdict=verdict, started_at=now, finished_at=now)
    case.refresh_from_db()
    return str(case.state)


def test_two_clean_checks_close_the_case() -> None:
    case = relay_being_verified()
    assert go_on(case, minutes=20) == CaseState.CLOSED
    assert case.resolution == "fixed_verified"


def test_an_address_that_came_meanwhile_is_checked_before_it_closes() -> None:
    case = relay_being_verified()
    make_complaint(case, address="192.0.2.20", seen_at=NOON - timedelta(hours=4))

    assert go_on(case, minutes=20) == CaseState.VERIFYING
    assert go_on(case, hours=6.1) == CaseState.VERIFYING
    assert case.checks.filter(verdict="clean").values("address").distinct().count() == 2
    go_on(case, hours=6.5)
    assert go_on(case, hours=7) == CaseState.CLOSED


def test_one_that_is_still_open_there_is_told() -> None:
    case = relay_being_verified()
    make_complaint(case, address="192.0.2.20", seen_at=NOON - timedelta(hours=4))

    go_on(case, "bad", hours=6.1)
    assert go_on(case, hours=6.2) == CaseState.NOTIFIED
    assert case.notices.filter(step="still_open").exists()


def test_nothing_is_closed_while_mail_that_came_before_is_not_read() -> None:
    """It may be a flood that tells of this very line."""
    case = relay_being_verified()
    waiting = make_message(received_at=CLAIMED)
    assert go_on(case, minutes=20) == CaseState.VERIFYING
    assert case.due_at == CLAIMED + timedelta(minutes=30)

    Reading.objects.filter(message=waiting).update(state=Reading.State.READ)
    assert go_on(case, minutes=30) == CaseState.CLOSED


def test_mail_of_the_last_minutes_keeps_no_case_open() -> None:
    case = relay_being_verified()
    make_message(received_at=CLAIMED + timedelta(minutes=15))
    assert go_on(case, minutes=20) == CaseState.CLOSED
