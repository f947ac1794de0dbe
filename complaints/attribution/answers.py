"""What is asked of attribution, and what it says. Pure."""

from __future__ import annotations

import dataclasses
from datetime import datetime, timedelta

from complaints.vocabulary import Answer


@dataclasses.dataclass(frozen=True, slots=True)
class Question:
    """Whose was this address (16-byte key) at this time, and on this port?

    port: None (or 0) where the report names none.
    at_exactly: False where the report gave no time, and `at` is when we got the mail.
    slack: how far `at` may be off, either way: clocks differ, and a time may have come without its zone.
    names: host names of the content complained about (IDNA, lower case), for hosting contracts.
    accounts: user names of SMTP AUTH, as our own relay wrote them.
    known_by: when it had happened for sure: the mail that tells of it was there. None: nobody knows.
    feeds_lag: how far behind the present a feed of leases may be. Only for who asks about the present, of which no
        feed has told yet; for what somebody did, nothing: it must have been told who had the address then.
    """

    address: bytes
    port: int | None
    at: datetime
    at_exactly: bool = True
    slack: timedelta = timedelta(0)
    names: tuple[str, ...] = ()
    accounts: tuple[str, ...] = ()
    feeds_lag: timedelta = timedelta(0)
    known_by: datetime | None = None

    def __post_init__(self) -> None:
        if self.at.tzinfo is None:
            raise ValueError(f"a question needs a time with its zone, not {self.at!r}")
        if self.slack < timedelta(0):
            raise ValueError(f"a question needs a slack of 0 or more, not {self.slack!r}")
        if len(self.address) not in (0, 16):
            raise ValueError(f"a question needs a 16-byte address key, not {self.address!r}")


@dataclasses.dataclass(frozen=True, slots=True)
class Holding:
    """The answer. Only an OWNER has a contract, a method, a confidence above 0 and an interval.

    method: the kind of the assignment that decided; valid_from and valid_until (None: open) are its own.
    candidates: references of the contracts that could be meant, sorted; empty unless UNSURE.
    candidate_ids: their ids, in the same order.
    again_at: unknown now, but asking again at that time may tell; only with UNSURE.
    resolver: NAME of the source that will know then; with `again_at`.
    missing: what the report lacks and would decide it, of "port" and "time"; only with UNSURE.
    reason: plain words for the desk, times in UTC.
    """

    answer: Answer
    contract_id: int | None = None
    method: str = ""
    confidence: float = 0.0
    valid_from: datetime | None = None
    valid_until: datetime | None = None
    candidates: tuple[str, ...] = ()
    reason: str = ""
    candidate_ids: tuple[int, ...] = ()
    again_at: datetime | None = None
    missing: tuple[str, ...] = dataclasses.field(default=(), compare=False)
    resolver: str = dataclasses.field(default="", compare=False)
