"""Addresses and prefixes as bytes that sort and compare in any database. Pure.

An address is 16 bytes, IPv4 as ::ffff:a.b.c.d (RFC 4291 section 2.5.5.2). A prefix is its length as one
byte and then the network's 4 or 16 bytes, so within a family the most specific prefix sorts last and
"who holds it" is a set of equality look-ups, one a prefix length in use.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterable

MAPPED = b"\0" * 10 + b"\xff\xff"
NO_ADDRESS = b""  # a complaint that names none
MASKS = {bits: [((1 << bits) - 1) ^ ((1 << (bits - length)) - 1) for length in range(bits + 1)] for bits in (32, 128)}


def address_key(text: str) -> bytes:
    """16 bytes of an IPv4 or IPv6 address. Raises ValueError for anything else."""
    try:
        if ":" in text:
            return socket.inet_pton(socket.AF_INET6, text)
        return MAPPED + socket.inet_pton(socket.AF_INET, text)
    except (OSError, ValueError, UnicodeEncodeError) as exc:
        raise ValueError(f"{text!r} is not an IP address") from exc


def address_text(key: bytes | memoryview) -> str:
    """Canonical text of an address key; IPv4-mapped as IPv4; empty for NO_ADDRESS."""
    key = bytes(key)
    if not key:
        return ""
    if key.startswith(MAPPED):
        return socket.inet_ntop(socket.AF_INET, key[12:])
    return socket.inet_ntop(socket.AF_INET6, key)


def prefix_key(text: str) -> bytes:
    """5 or 17 bytes of "192.0.2.0/24" or of one address. Raises ValueError, also when host bits are set."""
    network = ipaddress.ip_network(text.strip())
    if network.version == 6 and network.network_address.ipv4_mapped is not None:
        raise ValueError(f"{text!r}: write an IPv4-mapped prefix as IPv4")
    return bytes([network.prefixlen]) + network.network_address.packed


def prefix_text(key: bytes | memoryview) -> str:
    key = bytes(key)
    family = socket.AF_INET if len(key) == 5 else socket.AF_INET6
    return f"{socket.inet_ntop(family, key[1:])}/{key[0]}"


def family_of(key: bytes) -> int:
    """4 or 6, of an address key or a prefix key."""
    return 4 if len(key) == 5 or (len(key) == 16 and bytes(key[:12]) == MAPPED) else 6


def enclosing_keys(address: bytes, lengths: Iterable[int]) -> list[bytes]:
    """Prefix keys that contain `address`, in the order of `lengths` (prefix lengths in use of its family)."""
    packed = address[12:] if address[:12] == MAPPED else address
    size = len(packed)
    masks, number = MASKS[size * 8], int.from_bytes(packed, "big")
    return [bytes((length,)) + (number & masks[length]).to_bytes(size, "big") for length in lengths]
