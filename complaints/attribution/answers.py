"""What is asked of attribution, and what it says. Pure."""

from __future__ import annotations

import dataclasses
from datetime import datetime

from complaints.vocabulary import Answer


@dataclasses.dataclass(frozen=True, slots=True)
class Question:
    """Whose was this address (16-byte key) at this time, and on this port?

    port: None (or 0) where the report names none.
    at_exactly: False where the report gave no time, and `at` is when we got the mail.
    """

    address: bytes
    port: int | None
    at: datetime
    at_exactly: bool = True

    def __post_init__(self) -> None:
        if self.at.tzinfo is None:
            raise ValueError(f"a question needs a time with its zone, not {self.at!r}")
        if len(self.address) not in (0, 16):
            raise ValueError(f"a question needs a 16-byte address key, not {self.address!r}")


@dataclasses.dataclass(frozen=True, slots=True)
class Holding:
    """The answer. Only an OWNER has a contract, a method, a confidence above 0 and an interval.

    method: the kind of the assignment that decided; valid_from and valid_until (None: open) are its own.
    candidates: references of the contracts that could be meant; empty unless UNSURE.
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
