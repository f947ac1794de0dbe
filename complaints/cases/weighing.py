"""What a case's priority is made from, looked up once; complaints/cases/priority.py says what it is worth."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Subquery

from complaints.cases.precision import precision
from complaints.cases.priority import HALF, PASSED, Weight, prioritise
from complaints.cases.protection import contract_kind
from complaints.cases.voices import voice_of
from complaints.cases.weights import DEFAULTS, kept_weights
from complaints.models import Case, CheckRun, Complaint, PriorityWeights, Product, Reporter
from complaints.vocabulary import CaseState, Category, ContractKind, Verdict

MOST_REPORTERS = 200  # looked at by name; how many there are beyond is counted
MOST_COUNTED = 20_000
UNPROVEN = 0.75  # an address that nobody vouches for is as easily forged as any
DAY = timedelta(days=1)


@dataclasses.dataclass(frozen=True, slots=True)
class Weighed:
    """reporters: how many different ones. columns: what the case's row keeps of it."""

    reporters: int
    columns: dict[str, Any]


@dataclasses.dataclass(frozen=True, slots=True)
class Said:
    """Who complained. reporters: addresses. voices: independent ones. best: the precision of the best of them."""

    reporters: int
    voices: int
    best: float


def weigh(case: Case, complaints: Sequence[Complaint], runs: Sequence[CheckRun], *, now: datetime) -> Weighed:
    """`complaints`: the youngest of the case. `runs`: the last finished one of each check and address."""
    said = said_by(case)
    points, kind = points_for(case)
    weight = weight_of(case, said, complaints, runs, kind, now)
    worth, lines = prioritise(weight, points)
    columns = {
        "reporter_count": said.reporters,
        "priority": worth,
        "priority_reasons": [list(line) for line in lines],
        "weighed": weight.as_json(),
    }
    return Weighed(said.reporters, columns)


def points_for(case: Case) -> tuple[Mapping[str, int], ContractKind]:
    """The weights that hold, and what kind of line it is; one statement."""
    product = Product.objects.filter(name=case.owner.get("product") or "").values("kind")[:1]
    newest = PriorityWeights.objects.annotate(line=Subquery(product)).values_list("document", "line").first()
    if newest is None:
        return DEFAULTS, contract_kind(case)
    return kept_weights(newest[0]), ContractKind(newest[1] or ContractKind.BUSINESS)


def said_by(case: Case) -> Said:
    mine = case.complaints.exclude(reporter=None).order_by()
    rows = Reporter.objects.filter(pk__in=mine.values("reporter"))
    columns = ("address", "right", "wrong", "trust", "authenticated")
    found = list(rows.order_by("pk").values_list(*columns)[:MOST_REPORTERS])  # always the same of many
    reporters = mine.values("reporter").distinct().count() if len(found) == MOST_REPORTERS else len(found)
    voices = {voice_of(row[0]) for row in found}
    best = max((believed(right, wrong, trust, proven) for _, right, wrong, trust, proven in found), default=0.0)
    # Beyond those that were looked at each is taken for somebody of their own: by then it is many anyway.
    return Said(reporters, len(voices) + reporters - len(found), best)


def believed(right: float, wrong: float, trust: str, authenticated: bool) -> float:
    share = precision(right, wrong, trust=trust)
    return share if authenticated or trust else share * UNPROVEN


def weight_of(
    case: Case,
    said: Said,
    complaints: Sequence[Complaint],
    runs: Sequence[CheckRun],
    kind: ContractKind,
    now: datetime,
) -> Weight:
    last_day = of_last_day(case, complaints, now)
    days_before = max((now - DAY - case.first_seen_at) / DAY, 1.0)
    return Weight(
        category=Category(case.category),
        state=CaseState(case.state),
        complaints=case.complaint_count,
        last_day=last_day,
        a_day_before=round(max(case.complaint_count - last_day, 0) / days_before, 1),
        reporters=said.voices,
        precision=round(said.best, 3),
        lists=lists_in(runs),
        proven=any(run.check_name == "relay" and run.verdict == Verdict.BAD for run in runs),
        kind=kind,
        ladder=case.ladder,
        promise=promise_of(case, now),
    )


def of_last_day(case: Case, complaints: Sequence[Complaint], now: datetime) -> int:
    """How many of the last day. Counted only where all that were looked at are so young, and there are more."""
    young = sum(complaint.seen_at > now - DAY for complaint in complaints)
    if not young or young < len(complaints) or young >= case.complaint_count:
        return young
    return max(young, case.complaints.filter(seen_at__gt=now - DAY)[:MOST_COUNTED].count())


def lists_in(runs: Sequence[CheckRun]) -> tuple[tuple[str, float], ...]:
    rows = [row for run in runs for row in run.details.get("lists", []) if row.get("status") == "listed"]
    found = {str(row.get("list")): float(row.get("weight") or 0) if "weight" in row else 0.5 for row in rows}
    return tuple(sorted(found.items()))


def promise_of(case: Case, now: datetime) -> str:
    """How much of the time that was promised since the case came into its state has gone."""
    if case.deadline_at is None:
        return ""
    if case.deadline_at < now:
        return PASSED
    return HALF if now - case.state_since > case.deadline_at - now else ""
