"""The queue's counts are what one would count, whoever writes, on both databases."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from complaints.cases import counting
from complaints.cases.transitions import assign_case, move_case
from complaints.models import Case, CaseAddress, CaseTextDue, Complaint, DeskTask, QueueCount, Reading
from complaints.models.queue_triggers import make_queue_triggers
from complaints.vocabulary import CaseState, Resolution
from tests.factories import NOON, make_case, make_complaint, make_contract, make_message, make_user

pytestmark = pytest.mark.django_db
LATER = NOON + timedelta(hours=1)


def counts(**of: Any) -> counting.Counted:
    return counting.count_queue(**({"user_id": None, "now": NOON} | of))


def test_a_case_is_counted_where_it_stands_and_moves_with_it() -> None:
    case = make_case(state="triage")
    assert (counts().of("case", "triage"), counts().of("case")) == (1, 1)

    move_case(case, CaseState.NOTIFIED, actor="ada", reason="told")
    assert (counts().of("case", "triage"), counts().of("case", "notified")) == (0, 1)

    move_case(case, CaseState.CLOSED, actor="ada", reason="no", resolution=Resolution.NOT_ABUSE)
    assert (counts().of("case", "notified"), counts().of("case", "closed")) == (0, 1)


def test_cases_are_counted_by_who_has_them_until_they_are_closed() -> None:
    ada, case = make_user("ada"), make_case(state="triage")
    mine = lambda: counts(user_id=ada.pk).of("case", holder="mine")  # noqa: E731

    assign_case(case, to=ada, actor="ada")
    assert (mine(), counts(user_id=ada.pk).of("case", holder="nobody")) == (1, 0)
    assert counts(user_id=ada.pk + 1).of("case", holder="others") == 1

    move_case(case, CaseState.CLOSED, actor="ada", reason="no", resolution=Resolution.NOT_ABUSE)
    assert (mine(), counts(user_id=ada.pk).of("case", holder="nobody")) == (0, 1)


@pytest.mark.parametrize("over", [timedelta(minutes=1), timedelta(minutes=8), timedelta(days=9)])
def test_what_is_counted_as_late_is_what_is_shown_as_late(over: timedelta) -> None:
    make_case(state="notified", deadline_at=NOON)
    now = NOON + over

    shown = Case.objects.filter(deadline_at__lt=counting.late_before(now)).count()

    assert counts(now=now).of("late") == shown == (0 if over < counting.GRACE else 1)


def test_a_new_deadline_ends_the_lateness() -> None:
    case = make_case(state="notified", deadline_at=NOON - timedelta(days=3))
    assert counts().of("late") == 1

    Case.objects.filter(pk=case.pk).update(deadline_at=LATER)

    assert counts().of("late") == 0


def test_statements_over_many_rows_are_counted_row_by_row() -> None:
    for n in range(5):
        make_case(make_contract(f"C-{n}"), state="triage")

    Case.objects.filter(contract__reference__in=["C-1", "C-2"]).update(state="answered")
    Case.objects.filter(contract__reference="C-3").delete()

    assert (counts().of("case", "triage"), counts().of("case", "answered"), counts().of("case")) == (2, 2, 4)


def test_messages_complaints_and_tasks_that_wait_are_counted() -> None:
    message = make_message(state="unread")
    waiting = [make_complaint(answer="nobody"), make_complaint(answer="unsure")]
    make_complaint(answer="not-ours")
    make_complaint(make_case())
    task = DeskTask.objects.create(kind="k", key="1", title="Call", opened_at=NOON, opened_by="ada")
    found = lambda: [counts().of(what) for what in ("unread", "unattributed", "task")]  # noqa: E731

    assert found() == [1, 2, 1]
    Reading.objects.filter(pk=message.pk).update(state="waiting")
    Complaint.objects.filter(pk=waiting[0].pk).update(case=make_case("C-2"))
    DeskTask.objects.filter(pk=task.pk).update(done_at=NOON)
    assert found() == [0, 1, 0]


def test_summing_up_changes_no_count_and_leaves_few_rows() -> None:
    cases = [make_case(make_contract(f"C-{n}"), state="triage", deadline_at=NOON) for n in range(4)]
    for case in cases[:2]:
        move_case(case, CaseState.NOTIFIED, actor="ada", reason="told")
    now = timezone.now()
    before = counts(now=now).numbers

    counting.sum_up(now=now, least=1)

    assert {key: number for key, number in before.items() if number} == counts(now=now).numbers
    assert QueueCount.objects.count() == 4  # triage and notified, in all and by their deadlines


def test_summing_up_waits_until_there_is_much() -> None:
    make_case(state="triage")
    rows = list(QueueCount.objects.values_list("pk", flat=True))

    counting.sum_up(now=NOON)

    assert list(QueueCount.objects.values_list("pk", flat=True)) == rows


def test_the_nightly_proof_finds_right_counts_right_and_mends_wrong_ones() -> None:
    make_case(state="triage", deadline_at=NOON - timedelta(days=9))
    counting.sum_up(now=NOON, least=1)
    assert counting.prove_counts(now=NOON) == {}

    QueueCount.objects.filter(what="case").update(number=7)
    make_message(state="unread")
    QueueCount.objects.filter(what="unread").delete()

    assert counting.prove_counts(now=NOON) == {"case": 6, "unread": 1}
    assert (counts().of("case"), counts().of("late"), counts().of("unread")) == (1, 1, 1)


def test_every_trigger_is_there_after_all_migrations() -> None:
    """SQLite forgets the triggers of a table that a migration rebuilds: that migration must make them again."""
    names = "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal"
    if connection.vendor == "sqlite":
        names = "SELECT name FROM sqlite_master WHERE type = 'trigger'"
    with connection.cursor() as cursor:
        migrated = {row[0] for row in cursor.execute(names) or cursor}
        make_queue_triggers()
        assert {row[0] for row in cursor.execute(names) or cursor} == migrated


def test_each_address_of_a_case_is_known_once_and_its_words_are_due() -> None:
    case = make_case()
    CaseTextDue.objects.all().delete()
    for address in ("192.0.2.10", "192.0.2.10", "192.0.2.11"):
        make_complaint(case, address=address)

    assert sorted(bytes(a)[-1] for a in CaseAddress.objects.values_list("address", flat=True)) == [10, 11]
    assert list(CaseTextDue.objects.values_list("case_id", "anew")) == [(case.pk, False)] * 3


def test_a_complaint_that_moves_makes_both_cases_be_read_anew() -> None:
    came, went = make_case("C-1"), make_case("C-2")
    complaint = make_complaint(came)
    CaseTextDue.objects.all().delete()

    Complaint.objects.filter(pk=complaint.pk).update(case=went)

    assert set(CaseTextDue.objects.values_list("case_id", "anew")) == {(came.pk, True), (went.pk, True)}
    assert set(CaseAddress.objects.values_list("case", flat=True)) == {came.pk, went.pk}
