"""Customers: found by what one knows of them, and all of one on a page."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client

from complaints.models import AccessLog, Contact, Customer
from complaints.vocabulary import CaseState, Resolution
from tests.factories import NOON, make_assignment, make_case, make_contract, make_network

SqlOf = Callable[[Callable[[], object]], list[str]]


@pytest.fixture
def anna(db: None) -> Customer:
    make_network()
    contract = make_contract("C-1")
    make_assignment(contract, "192.0.2.10/32")
    make_case(contract, state=CaseState.CLOSED, resolution=Resolution.FIXED_VERIFIED, closed_at=NOON)
    return contract.customer


@pytest.mark.parametrize("asked", ["customer", "contract", "mail"])
def test_who_is_named_exactly_is_opened_at_once(ada: Client, anna: Customer, asked: str) -> None:
    contract = anna.contracts.get()
    email = Contact.objects.filter(contract=contract).values_list("email", flat=True).first()
    text = {"customer": anna.reference, "contract": contract.reference, "mail": str(email).upper()}[asked]

    answer = ada.get("/customers", {"q": text})

    assert (answer.status_code, answer["Location"]) == (302, f"/customers/{anna.pk}")


def test_part_of_a_name_lists_who_has_it(ada: Client, anna: Customer) -> None:
    Customer.objects.create(reference="K-2", name="Bäckerei <Bruno>")
    page = ada.get("/customers", {"q": "bruno"}).content.decode()
    assert "Bäckerei &lt;Bruno&gt;" in page
    assert anna.name not in page
    assert "Nobody like that" in ada.get("/customers", {"q": "zebra"}).content.decode()


def test_page_tells_lines_contacts_cases_and_the_ladder(ada: Client, anna: Customer) -> None:
    page = ada.get(f"/customers/{anna.pk}").content.decode()
    assert "192.0.2.10/32" in page
    assert "is written to first" in page
    assert "points from closed cases" in page
    assert "fixed" in page.lower()


def test_contract_leads_to_its_customer(ada: Client, anna: Customer) -> None:
    contract = anna.contracts.get()
    assert ada.get(f"/contracts/{contract.pk}")["Location"] == f"/customers/{anna.pk}#contract-{contract.pk}"


def test_opening_a_customer_is_noted(ada: Client, anna: Customer) -> None:
    ada.get(f"/customers/{anna.pk}")
    assert [(read.who, read.what, read.about) for read in AccessLog.objects.all()] == [
        ("ada", "customer", f"customer {anna.reference}")
    ]


def test_thirty_customers_cost_as_many_questions_as_one(ada: Client, anna: Customer, sql_of: SqlOf) -> None:
    ada.get("/customers")
    one = len(sql_of(lambda: ada.get("/customers")))
    for number in range(30):
        make_case(make_contract(f"D-{number}"))
    found = sql_of(lambda: ada.get("/customers"))
    assert len(found) == one <= 12
    assert not any("COUNT(" in each or "OFFSET" in each for each in found)


def test_customer_with_many_contracts_costs_as_many_questions_as_with_one(
    ada: Client, anna: Customer, sql_of: SqlOf
) -> None:
    one = len(sql_of(lambda: ada.get(f"/customers/{anna.pk}")))
    for number in range(30):
        contract = make_contract(f"E-{number}")
        contract.customer = anna
        contract.save()
        make_assignment(contract, f"198.51.100.{number}/32")
        make_case(contract)
    assert len(sql_of(lambda: ada.get(f"/customers/{anna.pk}"))) <= one + 1
