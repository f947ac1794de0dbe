"""Filing: complaints join the active case of their contract and category, or open it. Batch-shaped, safe to repeat."""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import F, Max

from complaints.attribution import Holding
from complaints.models import Case, CaseEvent, Complaint, Contract, Reporter
from complaints.models.bulk import as_source, insert_rows, quoted_columns
from complaints.models.text import storable
from complaints.vocabulary import Answer, CaseState, Category, EventKind, ParsedComplaint, Resolution

RELAPSE_WITHIN = timedelta(days=180)
PROMISE = timedelta(hours=24)  # ours: by then somebody was told, or a human has looked
# RFC 6430 section 2 and RFC 6591: kept and counted, but no accusation against the customer.
NO_CASE = frozenset({Category.NOT_SPAM, Category.OPT_OUT, Category.AUTH_FAILURE})
FIXED = (Resolution.FIXED_VERIFIED, Resolution.FIXED_NOT_VERIFIABLE)
Key = tuple[int, str]  # contract id, category


Identity = tuple[int, bytes, int, datetime, str, str]  # the columns of the constraint "complaint_once"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Accusation:
    """A parsed complaint with what the message and the attribution add: everything its row needs."""

    identity: Identity
    received_at: datetime
    format: str
    parsed: ParsedComplaint
    holding: Holding

    @property
    def seen_at(self) -> datetime:
        return self.identity[3]

    @property
    def key(self) -> Key | None:
        """The case it belongs to; None: no case is opened for it."""
        if self.holding.answer is not Answer.OWNER or self.holding.contract_id is None:
            return None
        return None if self.parsed.category in NO_CASE else (self.holding.contract_id, self.parsed.category.value)


def identity_of(message_id: int, parsed: ParsedComplaint, *, address: bytes, seen_at: datetime) -> Identity:
    """`address`: the 16 bytes of parsed.source_ip, or NO_ADDRESS: then the domain or URL tells complaints apart."""
    resource = "" if address else next(iter((*parsed.reported_uris, *parsed.reported_domains)), "")
    return (message_id, address, parsed.source_port or 0, seen_at, parsed.category.value, storable(resource, 500))


@dataclasses.dataclass(frozen=True, slots=True)
class Filed:
    complaints: int  # new ones; those filed before are not counted again
    opened: list[int]  # case ids
    touched: list[int]  # case ids, the opened ones among them


def file_complaints(accusations: Sequence[Accusation], *, now: datetime) -> Filed:
    """Write the complaints and the cases they belong to, in one transaction."""
    with transaction.atomic():
        fresh = without_known(accusations)
        if not fresh:
            return Filed(0, [], [])
        reporters = reporter_ids({reporter_key(a.parsed) for a in fresh if a.parsed.reporter}, now)
        grouped: dict[Key, list[Accusation]] = defaultdict(list)
        for accusation in fresh:
            if key := accusation.key:
                grouped[key].append(accusation)
        cases, opened = place(grouped, now) if grouped else ({}, [])
        insert_rows(Complaint, COLUMNS, (complaint_row(a, reporters, cases) for a in fresh))
    return Filed(len(fresh), opened, sorted(set(cases.values())))


def without_known(accusations: Sequence[Accusation]) -> list[Accusation]:
    """Those not in the database yet, each once. The constraint stands behind this."""
    messages = {a.identity[0] for a in accusations}
    known = (
        Complaint.objects.filter(message__in=messages).values_list(
            "message_id", "address", "port", "seen_at", "category", "resource"
        )
        if messages
        else ()
    )
    there = {(message, bytes(address), *rest) for message, address, *rest in known}
    fresh: dict[tuple[Any, ...], Accusation] = {}
    for accusation in accusations:
        if accusation.identity not in there:
            fresh.setdefault(accusation.identity, accusation)
    return list(fresh.values())


def reporter_key(parsed: ParsedComplaint) -> str:
    return storable(parsed.reporter, 320).lower()


def reporter_ids(wanted: set[str], now: datetime) -> dict[str, int]:
    """Ids by lower-case address; unknown reporters are added."""
    found = dict(Reporter.objects.filter(address__in=wanted).values_list("address", "id"))
    if missing := sorted(wanted - found.keys()):
        rows = [Reporter(address=address, first_seen_at=now) for address in missing]
        Reporter.objects.bulk_create(rows, ignore_conflicts=True)
        found |= dict(Reporter.objects.filter(address__in=missing).values_list("address", "id"))
    return found


def place(grouped: Mapping[Key, list[Accusation]], now: datetime) -> tuple[dict[Accusation, int], list[int]]:
    """The case of each accusation: active, just opened, or closed already when the abuse is older than its fix."""
    active = active_cases(grouped)
    closed = last_closed(grouped.keys() - active)
    placed: dict[Accusation, int] = {}
    joining: dict[Key, list[Accusation]] = {}
    for key, accusations in grouped.items():
        late = [a for a in accusations if is_late(a, closed.get(key))]
        for accusation in late:
            placed[accusation] = closed[key].pk
        if late:
            Case.objects.filter(pk=closed[key].pk).update(complaint_count=F("complaint_count") + len(late))
        if rest := [a for a in accusations if a not in late]:
            joining[key] = rest
    opened: list[int] = []
    if joining:
        owners = owner_records({contract for contract, _ in joining.keys() - active})
        ids = upsert_cases(joining, owners, closed, now)
        for key, accusations in joining.items():
            placed.update(dict.fromkeys(accusations, ids[key][0]))
        opened = [case for case, is_new in ids.values() if is_new]
        record_opened(opened, closed, joining, ids, now)
    return placed, opened


def active_cases(grouped: Iterable[Key]) -> set[Key]:
    contracts = {contract for contract, _ in grouped}
    return set(Case.objects.active().filter(contract__in=contracts).values_list("contract_id", "category"))


def last_closed(keys: Iterable[Key]) -> dict[Key, Case]:
    """The youngest closed case of each key, if it is young enough to make a new one a relapse."""
    contracts = {contract for contract, _ in keys}
    if not contracts:
        return {}
    youngest = Case.objects.filter(contract__in=contracts, state=CaseState.CLOSED)
    ids = youngest.values("contract", "category").annotate(last=Max("id")).values_list("last", flat=True)
    return {(case.contract_id, case.category): case for case in Case.objects.filter(pk__in=list(ids))}


def is_late(accusation: Accusation, closed: Case | None) -> bool:
    """Abuse from before the proven fix: evidence for the closed case, no relapse."""
    if closed is None or closed.closed_at is None or closed.resolution not in FIXED:
        return False
    return accusation.seen_at <= (closed.fixed_claimed_at or closed.closed_at)


def owner_records(contracts: Iterable[int]) -> dict[int, dict[str, str]]:
    rows = Contract.objects.filter(pk__in=contracts).select_related("customer").prefetch_related("contacts")
    return {contract.pk: contract.owner_record() for contract in rows}


def upsert_cases(
    joining: Mapping[Key, list[Accusation]],
    owners: Mapping[int, dict[str, str]],
    closed: Mapping[Key, Case],
    now: datetime,
) -> dict[Key, tuple[int, bool]]:
    """One statement for all: (case id, whether it was opened now) by key. Keys are sorted: no deadlocks."""
    found = [
        new_case_row(key, accusations, owners.get(key[0], {}), relapse_parent(closed.get(key), now), now)
        for key, accusations in sorted(joining.items())
    ]
    columns, rows = tuple(found[0]), [list(row.values()) for row in found]
    names = ", ".join(quoted_columns(Case, columns))
    source, parameters = as_source(Case, columns, rows)
    older, younger = ("LEAST", "GREATEST") if connection.vendor == "postgresql" else ("MIN", "MAX")
    table = connection.ops.quote_name(Case._meta.db_table)
    sql = f"""INSERT INTO {table} AS old ({names}) {source}
        ON CONFLICT (contract_id, category) WHERE NOT (state = 'closed') DO UPDATE SET
            complaint_count = old.complaint_count + excluded.complaint_count,
            first_seen_at = {older}(old.first_seen_at, excluded.first_seen_at),
            last_seen_at = {younger}(old.last_seen_at, excluded.last_seen_at),
            confidence = {younger}(old.confidence, excluded.confidence),
            due_at = excluded.due_at
        RETURNING id, contract_id, category, opened_at = state_since AND stay = 1 AND opened_at = %s"""
    with connection.cursor() as cursor:
        cursor.execute(sql, [*parameters, connection.ops.adapt_datetimefield_value(now)])
        return {(contract, category): (pk, bool(is_new)) for pk, contract, category, is_new in cursor.fetchall()}


def relapse_parent(closed: Case | None, now: datetime) -> Case | None:
    if closed is None or closed.closed_at is None or now - closed.closed_at > RELAPSE_WITHIN:
        return None
    return closed


def new_case_row(
    key: Key, accusations: Sequence[Accusation], owner: Mapping[str, str], parent: Case | None, now: datetime
) -> dict[str, Any]:
    first = min(accusations, key=lambda a: a.seen_at)
    return {
        "contract_id": key[0],
        "category": key[1],
        "address": first.identity[1],
        "state": CaseState.INVESTIGATING.value,
        "state_since": now,
        "stay": 1,
        "customer_status": "none",
        "resolution": "",
        "owner": owner,
        "confidence": max(a.holding.confidence for a in accusations),
        "cause": "unknown",
        "cause_confidence": 0.0,
        "cause_reasons": [],
        "priority": 0,
        "priority_reasons": [],
        "headline": "",
        "opened_at": now,
        "first_seen_at": first.seen_at,
        "last_seen_at": max(a.seen_at for a in accusations),
        "complaint_count": len(accusations),
        "reporter_count": 0,
        "relapse_of_id": parent.pk if parent else None,
        "ladder": parent.ladder + 1 if parent else 0,
        "due_at": now,
        "deadline_at": now + PROMISE,
    }


def record_opened(
    opened: Sequence[int],
    closed: Mapping[Key, Case],
    joining: Mapping[Key, list[Accusation]],
    ids: Mapping[Key, tuple[int, bool]],
    now: datetime,
) -> None:
    rows = []
    for key, accusations in joining.items():
        case, is_new = ids[key]
        parent = relapse_parent(closed.get(key), now)
        data = {"complaints": len(accusations), "relapse_of": parent.number if parent else None}
        if is_new:
            rows.append((case, now, EventKind.OPENED.value, "machine", data))
    if opened:
        insert_rows(CaseEvent, ("case_id", "at", "kind", "actor", "data"), rows)


COLUMNS = (
    "message_id",
    "address",
    "port",
    "seen_at",
    "category",
    "resource",
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
)
MOST_LINES = 30
LONGEST_LINE = 1000


def evidence_of(parsed: ParsedComplaint) -> dict[str, Any]:
    found = {name: kept(value) for name in EVIDENCE if (value := getattr(parsed, name))}
    if parsed.received:
        found["received"] = [storable(line, LONGEST_LINE) for line in parsed.received[:MOST_LINES]]
    return found


def kept(value: str | tuple[str, ...]) -> str | list[str]:
    if isinstance(value, str):
        return storable(value, LONGEST_LINE)
    return [storable(item, LONGEST_LINE) for item in value[:MOST_LINES]]


def complaint_row(
    accusation: Accusation, reporters: Mapping[str, int], cases: Mapping[Accusation, int]
) -> tuple[Any, ...]:
    parsed, holding = accusation.parsed, accusation.holding
    attribution: dict[str, Any] = {"reason": holding.reason}
    if holding.candidates:
        attribution["candidates"] = list(holding.candidates)
    return (
        *accusation.identity,
        parsed.arrival_date is not None,
        accusation.received_at,
        accusation.format,
        storable(parsed.feedback_type, 40),
        storable(parsed.original_subject, 400),
        storable(parsed.original_message_id, 400),
        evidence_of(parsed),
        reporters.get(reporter_key(parsed)),
        holding.answer.value,
        holding.contract_id,
        holding.method,
        holding.confidence,
        holding.valid_from,
        holding.valid_until,
        attribution,
        cases.get(accusation),
    )
