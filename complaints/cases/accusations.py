"""An accusation: a parsed complaint with its place in time and its owner, and the database row it becomes and was."""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from complaints.attribution import Holding
from complaints.attribution.evidence import names_of
from complaints.cases.grouping import claims, grouping_of
from complaints.cases.questions import slack_of, told_of
from complaints.models import Complaint
from complaints.models.text import storable, storable_json
from complaints.vocabulary import Answer, Category, ParsedComplaint

# RFC 6430 section 2 and RFC 6591: kept and counted, but no accusation against the customer.
NO_CASE = frozenset({Category.NOT_SPAM, Category.OPT_OUT, Category.AUTH_FAILURE})
Key = tuple[int, str, str]  # contract id, category, grouping: what has one active case
STATIC, BY_SITE = "static", "domain"  # methods of attribution
Identity = tuple[int, bytes, int, datetime, str, str]  # the columns of the constraint "complaint_once":
IDENTITY = ("message_id", "address", "port", "seen_at", "category", "resource")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Accusation:
    """A parsed complaint with what the message and the attribution add: everything its row needs."""

    identity: Identity
    received_at: datetime
    format: str
    parsed: ParsedComplaint
    holding: Holding
    authenticated: str | None = None  # the reporter's domain, where our own mail server says that it sent this

    @property
    def seen_at(self) -> datetime:
        return self.identity[3]

    @property
    def key(self) -> Key | None:
        """The case it belongs to; None: no case is opened for it."""
        if self.holding.answer is not Answer.OWNER or self.holding.contract_id is None:
            return None
        if self.parsed.category in NO_CASE:
            return None
        category = self.parsed.category
        static = self.holding.method == STATIC
        grouping = grouping_of(category, address=self.identity[1], sites=self.sites, is_static=static)
        return self.holding.contract_id, category.value, grouping

    @property
    def sites(self) -> tuple[str, ...]:
        """Of the content complained about. Those that a mail names are strangers', unless one named the contract."""
        parsed = self.parsed
        about_mail = parsed.feedback_type or parsed.original_mail_from or parsed.received
        return () if about_mail and self.holding.method != BY_SITE else names_of(parsed)

    @property
    def claims(self) -> list[str]:
        """The groupings of cases that may have been split off for it."""
        return claims(self.identity[1], self.sites)


def stored_accusation(complaint: Complaint, holding: Holding) -> Accusation:
    """What was filed before, with another answer: placed by the same rules as a fresh one, at the time told later."""
    seen_at = told_of(complaint).at or complaint.seen_at
    address, category = bytes(complaint.address), Category(complaint.category)
    return Accusation(
        identity=(complaint.message_id, address, complaint.port, seen_at, category.value, complaint.resource),
        received_at=complaint.received_at,
        format=complaint.format,
        parsed=ParsedComplaint(
            category=Category(complaint.category),
            feedback_type=complaint.feedback_type or None,
            original_mail_from=complaint.evidence.get("original_mail_from"),
            received=tuple(complaint.evidence.get("received", ())),
            reported_uris=tuple(complaint.evidence.get("reported_uris", ())),
            reported_domains=tuple(complaint.evidence.get("reported_domains", ())),
        ),
        holding=holding,
    )


def by_case(accusations: Iterable[Accusation]) -> dict[Key, list[Accusation]]:
    """Those that belong into a case, by contract, category and grouping."""
    grouped: dict[Key, list[Accusation]] = defaultdict(list)
    for accusation in accusations:
        if key := accusation.key:
            grouped[key].append(accusation)
    return grouped


def identity_of(message_id: int, parsed: ParsedComplaint, *, address: bytes, seen_at: datetime) -> Identity:
    """`address`: the 16 bytes of parsed.source_ip, or NO_ADDRESS: then the domain or URL tells complaints apart."""
    resource = "" if address else next(iter((*parsed.reported_uris, *parsed.reported_domains)), "")
    return (message_id, address, parsed.source_port or 0, seen_at, parsed.category.value, storable(resource, 500))


def tells_when(parsed: ParsedComplaint, *, received_at: datetime) -> bool:
    """Whether the report says when it was. A time that has not come yet, by more than it may be off, is a typo."""
    return parsed.time_stated and has_come(parsed, received_at=received_at)


def has_come(parsed: ParsedComplaint, *, received_at: datetime) -> bool:
    told = parsed.arrival_date
    return told is not None and told <= received_at + slack_of(parsed.zone_known)


def reporter_key(parsed: ParsedComplaint) -> str:
    return storable(parsed.reporter, 320).lower()


COLUMNS = (
    *IDENTITY,
    "seen_exactly",
    "received_at",
    "format",
    "feedback_type",
    "subject",
    "original_message_id",
    "evidence",
    "reporter_id",
    "answer",
    "contract_id",
    "method",
    "confidence",
    "valid_from",
    "valid_until",
    "attribution",
    "case_id",
)
EVIDENCE = (
    "reported_domains",
    "reported_uris",
    "original_mail_from",
    "original_rcpt_to",
    "user_agent",
    "version",
    "auth_failure",
    "delivery_result",
    "source_reason",
    "accounts",
    "traces",
)
MOST_LINES = 30
LONGEST_LINE = 1000


def evidence_of(parsed: ParsedComplaint) -> dict[str, Any]:
    found: dict[str, Any] = {name: kept(value) for name in EVIDENCE if (value := getattr(parsed, name))}
    if parsed.received:
        found["received"] = [storable(line, LONGEST_LINE) for line in parsed.received[:MOST_LINES]]
    if not parsed.zone_known:
        found["zone_unknown"] = True
    if parsed.off_by:
        found["off_by"] = parsed.off_by
    if parsed.extra:
        found["extra"] = storable_json(parsed.extra)
    return found


def kept(value: str | tuple[str, ...]) -> str | list[str]:
    if isinstance(value, str):
        return storable(value, LONGEST_LINE)
    return [storable(item, LONGEST_LINE) for item in value[:MOST_LINES]]


def complaint_row(
    accusation: Accusation, reporters: Mapping[str, int], cases: Mapping[Accusation, int]
) -> tuple[Any, ...]:
    parsed = accusation.parsed
    return (
        *accusation.identity,
        tells_when(parsed, received_at=accusation.received_at),
        accusation.received_at,
        accusation.format,
        storable(parsed.feedback_type, 40),
        storable(parsed.original_subject, 400),
        storable(parsed.original_message_id, 400),
        evidence_of(parsed) | ({"authenticated": accusation.authenticated} if accusation.authenticated else {}),
        reporters.get(reporter_key(parsed)),
        *answer_columns(accusation.holding).values(),
        cases.get(accusation),
    )


def answer_columns(holding: Holding) -> dict[str, Any]:
    """What a complaint's row keeps of the answer."""
    attribution: dict[str, Any] = {"reason": holding.reason}
    if holding.candidates:
        attribution["candidates"] = list(holding.candidates)
    if holding.missing:
        attribution["missing"] = list(holding.missing)
    return {
        "answer": holding.answer.value,
        "contract_id": holding.contract_id,
        "method": holding.method,
        "confidence": holding.confidence,
        "valid_from": holding.valid_from,
        "valid_until": holding.valid_until,
        "attribution": attribution,
    }
