"""The letter that says: it was our mistake, you were the wrong one."""

import re
from datetime import timedelta
from typing import Any

import pytest

from complaints.cases.corrections import apply_reattribution, dismiss_reattribution, revert_reattribution
from complaints.cases.reattribution import propose_reattributions
from complaints.interventions import release_closed
from complaints.models import Case, DeskTask, Intervention, Notice, PortalLink, Reattribution
from complaints.notices.compose import queue_notice
from complaints.notices.delivery import deliver_due
from complaints.notices.withdrawal import leave_untold, withdraw
from tests.factories import NOON, make_assignment, make_case, make_complaint, make_contract, make_network

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


@pytest.fixture
def wronged(db: None) -> Case:
    """The case of C-1, who was told of what was C-2's; corrected an hour later."""
    return wrong("en")


def wrong(language: str) -> Case:
    make_network("192.0.2.0/24")
    contract = make_contract("C-1")
    contract.contacts.update(language=language)
    case = make_case(contract, state="notified")
    complaint = make_complaint(case)
    letter = queue_notice(case, "notify", occurrence=1, now=NOON)
    assert letter
    Notice.objects.filter(pk=letter.pk).update(state="sent", sent_at=NOON)
    make_assignment("C-2")
    propose_reattributions([complaint.pk], because="leases.csv", now=NOON)
    apply_reattribution(Reattribution.objects.values_list("pk", flat=True), actor="ada", now=NOON + HOUR)
    case.refresh_from_db()
    return case


def open_tasks() -> list[str]:
    return list(DeskTask.objects.filter(done_at=None).values_list("title", flat=True))


def told() -> str:
    return Reattribution.objects.get(reverts=None).told


def test_that_the_wrong_contract_was_told_is_a_task(wronged: Case) -> None:
    assert open_tasks() == [f"The wrong contract was told: C-1, case {wronged.number}"]
    assert told() == "wrong"


@pytest.mark.parametrize(
    ("language", "sentence"),
    [
        ("en", "On Tuesday 10 March 2026, 12:00 (UTC) we wrote to you"),
        ("de", "Am Dienstag, 10. März 2026, 12:00 (UTC) haben wir Ihnen"),
        ("fr", "Le mardi 10 mars 2026, 12:00 (UTC), nous vous avons écrit"),
    ],
)
def test_the_letter_apologises_in_the_customers_language_and_wants_nothing(language: str, sentence: str) -> None:
    case = wrong(language)
    letter = withdraw(case, actor="ada", now=NOON + 2 * HOUR)
    assert letter
    assert (letter.to_email, letter.language, letter.link) == ("c-1@customer.example", language, None)
    assert sentence in re.sub(r"\s+", " ", letter.text)
    assert case.number in letter.subject
    assert "http" not in letter.text


def test_deciding_it_ends_the_task_and_deciding_it_twice_is_deciding_once(wronged: Case) -> None:
    first = withdraw(wronged, actor="ada", now=NOON + 2 * HOUR)
    assert withdraw(wronged, actor="ben", now=NOON + 3 * HOUR) == first
    assert (told(), open_tasks(), DeskTask.objects.get().done_by) == ("withdrawn", [], "ada")


def test_it_goes_out_although_the_case_is_closed_and_its_page_revoked(wronged: Case, mailoutbox: list[Any]) -> None:
    withdraw(wronged, actor="ada", now=NOON + 2 * HOUR)
    deliver_due(now=NOON + 2 * HOUR)
    [mail] = mailoutbox
    assert mail.subject.startswith("Our mistake")
    assert "/c/" not in mail.body
    assert not PortalLink.objects.filter(revoked_at=None).exists()


def test_without_an_address_the_task_stays(wronged: Case) -> None:
    wronged.owner["contact_email"] = ""
    wronged.save()
    assert withdraw(wronged, actor="ada", now=NOON) is None
    assert (told(), len(open_tasks())) == ("wrong", 1)


def test_an_analyst_may_decide_that_no_letter_is_needed(wronged: Case) -> None:
    leave_untold(wronged, actor="ada", now=NOON)
    assert (told(), open_tasks()) == ("left", [])


def test_a_correction_that_is_undone_leaves_no_task(wronged: Case) -> None:
    revert_reattribution(Reattribution.objects.values_list("pk", flat=True), actor="ada", now=NOON + 2 * HOUR)
    assert (told(), open_tasks()) == ("left", [])


@pytest.mark.parametrize("resolution", ["", "no_response"])
@pytest.mark.parametrize(
    ("before", "after"),
    [("proposed", "withdrawn"), ("decided", "withdrawn"), ("in_force", "release_due"), ("released", "released")],
)
def test_measures_on_the_wrong_line_are_lifted(before: str, after: str, resolution: str) -> None:
    make_network("192.0.2.0/24")
    ended = {"state": "closed", "resolution": resolution, "closed_at": NOON} if resolution else {"state": "escalated"}
    case = make_case("C-1", **ended)
    complaint = make_complaint(case)
    measure = Intervention.objects.create(
        case=case, contract=case.contract, kind="quarantine", step="block", state=before,
        reason="open relay", decided_by="machine", decided_at=NOON, due_at=NOON - HOUR,
    )  # fmt: skip
    make_assignment("C-2")
    propose_reattributions([complaint.pk], because="leases.csv", now=NOON)
    apply_reattribution(Reattribution.objects.values_list("pk", flat=True), actor="ada", now=NOON)
    release_closed(now=NOON)

    measure.refresh_from_db()
    assert measure.state == after


def test_a_letter_that_was_decided_before_waits_until_it_is_known_whose_line_it_is(mailoutbox: list[Any]) -> None:
    make_network("192.0.2.0/24")
    case = make_case("C-1", state="notified")
    complaint = make_complaint(case)
    queue_notice(case, "notify", occurrence=1, now=NOON)
    make_assignment("C-2")
    propose_reattributions([complaint.pk], because="leases.csv", now=NOON)
    assert deliver_due(now=NOON) == 0

    dismiss_reattribution(Reattribution.objects.values_list("pk", flat=True), actor="ada", now=NOON)
    assert deliver_due(now=NOON) == 1
    assert len(mailoutbox) == 1


def test_a_letter_that_was_decided_before_never_reaches_the_wrong_customer(mailoutbox: list[Any]) -> None:
    make_network("192.0.2.0/24")
    case = make_case("C-1", state="notified")
    complaint = make_complaint(case)
    queue_notice(case, "notify", occurrence=1, now=NOON)
    make_assignment("C-2")
    propose_reattributions([complaint.pk], because="leases.csv", now=NOON)
    apply_reattribution(Reattribution.objects.values_list("pk", flat=True), actor="ada", now=NOON)
    deliver_due(now=NOON)

    assert mailoutbox == []
    assert case.notices.get().problem == "not sent: the case was closed before it could go out"
