"""Abuse contacts of other networks, from a registry on loopback."""

from __future__ import annotations

import json
from typing import Any

import pytest

from complaints.adapters.http import NoAnswer
from complaints.adapters.rdap import RegisteredNetwork, ask_registry
from tests.services.http import Response, http_service


def card(email: Any = "abuse@other.example", name: str = "Abuse team") -> list[Any]:
    return ["vcard", [["version", {}, "text", "4.0"], ["fn", {}, "text", name], ["email", {}, "text", email]]]


def entity(*roles: str, vcard: Any = None, below: Any = None) -> dict[str, Any]:
    return {"objectClassName": "entity", "roles": list(roles), "vcardArray": vcard, "entities": below}


def network(*entities: Any, first: str = "198.51.100.0", last: str = "198.51.100.255", **more: Any) -> dict[str, Any]:
    return {
        "objectClassName": "ip network",
        "startAddress": first,
        "endAddress": last,
        "handle": "NET-1",
        "name": "OTHER-NET",
        "entities": list(entities),
    } | more


def ask(document: Any, address: str = "198.51.100.7") -> RegisteredNetwork | None:
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    with http_service(lambda _: Response(200, (body,))) as service:
        found = ask_registry(address, url=service.url, timeout_s=10)
    assert [request.path for request in service.requests] == [f"/answers/ip/{address}"]
    return found


def test_the_entity_with_the_role_abuse_is_the_contact():
    found = ask(network(entity("registrant", vcard=card("boss@other.example")), entity("noc", "abuse", vcard=card())))

    assert found == RegisteredNetwork("198.51.100.0/24", "NET-1", "OTHER-NET", "abuse@other.example")


@pytest.mark.parametrize(
    ("entities", "email"),
    [
        ([entity("registrant", below=[entity("abuse", vcard=card())])], "abuse@other.example"),  # as ARIN has it
        (
            [
                entity("registrant", below=[entity("abuse", vcard=card("far@other.example"))]),
                entity("Abuse", vcard=card()),
            ],
            "abuse@other.example",
        ),
        ([entity("abuse", vcard=card("no mail")), entity("abuse", vcard=card())], "abuse@other.example"),
        ([entity("abuse", vcard=card("a@b.example\r\nBcc: c@d.example"))], ""),
        ([entity("abuse", vcard=card(["a@b.example"]))], ""),
        ([entity("abuse", vcard="vcard")], ""),
        ([entity("abuse", vcard=["vcard", [["email"], 5, None]])], ""),
        ([entity("registrant", vcard=card())], ""),
        (["abuse", 5, None], ""),
        ([], ""),
    ],
)  # fmt: skip
def test_the_nearest_abuse_contact_with_an_address_counts(entities: list[Any], email: str):
    found = ask(network(*entities))

    assert found is not None
    assert found.email == email


@pytest.mark.parametrize(
    ("first", "last", "address", "prefix"),
    [
        ("198.51.100.0", "198.51.100.255", "198.51.100.255", "198.51.100.0/24"),
        ("198.51.100.0", "198.51.101.127", "198.51.101.5", "198.51.101.0/25"),
        ("198.51.100.7", "198.51.100.7", "198.51.100.7", "198.51.100.7/32"),
        ("2001:db8::", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", "2001:db8::7", "2001:db8::/32"),
    ],
)
def test_the_prefix_is_the_part_of_the_range_around_the_address(first: str, last: str, address: str, prefix: str):
    found = ask(network(first=first, last=last), address)

    assert found is not None
    assert found.prefix == prefix


@pytest.mark.parametrize(
    ("document", "problem"),
    [
        (b"<html>", "no JSON"),
        (b"[" * 100_000, "no JSON"),
        ([], "no network of RDAP"),
        ({"objectClassName": "domain"}, "no network of RDAP"),
        (network(first="192.0.2.0", last="192.0.2.255"), "does not hold the address"),
        (network(first="198.51.100.255", last="198.51.100.0"), "does not hold the address"),
        (network(first="2001:db8::", last="198.51.100.0"), "does not hold the address"),
        ({}, "does not hold the address"),
        (b" " * 2_000_000, "more than 1048576 bytes"),
    ],
)
def test_what_is_no_answer_is_said(document: Any, problem: str):
    with pytest.raises(NoAnswer, match=problem):
        ask(document)


def test_a_registry_that_answers_for_everything_knows_nothing():
    assert ask(network(entity("abuse", vcard=card()), first="0.0.0.0", last="255.255.255.255")) is None


def test_no_such_network_is_none_and_too_many_questions_no_answer():
    with http_service(lambda _: Response(404)) as service:
        assert ask_registry("198.51.100.7", url=service.url, timeout_s=10) is None
        service.answer = lambda _: Response(429)
        with pytest.raises(NoAnswer, match="status 429"):
            ask_registry("198.51.100.7", url=service.url, timeout_s=10)


def test_a_bootstrap_service_sends_on_to_the_registry():
    def answer(request: Any) -> Response:
        if request.path.startswith("/answers"):
            return Response(302, headers={"Location": "/registry/ip/198.51.100.7"})
        return Response(200, (json.dumps(network(entity("abuse", vcard=card()))).encode(),))

    with http_service(answer) as service:
        found = ask_registry("198.51.100.7", url=service.url, timeout_s=10)

    assert found is not None
    assert found.email == "abuse@other.example"


def test_hidden_characters_do_not_come_through():
    found = ask(network(handle="NET\u202e\n-1", name="x" * 300))

    assert found is not None
    assert (found.handle, found.name) == ("NET-1", "x" * 200)
