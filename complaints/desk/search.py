"""From a query to cases: each narrowing by an index, the text by words, and in few statements however many cases.

Words are looked up first, with a cap, as ids: the databases then never walk the queue in search of a rare word.
"""

from __future__ import annotations

import dataclasses
import ipaddress
import re
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any

from django.db import connection
from django.db.models import BinaryField, Exists, Func, OuterRef, Q, QuerySet

from complaints.addresses import MAPPED
from complaints.cases.counting import late_before
from complaints.cases.queue import DESK, Branches
from complaints.cases.states import TURNS, Turn
from complaints.cases.word_marks import asked_words, words_of
from complaints.desk.query import WORDS, Query, Term, duration, is_address
from complaints.models import Case, CaseAddress, Complaint, Contract, Listing, Notice, User
from complaints.vocabulary import CaseState

MOST = 5_000  # cases that words, an address or a customer may lead to; more are said to be too many
YOUR_TURN = "turn:you"
PROVEN, UNSURE = 0.95, 0.6
BY_TURN = {"customer": Turn.CUSTOMER, "machine": Turn.MACHINE}
FINDS = frozenset({"address", "customer", "contract", "reporter", "case"})  # look at closed cases as well
SCOPES = frozenset({"open", "closed", "any", "mine", "late"})


@dataclasses.dataclass(frozen=True, slots=True)
class Asking:
    """Who asks, and when: for "mine", "older" and "late"."""

    user: User
    now: datetime
    cases: QuerySet[Case]  # those that this user may see


@dataclasses.dataclass(frozen=True, slots=True)
class Found:
    """branches: sets of cases that together are the answer (cases/queue.py). exact: one case was named: go there."""

    branches: Branches
    exact: bool = False
    capped: bool = False  # there may be more than were looked at


def search(query: Query, asking: Asking) -> Found:
    cases, capped = asking.cases, False
    walked = walked_term(query)
    for each in (*query.terms, *texts_of(query)):
        if each is walked:
            continue
        condition, full = READERS[each.name](each, asking)
        cases = cases.exclude(condition) if each.negated else cases.filter(condition)
        capped = capped or full
    if not looks_at_closed(query):
        cases = cases.exclude(state=CaseState.CLOSED)  # the indexes of the open cases say it so
    exact = len(query.words) == 1 and not query.terms and bool(CASE_NUMBER.fullmatch(query.words[0]))
    return Found(branches_of(walked, cases, asking), exact, capped)


def looks_at_closed(query: Query) -> bool:
    named = {value for term in query.terms if term.name == "is" for value in term.values}
    fields = {term.name for term in query.terms}
    return bool(query.words or fields & (FINDS | {"state", "ended", "turn"}) or named & SCOPES)


def walked_term(query: Query) -> Term | None:
    """The term whose cases are walked state by state: then an index gives each state in the queue's order.

    None where something else finds the cases: they are few, and are sorted.
    """
    if is_finding(query):
        return None
    for term in query.terms:
        if not term.negated and (str(term) == YOUR_TURN or (term.name == "state" and len(term.values) > 1)):
            return term
    return None


def branches_of(walked: Term | None, cases: QuerySet[Case], asking: Asking) -> Branches:
    if walked is None:
        return [cases]
    if walked.name == "state":
        return [cases.filter(state=state) for state in walked.values]
    late = cases.exclude(state__in=[*DESK, CaseState.CLOSED]).filter(deadline_at__lt=late_before(asking.now))
    return [cases.filter(state__in=DESK), late]


def is_finding(query: Query) -> bool:
    return bool(query.words) or any(term.name in FINDS and not term.negated for term in query.terms)


# --- one reader a field: the condition, and whether there may be more than it names

Condition = tuple[Q, bool]


def by_column(column: str) -> Callable[[Term, Asking], Condition]:
    def read(term: Term, asking: Asking) -> Condition:
        return Q(**{f"{column}__in": [WORDS[term.name][value] for value in term.values]}), False

    return read


def by_turn(term: Term, asking: Asking) -> Condition:
    condition = Q()
    for value in term.values:
        if value == "you":
            condition |= Q(state__in=DESK) | Q(~Q(state=CaseState.CLOSED), deadline_at__lt=late_before(asking.now))
        else:
            condition |= Q(state__in=[state for state, turn in TURNS.items() if turn is BY_TURN[value]])
    return condition, False


def by_flag(term: Term, asking: Asking) -> Condition:
    condition = Q()
    for value in term.values:
        condition |= FLAGS[value](asking)
    return condition, False


FLAGS: dict[str, Callable[[Asking], Q]] = {
    "open": lambda asking: ~Q(state=CaseState.CLOSED),
    "closed": lambda asking: Q(state=CaseState.CLOSED),
    "any": lambda asking: Q(pk__isnull=False),
    "mine": lambda asking: ~Q(state=CaseState.CLOSED) & Q(assignee=asking.user),
    "unassigned": lambda asking: Q(assignee__isnull=True),
    "late": lambda asking: ~Q(state=CaseState.CLOSED) & Q(deadline_at__lt=late_before(asking.now)),
    "listed": lambda asking: Q(Exists(on_lists())),
    "relapse": lambda asking: Q(ladder__gt=0),
    "proven": lambda asking: Q(cause_confidence__gte=PROVEN),
    "unsure": lambda asking: Q(cause_confidence__lt=UNSURE),
}


def on_lists() -> QuerySet[Listing]:
    """Listings that name the address of the case around, now."""
    return Listing.objects.filter(gone_at=None, status="listed", key=ListKey(OuterRef("address")))


class ListKey(Func):
    """The case's address as a blacklist's key: length and network octets (complaints/addresses.py)."""

    output_field = BinaryField()

    def as_sql(self, compiler: Any, connection: Any, *_: Any, **extra: Any) -> tuple[str, Any]:
        column, params = compiler.compile(self.source_expressions[0])
        pg = connection.vendor == "postgresql"
        four, six, mapped = ("'\\x20'::bytea", "'\\x80'::bytea", "'\\x00000000000000000000ffff'::bytea") if pg else (
            "x'20'", "x'80'", "x'00000000000000000000ffff'"
        )  # fmt: skip
        joined = f"CASE WHEN substr({column}, 1, 12) = {mapped} THEN {four} || substr({column}, 13)"
        joined += f" ELSE {six} || {column} END"
        return (joined if pg else f"CAST({joined} AS BLOB)"), [*params] * 3


def by_address(term: Term, asking: Asking) -> Condition:
    condition = Q()
    for value in term.values:
        network = ipaddress.ip_network(value)
        low, high = (edge.packed for edge in (network[0], network[-1]))
        if network.version == 4:
            low, high = MAPPED + low, MAPPED + high
        condition |= Q(address=low) if low == high else Q(address__range=(low, high))
    return few(CaseAddress.objects.filter(condition).order_by("address", "case").values_list("case", flat=True))


def by_customer(term: Term, asking: Asking) -> Condition:
    contracts = list(contracts_of(Q(customer__reference__in=spellings(term.values))))
    named = [ids_with([f"c:{word}" for word in words_of(value)]) for value in term.values]
    ids = {pk for some in named for pk in some}
    return Q(contract__in=contracts) | Q(pk__in=ids), any(len(some) == MOST for some in named)


def by_contract(term: Term, asking: Asking) -> Condition:
    return Q(contract__in=list(contracts_of(Q(reference__in=spellings(term.values))))), False


def by_reporter(term: Term, asking: Asking) -> Condition:
    named = [ids_with([f"r:{value.lower()}"] if "@" in value else asked_words(value)) for value in term.values]
    return Q(pk__in={pk for some in named for pk in some}), any(len(some) == MOST for some in named)


def by_assignee(term: Term, asking: Asking) -> Condition:
    condition = Q()
    for value in term.values:
        if value.lower() == "nobody":
            condition |= Q(assignee__isnull=True)
        else:
            name = asking.user.username if value.lower() == "me" else value
            # Looked up first: nobody of that name is nobody's cases, not a walk through all.
            condition |= Q(assignee__in=list(User.objects.filter(username=name).values_list("pk", flat=True)))
    return condition, False


def by_team(term: Term, asking: Asking) -> Condition:
    return Q(team__in=term.values), False


def by_age(column: str, *, before: bool) -> Callable[[Term, Asking], Condition]:
    def read(term: Term, asking: Asking) -> Condition:
        spans = [duration(value) for value in term.values]
        edge = asking.now - (min(spans) if before else max(spans))
        return Q(**{f"{column}__{'lt' if before else 'gt'}": edge}), False

    return read


def by_priority(term: Term, asking: Asking) -> Condition:
    condition = Q()
    for value in term.values:
        low, _, high = value.partition("-")
        condition |= Q(priority__gte=int(low)) & (Q(priority__lte=int(high)) if high else Q())
    return condition, False


CASE_NUMBER = re.compile(r"#(\d{1,12})|(\d{4})-(\d{1,12})", re.ASCII)


def by_number(term: Term, asking: Asking) -> Condition:
    condition = Q(pk__in=[])
    for value in term.values:
        year, _, number = value.lstrip("#").rpartition("-")
        condition |= Q(pk=int(number)) & (Q(opened_at__year=max(1, int(year))) if year else Q())
    return condition, False


def texts_of(query: Query) -> list[Term]:
    """The free text: what looks like a case, an address or a mail's mark alone, and all other words together."""
    special = [word for word in query.words if CASE_NUMBER.fullmatch(word) or is_address(word) or "@" in word]
    plain = tuple(word for word in query.words if word not in special)
    return [Term("text", (word,)) for word in special] + ([Term("text", plain)] if plain else [])


def by_text(term: Term, asking: Asking) -> Condition:
    """Free text, read as what it looks like: a case, an address, else words, or the ISP's own reference."""
    text = " ".join(term.values)
    if CASE_NUMBER.fullmatch(text):
        return by_number(term, asking)
    if is_address(text):
        return by_address(Term("address", (str(ipaddress.ip_network(text, strict=False)),)), asking)
    found = ids_with(asked_words(text))
    if "@" in text:
        return Q(pk__in=found) | by_mark_of_mail(text.strip("<>")), len(found) == MOST
    return Q(pk__in=found) | Q(contract__in=named_by_isp(spellings([text]))), len(found) == MOST


def by_mark_of_mail(bare: str) -> Q:
    """A message-id, of a complaint or of a letter of ours; or the address of a contact. One statement."""
    marks = (
        Complaint.objects.filter(original_message_id=bare, case__isnull=False).values("case"),
        Notice.objects.filter(message_id__in=[bare, f"<{bare}>"]).values("case"),
        Contract.objects.filter(contacts__email__in=spellings([bare])).values("pk"),
    )
    complaints, letters, contracts = ids_of(marks)
    return Q(pk__in=complaints | letters) | Q(contract__in=contracts)


def named_by_isp(references: list[str]) -> set[int]:
    """Contracts of this number, or of the customer of this number: one index each, which an OR would not use."""
    contracts = Contract.objects.filter(reference__in=references).values("pk")
    return set().union(*ids_of((contracts, Contract.objects.filter(customer__reference__in=references).values("pk"))))


def ids_of(wanted: Sequence[QuerySet[Any, Any]]) -> list[set[int]]:
    """The ids that each of these finds, MOST of each; one statement."""
    pieces: list[str] = []
    params: list[Any] = []
    for number, ids in enumerate(wanted):
        sql, values = ids.order_by()[:MOST].query.get_compiler(connection=connection).as_sql()
        pieces.append(f"SELECT {number}, found{number}.* FROM ({sql}) AS found{number}")  # noqa: S608
        params += values
    found: list[set[int]] = [set() for _ in wanted]
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(pieces), params)
        for number, pk in cursor.fetchall():
            found[number].add(pk)
    return found


READERS: dict[str, Callable[[Term, Asking], Condition]] = {
    "state": by_column("state"),
    "cause": by_column("cause"),
    "category": by_column("category"),
    "said": by_column("customer_status"),
    "ended": by_column("resolution"),
    "turn": by_turn,
    "is": by_flag,
    "address": by_address,
    "customer": by_customer,
    "contract": by_contract,
    "reporter": by_reporter,
    "assignee": by_assignee,
    "team": by_team,
    "case": by_number,
    "older": by_age("opened_at", before=True),
    "newer": by_age("opened_at", before=False),
    "quiet": by_age("last_seen_at", before=True),
    "priority": by_priority,
    "text": by_text,
}


# --- looking up


def spellings(texts: Iterable[str]) -> list[str]:
    """References as they are usually written: an index finds each, while "whatever the case" reads the table."""
    return list(dict.fromkeys(form for text in texts for form in (text, text.upper(), text.lower())))


def contracts_of(named: Q) -> QuerySet[Any]:
    return Contract.objects.filter(named).values_list("pk", flat=True)[:MOST]


def few(ids: QuerySet[Any]) -> Condition:
    found = list(ids[:MOST])
    return Q(pk__in=set(found)), len(found) == MOST


def ids_with(words: list[str]) -> list[int]:
    """Cases with all of these words, MOST of them at most. No words: none."""
    if not words:
        return []
    if connection.vendor == "postgresql":
        tsquery = " & ".join("'" + word.replace("\\", "\\\\").replace("'", "''") + "'" for word in words)
        sql = "SELECT case_id FROM complaints_casetext"
        sql += " WHERE array_to_tsvector(string_to_array(words, ' ')) @@ %s::tsquery LIMIT %s"
        params: list[Any] = [tsquery, MOST]
    else:
        sql = "SELECT rowid FROM complaints_casewords WHERE complaints_casewords MATCH %s LIMIT %s"
        params = [" ".join(f'"{word}"' for word in words), MOST]
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return [pk for (pk,) in cursor.fetchall()]
