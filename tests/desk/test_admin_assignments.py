"""An assignment that is corrected by hand: whose complaints were they then?"""

from typing import Any

import pytest
from django.contrib.messages import get_messages
from django.test import Client

from complaints.models import Assignment, Case, Reattribution
from tests.desk.test_admin import admin_url
from tests.factories import make_assignment, make_case, make_complaint, make_contract, make_network

Run = Any


@pytest.fixture
def wrong(db: None) -> Assignment:
    """C-1 is said to hold the line of a complaint in its case."""
    make_network("192.0.2.0/24")
    make_complaint(make_case("C-1"))
    return make_assignment("C-1")


def edit(client: Client, assignment: Assignment, **changes: Any) -> Any:
    """Save the form; the request."""
    form = {
        "prefix_text": assignment.prefix, "contract": assignment.contract_id, "kind": "static", "port_first": "0",
        "valid_from_0": "2020-01-01", "valid_from_1": "00:00", "port_last": "65535",
    } | changes  # fmt: skip
    answer = client.post(admin_url(Assignment, "change", assignment.pk), form)
    assert answer.status_code == 302
    return answer.wsgi_request


def test_an_edit_proposes_what_it_changes(
    admin_client: Client,
    wrong: Assignment,
    django_capture_on_commit_callbacks: Run,
) -> None:
    other = make_contract("C-2")
    with django_capture_on_commit_callbacks(execute=True):
        request = edit(admin_client, wrong, contract=other.pk)

    row = Reattribution.objects.get()
    assert (row.state, row.to_contract, row.because, row.proposed_by) == (
        "proposed",
        other,
        "192.0.2.10/32 edited by admin",
        "admin",
    )
    assert any("/corrections" in str(message) for message in get_messages(request))


def test_moving_an_assignment_asks_about_the_place_it_leaves_and_the_one_it_takes(
    admin_client: Client,
    wrong: Assignment,
    django_capture_on_commit_callbacks: Run,
) -> None:
    make_complaint(address="192.0.2.20")
    with django_capture_on_commit_callbacks(execute=True):
        edit(admin_client, wrong, prefix_text="192.0.2.20/32")

    assert [row.after["answer"] for row in Reattribution.objects.filter(state="proposed")] == ["nobody"]
    assert Case.objects.get(contract__reference="C-1").complaint_count == 2  # the one nobody had is filed at once


@pytest.mark.parametrize("by", ["form", "list"])
def test_deleting_an_assignment_proposes_that_nobody_had_it(
    admin_client: Client,
    wrong: Assignment,
    by: str,
    django_capture_on_commit_callbacks: Run,
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        if by == "form":
            admin_client.post(admin_url(Assignment, "delete", wrong.pk), {"post": "yes"})
        else:
            chosen = {"action": "delete_selected", "_selected_action": [wrong.pk], "post": "yes"}
            admin_client.post(admin_url(Assignment, "changelist"), chosen)

    assert not Assignment.objects.exists()
    assert Reattribution.objects.get().after["answer"] == "nobody"
