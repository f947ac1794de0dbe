"""What each narrowing of the search means: one reader a field, which makes a condition on cases of it."""

from __future__ import annotations

import dataclasses
import ipaddress
import re
from collections.abc import Callable
from datetime import datetime

from django.db.models import Exists, Q, QuerySet

from complaints.addresses import MAPPED
from complaints.cases.counting import late_before
from complaints.cases.queue import DESK
from complaints.cases.states import TURNS, Turn
from complaints.cases.word_marks import asked_words, words_of
from complaints.desk.listed import on_lists
from complaints.desk.looking_up import Condition, contracts_of, few, ids_of, ids_with, is_full, spellings
from complaints.desk.query import WORDS, Query, Term, duration, is_address
from complaints.models import Case, CaseAddress, Complaint, Contract, Notice, User
from complaints.vocabulary import CaseState

PROVEN, UNSURE = 0.95, 0.6
BY_TURN = {"customer": Turn.CUSTOMER, "machine": Turn.MACHINE}


@dataclasses.dataclass(frozen=True, slots=True)
class Asking:
    """Who asks, and when: for "mine", "older" and "late"."""

    user: User
    now: datetime
    cases: QuerySet[Case]  # those that this user may see


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
    return Q(contract__in=contracts) | Q(pk__in=ids), any(map(is_full, named))


def by_contract(term: Term, asking: Asking) -> Condition:
    return Q(contract__in=list(contracts_of(Q(reference__in=spellings(term.values))))), False


def by_reporter(term: Term, asking: Asking) -> Condition:
    named = [ids_with([f"r:{value.lower()}"] if "@" in value else asked_words(value)) for value in term.values]
    return Q(pk__in={pk for some in named for pk in some}), any(map(is_full, named))


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
        return Q(pk__in=found) | by_mark_of_mail(text.strip("<>")), is_full(found)
    return Q(pk__in=found) | Q(contract__in=named_by_isp(spellings([text]))), is_full(found)


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
