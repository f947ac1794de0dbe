"""Which case an accusation belongs to: the active one is joined, a closed one keeps what is older than its fix,
and the rest opens a case, linked to the one before it. Two statements a batch, whatever its size."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, models
from django.db.models import F, Max

from complaints.cases.accusations import Accusation, Key
from complaints.cases.grouping import is_divided
from complaints.models import Case, CaseEvent, Contract
from complaints.models.bulk import as_source, insert_rows, quoted_columns
from complaints.vocabulary import CaseState, EventKind, Resolution

RELAPSE_WITHIN = timedelta(days=180)
PROMISE = timedelta(hours=24)  # ours: by then somebody was told, or a human has looked
KEY = ("contract_id", "category", "grouping")
FIXED = (Resolution.FIXED_VERIFIED, Resolution.FIXED_NOT_VERIFIABLE)
# Ends that accuse the contract of nothing.
NO_FAULT = (Resolution.NOT_ABUSE, Resolution.NOT_OURS, Resolution.MERGED, Resolution.STALE)
# SQLite names the columns of VALUES by itself; PostgreSQL must be told, and calls its extremes otherwise.
NAMES_OF_COLUMNS = {"postgresql": " (column1, column2, column3, column4, column5)", "sqlite": ""}


def place(grouped: Mapping[Key, list[Accusation]], now: datetime) -> tuple[dict[Accusation, int], list[int]]:
    """The case of each accusation: active, just opened, or closed already when the abuse is older than its fix."""
    active, addresses = active_cases(contract for contract, *_ in grouped)
    grouped = with_open_cases(grouped, addresses)
    closed = last_closed(grouped.keys() - active.keys())
    # What was merged lives on in the case that it was merged into.
    active |= {key: case.pk for key, case in closed.items() if case.state != CaseState.CLOSED}
    placed: dict[Accusation, int] = {}
    waiting: dict[Key, list[Accusation]] = {}
    for key, accusations in grouped.items():
        late = [a for a in accusations if is_late(a, closed.get(key))]
        for accusation in late:
            placed[accusation] = closed[key].pk
        if late:
            Case.objects.filter(pk=closed[key].pk).update(complaint_count=F("complaint_count") + len(late))
        if rest := [a for a in accusations if a not in late]:
            waiting[key] = rest
    joined = join_active(waiting, active, now)
    if gone := {key: rest for key, rest in waiting.items() if key in active and key not in joined}:
        # Closed this very moment; where it was merged, the case that it lives on in is joined.
        closed |= last_closed(gone)
        heirs = {key: case.pk for key in gone if (case := closed.get(key)) and case.state != CaseState.CLOSED}
        joined |= join_active(gone, heirs, now)
    new = {key: accusations for key, accusations in waiting.items() if key not in joined}
    found = open_cases(new, closed, now) if new else {}
    ids = joined | {key: pk for key, (pk, _) in found.items()}
    for key, accusations in waiting.items():
        placed.update(dict.fromkeys(accusations, ids[key]))
    return placed, [pk for pk, is_new in found.values() if is_new]


def active_cases(contracts: Iterable[int]) -> tuple[dict[Key, int], dict[Key, bytes]]:
    """The ids of the contracts' active cases, and their addresses."""
    rows = list(Case.objects.active().filter(contract__in=set(contracts)).values_list(*KEY, "address", "pk"))
    addresses = {(contract, *key): bytes(address) for contract, *key, address, _ in rows}
    return {(contract, *key): pk for contract, *key, _, pk in rows}, addresses


def with_open_cases(
    grouped: Mapping[Key, list[Accusation]], addresses: Mapping[Key, bytes]
) -> Mapping[Key, list[Accusation]]:
    """Accusations by the key of the open case that they belong to, where another than their own is nearer."""
    if not addresses:
        return grouped
    found: dict[Key, list[Accusation]] = defaultdict(list)
    for key, accusations in grouped.items():
        for accusation in accusations:
            found[nearest(key, accusation, addresses)].append(accusation)
    return found


def nearest(key: Key, accusation: Accusation, addresses: Mapping[Key, bytes]) -> Key:
    """What has an active case of its own belongs there, whatever the table of groupings says. Of two reports about one
    machine one may name the site and the other not: without a case of its own it joins the only one of its address."""
    narrower = ((*key[:2], claim) for claim in accusation.claims)
    if own := next((each for each in narrower if each in addresses), None):
        return own
    if key in addresses or not is_divided(accusation.parsed.category):
        return key
    here = [each for each, at in addresses.items() if each[:2] == key[:2] and at and at == accusation.identity[1]]
    fitting = [each for each in here if not key[2] or not each[2]]
    return fitting[0] if len(fitting) == 1 else key


def last_closed(wanted: Iterable[Key]) -> dict[Key, Case]:
    """The youngest closed case of each key; where that was merged, the one that it lives on in, open or closed."""
    wanted = set(wanted)
    if not wanted:
        return {}
    rows = Case.objects.filter(contract__in={contract for contract, *_ in wanted}, state=CaseState.CLOSED)
    ids = rows.order_by().values_list(*KEY).annotate(last=Max("id"))
    keys = {last: (contract, category, grouping) for contract, category, grouping, last in ids}
    found = Case.objects.filter(pk__in=[pk for pk, key in keys.items() if key in wanted])
    return {keys[case.pk]: case.merged_into or case for case in found.select_related("merged_into")}


def is_late(accusation: Accusation, closed: Case | None) -> bool:
    """Abuse from before the proven fix: evidence for the closed case, no relapse."""
    if closed is None or closed.closed_at is None or closed.resolution not in FIXED:
        return False
    return accusation.seen_at <= (closed.fixed_claimed_at or closed.closed_at)


def owner_records(contracts: Iterable[int]) -> dict[int, dict[str, str]]:
    rows = Contract.objects.filter(pk__in=contracts).select_related("customer").prefetch_related("contacts")
    return {contract.pk: contract.owner_record() for contract in rows}


def join_active(waiting: Mapping[Key, list[Accusation]], active: Mapping[Key, int], now: datetime) -> dict[Key, int]:
    """Count the accusations on the active cases, in one statement; the ids of those there are."""
    joining: dict[int, list[Accusation]] = defaultdict(list)
    for key, accusations in waiting.items():
        if pk := active.get(key):
            joining[pk] += accusations
    if not joining:
        return {}
    counted = [(pk, *seen_of(accusations)) for pk, accusations in sorted(joining.items())]
    names = ["id", "complaint_count", "first_seen_at", "last_seen_at", "confidence"]
    source, parameters = as_source(Case, names, counted)
    older, younger = extremes()
    sql = f"""UPDATE {table_of(Case)} AS old SET
            complaint_count = old.complaint_count + new.column2,
            first_seen_at = {older}(old.first_seen_at, new.column3),
            last_seen_at = {younger}(old.last_seen_at, new.column4),
            confidence = {younger}(old.confidence, new.column5),
            due_at = %s
        FROM ({source}) AS new{NAMES_OF_COLUMNS[connection.vendor]}
        WHERE old.id = new.column1 AND NOT (old.state = 'closed') RETURNING id"""  # noqa: S608
    with connection.cursor() as cursor:
        cursor.execute(sql, [connection.ops.adapt_datetimefield_value(now), *parameters])
        still = {row[0] for row in cursor.fetchall()}  # one that was closed meanwhile is opened anew
    return {key: active[key] for key in waiting if active.get(key) in still}


def seen_of(accusations: Sequence[Accusation]) -> tuple[int, datetime, datetime, float]:
    """How many, the oldest and the youngest time of abuse, the best confidence."""
    times = [a.seen_at for a in accusations]
    return len(times), min(times), max(times), max(a.holding.confidence for a in accusations)


def extremes() -> tuple[str, str]:
    return ("LEAST", "GREATEST") if connection.vendor == "postgresql" else ("MIN", "MAX")


def table_of(model: type[models.Model]) -> str:
    return connection.ops.quote_name(model._meta.db_table)


def open_cases(
    new: Mapping[Key, list[Accusation]], closed: Mapping[Key, Case], now: datetime
) -> dict[Key, tuple[int, bool]]:
    """One statement for all: (case id, whether we opened it) by key. Keys are sorted: no deadlocks.

    Another worker may open the same case at the same moment: then ours are counted on that one.
    """
    owners = owner_records({contract for contract, *_ in new})
    found = [
        new_case_row(key, accusations, owners.get(key[0], {}), relapse_parent(closed.get(key), now), now)
        for key, accusations in sorted(new.items())
    ]
    columns, rows = tuple(found[0]), [list(row.values()) for row in found]
    source, parameters = as_source(Case, columns, rows)
    older, younger = extremes()
    sql = f"""INSERT INTO {table_of(Case)} AS old ({", ".join(quoted_columns(Case, columns))}) {source}
        ON CONFLICT (contract_id, category, grouping) WHERE NOT (state = 'closed') DO UPDATE SET
            complaint_count = old.complaint_count + excluded.complaint_count,
            first_seen_at = {older}(old.first_seen_at, excluded.first_seen_at),
            last_seen_at = {younger}(old.last_seen_at, excluded.last_seen_at),
            confidence = {younger}(old.confidence, excluded.confidence),
            due_at = excluded.due_at
        RETURNING id, contract_id, category, grouping, stay = 1 AND opened_at = %s"""
    with connection.cursor() as cursor:
        cursor.execute(sql, [*parameters, connection.ops.adapt_datetimefield_value(now)])
        ids = {tuple(key): (pk, bool(is_new)) for pk, *key, is_new in cursor.fetchall()}
    record_opened(new, closed, ids, now)
    return ids


def relapse_parent(closed: Case | None, now: datetime) -> Case | None:
    """The case that this abuse is a relapse of: none where the last one turned out to be no fault of the contract."""
    if closed is None or closed.closed_at is None or closed.resolution in NO_FAULT:
        return None
    return closed if now - closed.closed_at <= RELAPSE_WITHIN else None


def new_case_row(
    key: Key, accusations: Sequence[Accusation], owner: Mapping[str, str], parent: Case | None, now: datetime
) -> dict[str, Any]:
    first = min(accusations, key=lambda a: a.seen_at)
    return {
        "contract_id": key[0],
        "category": key[1],
        "grouping": key[2],
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
    new: Mapping[Key, list[Accusation]], closed: Mapping[Key, Case], ids: Mapping[Key, tuple[int, bool]], now: datetime
) -> None:
    rows = []
    for key, accusations in new.items():
        case, is_new = ids[key]
        parent = relapse_parent(closed.get(key), now)
        data = {"complaints": len(accusations), "relapse_of": parent.number if parent else None}
        if is_new:
            rows.append((case, now, EventKind.OPENED.value, "machine", data))
    insert_rows(CaseEvent, ("case_id", "at", "kind", "actor", "data"), rows)
