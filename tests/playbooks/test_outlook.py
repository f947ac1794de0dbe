"""What the customer is told beforehand: the steps by time alone, with their dates, by their own playbook."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from complaints.playbooks.outlook import coming
from complaints.vocabulary import CaseState, ContractKind
from tests.playbooks.test_shipped import NOON, SHIPPED, facts


def hours(name: str, state: CaseState, **changes: Any) -> list[tuple[float, str]]:
    found = coming(SHIPPED[name], facts(name, state, **changes))
    return [((at - NOON) / timedelta(hours=1), kind) for at, kind in found]


@pytest.mark.parametrize(
    ("name", "changes", "follows"),
    [
        ("open relay", {}, [(72, "escalated"), (72.5, "limit_25"), (408, "person")]),
        ("open relay", {"ladder": 1}, [(36, "escalated"), (36.5, "limit_25"), (372, "person")]),
        ("open relay", {"protected": True}, [(72, "escalated"), (72, "person")]),
        ("bot", {"contract_kind": ContractKind.RESIDENTIAL},
         [(72, "escalated"), (72.5, "limit_25"), (242, "quarantine"), (312, "person")]),
        ("stolen mailbox", {}, [(24, "escalated"), (24.25, "lock_account"), (192, "person")]),
        ("attack", {"contract_kind": ContractKind.BUSINESS}, [(48, "escalated"), (120, "person")]),
        ("mail abuse", {}, [(72, "escalated")]),
    ],
)  # fmt: skip
def test_what_follows_the_first_letter(name: str, changes: dict[str, Any], follows: list[tuple[float, str]]) -> None:
    assert hours(name, CaseState.NOTIFIED, **changes) == follows


def test_a_running_check_changes_no_date() -> None:
    there = facts("open relay", CaseState.NOTIFIED)
    assert coming(SHIPPED["open relay"], replace(there, pending={"look-again"})) == coming(SHIPPED["open relay"], there)


def test_time_already_used_counts() -> None:
    assert hours("open relay", CaseState.NOTIFIED, used=timedelta(hours=70))[0] == (2, "escalated")


def test_a_measure_in_force_is_not_announced_again() -> None:
    there = {"measures": {"limit_25"}, "contract_kind": ContractKind.RESIDENTIAL}
    assert hours("bot", CaseState.ESCALATED, **there) == [(170, "quarantine"), (240, "person")]


@pytest.mark.parametrize("state", [CaseState.INVESTIGATING, CaseState.ANSWERED, CaseState.VERIFYING])
def test_nothing_is_threatened_while_the_turn_is_not_the_customers(state: CaseState) -> None:
    assert hours("open relay", state) == []
