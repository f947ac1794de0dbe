"""Who takes abuse complaints about an address that is not ours. Off unless ABUSEDESK_RDAP_URL is set.

What a registry says is kept by the network it answered for, so one question does for all its addresses. A page shows
what is known (notices/network_contacts.py); only `fetch_contacts`, a task, asks.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from typing import Final

from django.conf import settings

from complaints.adapters.http import NoAnswer
from complaints.adapters.rdap import RegisteredNetwork, ask_registry
from complaints.addresses import address_text, enclosing_keys, family_of, prefix_key
from complaints.attribution import outside_state as state
from complaints.formats.addresses import is_public
from complaints.models import Complaint, NetworkContact
from complaints.vocabulary import Answer

log = logging.getLogger(__name__)
NAME: Final = "rdap"
TIMEOUT_S: Final = 10
AT_ONCE: Final = 5  # registries limit how often they are asked
NEWEST: Final = 500  # complaints looked through for addresses
KNOWN_FOR = timedelta(days=30)
NONE_FOR = timedelta(days=7)  # it may register one
FAILED_FOR = timedelta(hours=1)
LENGTHS = {4: range(32, 7, -1), 6: range(128, 11, -1)}


class Unknown:
    """Nobody could say: off, not asked yet, or the registry does not answer. That is not "there is none"."""


UNKNOWN: Final = Unknown()


def abuse_contact(address: bytes, *, now: datetime) -> NetworkContact | Unknown | None:
    """The contact of the network around the address key; None: its registry names none. Asks where it must."""
    known = kept_contact(address, now=now)
    if known is None:
        if not may_be_asked(address) or not state.may_ask(NAME, now=now):
            return UNKNOWN
        known = ask(address, now=now)
    if known.problem:
        return UNKNOWN
    return known if known.email else None


def fetch_contacts(*, now: datetime) -> int:
    """Ask about the newest addresses that are not ours and of whose network nothing is known; how many were asked."""
    if not settings.RDAP_URL:
        return 0
    newest = Complaint.objects.filter(answer=Answer.NOT_OURS.value).order_by("-id")
    addresses = dict.fromkeys(bytes(key) for key in newest.values_list("address", flat=True)[:NEWEST] if key)
    asked = 0
    for address in addresses:
        if asked == AT_ONCE:
            break
        if not may_be_asked(address) or kept_contact(address, now=now) is not None:
            continue
        if not state.may_ask(NAME, now=now):
            break
        ask(address, now=now)
        asked += 1
    return asked


def may_be_asked(address: bytes) -> bool:
    """Private addresses are in no registry, and nobody outside need know that somebody complained about one."""
    return bool(settings.RDAP_URL and address) and is_public(address_text(address))


def kept_contact(address: bytes, *, now: datetime) -> NetworkContact | None:
    """Of the most specific network that was asked about and is not out of date, be it that nothing was found."""
    keys = enclosing_keys(address, LENGTHS[family_of(address)])
    found = {bytes(row.key): row for row in NetworkContact.objects.filter(key__in=keys, ask_again_at__gt=now)}
    return next((found[key] for key in keys if key in found), None)


def ask(address: bytes, *, now: datetime) -> NetworkContact:
    """One question to the registry; what it said, or that it did not, is kept."""
    text = address_text(address)
    try:
        found = ask_registry(text, url=settings.RDAP_URL, timeout_s=TIMEOUT_S)
    except NoAnswer as exc:
        log.warning("the abuse contact of another network is not known: %s", exc)
        state.failed(NAME, str(exc), now=now)
        return keep(RegisteredNetwork(alone(text), "", "", ""), str(exc), FAILED_FOR, now=now)
    state.succeeded(NAME, now=now)
    network = found or RegisteredNetwork(alone(text), "", "", "")
    return keep(network, "", KNOWN_FOR if network.email else NONE_FOR, now=now)


def alone(address: str) -> str:
    return f"{address}/{128 if ':' in address else 32}"


def keep(network: RegisteredNetwork, problem: str, believed_for: timedelta, *, now: datetime) -> NetworkContact:
    email = network.email if len(network.email) <= 254 else ""
    row, _ = NetworkContact.objects.update_or_create(
        key=prefix_key(network.prefix),
        defaults={
            "email": email,
            "name": network.name,
            "handle": network.handle,
            "problem": problem[:300],
            "fetched_at": now,
            "ask_again_at": now + believed_for,
        },
    )
    return row
