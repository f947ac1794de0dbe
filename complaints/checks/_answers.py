"""What the addresses in a list's answer mean. Pure. RFC 5782 section 2.3 and the lists' own pages."""

from __future__ import annotations

import dataclasses
import ipaddress
from collections.abc import Iterable
from enum import StrEnum

from complaints.checks._lists import Code, DnsblList

LOOPBACK = ipaddress.ip_network("127.0.0.0/8")
REFUSALS = ipaddress.ip_network("127.255.255.0/24")
SILENCED = ipaddress.IPv4Address("127.0.0.1")  # "blocked" on most lists, a code of its own on a few
# A cause that says nothing of this line: the range is dynamic, the neighbours are bad, the host is good.
STATUS_OF_CAUSE = {"policy": "policy", "network": "policy", "allow": "allow"}


class Status(StrEnum):
    LISTED = "listed"
    POLICY = "policy"
    ALLOW = "allow"
    NOT_LISTED = "not-listed"
    UNKNOWN = "unknown"


@dataclasses.dataclass(frozen=True, slots=True)
class Reading:
    """`meanings` of every code in the answer; `causes` only of those that are held against the line."""

    status: Status
    meanings: tuple[str, ...] = ()
    causes: tuple[str, ...] = ()
    reason: str = ""


def read_answer(each: DnsblList, addresses: frozenset[ipaddress.IPv4Address]) -> Reading:
    """One answer as a whole: an error code in it spoils it, else the gravest code counts."""
    if not addresses:
        return Reading(Status.NOT_LISTED)
    if error := error_among(each, addresses):
        return Reading(Status.UNKNOWN, reason=error)
    codes = [code for address in sorted(addresses) for code in explain(each, address)]
    statuses = [status_of(cause) for code in codes for cause in code.causes]
    status = min(statuses, key=list(Status).index)
    return Reading(
        status,
        meanings=tuple(dict.fromkeys(code.meaning for code in codes)),
        causes=tuple(sorted({cause for code in codes for cause in code.causes if status_of(cause) == status})),
    )


def error_among(each: DnsblList, addresses: Iterable[ipaddress.IPv4Address]) -> str | None:
    """In words, why these answers are no statement about an address, or None."""
    for address in sorted(addresses):
        if any(code.matches(address) and not code.bit for code in each.codes):
            continue
        for code in each.errors:
            if code.matches(address):
                return f"answers {address}: {code.meaning}"
        if any(code.matches(address) for code in each.codes):  # bits: an error's bit spoils those beside it
            continue
        if address not in LOOPBACK:
            return f"answers {address}, outside 127.0.0.0/8: no list answers so, its domain may be parked"
        if address in REFUSALS or address == SILENCED:
            return f"answers {address}: it refuses our questions"
    return None


def explain(each: DnsblList, address: ipaddress.IPv4Address) -> list[Code]:
    """The catalogue's entry, or one for each bit; any other address in 127.0.0.0/8 is a listing all the same
    (section 2.3)."""
    found = [code for code in each.codes if code.matches(address)]
    unexplained = Code(first=address, last=address, meaning=f"{address} (not explained)", causes=(each.cause,))
    return found if found and found[0].bit else found[:1] or [unexplained]


def status_of(cause: str) -> Status:
    return Status(STATUS_OF_CAUSE.get(cause, "listed"))
