"""What is known of one past case, as a replay needs it: the record, and what a replay makes of it. Pure."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from complaints.cases.ladder import PastCase
from complaints.diagnosis import Sighting
from complaints.playbooks.documents import Step
from complaints.vocabulary import CaseState, Category, ContractKind, Resolution, Verdict


@dataclasses.dataclass(frozen=True, slots=True)
class Rules:
    """One version of a playbook. seconded: by a second person, so that it may suspend."""

    name: str
    document: Mapping[str, Any]
    steps: Sequence[Step]
    seconded: bool = False


Active = Callable[[datetime], Sequence[Rules]]  # the playbooks that were active then


@dataclasses.dataclass(frozen=True, slots=True)
class Heard:
    """One complaint. shape: what its mail looks like to the diagnosis. voice: whose it is, where that is proven."""

    received_at: datetime
    seen_at: datetime
    seen_exactly: bool = True
    reporter: int | None = None
    voice: str = ""
    by_hand: bool = False
    is_mail: bool = False  # the mail complained about came along
    format: str = "arf"
    confidence: float = 0.95
    shape: Sighting | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class Ran:
    """One run of a check on one address. step, stay: what ordered it; step "" for one by hand."""

    check: str
    step: str
    stay: int
    queued_at: datetime
    finished_at: datetime | None
    verdict: Verdict
    address: bytes = b""
    causes: tuple[str, ...] = ()
    refused: bool = False  # by a safety rule: no finding of the diagnosis
    has_left: bool = False  # refused, for the address is no longer the customer's


@dataclasses.dataclass(frozen=True, slots=True)
class Outside:
    """Something that no playbook decides.

    kind: answer (what: its kind), saw, bounce (what: the letter), person (a move: was, to, resolution; what: the letter
    that went with it), taken_up (by a person), measure_on and measure_off (what: the measure).
    """

    at: datetime
    kind: str
    what: str = ""
    was: CaseState | None = None
    to: CaseState | None = None
    resolution: Resolution | None = None


@dataclasses.dataclass(frozen=True, slots=True, order=True)
class Happening:
    """Something that a playbook did. kind: check, letter, move, measure, task, release; what: which."""

    at: datetime
    kind: str
    what: str


@dataclasses.dataclass(frozen=True, slots=True)
class Record:
    """One case from its opening to `ends_at`: closed then, or now. listings: (first seen, gone) on blacklists."""

    case: int
    number: str
    opened_at: datetime
    ends_at: datetime
    is_closed: bool
    category: Category
    contract_kind: ContractKind = ContractKind.BUSINESS
    protected: bool = False
    ladder: int = 0
    confidence: float = 0.95
    has_contact: bool = True
    past: Sequence[PastCase] = ()
    heard: Sequence[Heard] = ()
    ran: Sequence[Ran] = ()
    outside: Sequence[Outside] = ()
    listings: Sequence[tuple[datetime, datetime | None]] = ()
    happened: Sequence[Happening] = ()


@dataclasses.dataclass(frozen=True, slots=True)
class Replayed:
    """What rules would have done. stopped_at: from then on nothing is known, because of `stopped`; until then all is,
    but for `unknown`: checks that were never run, and were taken as unknown."""

    happened: Sequence[Happening]
    state: CaseState
    followed: str
    stopped_at: datetime | None = None
    stopped: str = ""
    unknown: Sequence[str] = ()
