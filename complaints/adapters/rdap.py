"""Whose network an address is in and who takes abuse complaints there, by RDAP (RFC 9082 section 3.1.1, RFC 9083).

The abuse contact is an entity with the role "abuse" (section 10.2.4), of the network itself or of one of its entities:
ARIN hangs it below the registrant. Its address stands in a jCard (RFC 7095). Everything in the answer is hostile until
it is shown to be what it should be.
"""

from __future__ import annotations

import ipaddress
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from .http import NoAnswer, follow

MOST_BYTES: Final = 2**20
DEEPEST: Final = 4  # entities within entities
MOST_ENTITIES: Final = 200
SHORTEST: Final = {4: 8, 6: 12}  # a registry that answers for more speaks of what it does not know
EMAIL = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.){1,20}[A-Za-z0-9-]{2,63}")
ACCEPT: Final = {"Accept": "application/rdap+json, application/json"}


@dataclass(frozen=True, slots=True)
class RegisteredNetwork:
    """prefix: the part of it that holds the address, as 192.0.2.0/24. Empty texts: the registry says nothing."""

    prefix: str
    handle: str
    name: str
    email: str


def ask_registry(address: str, *, url: str, timeout_s: float) -> RegisteredNetwork | None:
    """None: the registry knows no such network.

    Raises:
        NoAnswer: it could not be asked, or the answer is no RDAP about this address.
    """
    reply = follow(f"{url.rstrip('/')}/ip/{address}", headers=ACCEPT, timeout_s=timeout_s, most_bytes=MOST_BYTES)
    if reply.status == 404:
        return None
    if reply.status != 200:
        raise NoAnswer(f"status {reply.status}")
    try:
        document = json.loads(reply.body)
    except (ValueError, RecursionError):
        raise NoAnswer("an answer that is no JSON") from None
    if not isinstance(document, dict) or document.get("objectClassName", "ip network") != "ip network":
        raise NoAnswer("JSON that is no network of RDAP")
    return read_network(document, address)


def read_network(document: dict[str, Any], address: str) -> RegisteredNetwork | None:
    prefix = prefix_around(document, ipaddress.ip_address(address))
    if prefix is None:
        raise NoAnswer("a network that does not hold the address")
    if prefix.prefixlen < SHORTEST[prefix.version]:
        return None
    contact = abuse_card(document)
    return RegisteredNetwork(
        str(prefix), text_in(document, "handle")[:100], (text_in(document, "name") or contact[1])[:200], contact[0]
    )


def prefix_around(
    document: dict[str, Any], address: ipaddress.IPv4Address | ipaddress.IPv6Address
) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    """Of a range that is no single prefix, the largest one in it that holds the address."""
    try:
        first = ipaddress.ip_address(text_in(document, "startAddress").partition("/")[0])
        last = ipaddress.ip_address(text_in(document, "endAddress").partition("/")[0])
        parts = ipaddress.summarize_address_range(first, last)
        return next((part for part in parts if address in part), None)
    except (ValueError, TypeError):  # no addresses, of two families, or the wrong way round
        return None


def abuse_card(document: dict[str, Any]) -> tuple[str, str]:
    """→ (mail address, name) of the nearest abuse contact that has an address."""
    found = (read_card(entity.get("vcardArray")) for entity in entities(document) if "abuse" in roles(entity))
    return next((card for card in found if card[0]), ("", ""))


def entities(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Level by level, so that the network's own contact comes before that of whoever it belongs to."""
    level: list[Any] = [document]
    count = 0
    for _ in range(DEEPEST):
        level = [each for holder in level for each in list_of(holder.get("entities")) if isinstance(each, dict)]
        for entity in level:
            count += 1
            if count > MOST_ENTITIES:
                return
            yield entity


def roles(entity: dict[str, Any]) -> list[Any]:
    return [role.lower() for role in list_of(entity.get("roles")) if isinstance(role, str)]


def read_card(card: Any) -> tuple[str, str]:
    """["vcard", [[name, parameters, type, value], …]], RFC 7095 section 3.3."""
    properties = list_of(list_of(card)[1]) if len(list_of(card)) > 1 else []
    said: dict[str, str] = {}
    for each in properties[:100]:
        if isinstance(each, list) and len(each) > 3 and isinstance(each[0], str) and isinstance(each[3], str):
            value = each[3].strip()
            if each[0].lower() != "email" or EMAIL.fullmatch(value):
                said.setdefault(each[0].lower(), value)
    return said.get("email", ""), said.get("fn") or said.get("org", "")


def list_of(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def text_in(document: dict[str, Any], name: str) -> str:
    """One line, without characters that no name has."""
    value = document.get(name)
    return "".join(each for each in value if each.isprintable()).strip() if isinstance(value, str) else ""
