"""Contracts that nobody can be told of: who is listed, in which order, and how they leave the list."""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import dns.flags
import dns.message
import dns.rcode
import dns.rrset
import pytest
from django.test import Client
from django.urls import reverse

from complaints.attribution.contacts import note_bounced
from complaints.desk import contacts_page
from complaints.models import Contact, Contract, MailDomain
from tests.factories import NOON, make_case, make_contact, make_contract, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk(client: Client) -> Client:
    client.force_login(make_user())
    return client


def listed(desk: Client, query: str = "") -> list[str]:
    page = desk.get(reverse("desk:contacts") + query).content.decode()
    return re.findall(r'data-main href="[^"]*">([^<]*)</a>', page)


def test_who_has_a_contact_that_works_is_not_listed(desk):
    make_contract("works")
    make_contract("none", email="")
    broken = make_contract("broken")
    note_bounced(broken.contacts.get().email, reason="550 no such user", now=NOON)

    assert listed(desk) == ["none", "broken"]
    assert "550 no such user" in desk.get(reverse("desk:contacts")).content.decode()


def test_one_contact_that_works_is_enough():
    contract = make_contract("C-1")
    make_contact(contract, email="other@customer.example", role="technical")
    note_bounced("c-1@customer.example", reason="550", now=NOON)

    contract.refresh_from_db()
    assert contract.reachable
    assert contract.person_in_charge().email == "other@customer.example"


def test_a_contract_is_reachable_with_its_first_contact_and_not_after_its_last():
    contract = make_contract("C-1", email="")
    contact = make_contact(contract)
    assert Contract.objects.unreachable().count() == 0

    contact.delete()
    assert Contract.objects.unreachable().count() == 1


def test_open_cases_come_first_and_the_most_complaints_on_top(desk):
    for name in ("idle", "few", "many", "closed"):
        make_contract(name, email="")
    make_case("few", complaint_count=2)
    make_case("many", complaint_count=9)
    make_case("closed", state="closed", resolution="stale", closed_at=NOON)

    assert listed(desk) == ["many", "few", "idle", "closed"]


@pytest.mark.parametrize("page", [1, 2, 3, 10])
def test_pages_hold_everybody_once(desk, monkeypatch, page):
    monkeypatch.setattr(contacts_page, "PAGE", page)
    for n in range(6):
        make_contract(f"C-{n}", email="")
    for name in ("C-1", "C-3", "C-4"):
        make_case(name, complaint_count=2)
    found, query = [], ""
    while True:
        found += listed(desk, query)
        following = re.search(r'rel="next" href="([^"]*)"', desk.get(reverse("desk:contacts") + query).content.decode())
        if not following:
            break
        query = following[1]

    assert found == ["C-1", "C-3", "C-4", "C-0", "C-2", "C-5"]


@pytest.mark.parametrize("after", ["x", "-", "1-x", "9" * 30, "-5"])
def test_a_nonsense_key_begins_at_the_top(desk, after):
    make_contract("C-1", email="")

    assert listed(desk, f"?after={after}") in (["C-1"], [])


def test_everybody_reachable_says_so(desk):
    assert "Every contract can be told" in desk.get(reverse("desk:contacts")).content.decode()


def test_a_person_may_know_better(desk):
    contact = make_contract("C-1").contacts.get()
    note_bounced(contact.email, reason="550", now=NOON)

    answer = desk.post(reverse("desk:contacts-again", args=[contact.pk]), follow=True)

    assert "C-1 can be told again" in answer.content.decode()
    assert listed(desk) == []


@contextmanager
def resolver(answers: dict[tuple[str, str], list[str] | None]) -> Iterator[tuple[str, int]]:
    """A DNS server: records by name and type; None: the name does not exist; not there: no answer."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        sock.settimeout(0.1)
        ended = threading.Event()

        def serve() -> None:
            while not ended.is_set():
                try:
                    raw, peer = sock.recvfrom(4096)
                except TimeoutError:
                    continue
                asked = dns.message.from_wire(raw)
                name, kind = asked.question[0].name, dns.rdatatype.to_text(asked.question[0].rdtype)
                key = (name.to_text(omit_final_dot=True), kind)
                if key not in answers:
                    continue
                reply = dns.message.make_response(asked)
                if answers[key] is None:
                    reply.set_rcode(dns.rcode.NXDOMAIN)
                elif answers[key]:
                    reply.answer.append(dns.rrset.from_text(name, 60, "IN", kind, *answers[key]))
                sock.sendto(reply.to_wire(), peer)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield sock.getsockname()
        finally:
            ended.set()
            thread.join()


@pytest.mark.parametrize(
    ("answers", "verdict", "reachable"),
    [
        ({("customer.example", "MX"): ["10 mx.customer.example."]}, "takes", True),
        (
            {
                ("customer.example", "MX"): [],
                ("customer.example", "A"): ["192.0.2.1"],
            },
            "takes",
            True,
        ),
        (
            {("customer.example", "MX"): [], ("customer.example", "A"): [], ("customer.example", "AAAA"): []},
            "refuses",
            False,
        ),
        ({("customer.example", "MX"): ["0 ."]}, "refuses", False),
        ({("customer.example", "MX"): None}, "refuses", False),
        ({}, "unknown", True),
    ],
)
def test_what_the_dns_says_of_the_domain(desk, settings, monkeypatch, answers, verdict, reachable):
    monkeypatch.setattr("complaints.attribution.contacts.TIMEOUT_S", 0.3)
    contract = make_contract("C-1")
    with resolver(answers) as address:
        settings.DNS_RESOLVERS = (address,)
        desk.post(reverse("desk:contacts-check", args=[contract.pk]))

    contract.refresh_from_db()
    assert (MailDomain.objects.get().verdict, contract.reachable) == (verdict, reachable)


def test_a_domain_that_takes_mail_again_is_believed_but_not_a_mailbox_that_bounced(desk, settings):
    contract = make_contract("C-1")
    make_contact(contract, email="bounced@customer.example", role="technical", problem="bounced")
    Contact.objects.filter(email="c-1@customer.example").update(problem="undeliverable")
    Contract.objects.note_reachable()
    with resolver({("customer.example", "MX"): ["10 mx.customer.example."]}) as address:
        settings.DNS_RESOLVERS = (address,)
        desk.post(reverse("desk:contacts-check", args=[contract.pk]))

    assert sorted(contract.contacts.values_list("email", "problem")) == [
        ("bounced@customer.example", "bounced"),
        ("c-1@customer.example", ""),
    ]


def test_a_domain_that_was_asked_lately_is_not_asked_again(desk, settings):
    contract = make_contract("C-1")
    with resolver({("customer.example", "MX"): ["10 mx.customer.example."]}) as address:
        settings.DNS_RESOLVERS = (address,)
        desk.post(reverse("desk:contacts-check", args=[contract.pk]))
    settings.DNS_RESOLVERS = ()

    answer = desk.post(reverse("desk:contacts-check", args=[contract.pk]), follow=True)

    assert "customer.example takes mail" in answer.content.decode()


def test_the_menu_counts_them(desk):
    make_contract("works")
    for n in range(3):
        make_contract(f"C-{n}", email="")

    assert (
        '<span class="nav-count">3<span class="hidden"> contracts cannot be told'
        in desk.get("/unread").content.decode()
    )
