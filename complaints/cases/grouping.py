"""Which complaints of one contract and category are one trouble: the grouping key, by a table with its reasons. Pure.

A case is unique among the active ones of its (contract, category, grouping). The grouping is empty where the contract
is the trouble, "address:192.0.2.7" or "address:2001:db8:1:2::/64" where one machine is, "site:brenn.example" where one
site is. An analyst who splits a case may make any of them ("part:17" where neither fits): what a case that was split
off is about goes there from then on, whatever the table says.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from enum import StrEnum
from functools import cache

from publicsuffixlist import PublicSuffixList

from complaints.addresses import MAPPED, address_text
from complaints.vocabulary import Category

ADDRESS, SITE, PART = "address:", "site:", "part:"
LONGEST = 270  # a name has up to 253 octets
LINE_OF_IPV6 = 8  # octets: the /64 is the line, its hosts change their addresses by themselves (RFC 8981)


class By(StrEnum):
    CONTRACT = "contract"
    SITE = "site"  # the name that somebody registered, where the complaint is about content
    MACHINE = "machine"  # the address, where it is held for good


@dataclasses.dataclass(frozen=True, slots=True)
class Rule:
    by: By
    why: str


WHOLE_CONTRACT = Rule(
    By.CONTRACT,
    "One cause often shows at many addresses, of a lease or of a /26, and one person mends it: a letter for each"
    " address would be a flood. Split the case where it turns out to be several.",
)
ONE_SITE = Rule(
    By.SITE,
    "Each site is run by somebody else and taken down by itself; one that stays must not hold the others open."
    " A mail that was sent names the sites of strangers, so there the contract counts.",
)
RULES: dict[Category, Rule] = {
    Category.PHISHING: ONE_SITE,
    Category.MALWARE: ONE_SITE,
    Category.FRAUD: ONE_SITE,
    Category.COPYRIGHT: ONE_SITE,
    Category.VULNERABLE: Rule(
        By.MACHINE,
        "Each machine has its own service to close, and its own test proves that it is closed. Under a leased address"
        " tomorrow's machine is another one, so there the contract counts.",
    ),
}


def rule_of(category: Category) -> Rule:
    return RULES.get(category, WHOLE_CONTRACT)


def is_divided(category: Category) -> bool:
    """Whether a contract may have several cases of it, without anybody's splitting."""
    return rule_of(category).by is not By.CONTRACT


def grouping_of(category: Category, *, address: bytes, sites: Sequence[str], is_static: bool) -> str:
    """sites: host names of the content complained about. is_static: the address is held for good, and by one alone."""
    by = rule_of(category).by
    if by is By.SITE and sites:
        return site_grouping(sites[0])
    if by is By.MACHINE and is_static and address:
        return address_grouping(address)
    return ""


def claims(address: bytes, sites: Sequence[str]) -> list[str]:
    """The groupings of cases that may have been split off for just this, the narrowest first."""
    return [*([address_grouping(address)] if address else []), *(site_grouping(name) for name in sites[:1])]


def address_grouping(address: bytes) -> str:
    if address.startswith(MAPPED):
        return ADDRESS + address_text(address)
    return ADDRESS + address_text(address[:LINE_OF_IPV6] + b"\0" * (16 - LINE_OF_IPV6)) + "/64"


def site_grouping(name: str) -> str:
    """By the registered name: shop.brenn.example and www.brenn.example are one site's owner (Public Suffix List)."""
    return (SITE + (suffixes().privatesuffix(name.lower()) or name.lower()))[:LONGEST]


@cache
def suffixes() -> PublicSuffixList:
    return PublicSuffixList()
