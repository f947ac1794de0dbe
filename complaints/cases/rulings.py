"""Rules at work: what is filed without a case, what waits for more of its kind, and whom a new case is given to.

Rules are read once a batch. Where none is active that is one short statement, and nothing else happens.
"""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any

from django.db import connection

from complaints.addresses import prefix_key
from complaints.cases.accusations import Accusation, Key, reporter_key, stored_accusation
from complaints.cases.asking import stored_holding
from complaints.cases.placing import active_cases, with_open_cases
from complaints.cases.rules_match import IGNORE, ROUTE, THRESHOLD, Accused, Line, Matcher, Seen, is_reached
from complaints.cases.transitions import record
from complaints.cases.voices import voice_of
from complaints.models import Case, Complaint, Contract, Product, Reporter, Rule, User
from complaints.models.bulk import update_rows
from complaints.vocabulary import ContractKind, EventKind

Ruling = Complaint.Ruling
RULED = ("rule_id", "ruling")  # what Ruled.columns fills in
COLUMNS = ("id", "kind", "name", "conditions", "until", "complaints", "reporters", "days", "team", "assignee_id")
NOBODY: Mapping[Accusation, str] = MappingProxyType({})
MOST_EARLIER = 1_000  # complaints of one contract that a threshold brings back at once


@dataclasses.dataclass(slots=True)
class Ruled:
    """lines: the rule that decided each. out: those kept out of the cases, and why. earlier: ids that come back."""

    lines: dict[Accusation, Line] = dataclasses.field(default_factory=dict)
    out: dict[Accusation, str] = dataclasses.field(default_factory=dict)
    earlier: dict[Accusation, int] = dataclasses.field(default_factory=dict)

    def columns(self, accusation: Accusation) -> tuple[int | None, str]:
        """Of the complaint's row: rule and ruling."""
        line = self.lines.get(accusation)
        return (line.id if line else None), self.out.get(accusation, Ruling.NONE.value)


def judge(accusations: Sequence[Accusation], *, now: datetime, reporters: Mapping[Accusation, str] = NOBODY) -> Ruled:
    """What the rules say of each of these, which are in no case. Call it inside the transaction that files them.

    `reporters`: of accusations that were read from stored complaints, which do not carry theirs.
    """
    ruled, matcher = Ruled(), Matcher(read_lines(), now=now)
    if not matcher:
        return ruled
    kinds = kinds_of(a.holding.contract_id for a in accusations) if matcher.asks_for_kinds else {}
    for accusation in accusations:
        reporter = reporters.get(accusation) or reporter_key(accusation.parsed)
        if line := matcher.first(accused_of(accusation, reporter, kinds)):
            ruled.lines[accusation] = line
            if line.kind == IGNORE:
                ruled.out[accusation] = Ruling.IGNORED.value
    hold(ruled, reporters, now=now)
    return ruled


def judge_again(homeless: Mapping[Accusation, Complaint], *, now: datetime) -> Ruled:
    """The same of complaints that stand in no case, when their owner has become known; written on their rows.

    Whom a rule keeps out stays out as long as the owner is the same: a rule that is gone brings nothing back by itself.
    """
    fresh = [a for a, was in homeless.items() if not was.ruling or was.contract_id != a.holding.contract_id]
    names = dict(Reporter.objects.filter(pk__in={homeless[a].reporter_id for a in fresh}).values_list("pk", "address"))
    said = {a: names.get(homeless[a].reporter_id or 0, "") for a in fresh}
    ruled = judge(fresh, now=now, reporters=said)
    rows = [(homeless[a].pk, *ruled.columns(a)) for a in fresh]
    update_rows(Complaint, "id", RULED, [row for row in rows if row[1]])
    update_rows(Complaint, "id", ("ruling",), [(pk, "") for pk, rule, _ in rows if not rule])
    ruled.out |= {a: was.ruling for a, was in homeless.items() if a not in set(fresh)}
    return ruled


def accused_of(accusation: Accusation, reporter: str, kinds: Mapping[int, str]) -> Accused:
    contract = accusation.holding.contract_id
    return Accused(
        address=accusation.identity[1],
        category=accusation.parsed.category.value,
        reporter=reporter,
        contract=contract,
        kind=kinds.get(contract or 0, ""),
        format=accusation.format,
    )


def read_lines() -> list[Line]:
    rows = Rule.objects.filter(active=True).order_by("position", "id").values_list(*COLUMNS)
    return lines_of([dict(zip(COLUMNS, row, strict=True)) for row in rows])


def lines_of(rows: Sequence[Mapping[str, Any]]) -> list[Line]:
    """Rules as the decision takes them; contracts are looked up together."""
    wanted = {each for row in rows for each in row["conditions"].get("contract", ())}
    ids = dict(Contract.objects.filter(reference__in=wanted).values_list("reference", "pk")) if wanted else {}
    return [line_of(row, ids) for row in rows]


def line_of(row: Mapping[str, Any], contracts: Mapping[str, int]) -> Line:
    asked = row["conditions"]
    references = asked.get("contract")
    return Line(
        id=row["id"],
        kind=row["kind"],
        name=row["name"],
        prefixes=frozenset(prefix_key(text) for text in asked.get("prefix", ())),
        categories=frozenset(asked.get("category", ())),
        reporters=frozenset(asked.get("reporter", ())),
        contracts=None if references is None else frozenset(contracts[r] for r in references if r in contracts),
        kinds=frozenset(asked.get("contract_kind", ())),
        formats=frozenset(asked.get("format", ())),
        until=row["until"],
        complaints=row["complaints"],
        reporters_needed=row["reporters"],
        days=row["days"],
        team=row["team"],
        assignee_id=row["assignee_id"],
    )


def kinds_of(contracts: Iterable[int | None]) -> dict[int, str]:
    """What kind of contract each is, by its product; one that nobody has said anything of is a business line."""
    products = dict(Product.objects.values_list("name", "kind"))
    rows = Contract.objects.filter(pk__in={pk for pk in contracts if pk}).values_list("pk", "product")
    return {pk: products.get(product, ContractKind.BUSINESS.value) for pk, product in rows}


def hold(ruled: Ruled, reporters: Mapping[Accusation, str], *, now: datetime) -> None:
    """Under a threshold: what has a case already joins it, what is not enough waits, and with enough all come along."""
    waiting: dict[Key, list[Accusation]] = defaultdict(list)
    for accusation, line in ruled.lines.items():
        if line.kind == THRESHOLD and (key := accusation.key):
            waiting[key].append(accusation)
    if not waiting:
        return
    active, addresses = active_cases(contract for contract, *_ in waiting)
    for key, accusations in sorted(with_open_cases(waiting, addresses).items()):  # in one order: no deadlocks
        if key in active:
            continue
        since = {ruled.lines[a]: now - timedelta(days=ruled.lines[a].days) for a in accusations}
        earlier = held_before(*key[:2], since=min(since.values())).get(key, [])
        said = [(a, reporters.get(a) or reporter_key(a.parsed)) for a in accusations]
        seen = [*(Seen(a.seen_at, voice_of(reporter)) for a, reporter in said), *seen_of(earlier)]
        if any(is_reached(line, [each for each in seen if each.at > days]) for line, days in since.items()):
            taken = take_back([each.pk for each in earlier])
            again = {stored_accusation(each, stored_holding(each)): each.pk for each in earlier if each.pk in taken}
            ruled.earlier |= again
        else:
            ruled.out |= dict.fromkeys(accusations, Ruling.HELD.value)


def held_before(contract: int, category: str, *, since: datetime) -> dict[Key, list[Complaint]]:
    """The youngest that wait for a case of this contract and category, by the case."""
    rows = Complaint.objects.filter(contract=contract, category=category, ruling=Ruling.HELD, seen_at__gt=since)
    found: dict[Key, list[Complaint]] = defaultdict(list)
    for each in rows.select_related("reporter").order_by("-seen_at")[:MOST_EARLIER]:
        if key := stored_accusation(each, stored_holding(each)).key:
            found[key].append(each)
    return found


def seen_of(complaints: Iterable[Complaint]) -> list[Seen]:
    return [Seen(each.seen_at, voice_of(each.reporter.address if each.reporter else "")) for each in complaints]


def take_back(ids: Sequence[int], *, ruling: str = Ruling.HELD.value) -> set[int]:
    """Those of the complaints that were kept out until now, and are ours to file: nobody else gets them."""
    if not ids:
        return set()
    marks, table = ", ".join(["%s"] * len(ids)), connection.ops.quote_name(Complaint._meta.db_table)
    sql = f"UPDATE {table} SET ruling = '' WHERE id IN ({marks}) AND ruling = %s AND case_id IS NULL RETURNING id"  # noqa: S608
    with connection.cursor() as cursor:
        cursor.execute(sql, [*sorted(ids), ruling])
        return {pk for (pk,) in cursor.fetchall()}


def bring_back(ruled: Ruled, cases: Mapping[Accusation, int]) -> None:
    """Write the case of those that had waited."""
    rows = sorted((pk, cases[accusation]) for accusation, pk in ruled.earlier.items() if accusation in cases)
    update_rows(Complaint, "id", ("case_id",), rows)


def give_away(ruled: Ruled, cases: Mapping[Accusation, int], opened: Sequence[int], *, now: datetime) -> None:
    """Cases that were just opened go to whom a rule names; one that somebody has taken stays theirs."""
    fresh, given = set(opened), dict[int, Line]()
    for accusation, line in ruled.lines.items():
        if line.kind == ROUTE and cases.get(accusation) in fresh:
            given.setdefault(cases[accusation], line)
    people = User.objects.in_bulk({line.assignee_id for line in given.values() if line.assignee_id}) if given else {}
    for pk, line in sorted(given.items()):
        person = people.get(line.assignee_id or 0)
        if person and not person.is_active:
            person = None
        if Case.objects.filter(pk=pk, assignee=None, team="").update(team=line.team, assignee=person):
            told = {"to": person.username if person else None, "team": line.team, "rule": line.id, "because": line.name}
            record(Case(pk=pk), EventKind.ASSIGNED, actor="machine", now=now, **told)
