"""GET /api/whose, as a program sees it."""

import json
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.cache import caches
from django.core.management import CommandError, call_command
from django.test import Client
from pytest_django import Settings

from complaints.api import keys
from complaints.models import ApiKey
from tests.factories import NOON, make_assignment, make_network

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _empty_cache() -> None:
    caches["process"].clear()


@pytest.fixture
def secret() -> str:
    return make("billing")


def make(name: str, *scopes: str) -> str:
    return keys.make_key(name, scopes=scopes or ["whose"], actor="ada", now=NOON)[1]


def get(secret: str, query: str = "address=192.0.2.10", **headers: str) -> Any:
    """A call without cookies; the CSRF check is on, as in production."""
    filled = {"Authorization": f"Bearer {secret}"} if secret else {}
    return Client(enforce_csrf_checks=True).get(f"/api/whose?{query}", headers=filled | headers)


def printed(*words: str) -> dict[str, Any]:
    out = StringIO()
    call_command("whose", *words, stdout=out)
    return dict(json.loads(out.getvalue()))


def test_the_api_answers_what_the_command_prints(secret: str) -> None:
    make_network("192.0.2.0/24")
    make_assignment("C-1", kind="cgnat", port_first=1024, port_last=2047)
    answer = get(secret, "address=192.0.2.10&port=1024&at=2026-03-10T13:00:00%2B01:00")

    assert answer.status_code == 200
    assert answer["Content-Type"] == "application/json"
    assert "no-store" in answer["Cache-Control"]
    assert answer.json() == printed("192.0.2.10", "--port", "1024", "--at", "2026-03-10T13:00:00+01:00")
    assert (answer.json()["answer"], answer.json()["contract"]) == ("owner", "C-1")


def test_an_offset_that_lost_its_plus_sign_on_the_way_is_read(secret: str) -> None:
    assert get(secret, "address=192.0.2.10&at=2026-03-10T13:00:00+01:00").json()["at"] == "2026-03-10T12:00:00+00:00"


@pytest.mark.parametrize(
    ("headers", "error"),
    [
        ({}, "no key was sent"),
        ({"Authorization": "Basic YWRhOmFkYQ=="}, "no key was sent"),
        ({"Authorization": "Bearer "}, "no key was sent"),
        ({"Authorization": "Bearer x"}, "the key is unknown or revoked"),
        ({"Authorization": "Bearer adk_" + "A" * 43}, "the key is unknown or revoked"),
        ({"Authorization": "Bearer " + "A" * 100_000}, "the key is unknown or revoked"),
    ],
)
def test_without_a_good_key_nothing_is_answered(headers: dict[str, str], error: str) -> None:
    answer = get("", **headers)
    assert (answer.status_code, answer.json()["error"]) == (401, error)
    assert answer["WWW-Authenticate"].startswith('Bearer realm="abuse desk"')
    assert answer.json()["do"]


def test_a_key_in_the_address_is_no_key(secret: str) -> None:
    assert get("", f"address=192.0.2.10&key={secret}").status_code == 401


def test_a_session_of_the_desk_opens_nothing_here(admin_client: Client) -> None:
    assert admin_client.get("/api/whose?address=192.0.2.10").status_code == 401


def test_a_revoked_key_is_refused_at_once(secret: str) -> None:
    assert get(secret).status_code == 200
    call_command("revoke_api_key", "billing", stdout=StringIO())
    assert get(secret).json()["error"] == "the key is unknown or revoked"


def test_a_key_opens_only_what_its_scopes_name(secret: str) -> None:
    ApiKey.objects.update(scopes=["reports"])
    answer = get(secret)
    assert (answer.status_code, answer.json()["do"]) == (403, "Ask for a key with the scope “whose”.")


@pytest.mark.parametrize(
    ("query", "error"),
    [
        ("", "address: is missing"),
        ("address=x", "the question: 'x' is not an IP address"),
        ("address=192.0.2.0/24", "the question: '192.0.2.0/24' is not an IP address"),
        ("address=192.0.2.10&port=0", "the question: '0' is not a port from 1 to 65535"),
        ("address=192.0.2.10&prot=25", "prot: is none of address, at, port"),
        ("address=192.0.2.10&address=192.0.2.11", "address: stands there twice"),
        ("address=" + "9" * 101, "address: is longer than 100 characters"),
        (
            "address=192.0.2.10&at=2026-03-10T12:00:00",
            "the question: '2026-03-10T12:00:00' has no time zone: write 2026-03-10T12:00:00Z, "
            "or an offset such as +01:00 for Z",
        ),
    ],
)
def test_a_bad_question_is_told_what_is_wrong(secret: str, query: str, error: str) -> None:
    answer = get(secret, query)
    assert (answer.status_code, answer.json()["error"]) == (400, error)
    assert answer.json()["do"]


@pytest.mark.parametrize("method", ["post", "put", "delete", "patch", "head", "options"])
def test_other_methods_are_refused_in_json(secret: str, method: str) -> None:
    answer = getattr(Client(enforce_csrf_checks=True), method)(
        "/api/whose", headers={"Authorization": f"Bearer {secret}"}
    )
    assert (answer.status_code, answer["Allow"]) == (405, "GET")


def test_who_asks_too_fast_is_told_to_wait(secret: str, settings: Settings) -> None:
    settings.API_RATE = 2
    other = make("another")
    answers = [get(secret) for _ in range(3)]
    if answers[2].status_code == 200:  # the minute ended between them
        answers = [get(secret) for _ in range(3)]

    assert [each.status_code for each in answers] == [200, 200, 429]
    assert 1 <= int(answers[2]["Retry-After"]) <= 60
    assert answers[2].json()["do"].startswith("Wait ")
    assert get(other).status_code == 200


def test_a_key_is_shown_once_and_only_its_hash_is_kept() -> None:
    out = StringIO()
    call_command("make_api_key", "billing", "--scope", "whose", stdout=out)
    secret, row = out.getvalue().strip(), ApiKey.objects.get()

    assert keys.KEY.fullmatch(secret)
    assert (row.name, row.scopes, bytes(row.key_hash)) == ("billing", ["whose"], keys.hash_of(secret))
    assert secret not in str([each.__dict__ for each in ApiKey.objects.all()])
    assert keys.find_key(secret) == row


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (["billing", "--scope", "all"], "scope all: choose of whose"),
        ([" ", "--scope", "whose"], "a key needs a name of 1 to 100 characters"),
        (["taken", "--scope", "whose"], "a key named 'taken' is in use"),
    ],
)
def test_a_key_that_cannot_be_made_says_why(words: list[str], problem: str) -> None:
    make("taken")
    with pytest.raises(CommandError, match=problem):
        call_command("make_api_key", *words, stdout=StringIO())


def test_the_name_of_a_revoked_key_is_free_again() -> None:
    old = make("billing")
    assert keys.revoke_key("billing", now=NOON)
    assert make("billing") != old


def test_revoking_what_is_not_in_use_is_an_error() -> None:
    with pytest.raises(CommandError, match="no key in use is named 'billing'"):
        call_command("revoke_api_key", "billing", stdout=StringIO())


def test_the_last_use_is_noted_to_the_minute(secret: str) -> None:
    row = ApiKey.objects.get()
    for at, noted in [(NOON, NOON), (NOON + timedelta(seconds=59), NOON), (NOON + timedelta(seconds=61), None)]:
        keys.note_use(ApiKey.objects.get(), now=at)
        row.refresh_from_db()
        assert row.last_used_at == (noted or at)
