from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from complaints.checks import (
    RETURN_PATH,
    is_return_path,
    match_probe,
    new_nonce,
    nonce_of_probe,
    sign_probe,
    tokens_in,
    verify_probe,
)
from complaints.checks._forms import FORMS

SECRET = b"only for tests"
NONCE = "abcdefgh23456777"
HERE = "192.0.2.7"

nonces = st.text(string.ascii_lowercase + string.digits, min_size=8, max_size=32)
addresses = st.ip_addresses().map(str)
ports = st.integers(1, 65535)
forms = st.sampled_from([form.id for form in FORMS])
secrets = st.binary(min_size=32, max_size=32)  # one length: HMAC pads short keys with zeros, so b'a' is b'a\0'
claims = st.tuples(secrets, nonces, addresses, ports, forms)


@given(claims, st.randoms())
def test_probe_is_recognised_in_whatever_case_it_comes_back(claim, random):
    secret, nonce, address, port, form = claim
    local_part = sign_probe(secret, nonce, address, port, form)
    mangled = "".join(random.choice([c.lower(), c.upper()]) for c in local_part)

    assert match_probe(secret, mangled, nonce, address, port) == form
    assert nonce_of_probe(mangled) == nonce


@given(claims, claims, st.integers(0, 4))
def test_probe_of_another_secret_nonce_address_port_or_form_never_verifies(claim, other, changed):
    twisted = list(claim)
    twisted[changed] = other[changed]
    secret, nonce, address, port, form = twisted
    local_part = sign_probe(*claim)

    assert verify_probe(secret, local_part, nonce, address, port, form) == (tuple(twisted) == claim)


@given(claims, st.text(max_size=64))
def test_text_that_was_not_signed_never_matches(claim, text):
    secret, nonce, address, port, _ = claim
    assert match_probe(secret, text, nonce, address, port) is None
    assert match_probe(secret, f"probe-{nonce}-{text}", nonce, address, port) is None


def test_form_is_part_of_the_signature():
    local_parts = {sign_probe(SECRET, NONCE, HERE, 25, form.id) for form in FORMS}
    assert len(local_parts) == len(FORMS)


def test_signature_of_the_return_path_proves_no_delivery():
    returned, probe = (sign_probe(SECRET, NONCE, HERE, 25, claim) for claim in (RETURN_PATH, "pct-host"))
    assert match_probe(SECRET, returned, NONCE, HERE, 25) is None
    assert [is_return_path(SECRET, each, NONCE, HERE, 25) for each in (returned, probe)] == [True, False]


def test_a_bounce_names_the_probe_that_it_returns():
    probe = sign_probe(SECRET, NONCE, HERE, 25, "pct-host")
    report = f"To: <a@b.example>\r\n\r\nX-Relay-Check-Token: {probe.upper()}\r\nMessage-ID: <{probe}@c.example>\r\n"
    assert tokens_in(report.encode()) == [probe]


def test_quotes_around_the_local_part_do_not_matter():
    local_part = sign_probe(SECRET, NONCE, HERE, 25, "plain")
    assert match_probe(SECRET, f'"{local_part}"', NONCE, HERE, 25) == "plain"


def test_two_spellings_of_an_ipv6_address_are_one_target():
    local_part = sign_probe(SECRET, NONCE, "2001:db8::1", 25, "plain")
    assert verify_probe(SECRET, local_part, NONCE, "2001:DB8:0:0::1", 25, "plain")


@given(st.text(max_size=80))
def test_any_local_part_may_be_asked_for_its_nonce(text):
    assert nonce_of_probe(text) is None


def test_new_nonces_can_be_signed_and_differ():
    nonces = {new_nonce() for _ in range(100)}
    assert len(nonces) == 100
    assert all(sign_probe(SECRET, nonce, HERE, 25, "plain") for nonce in nonces)


def test_percent_form_of_a_long_probe_domain_stays_within_64_octets():
    local_part = sign_probe(SECRET, new_nonce(), HERE, 25, "plain")
    assert len(f"{local_part}%relay-probe.isp.example") <= 64


@pytest.mark.parametrize("nonce", ["", "short", "UPPERCASE", "with-dash", "a" * 33, "newline\nx"])
def test_nonce_that_would_not_come_back_is_refused(nonce):
    with pytest.raises(ValueError, match="nonce"):
        sign_probe(SECRET, nonce, HERE, 25, "plain")


def test_empty_secret_is_refused():
    with pytest.raises(ValueError, match="secret"):
        sign_probe(b"", NONCE, HERE, 25, "plain")
