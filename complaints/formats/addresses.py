"""IP addresses as reporters write them: bracketed, commented, defanged, masked.

A masked address (192.0.2.x) or a network (192.0.2.0/24) is not an address: nobody can be found by it.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator

OCTET = r"(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)"
IPV4 = re.compile(rf"{OCTET}(?:\.{OCTET}){{3}}")
FIELD_VALUE = re.compile(r"[\s\[(<\"']*(?:IPv6:)?([0-9A-Fa-f:.]{2,45})(?:%\w+)?[\])>\"',;]*(?=\s|$|\(|:)", re.I)

# Inside a text a dotted quad must stand alone: not in a version number, a longer dotted number, a network or a mask.
DOT = r"(?:\.|\[\.\]|\(\.\)|\[dot\]|\(dot\))"
TEXT_IPV4 = re.compile(rf"(?<![\w.\-@]){OCTET}(?:{DOT}{OCTET}){{3}}(?![\w\-@]|\.[\w*]|/\d|{DOT}[\w*])", re.I)
TEXT_IPV6 = re.compile(
    r"(?<![\w:.])(?:[0-9A-Fa-f]{0,4}:){2,7}(?:[0-9A-Fa-f]{1,4}|(?:\d{1,3}\.){3}\d{1,3})?(?![\w:]|/\d)"
)
VERSION_BEFORE = re.compile(r"(?:version|release|build|firmware|rev|v|/)[\s:.]*$", re.I)

NOT_PUBLIC = (
    re.compile(
        r"(?:10|127|0)\.|192\.168\.|169\.254\.|172\.(?:1[6-9]|2\d|3[01])\.|100\.(?:6[4-9]|[7-9]\d|1[01]\d|12[0-7])\."
    ),
    re.compile(r"::1?$|f[cd][0-9a-f]{2}:|fe[89ab][0-9a-f]:", re.I),
)


def read_address(text: str | None) -> str | None:
    """The canonical text of the address that `text` begins with, or None. IPv4-mapped becomes IPv4."""
    if not text:
        return None
    if IPV4.fullmatch(text):  # the usual field: nothing but the address
        return text
    found = FIELD_VALUE.match(text[:200])
    return canonical(found[1]) if found else None


def canonical(text: str) -> str | None:
    if IPV4.fullmatch(text):
        return text
    if ":" not in text:
        return None
    try:
        address = ipaddress.IPv6Address(text)
    except ValueError:
        host, colon, port = text.rpartition(":")  # 192.0.2.1:4321
        return host if colon and port.isdigit() and IPV4.fullmatch(host) else None
    return str(address.ipv4_mapped or address)


def is_public(address: str) -> bool:
    """False for what never crosses the Internet: private, loopback, link-local, shared (RFC 1918, 6598, 4193)."""
    return not NOT_PUBLIC[":" in address].match(address)


def addresses_in(text: str) -> Iterator[tuple[int, str]]:
    """Every address in a text with its place, in order, defanged ones too; no versions, no masked ones."""
    found = [(match.start(), REFANG.sub(".", match[0])) for match in TEXT_IPV4.finditer(text)]
    found += [(match.start(), match[0]) for match in TEXT_IPV6.finditer(text) if len(match[0]) > 6]
    for place, written in sorted(found):
        if VERSION_BEFORE.search(text, max(0, place - 12), place) and not text[max(0, place - 3) : place].endswith(
            "//"
        ):
            continue
        address = canonical(written)
        if address and address not in ("0.0.0.0", "255.255.255.255", "::"):  # noqa: S104  a value seen, not bound to
            yield place, address


REFANG = re.compile(DOT, re.I)
