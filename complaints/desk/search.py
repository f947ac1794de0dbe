"""From a query to cases: each narrowing by an index, the text by words, and in few statements however many cases.

Words are looked up first, with a cap, as ids: the databases then never walk the queue in search of a rare word.
"""

from __future__ import annotations

import dataclasses

from django.db.models import QuerySet

from complaints.cases.counting import late_before
from complaints.cases.queue import DESK, Branches
from complaints.desk.narrowings import CASE_NUMBER, READERS, Asking, texts_of
from complaints.desk.query import Query, Term
from complaints.models import Case
from complaints.vocabulary import CaseState

YOUR_TURN = "turn:you"
FINDS = frozenset({"address", "customer", "contract", "reporter", "case"})  # look at closed cases as well
SCOPES = frozenset({"open", "closed", "any", "mine", "late"})


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
