"""Unattributed, Who had it, Customers and Corrections, as somebody restricted sees them: theirs, and nothing else."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.test import Client

from complaints.cases.reattribution import propose_reattributions
from complaints.models import Case, Complaint, Contract, Reattribution
from complaints.vocabulary import CaseState
from tests.factories import (
    NOON,
    make_assignment,
    make_case,
    make_complaint,
    make_contract,
    make_message,
    make_network,
    make_user,
)

OURS, THEIRS = "192.0.2.10", "198.51.100.20"


def logged_in(**columns: object) -> Client:
    client = Client()
    client.force_login(make_user("nora", "senior", **columns))
    return client


@pytest.fixture
def by_network(db: None) -> Client:
    return logged_in(only_networks=["192.0.2.0/24"])


@pytest.fixture
def by_brand(db: None) -> Client:
    return logged_in(only_brands=["Nordlicht"])


@pytest.fixture(params=["by_network", "by_brand"])
def nora(request: pytest.FixtureRequest, db: None) -> Client:
    found: Client = request.getfixturevalue(request.param)
    return found


def make_side(reference: str, brand: str, address: str) -> Case:
    make_network(f"{address.rpartition('.')[0]}.0/24")
    make_assignment(make_contract(f"C-{reference}", customer=f"K-{reference}", brand=brand), f"{address}/32")
    case = make_case(contract=f"C-{reference}", address=address, state=CaseState.TRIAGE)
    make_complaint(case, address=address, message=make_message(reference.encode()))
    return case


@pytest.fixture
def mine(db: None) -> Case:
    return make_side("mine", "Nordlicht", OURS)


@pytest.fixture
def theirs(db: None) -> Case:
    return make_side("theirs", "Sudlicht", THEIRS)


def text_of(client: Client, path: str, status: int = 200) -> str:
    response = client.get(path, follow=True)
    assert response.status_code == status, path
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode()))


def lonely(address: str, **columns: object) -> Complaint:
    return make_complaint(address=address, answer="nobody", message=make_message(address.encode()), **columns)


# --- unattributed


def test_unattributed_are_those_of_their_addresses(by_network: Client) -> None:
    lonely(OURS, subject="Watch one")
    lonely(THEIRS, subject="Watch two")

    page = text_of(by_network, "/unattributed")

    assert "Watch one" in page
    assert "Watch two" not in page
    assert THEIRS not in page


def test_what_has_no_contract_is_of_no_brand(by_brand: Client) -> None:
    lonely(OURS, subject="Watch one")

    page = text_of(by_brand, "/unattributed")

    assert "Watch one" not in page
    assert "A complaint of which nobody knows the contract is of no brand" in page


def test_a_mail_that_names_others_too_is_not_linked(by_network: Client) -> None:
    complaint = lonely(OURS)
    link = f'href="/message/{complaint.message_id}#'
    assert link in by_network.get("/unattributed").content.decode()

    make_complaint(address=THEIRS, answer="nobody", message=complaint.message)

    page = by_network.get("/unattributed").content.decode()
    assert link not in page
    assert OURS in page


@pytest.mark.parametrize("act", ["again", "leave"])
def test_complaints_of_others_cannot_be_looked_up_again_nor_put_aside(nora: Client, act: str) -> None:
    assert nora.post(f"/unattributed/{lonely(THEIRS).pk}/{act}").status_code == 404


def test_their_own_can_be_looked_up_again(by_network: Client) -> None:
    assert by_network.post(f"/unattributed/{lonely(OURS).pk}/again").status_code == 302


def test_the_tabs_of_all_networks_are_not_offered(nora: Client) -> None:
    page = nora.get("/unattributed").content.decode()

    assert 'href="/not-ours"' not in page
    assert 'href="/answers"' not in page


# --- who had it


def test_who_had_an_address_of_theirs_is_answered(nora: Client, mine: Case) -> None:
    page = text_of(nora, f"/whose?address={OURS}")

    assert "Customer K-mine" in page
    assert "held it then" in page


@pytest.mark.parametrize("asked", [THEIRS, "192.0.0.0/16", "192.0.2.0/23", "0.0.0.0/0", "2001:db8::1"])
def test_what_is_not_wholly_in_their_networks_is_refused(
    by_network: Client, mine: Case, theirs: Case, asked: str
) -> None:
    page = text_of(by_network, f"/whose?address={asked}", status=403)

    assert "not wholly inside the networks" in page
    assert "K-theirs" not in page
    assert "K-mine" not in page


def test_a_prefix_inside_their_network_shows_who_had_it(by_network: Client, mine: Case) -> None:
    assert "Customer K-mine" in text_of(by_network, "/whose?address=192.0.2.0/28")


def test_of_an_address_of_another_brand_they_learn_as_much_as_of_nobodys(by_brand: Client, theirs: Case) -> None:
    without = lambda page, address: page.replace(address, "…")  # noqa: E731
    free = THEIRS.replace(".20", ".21")

    told, nobodys = (text_of(by_brand, f"/whose?address={each}&at=2026-03-10T12:00:00Z") for each in (THEIRS, free))

    assert "No contract of your brands is known to have had it then" in told
    assert without(told, THEIRS) == without(nobodys, free)


def test_of_a_prefix_of_several_brands_their_own_are_shown(by_brand: Client, mine: Case) -> None:
    make_assignment(make_contract("C-other", customer="K-other", brand="Sudlicht"), "192.0.2.11/32")
    other = make_case(contract="C-other", address="192.0.2.11")
    make_complaint(other, address="192.0.2.11", subject="Their watch")

    page = text_of(by_brand, "/whose?address=192.0.2.0/24&at=2026-03-10T12:00:00Z")

    assert "Customer K-mine" in page
    assert "K-other" not in page
    assert "Their watch" not in page


def test_a_case_that_began_elsewhere_is_not_named(by_network: Client, theirs: Case) -> None:
    make_complaint(theirs, address=OURS, message=make_message(b"second"))

    page = text_of(by_network, f"/whose?address={OURS}&at=2026-03-10T12:00:00Z")

    assert theirs.number not in page
    assert "in a case that is not yours" in page


# --- customers


def test_customers_are_those_of_their_part(nora: Client, mine: Case, theirs: Case) -> None:
    page = text_of(nora, "/customers")

    assert "Customer K-mine" in page
    assert "theirs" not in page


@pytest.mark.parametrize("asked", ["K-theirs", "C-theirs", "c-theirs@customer.example", "Customer K-theirs"])
def test_no_search_finds_a_customer_of_others(nora: Client, mine: Case, theirs: Case, asked: str) -> None:
    response = nora.get("/customers", {"q": asked})

    assert response.status_code == 200
    assert "Nobody like that" in response.content.decode()


def test_a_customer_or_contract_of_others_does_not_exist(nora: Client, mine: Case, theirs: Case) -> None:
    other = Contract.objects.get(reference="C-theirs")

    assert nora.get(f"/customers/{other.customer_id}").status_code == 404
    assert nora.get(f"/contracts/{other.pk}").status_code == 404
    assert nora.get(f"/contracts/{mine.contract_id}", follow=True).status_code == 200


def test_of_a_customer_of_both_they_see_their_part(nora: Client, mine: Case) -> None:
    make_assignment(make_contract("C-else", customer="K-mine", brand="Sudlicht"), "198.51.100.30/32")
    else_case = make_case(contract="C-else", address="198.51.100.30")

    pages = [text_of(nora, path) for path in ("/customers", f"/customers/{mine.contract.customer_id}")]

    for page in pages:
        assert "C-mine" in page
        assert "C-else" not in page
        assert else_case.number not in page
        assert "198.51.100.30" not in page


def test_lines_outside_their_networks_are_not_shown(by_network: Client, mine: Case) -> None:
    make_network("198.51.100.0/24")
    make_assignment(mine.contract, "198.51.100.40/32")

    page = text_of(by_network, f"/customers/{mine.contract.customer_id}")

    assert f"{OURS}/32" in page
    assert "198.51.100.40" not in page


def test_open_cases_of_a_customer_are_counted_where_they_may_be_seen(by_network: Client, mine: Case) -> None:
    make_case(contract=mine.contract, address=THEIRS, category="malware")

    assert re.search(r"C-mine 1 open case ", text_of(by_network, "/customers"))


def test_further_pages_go_on_where_the_first_ended(nora: Client, mine: Case, theirs: Case) -> None:
    for number in range(60):
        make_case(make_contract(f"C-{number}", customer=f"K-{number}", brand="Nordlicht"), address=OURS)

    first = nora.get("/customers").content.decode()
    below = re.search(r'rel="next" href="\?((?:below|after)=[\w.]+)"', first)
    assert below
    second = nora.get(f"/customers?{below[1]}").content.decode()

    numbers = [re.findall(r'href="/customers/(\d+)"', page) for page in (first, second)]
    assert [len(each) for each in numbers] == [50, 11]
    assert not set(numbers[0]) & set(numbers[1])


# --- corrections


def correct(case: Case, to: str, brand: str) -> Reattribution:
    """The complaints of the case turn out to be another contract's."""
    address = case.address_text
    contract = make_contract(to, customer=f"K-{to}", brand=brand)
    case.contract.assignments.all().delete()
    make_assignment(contract, f"{address}/32")
    propose_reattributions(list(case.complaints.values_list("pk", flat=True)), because="leases.csv", now=NOON)
    return Reattribution.objects.get(complaint__case=case)


def test_corrections_within_their_part_are_theirs_to_decide(nora: Client, mine: Case) -> None:
    row = correct(mine, "C-new", "Nordlicht")

    assert "C-new" in text_of(nora, "/corrections")
    assert "C-new" in text_of(nora, f"/corrections/review?group={row.pk}")
    nora.post("/corrections/decide", {"group": row.pk, "upto": row.pk, "do": "dismiss", "which": "all"})
    row.refresh_from_db()
    assert row.state == "dismissed"


@pytest.mark.parametrize("path", ["/corrections", "/corrections/review?group={}"])
def test_corrections_of_others_are_not_shown(nora: Client, theirs: Case, path: str) -> None:
    row = correct(theirs, "C-new", "Sudlicht")

    page = text_of(nora, path.format(row.pk))

    assert "C-new" not in page
    assert "C-theirs" not in page
    assert "Nothing to correct" in page


def test_corrections_of_others_cannot_be_decided_nor_undone(nora: Client, theirs: Case) -> None:
    row = correct(theirs, "C-new", "Sudlicht")
    nora.post("/corrections/decide", {"group": row.pk, "upto": row.pk, "do": "dismiss", "which": "all"})
    row.refresh_from_db()
    assert row.state == "proposed"

    Reattribution.objects.update(state="applied", decided_at=NOON + timedelta(hours=1), decided_by="ada")
    assert nora.post(f"/corrections/{row.pk}/undo").status_code == 404
    assert "ada" not in text_of(nora, "/corrections")


def test_a_correction_that_leads_out_of_their_brands_is_not_theirs(by_brand: Client, mine: Case) -> None:
    correct(mine, "C-new", "Sudlicht")

    page = text_of(by_brand, "/corrections")

    assert "C-new" not in page
    assert "Nothing to correct" in page


def test_the_menu_counts_their_corrections_alone(nora: Client, mine: Case, theirs: Case) -> None:
    correct(theirs, "C-new", "Sudlicht")
    assert "nav-count" not in nora.get("/customers").content.decode()

    correct(mine, "C-newer", "Nordlicht")
    assert '<span class="nav-count">1<' in nora.get("/customers").content.decode()


# --- together


def test_the_menu_offers_what_opens(nora: Client) -> None:
    """The palette is made from the menu, too."""
    page = nora.get("/").content.decode()
    menu = page.partition("<main")[0]

    offered = {path for path in re.findall(r'href="(/[a-z-]*)"', menu) if not path.startswith(("/static", "/logout"))}

    assert {"/unattributed", "/whose", "/customers", "/corrections", "/tasks"} <= offered
    assert {path: nora.get(path).status_code for path in offered} == dict.fromkeys(offered, 200)
