"""While it is in question whether a case is about this contract's line, nothing reaches the customer."""

from datetime import timedelta

import pytest

from complaints.cases.corrections import dismiss_reattribution
from complaints.models import Case, Complaint, Reattribution
from complaints.playbooks.runner import advance_case
from tests.factories import NOON, make_contract
from tests.playbooks.test_runner import case, finish_checks, letters, notified, state  # noqa: F401 - `case` is a fixture

pytestmark = pytest.mark.django_db


def question(case: Case) -> Reattribution:  # noqa: F811 - the fixture's value
    return Reattribution.objects.create(
        complaint=Complaint.objects.get(),
        because="leases.csv",
        before={"answer": "owner"},
        after={"answer": "owner"},
        from_contract=case.contract,
        to_contract=make_contract("C-2"),
        from_case=case,
        proposed_at=NOON,
        proposed_by="ada",
    )


def test_no_letter_is_written_until_somebody_has_decided(case: Case) -> None:  # noqa: F811
    advance_case(case.pk, now=NOON)
    finish_checks(NOON)
    asked = question(case)
    advance_case(case.pk, now=NOON)
    assert (state(case)[0], letters(case)) == ("investigating", [])

    dismiss_reattribution([asked.pk], actor="ada", now=NOON)
    advance_case(case.pk, now=NOON)
    assert (state(case)[0], letters(case)) == ("notified", ["notify"])


def test_no_deadline_escalates_a_case_in_question(case: Case) -> None:  # noqa: F811
    notified(case)
    question(case)
    advance_case(case.pk, now=NOON + timedelta(hours=100))
    assert (state(case)[0], letters(case)) == ("notified", ["notify"])


def test_its_checks_go_on(case: Case) -> None:  # noqa: F811
    question(case)
    assert len(advance_case(case.pk, now=NOON).checks) == 2
