"""The customers of the simulated ISP, of all kinds, each with a contact and a habit. Pure."""

from __future__ import annotations

import dataclasses
import random
import re
from collections.abc import Sequence
from enum import StrEnum


class Kind(StrEnum):
    HOME = "home"  # one address at a time, leased
    SHARED = "shared"  # a block of ports of an address behind carrier-grade NAT
    BUSINESS = "business"  # one fixed address
    HOSTER = "hoster"  # a network of its own, with many servers and names
    RESELLER = "reseller"  # a network whose addresses are assigned on, again and again
    TENANT = "tenant"  # one address of a reseller's network, for a while


SHARES = {
    Kind.HOME: 0.60, Kind.SHARED: 0.235, Kind.BUSINESS: 0.10, Kind.TENANT: 0.05, Kind.HOSTER: 0.01,
    Kind.RESELLER: 0.005,
}  # fmt: skip
PRODUCTS = {
    Kind.HOME: "Home 250", Kind.SHARED: "Home 50, shared address", Kind.BUSINESS: "Business line, fixed address",
    Kind.HOSTER: "Servers", Kind.RESELLER: "Wholesale", Kind.TENANT: "Office line of a partner",
}  # fmt: skip
# What the administrator has said of the products, for the playbooks; of the others nothing.
TREATED = {Kind.HOME: "residential", Kind.SHARED: "residential", Kind.RESELLER: "reseller"}
GIVEN = ("Ada", "Ben", "Chloe", "Dario", "Elif", "Femi", "Greta", "Hugo", "Ines", "Jonas", "Kaya", "Luis", "Mara",
         "Nils", "Olga", "Pia", "Quentin", "Rosa", "Sven", "Tess", "Uma", "Viktor", "Wanda", "Zoe")  # fmt: skip
FAMILY = ("Albers", "Brenn", "Costa", "Demir", "Ekström", "Fontaine", "Grau", "Haddad", "Ivanov", "Jansen", "Keane",
          "Lund", "Marques", "Novak", "Okafor", "Pires", "Quist", "Rossi", "Sloan", "Tanaka", "Urban", "Vale",
          "Weber", "Xu", "Yilmaz", "Zoller")  # fmt: skip
TRADES = ("bakery", "dental", "freight", "garden", "hotel", "school", "print", "solar", "metal", "library", "studio",
          "clinic", "brewery", "museum", "taxi", "law")  # fmt: skip
# What people do with our mail (habits.py), and how many in a hundred. Homes and companies differ.
HABITS_AT_HOME = {
    "fixes": 40, "fixes_silently": 14, "half_fixes": 8, "claims_falsely": 7, "ignores": 14, "wakes_late": 6,
    "relapses": 5, "disputes": 3, "asks_help": 2, "asks_time": 1,
}  # fmt: skip
HABITS_AT_WORK = {
    "fixes": 52, "fixes_silently": 14, "half_fixes": 9, "claims_falsely": 5, "ignores": 6, "wakes_late": 4,
    "relapses": 4, "disputes": 3, "asks_help": 2, "asks_time": 1,
}  # fmt: skip
DEAD_MAILBOXES = 0.01


@dataclasses.dataclass(frozen=True, slots=True)
class Customer:
    """One contract and who answers for it. domain: of a company's own servers; "" at home."""

    contract: str
    number: str
    name: str
    kind: Kind
    contact: str
    email: str
    language: str
    habit: str
    domain: str = ""
    mailbox_is_dead: bool = False


def people(count: int, *, seed: object) -> list[Customer]:
    """`count` customers; at least one of each kind from 200 on."""
    dice = random.Random(f"{seed}/people")
    kinds = [kind for kind, share in SHARES.items() for _ in range(round(share * count))]
    kinds = (kinds + [Kind.HOME] * count)[:count]
    return [customer(number, kind, dice) for number, kind in enumerate(kinds, start=1)]


def customer(number: int, kind: Kind, dice: random.Random) -> Customer:
    given, family = dice.choice(GIVEN), dice.choice(FAMILY)
    at_home = kind in (Kind.HOME, Kind.SHARED)
    habits = HABITS_AT_HOME if at_home else HABITS_AT_WORK
    domain = "" if at_home else f"{dice.choice(TRADES)}{number}.example"
    local = f"{given}.{family}{number}".lower().replace("ö", "oe")
    return Customer(
        contract=f"C-{number:06}",
        number=f"K-{number:06}",
        name=f"{given} {family}" if at_home else f"{family} {domain.partition('.')[0].rstrip('0123456789').title()}",
        kind=kind,
        contact=f"{given} {family}",
        email=f"{local}@{'postbox.example' if at_home else domain}",
        language=dice.choice(("en", "en", "de")),
        habit=weighted(habits, dice),
        domain=domain,
        mailbox_is_dead=dice.random() < DEAD_MAILBOXES,
    )


def weighted(shares: dict[str, int], dice: random.Random) -> str:
    return dice.choices(list(shares), list(shares.values()))[0]


def of_kind(customers: Sequence[Customer], *kinds: Kind) -> list[Customer]:
    return [each for each in customers if each.kind in kinds]


def name_of(customer: Customer, address: str) -> str:
    """What the address resolves to."""
    if customer.kind in (Kind.HOME, Kind.SHARED):
        return f"dyn-{re.sub(r'[.:]+', '-', address)}.pool.isp.example"
    if customer.kind is Kind.HOSTER:
        return f"srv{address.rpartition('.')[2]}.{customer.domain}"
    return f"mail.{customer.domain}"
