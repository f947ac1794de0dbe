"""The customer's key to one case."""

from __future__ import annotations

import hashlib
from datetime import timedelta

import pytest

from complaints.models import PortalLink
from complaints.notices.links import LIFETIME, find_link, make_link, portal_url, revoke_link, token_of
from tests.factories import NOON, make_case
from tests.notices.rows import make_link_and_token

pytestmark = pytest.mark.django_db


def test_a_token_opens_its_own_case_and_no_other():
    first, second = make_case("C-1"), make_case("C-2")
    tokens = [make_link_and_token(case)[1] for case in (first, second)]
    assert tokens[0] != tokens[1]
    found = [find_link(token, now=NOON) for token in tokens]
    assert [link and link.case for link in found] == [first, second]


def test_the_row_holds_the_hash_of_the_token_and_not_the_token():
    link, token = make_link_and_token(make_case())
    stored = PortalLink.objects.get(pk=link.pk)
    assert bytes(stored.token_hash) == hashlib.sha256(token.encode()).digest()
    assert token not in repr(PortalLink.objects.values_list().get())


def test_a_token_has_256_bits_and_is_safe_in_an_address(settings):
    settings.BASE_URL = "https://abuse.isp.example"
    link, token = make_link_and_token(make_case())
    assert len(token) == 43
    assert portal_url(link) == f"https://abuse.isp.example/c/{token}"


@pytest.mark.parametrize("token", ["", "x", "a" * 43, "ä" * 43, "a" * 100_000])
def test_an_unknown_token_opens_nothing(token):
    make_link(make_case(), now=NOON)
    assert find_link(token, now=NOON) is None


def test_a_link_ends_after_its_time():
    _, token = make_link_and_token(make_case())
    assert find_link(token, now=NOON + LIFETIME - timedelta(seconds=1))
    assert find_link(token, now=NOON + LIFETIME) is None


def test_a_revoked_link_opens_nothing():
    link, token = make_link_and_token(make_case())
    revoke_link(link, now=NOON)
    assert find_link(token, now=NOON) is None


def test_a_second_revocation_keeps_the_first_time():
    link = make_link(make_case(), now=NOON)
    revoke_link(link, now=NOON)
    revoke_link(link, now=NOON + timedelta(days=1))
    assert PortalLink.objects.get().revoked_at == NOON


def test_after_a_change_of_the_secret_key_the_mailed_link_still_opens_but_cannot_be_made_again(settings):
    link, token = make_link_and_token(make_case())
    settings.SECRET_KEY = "another-key-of-the-tests"
    assert find_link(token, now=NOON) == link
    assert token_of(link) is None
    assert portal_url(link) is None


def test_a_key_among_the_fallbacks_still_makes_its_tokens(settings):
    link, token = make_link_and_token(make_case())
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "another-key-of-the-tests", [settings.SECRET_KEY]
    assert token_of(link) == token
