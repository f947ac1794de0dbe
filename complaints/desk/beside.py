"""What stands beside the story of a case: all the small looks of its page, asked for in one statement."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.contrib.auth.models import AnonymousUser

from complaints.cases.floods import floods_of
from complaints.cases.rises import rises_of
from complaints.cases.story import Accusation, arrivals_of
from complaints.cases.tallies import Kind
from complaints.cases.undoing import has_changes
from complaints.desk import corrected, facts, holders, listings, presence, shown_measures
from complaints.desk.access import visible
from complaints.desk.campaigns_page import campaigns_of
from complaints.desk.together import together
from complaints.models import Case, Complaint, User

MOST_TASKS = 10
NEWEST = 50  # complaints that are asked about beyond the case: with the names of two hundred the database plans longer


def beside(
    case: Case, complaints: Sequence[Accusation], held: Accusation | None, user: User | AnonymousUser, now: datetime
) -> dict[str, list[Any]]:
    """The rows of each look, by its name. complaints: the newest of the case. held: the one that names its owner."""
    return together(
        {
            "arrivals": arrivals_of(case),
            "held": Complaint.objects.filter(pk=held.pk if held else 0).defer("evidence"),
            "contacts": case.contract.contacts.all(),
            "customers_cases": facts.other_cases(case, visible(user, Case)),
            "changes": has_changes(case),
            "campaigns": campaigns_of(complaints[:NEWEST]),
            "rises": rises_of(Kind.CONTRACT, case.contract_id),
            "floods": floods_of(complaints[:NEWEST]),
            **listings.looks(case, complaints),
            **corrected.looks(case),
            **shown_measures.looks(case),
            **presence.looks(case, now),
            **holders.looks(case, user, now),
            "tasks": case.tasks.filter(done_at=None).order_by("pk")[:MOST_TASKS],
        }
    )
