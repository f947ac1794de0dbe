"""Who complains: senders of all qualities, each with its own manner, clock and zone. Pure.

What a source does wrong it does every time: its clock is off by the same seconds, its reports lack the same field.
"""

from __future__ import annotations

import dataclasses
import random
from datetime import datetime, timedelta, timezone

from complaints.demo.simulation.population import weighted

# Manner (mails.py), how many in a hundred sources, and how busy one of them is beside the others.
STYLES = {"arf": 6, "xarf": 5, "spamcop": 1, "table": 1, "fail2ban": 32, "words": 40, "pasted": 15}
BUSY = {"arf": 25.0, "xarf": 6.0, "spamcop": 12.0, "table": 20.0, "fail2ban": 1.0, "words": 0.7, "pasted": 1.0}
# How a date is written: its zone stated and right; not stated, really UTC or local; stated, and wrong by whole hours.
ZONES = {
    "arf": {"right": 96, "bare_utc": 2, "wrong": 2},
    "xarf": {"right": 97, "wrong": 3},
    "spamcop": {"right": 100},
    "table": {"bare_utc": 100},
    "fail2ban": {"bare_local": 60, "bare_utc": 38, "wrong": 2},
    "words": {"right": 55, "bare_utc": 17, "bare_local": 24, "wrong": 4},
    "pasted": {"right": 97, "wrong": 3},
}
CLOCKS = {"good": 72, "seconds": 18, "minutes": 7, "hours": 3}
SIGNED = {"arf": 0.9, "xarf": 0.7, "spamcop": 1.0, "table": 1.0, "fail2ban": 0.25, "words": 0.5, "pasted": 0.5}
NAMES_PORT = {"arf": 0.35, "xarf": 0.7, "spamcop": 0.0, "table": 0.8, "fail2ban": 0.9, "words": 0.1, "pasted": 0.0}
OFFSETS = (-8, -6, -5, -3, 0, 0, 1, 1, 1, 2, 2, 3, 5.5, 8, 9)
HOSTILE = 0.03  # of the people who write: they accuse whom they like


@dataclasses.dataclass(frozen=True, slots=True)
class Source:
    """skew: how far its clock is ahead. delays_h: hours between the abuse and the report, from and to."""

    number: int
    style: str
    skew: timedelta
    zone: str
    offset_h: float
    names_port: bool
    signed: bool
    hostile: bool
    delays_h: tuple[float, float]

    @property
    def domain(self) -> str:
        return f"{self.style}{self.number}.example"

    @property
    def email(self) -> str:
        return {"arf": "fbl@", "xarf": "report@", "table": "autoreports@", "fail2ban": "fail2ban@"}.get(
            self.style, "someone@"
        ) + self.domain

    @property
    def mx(self) -> str:
        return f"mx.{self.domain}"

    def clock(self, at: datetime) -> datetime:
        """What its clock showed then, in its zone."""
        return (at + self.skew).astimezone(timezone(timedelta(hours=self.offset_h)))


def sources(count: int, *, seed: object) -> list[Source]:
    """At least one of each style, as long as `count` allows."""
    dice = random.Random(f"{seed}/sources")
    forced = [*STYLES, *("arf", "fail2ban")][:count]
    styles = forced + [weighted(STYLES, dice) for _ in range(count - len(forced))]
    return [source(number, style, dice) for number, style in enumerate(styles, start=1)]


def source(number: int, style: str, dice: random.Random) -> Source:
    quality = weighted(CLOCKS, dice) if style != "table" else "good"
    sign = dice.choice((-1, 1))
    seconds = {
        "good": dice.uniform(0, 1.5),
        "seconds": dice.uniform(2, 60),
        "minutes": dice.uniform(60, 900),
        "hours": dice.choice((3600.0, 7200.0, dice.uniform(1800, 40000))),
    }[quality]
    slow = dice.random() < 0.15
    return Source(
        number=number,
        style=style,
        skew=timedelta(seconds=round(sign * seconds)),
        zone=weighted(ZONES[style], dice),
        offset_h=dice.choice(OFFSETS),
        names_port=dice.random() < NAMES_PORT[style],
        signed=dice.random() < SIGNED[style],
        hostile=style in ("words", "pasted") and dice.random() < HOSTILE,
        delays_h=(4.0, 90.0) if slow else (0.02, 1.5) if style in ("arf", "xarf", "fail2ban") else (0.2, 14.0),
    )
