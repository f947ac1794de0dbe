"""What is kept of other networks' abuse contacts, and when a registry is asked."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta

import pytest

from complaints.addresses import address_key
from complaints.attribution.foreign import UNKNOWN, abuse_contact, fetch_contacts
from complaints.models import NetworkContact
from tests.adapters.test_rdap import card, entity, network
from tests.factories import NOON, make_complaint
from tests.services.http import Response, Service, http_service

pytestmark = pytest.mark.django_db
DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)
ADDRESS = address_key("198.51.100.7")


@pytest.fixture
def registry(settings) -> Iterator[Service]:
    body = json.dumps(network(entity("abuse", vcard=card()))).encode()
    with http_service(lambda _: Response(200, (body,))) as service:
        settings.RDAP_URL = service.url
        yield service


def test_nobody_is_asked_where_it_is_off(registry, settings):
    settings.RDAP_URL = ""
    make_complaint(address="198.51.100.7", answer="not-ours")

    assert abuse_contact(ADDRESS, now=NOON) is UNKNOWN
    assert fetch_contacts(now=NOON) == 0
    assert registry.requests == []


def test_one_question_does_for_the_whole_network_and_for_a_month(registry):
    contact = abuse_contact(ADDRESS, now=NOON)

    assert (contact.email, contact.prefix, contact.handle) == ("abuse@other.example", "198.51.100.0/24", "NET-1")
    assert abuse_contact(address_key("198.51.100.255"), now=NOON + 29 * DAY) == contact
    assert len(registry.requests) == 1

    abuse_contact(ADDRESS, now=NOON + 30 * DAY)
    assert len(registry.requests) == 2
    assert NetworkContact.objects.count() == 1


@pytest.mark.parametrize(
    "answer", [Response(404), Response(200, (json.dumps(network()).encode(),))], ids=["no network", "no contact"]
)
def test_no_contact_is_an_answer_for_a_week(registry, answer: Response):
    registry.answer = lambda _: answer

    assert abuse_contact(ADDRESS, now=NOON) is None
    assert abuse_contact(ADDRESS, now=NOON + 6 * DAY) is None
    assert len(registry.requests) == 1


def test_a_registry_that_does_not_answer_leaves_it_unknown_for_an_hour(registry):
    good, registry.answer = registry.answer, lambda _: Response(500)
    assert abuse_contact(ADDRESS, now=NOON) is UNKNOWN
    registry.answer = good

    assert abuse_contact(ADDRESS, now=NOON + 59 * MINUTE) is UNKNOWN
    assert len(registry.requests) == 1
    assert abuse_contact(ADDRESS, now=NOON + HOUR).email == "abuse@other.example"


def test_after_a_failure_no_other_address_is_asked_about_at_once(registry):
    registry.answer = lambda _: Response(500)
    for number in range(3):
        make_complaint(address=f"198.51.100.{number}", answer="not-ours")

    assert fetch_contacts(now=NOON) == 1
    assert fetch_contacts(now=NOON + MINUTE / 3) == 0
    assert fetch_contacts(now=NOON + MINUTE) == 1


def test_the_newest_addresses_come_first_a_few_at_once(registry):
    registry.answer = lambda _: Response(404)
    for number in range(7):
        make_complaint(address=f"198.51.100.{number}", answer="not-ours")
    make_complaint(address="203.0.113.1", answer="nobody")
    make_complaint(address="10.0.0.1", answer="not-ours")

    assert fetch_contacts(now=NOON) == 5
    assert [request.path.rpartition("/")[2] for request in registry.requests] == [
        f"198.51.100.{number}" for number in (6, 5, 4, 3, 2)
    ]
    assert fetch_contacts(now=NOON) == 2
    assert fetch_contacts(now=NOON) == 0


def test_private_addresses_are_told_to_nobody(registry):
    assert abuse_contact(address_key("10.0.0.1"), now=NOON) is UNKNOWN
    assert registry.requests == []
