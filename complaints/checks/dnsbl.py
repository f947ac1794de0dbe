"""Blacklist check: who on the net says that mail or attacks come from this address?

A list counts only when it passes its self-test and answers properly. An error is never a listing and never
"not listed". Entries about dynamic ranges or neighbours are shown but are not held against the line.
"""

from __future__ import annotations

import asyncio
import dataclasses
import ipaddress
from collections.abc import Iterable, Sequence

from complaints.addresses import prefix_text
from complaints.checks._answers import Reading, Status, read_answer
from complaints.checks._config import CheckConfig
from complaints.checks._dns import IN_FLIGHT, IPAddress, NoAnswer, sockets
from complaints.checks._inquiry import Inquiry, place_of
from complaints.checks._lists import DnsblList
from complaints.vocabulary import CheckOutcome, CheckTarget, Verdict

NAME = "dnsbl"
RANK = 20
QUEUE = "dns"  # milliseconds: apart from slow mail servers


@dataclasses.dataclass(frozen=True, slots=True)
class Finding:
    """What one list says of the address; `codes` is the whole answer. place: the address, or the /64 it speaks of."""

    asked: DnsblList
    zone: str
    place: str
    reading: Reading
    codes: tuple[str, ...] = ()
    txt: str = ""

    def as_details(self) -> dict[str, object]:
        return {
            "list": self.asked.name,
            "zone": self.zone,
            "place": self.place,
            "status": self.reading.status.value,
            "codes": list(self.codes),
            "meaning": "; ".join(self.reading.meanings),
            "cause": ", ".join(self.reading.causes),
            "txt": self.txt,
            "weight": self.asked.weight,
            "delisting": self.asked.delisting,
            "how": self.asked.how,
            "reason": self.reading.reason,
        }


async def run(target: CheckTarget, config: CheckConfig) -> CheckOutcome:
    """Raises ValueError when the target is no address; else always an outcome."""
    address = real_address(target.address)
    inquiry = config.inquiry or Inquiry(config.resolvers, config.timeouts.dns)
    asked = [each for each in config.lists if each.enabled]
    with sockets():
        return judge_lists(await asyncio.gather(*(say(each, address, inquiry) for each in asked)))


async def say_all(pairs: Sequence[tuple[DnsblList, IPAddress]], inquiry: Inquiry) -> list[Finding]:
    """What every list says of every address, in the order of `pairs`, for batches of thousands."""
    found: list[Finding | None] = [None] * len(pairs)
    waiting = iter(enumerate(pairs))

    async def work() -> None:
        for number, (each, address) in waiting:
            found[number] = await say(each, address, inquiry)

    with sockets():
        await asyncio.gather(*(work() for _ in range(min(IN_FLIGHT, len(pairs)))))
    return [finding for finding in found if finding is not None]


async def say(each: DnsblList, address: IPAddress, inquiry: Inquiry) -> Finding:
    """What the list says of the address: always a finding, whatever happens, and within a bounded time."""
    zone = each.zone_for(address.version)
    if zone is None:
        return unknown(each, each.zone, address, f"knows no IPv{address.version} addresses")
    try:
        if problem := await inquiry.problem_of(each, address.version):
            return unknown(each, zone, address, problem)
        found = await inquiry.look_up(each, address)
    except NoAnswer as exc:
        return unknown(each, zone, address, str(exc))
    reading = reading_of(each, found.codes)
    return Finding(each, zone, place_text(each, address), reading, tuple(map(str, found.codes)), found.text)


def reading_of(each: DnsblList, codes: Iterable[ipaddress.IPv4Address]) -> Reading:
    """What the answer means, wherever it came from: by DNS or out of the list's own zone file."""
    return read_answer(each, frozenset(codes))


def unknown(each: DnsblList, zone: str, address: IPAddress, reason: str) -> Finding:
    return Finding(each, zone, place_text(each, address), Reading(Status.UNKNOWN, reason=reason))


def place_text(each: DnsblList, address: IPAddress) -> str:
    by_64 = address.version == 6 and each.six_by == 64
    return prefix_text(place_of(each, address)) if by_64 else str(address)


def real_address(text: str) -> IPAddress:
    """An IPv4-mapped IPv6 address is the IPv4 address: the lists know it by that."""
    address = ipaddress.ip_address(text)
    return getattr(address, "ipv4_mapped", None) or address


def judge_lists(findings: Sequence[Finding]) -> CheckOutcome:
    """Bad by one listing, clean by one proper answer without any, unknown when nobody could answer. Pure."""
    listed = [finding for finding in findings if finding.reading.status is Status.LISTED]
    silent = [finding for finding in findings if finding.reading.status is Status.UNKNOWN]
    answered = len(findings) - len(silent)
    details = {
        "lists": [finding.as_details() for finding in findings],
        "causes": sorted({cause for finding in listed for cause in finding.reading.causes}),
    }
    if listed:
        names = ", ".join(finding.asked.name for finding in listed)
        return CheckOutcome(verdict=Verdict.BAD, reason=f"listed by {names}", details=details)
    if answered:
        missing = f"; {len(silent)} could not answer" if silent else ""
        reason = f"not listed by the {answered} lists that answered{missing}"
        return CheckOutcome(verdict=Verdict.CLEAN, reason=reason, details=details)
    reason = "no list could answer" if findings else "no blacklist is configured"
    return CheckOutcome(verdict=Verdict.UNKNOWN, reason=reason, details=details)
