import json
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from complaints.models import Case, Reattribution
from tests.factories import NOON, make_assignment, make_case, make_complaint, make_network

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _corrected_records(db: None) -> None:
    """Two complaints in a case of C-1, one in none, and C-2 turns out to have had the address."""
    make_network("192.0.2.0/24")
    case = make_case("C-1")
    make_complaint(case, received_at=NOON - timedelta(days=2))
    make_complaint(case, received_at=NOON)
    make_complaint(received_at=NOON)
    make_assignment("C-2")


def reattribute(*options: str) -> str:
    out = StringIO()
    call_command("reattribute", *options, stdout=out)
    return out.getvalue()


def test_a_period_is_asked_again_filed_and_proposed() -> None:
    said: dict[str, Any] = json.loads(reattribute("--since", "2026-03-10T00:00:00Z"))
    assert said == {"asked": 2, "filed": 1, "proposed": 1, "cases": 1}
    assert Case.objects.filter(contract__reference="C-2").count() == 1


def test_a_second_run_finds_nothing_new() -> None:
    reattribute()
    assert json.loads(reattribute()) == {"asked": 3, "filed": 0, "proposed": 0, "cases": 0}


def test_a_dry_run_shows_what_would_change_and_changes_nothing() -> None:
    told = [json.loads(line) for line in reattribute("--dry-run").splitlines()]
    assert [(line["was"]["contract"], line["is"]["contract"]) for line in told] == [
        ("C-1", "C-2"),
        ("C-1", "C-2"),
        (None, "C-2"),
    ]
    assert (Reattribution.objects.count(), Case.objects.count()) == (0, 1)


def test_a_time_without_its_zone_is_refused() -> None:
    with pytest.raises(CommandError, match="has no time zone"):
        reattribute("--since", "2026-03-10T00:00:00")
