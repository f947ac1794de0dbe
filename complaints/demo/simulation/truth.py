"""What really was, kept outside the product's database: every complaint sent, and every trouble there was."""

from __future__ import annotations

import dataclasses
from datetime import datetime

from complaints.demo.simulation.abuse import Abuse
from complaints.demo.simulation.sources import Source


@dataclasses.dataclass(slots=True)
class Told:
    """One complaint that a source sent. holder: who held the accused address (and port) at the true moment.

    kind: "true" of a real trouble, else what it is instead: a key of noise.NOISE. message: the row the product made of
    its mail.
    """

    abuse: Abuse
    source: Source
    accused: str
    port: int | None
    sent_at: datetime
    kind: str
    holder: str | None
    message: int | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class Read:
    """One mail of the desk, as it came to somebody. accepted: False where the mailbox is dead."""

    at: datetime
    to: str
    contract: str | None
    case: str
    step: str
    accepted: bool
    had_recent_trouble: bool
    about: frozenset[int]  # the mails complained by that stood in the case then


@dataclasses.dataclass(slots=True)
class Truth:
    told: list[Told] = dataclasses.field(default_factory=list)
    corrections: int = 0  # groups of them that a person confirmed
    asked: list[tuple[datetime, int]] = dataclasses.field(default_factory=list)  # mails to sources, by number
    read: list[Read] = dataclasses.field(default_factory=list)
