"""Who had logged in at a mail relay of ours."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from complaints.addresses import address_key
from complaints.attribution import Holding, Question, attribute
from complaints.models import Contract, HostedName, LineIdentifier
from complaints.vocabulary import Answer
from tests.factories import LONG_AGO, NOON, make_assignment, make_contract, make_network, make_shared_machine

pytestmark = pytest.mark.django_db
RELAY, LINE = "192.0.2.25", "192.0.2.10"
DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def relay():
    make_network("192.0.2.0/24")
    make_assignment("C-isp", "192.0.2.0/24")
    return make_shared_machine(f"{RELAY}/32", "mail", name="relay1")


def know(
    value: str,
    contract: str,
    valid_from: datetime | None = None,
    valid_until: datetime | None = None,
    kind: str = "smtp_user",
) -> None:
    LineIdentifier.objects.create(
        kind=kind, value=value, contract=make_contract(contract), valid_from=valid_from, valid_until=valid_until
    )


def whose(*accounts: str, address: str = RELAY, at: datetime = NOON, names: tuple[str, ...] = ()) -> Holding:
    return attribute([Question(address_key(address), None, at, accounts=accounts, names=names)])[0]


def holder(*accounts: str, address: str = RELAY, at: datetime = NOON) -> str:
    holding = whose(*accounts, address=address, at=at)
    if holding.answer is Answer.OWNER:
        return Contract.objects.get(pk=holding.contract_id).reference
    return " or ".join(holding.candidates) or str(holding.answer)


def test_the_login_names_the_contract():
    know("anna@isp.example", "C-1", LONG_AGO, NOON + DAY)

    assert whose("Anna@ISP.example") == Holding(
        Answer.OWNER,
        contract_id=Contract.objects.get(reference="C-1").pk,
        method="smtp_user",
        confidence=0.9,
        valid_from=LONG_AGO,
        valid_until=NOON + DAY,
        reason="anna@isp.example is the contract's login since 2020-01-01 00:00:00 UTC, until 2026-03-11 12:00:00 UTC",
    )


def test_the_holder_of_the_relays_address_is_never_named():
    assert whose() == Holding(
        Answer.UNSURE,
        reason="192.0.2.25 is a mail relay of ours, used by many: the report does not show who had logged in",
    )
    assert whose("nobody@isp.example").reason == (
        "192.0.2.25 is a mail relay of ours, used by many, and no contract of ours has the login nobody@isp.example"
    )


@pytest.mark.parametrize(("at", "contract"), [(NOON - DAY, "C-1"), (NOON, "C-2")])
def test_a_login_counts_for_its_time_only(at: datetime, contract: str):
    know("anna", "C-1", valid_until=NOON)
    know("anna", "C-2", NOON)

    assert holder("anna", at=at) == contract


def test_two_accounts_of_two_contracts_are_unsure_and_of_one_are_its():
    know("anna", "C-1")
    know("4711", "C-1", kind="header")
    know("4712", "C-2", kind="header")

    assert holder("anna", "4711 in x-customer-id") == "C-1"
    assert holder("anna", "4712 in x-customer-id") == "C-1 or C-2"


def test_header_and_login_of_the_same_value_are_not_taken_for_each_other():
    know("4711", "C-1", kind="header")
    know("4711", "C-2", kind="smtp_user")

    assert (holder("4711 in x-customer-id"), holder("4711")) == ("C-1", "C-2")
    assert whose("4711 in x-customer-id").method == "header"


def test_a_login_on_an_ordinary_line_changes_nothing():
    know("anna", "C-1")

    assert holder("anna", address=LINE) == "C-isp"


def test_a_line_further_down_counts_only_behind_relays_of_ours():
    know("anna", "C-1")
    assert holder("anna via 10.0.0.5") == "unsure"

    make_shared_machine("10.0.0.0/29", "mail")

    assert holder("anna via 10.0.0.5") == "C-1"
    assert holder("anna via 10.0.0.5 via 203.0.113.7") == "unsure"  # a customer, who may have forged the rest


def test_a_web_server_on_the_way_is_no_relay():
    know("anna", "C-1")
    make_shared_machine("10.0.0.5/32", "web")

    assert holder("anna via 10.0.0.5") == "unsure"


def test_of_a_relay_that_hides_its_received_lines_only_headers_count(relay):
    know("anna", "C-1")
    know("4711", "C-2", kind="header")
    type(relay).objects.update(tells_login=False)

    assert holder("anna") == "unsure"
    assert holder("anna", "4711 in x-customer-id") == "C-2"


def test_content_of_another_contract_beside_the_login_is_unsure():
    know("anna", "C-1")
    HostedName.objects.create(name="shop.example", contract=make_contract("C-2"))

    assert whose("anna", names=("shop.example",)).candidates == ("C-1", "C-2")


def test_on_a_machine_for_both_either_evidence_will_do():
    make_shared_machine(f"{RELAY}/32", "web")
    know("anna", "C-1")
    HostedName.objects.create(name="shop.example", contract=make_contract("C-2"))

    assert holder("anna") == "C-1"
    assert whose(names=("shop.example",)).contract_id == Contract.objects.get(reference="C-2").pk
    assert whose("anna", names=("shop.example",)).candidates == ("C-1", "C-2")


def test_a_batch_asks_once(django_assert_num_queries):
    for number in range(20):
        know(f"user{number}", f"C-{number}")
    questions = [Question(address_key(RELAY), None, NOON, accounts=(f"user{number}",)) for number in range(20)]
    attribute(questions)

    with django_assert_num_queries(1):
        assert all(holding.answer is Answer.OWNER for holding in attribute(questions))
