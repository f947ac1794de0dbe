"""The page of the sources: for administrators, with what each says of an address."""

from __future__ import annotations

import re

import pytest
from django.test import Client
from django.urls import reverse

from complaints.models import HostedName, SharedMachine
from tests.factories import LONG_AGO, make_assignment, make_contract, make_network, make_shared_machine, make_user
from tests.services.http import Response, http_service

URL = "/resolvers"


@pytest.fixture
def root(db: None) -> Client:
    client = Client()
    client.force_login(make_user("root", is_staff=True, is_superuser=True))
    make_network("192.0.2.0/24")
    return client


def text_of(page: bytes) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", page.decode()).split())


def ask(client: Client, **fields: str) -> str:
    response = client.post(URL, fields)
    assert response.status_code == 200
    return text_of(response.content)


def test_only_administrators_see_it(ada: Client, root: Client):
    assert ada.get(URL).status_code == 403
    assert URL not in ada.get("/").content.decode()
    assert root.get(URL).status_code == 200
    assert URL in root.get("/").content.decode()


def test_sources_stand_in_their_order_with_their_health(root: Client, settings):
    settings.RESOLVERS = ("domain", "assignment")

    shown = root.get(URL).context["sources"]

    assert [(each.name, each.number, each.word.text) for each in shown] == [
        ("domain", 1, "Works"),
        ("assignment", 2, "Look at it"),  # nothing was imported yet
        ("smtp_user", 0, "Not in use"),
        ("external", 0, "Not in use"),
    ]


def test_an_address_is_answered_by_each_and_by_all(root: Client):
    make_assignment("C-1", "192.0.2.10/32")
    HostedName.objects.create(name="shop.example", contract=make_contract("C-2"))

    page = ask(root, address="192.0.2.10", name="www.shop.example", at="2026-03-10T12:00:00Z")

    assert "Unsure C-1 had the address, but shop.example is a registered site of C-2." in page
    assert "The address is a line of ours. Asked for 10 Mar 2026, 12:00:00 UTC, give or take 300 s." in page
    assert f"C-1 {LONG_AGO:%-d %b %Y}, 00:00 – still" in page
    assert "C-2 always – still" in page


def test_a_login_at_a_relay_is_asked_for(root: Client):
    make_shared_machine("192.0.2.25/32", "mail")

    page = ask(root, address="192.0.2.25", account="anna@isp.example")

    assert "no contract of ours has the login anna@isp.example" in page


def test_a_dead_outside_source_is_told(root: Client, settings):
    with http_service(lambda _: Response(500)) as service:
        settings.RESOLVER_URL, settings.RESOLVER_KEY = service.url, "0123456789abcdef"
        page = ask(root, address="192.0.2.10")

    assert "Worth asking again at" in page
    assert "status 500" in page


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({}, "Give an address or a host name."),
        ({"address": "192.0.2"}, "&#x27;192.0.2&#x27; is not an IP address; write it as 192.0.2.10"),
        ({"address": "192.0.2.1", "port": "65536"}, "A port is a number from 1 to 65535."),
        ({"address": "192.0.2.1", "port": "x"}, "A port is a number from 1 to 65535."),
        ({"address": "192.0.2.1", "at": "2026-03-10T12:00:00"}, "has no time zone"),
        ({"name": "<b>"}, "&#x27;&lt;b&gt;&#x27; is no host name; write it as www.shop.example."),
        ({"address": "1" * 61}, "at most 60 characters"),
    ],
)
def test_what_is_no_question_is_told_beside_the_field_and_kept(root: Client, fields: dict[str, str], told: str):
    page = root.post(URL, fields).content.decode()

    assert told in page
    assert "The answer" not in page
    assert all(f'value="{value}"' in page for value in fields.values() if "<" not in value)


def test_shared_machines_are_entered_in_the_admin(root: Client):
    url = reverse("admin:complaints_sharedmachine_add")
    fields = {"prefix_text": "192.0.2.25/32", "what": "mail", "name": "relay1", "tells_login": "on"}

    assert root.post(url, fields).status_code == 302
    assert str(SharedMachine.objects.get()) == "192.0.2.25/32 relay1"
    assert "192.0.2.25/32 is such a machine already." in root.post(url, fields).content.decode()
    assert root.post(url, fields | {"what": "web"}).status_code == 302
