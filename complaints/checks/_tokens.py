"""Signed recipients of relay probes: `probe-<nonce>-<mac>`.

The nonce is the lookup key of the check run; the MAC binds check, address, port and form, so a probe proves
exactly one thing and an old copy proves nothing. Everything is lower-case letters and digits, because some
servers rewrite the case of a local part, and short, because percent and bang forms put the probe domain into
the local part too, which RFC 5321 section 4.5.3.1.1 limits to 64 octets.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import ipaddress
import re
import secrets
from functools import lru_cache

from complaints.checks._forms import FORMS

NONCE = re.compile(r"[a-z0-9]{8,32}")
LOCAL_PART = re.compile(r"probe-([a-z0-9]{8,32})-([a-z2-7]{16})")
RETURN_PATH = "return-path"  # signed like a form but never one: what comes back to it is a bounce
MOST_SEARCHED, MOST_TOKENS = 256 * 1024, 20
MAC_BYTES = 10  # 80 bits: exactly 16 letters of base32, no padding


def new_nonce() -> str:
    """80 random bits as 16 letters: short enough that `probe-…%probe.isp.example` stays under 64 octets."""
    return base64.b32encode(secrets.token_bytes(10)).decode().lower()


def sign_probe(secret: bytes, nonce: str, address: str, port: int, form: str) -> str:
    """Raises ValueError for a nonce that would not survive a change of case, or an empty secret."""
    if not NONCE.fullmatch(nonce):
        raise ValueError(f"probe nonce: 8 to 32 lower-case letters and digits wanted, got {nonce!r}")
    if not secret:
        raise ValueError("probe secret is empty: anybody could sign probes")
    claim = "\0".join(["relay", nonce, packed(address), str(port), form])
    mac = hmac.digest(secret, claim.encode(), hashlib.sha256)[:MAC_BYTES]
    return f"probe-{nonce}-{base64.b32encode(mac).decode().lower()}"


@lru_cache(maxsize=256)
def packed(address: str) -> str:
    return ipaddress.ip_address(address).packed.hex()


def verify_probe(secret: bytes, local_part: str, nonce: str, address: str, port: int, form: str) -> bool:
    expected = sign_probe(secret, nonce, address, port, form)
    return hmac.compare_digest(expected.encode(), normal_local_part(local_part).encode())


def match_probe(secret: bytes, local_part: str, nonce: str, address: str, port: int) -> str | None:
    """The id of the form whose probe this recipient is, or None when no form of that run signed it."""
    matching = [form.id for form in FORMS if verify_probe(secret, local_part, nonce, address, port, form.id)]
    return matching[0] if matching else None


def is_return_path(secret: bytes, local_part: str, nonce: str, address: str, port: int) -> bool:
    """Whether this recipient was the sender of the run's probes: mail to it is a bounce."""
    return verify_probe(secret, local_part, nonce, address, port, RETURN_PATH)


def tokens_in(content: bytes) -> list[str]:
    """Everything in a mail that looks like one of our local parts, unverified: a bounce names what it returns."""
    found = LOCAL_PART.findall(content[:MOST_SEARCHED].decode("ascii", "replace").lower())
    return list(dict.fromkeys(f"probe-{nonce}-{mac}" for nonce, mac in found))[:MOST_TOKENS]


def token_in(recipient: str) -> str | None:
    """The first thing in `recipient` that looks like one of our local parts, unverified.

    A relay may hand us what it was asked for as it stands: `probe-…%probe.isp.example@probe.isp.example`.
    """
    found = LOCAL_PART.search(recipient.lower())
    return found[0] if found else None


def nonce_of_probe(local_part: str) -> str | None:
    """The nonce a recipient claims, to find the run by. Unverified: ask `match_probe` next."""
    found = LOCAL_PART.fullmatch(normal_local_part(local_part))
    return found[1] if found else None


def normal_local_part(local_part: str) -> str:
    """Case and RFC 5321 quotes mean nothing in our own recipients, and relays change both."""
    return local_part.strip().removeprefix('"').removesuffix('"').lower()
