"""What goes wrong at customers' places, how it looks from outside, and how often it shows. Pure.

A trouble is one cause at one customer, from its begin until it is really over. What the customer does about it is
decided by habits.py and carried out by world.py.
"""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Sequence
from datetime import datetime

from complaints.demo.simulation.population import Customer, Kind, weighted

PER_CUSTOMER_AND_DAY = 0.0009
AT_HOME = {"bot": 84, "vulnerable_service": 10, "attack": 6}
AT_WORK = {
    "open_relay": 30, "stolen_mailbox": 20, "bot": 16, "bulk_mail": 12, "web_script": 10, "vulnerable_service": 7,
    "harmful_content": 5,
}  # fmt: skip
CAUSES = {
    Kind.HOME: AT_HOME,
    Kind.SHARED: {"bot": 94, "attack": 6},  # behind it nothing can be reached from outside
    Kind.BUSINESS: AT_WORK,
    Kind.TENANT: AT_WORK,
    Kind.HOSTER: {"web_script": 28, "stolen_mailbox": 26, "bulk_mail": 18, "harmful_content": 12, "open_relay": 8,
                  "bot": 5, "vulnerable_service": 3},
}  # fmt: skip
# Companies are more often in trouble than homes, and a hoster's many machines most of all.
PRONE = {Kind.HOME: 1.0, Kind.SHARED: 1.0, Kind.BUSINESS: 3.0, Kind.TENANT: 3.0, Kind.HOSTER: 12.0, Kind.RESELLER: 0.0}


@dataclasses.dataclass(frozen=True, slots=True)
class Look:
    """path: of its mail (abuse.PATHS). every_h: hours between two runs of spam, on average. listed: what blacklists
    come to say, "" is nothing. server: how its mail server behaves meanwhile (demo.smtp_behaviours); None: unchanged.
    half_server: after half a repair. attacks: share of those that try log-ins too. lasts_d: days, on average, until it
    ends by itself: machines are replaced, spammers move on. category: what it is complained about as. by_feed: only
    the daily tables know of it."""

    path: str
    every_h: float
    listed: str = ""
    server: str | None = None
    half_server: str | None = None
    attacks: float = 0.0
    lasts_d: float = 10.0
    category: str = "spam"
    by_feed: bool = False


LOOKS = {
    "open_relay": Look("relay", 5.0, "spam-source", "open", "open_percent", lasts_d=30.0),
    "bot": Look("bot", 8.0, "bot", attacks=0.35),
    "stolen_mailbox": Look("stolen", 5.0, "spam-source"),
    "web_script": Look("script", 5.0, "spam-source"),
    "bulk_mail": Look("bulk", 20.0, lasts_d=20.0),
    "harmful_content": Look("", 14.0, lasts_d=6.0, category="phishing"),
    "attack": Look("", 6.0, lasts_d=5.0, category="login_attack"),
    "vulnerable_service": Look("", 24.0, lasts_d=60.0, category="vulnerable", by_feed=True),
}
# What a case of another category may rightly be called as well: a bot's log-in attempts are attacks.
ALSO = {("bot", "login_attack"): "attack"}
HALF_AS_OFTEN = 3.0  # after half a repair the runs are so many times rarer


@dataclasses.dataclass(slots=True)
class Trouble:
    """The truth of one trouble, as it goes on. halves: repairs that were not enough."""

    number: int
    customer: Customer
    cause: str
    began: datetime
    host: int  # which machine of a network: its place in it
    attacks: bool
    ended: datetime | None = None
    halves: int = 0
    told: int = 0  # complaints about it that were sent
    first_told: datetime | None = None
    relapse_of: int | None = None

    @property
    def look(self) -> Look:
        return LOOKS[self.cause]

    def lasts(self, at: datetime) -> bool:
        return self.began <= at and (self.ended is None or at < self.ended)

    @property
    def every_h(self) -> float:
        return self.look.every_h * (HALF_AS_OFTEN if self.halves else 1.0)


def begins(customers: Sequence[Customer], *, seed: object, days: int, strain: float) -> list[tuple[float, Customer]]:
    """(hour since the beginning, at whose place), in order: when new troubles begin."""
    dice = random.Random(f"{seed}/troubles")
    prone = [each for each in customers if PRONE[each.kind]]
    count = round(len(customers) * PER_CUSTOMER_AND_DAY * days * strain)
    chosen = dice.choices(prone, [PRONE[each.kind] for each in prone], k=count)
    return sorted(((dice.uniform(0, days * 24), each) for each in chosen), key=lambda each: each[0])


def cause_at(customer: Customer, dice: random.Random) -> str:
    return weighted(CAUSES[customer.kind], dice)
