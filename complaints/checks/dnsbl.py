"""Blacklist check: who on the net says that mail or attacks come from this address?

A list counts only when it passes its self-test and answers properly. An error is never a listing and never
"not listed". Entries about dynamic ranges or neighbours are shown but are not held against the line.
"""

from __future__ import annotations

import asyncio
import dataclasses
import ipaddress
from collections.abc import Sequence

from complaints.checks._answers import Reading, Status, read_answer
from complaints.checks._config import CheckConfig
from complaints.checks._dns import IPAddress, NoAnswer, ask, list_name
from complaints.checks._lists import DnsblList
from complaints.checks._selftest import SelfTests
from complaints.vocabulary import CheckOutcome, CheckTarget, Verdict

NAME = "dnsbl"
RANK = 20

CONCURRENCY = 20
SELF_TESTS = SelfTests()


@dataclasses.dataclass(frozen=True, slots=True)
class Finding:
    """What one list says of the address; `codes` is the whole answer."""

    asked: DnsblList
    zone: str
    reading: Reading
    codes: tuple[str, ...] = ()
    txt: str = ""

    def as_details(self) -> dict[str, object]:
        return {
            "list": self.asked.name,
            "zone": self.zone,
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
    room = asyncio.Semaphore(CONCURRENCY)
    asked = [each for each in config.lists if each.enabled]
    findings = await asyncio.gather(*(ask_within(room, each, address, config) for each in asked))
    return judge_lists(findings)


async def ask_within(room: asyncio.Semaphore, each: DnsblList, address: IPAddress, config: CheckConfig) -> Finding:
    zone = each.zone_for(address.version)
    if zone is None:
        return unknown(each, each.zone, f"knows no IPv{address.version} addresses")
    async with room:
        try:
            async with asyncio.timeout(config.timeouts.overall):
                return await ask_list(each, zone, address, config)
        except NoAnswer as exc:
            return unknown(each, zone, str(exc))
        except TimeoutError:
            return unknown(each, zone, f"not finished within {config.timeouts.overall:g} s")


async def ask_list(each: DnsblList, zone: str, address: IPAddress, config: CheckConfig) -> Finding:
    if problem := await SELF_TESTS.problem_of(each, address.version, config):
        return unknown(each, zone, problem)
    name = list_name(address, zone)
    answer = await ask(name, "A", config.resolvers, config.timeouts.dns)
    reading = read_answer(each, answer.addresses)
    codes = tuple(str(code) for code in sorted(answer.addresses))
    txt = await reason_text(name, config) if codes else ""
    return Finding(each, zone, reading, codes, txt)


async def reason_text(name: str, config: CheckConfig) -> str:
    """The list's own words. They are an extra: a listing without them stays a listing."""
    try:
        answer = await ask(name, "TXT", config.resolvers, config.timeouts.dns)
    except NoAnswer:
        return ""
    return " ".join(answer.texts)[:512]


def unknown(each: DnsblList, zone: str, reason: str) -> Finding:
    return Finding(each, zone, Reading(Status.UNKNOWN, reason=reason))


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
