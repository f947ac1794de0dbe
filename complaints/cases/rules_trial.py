"""A set of rules tried on what came in: which cases it would not have opened, and which it would have. Changes nothing.

Both sets, the one in force and the one that is tried, are played over the same stored complaints: so a case that an
older rule would have kept away by now is not counted for the new one. Bounded by a number and by the clock; how far
back it came is part of the answer.
"""

from __future__ import annotations

import dataclasses
import time
from collections import defaultdict, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q

from complaints.cases.accusations import NO_CASE
from complaints.cases.rules_match import IGNORE, THRESHOLD, Accused, Line, Matcher, Seen, is_reached
from complaints.cases.rulings import kinds_of
from complaints.cases.voices import voice_of
from complaints.models import Case, CheckRun, Complaint
from complaints.vocabulary import Answer, Resolution, Verdict

DAYS = 30
MOST = 200_000  # complaints
PORTION = 5_000
MOST_OLD = 3  # portions in a row without a young complaint: old mails that were read again have new ids
PATIENCE_S = 6.0
PROVEN = 0.95  # of a cause
NAMED = 50  # cases shown
MOST_HELD = 1_000  # no threshold asks for more (rule_documents.checked)
COLUMNS = (
    *("id", "address", "category", "reporter__address", "contract_id", "format", "case_id", "answer", "ruling"),
    *("received_at", "seen_at"),
)
Row = dict[str, Any]
Judged = tuple[Line | None, Line | None, Row]  # by the new rules, by the old ones


@dataclasses.dataclass(slots=True)
class Trial:
    """since: how far back it came; is_cut: not all of the days. fitted: complaints that the tried rule decides.

    fewer: ids of cases that would not have been opened, newest first. proven: those of them that were proven.
    more: how many cases there would be beside, for (contract, category) that have none.
    """

    since: datetime
    is_cut: bool = False
    complaints: int = 0
    fitted: int = 0
    fewer: list[int] = dataclasses.field(default_factory=list)
    proven: list[int] = dataclasses.field(default_factory=list)
    more: int = 0
    given: int = 0  # cases that a rule would have given to somebody

    @property
    def cases(self) -> list[Case]:
        """Those to show, the proven ones first."""
        wanted = [*self.proven, *(pk for pk in self.fewer if pk not in set(self.proven))][:NAMED]
        found = Case.objects.select_related("contract__customer").in_bulk(wanted)
        return [found[pk] for pk in wanted if pk in found]


def try_rules(
    tried: Sequence[Line],
    *,
    instead_of: Sequence[Line],
    about: int,
    now: datetime,
    days: int = DAYS,
    patience_s: float = PATIENCE_S,
    most: int = MOST,
    clock: Callable[[], float] = time.monotonic,
) -> Trial:
    """`tried`: all lines in their order, as they would be. `instead_of`: as they are. `about`: the changed one."""
    trial = Trial(since=now - timedelta(days=days))
    then, before = Matcher(tried, now=now), Matcher(instead_of, now=now)
    filed: dict[int, list[Judged]] = defaultdict(list)
    homeless: dict[tuple[int, str], list[Judged]] = defaultdict(list)
    give_up = clock() + patience_s
    reached = now
    for portion in portions(trial.since):
        kinds = kinds_of(row["contract_id"] for row in portion) if then.asks_for_kinds or before.asks_for_kinds else {}
        for row in portion:
            accused = accused_of(row, kinds)
            new, old = then.first(accused), before.first(accused)
            trial.fitted += new is not None and new.id == about
            if row["case_id"]:
                filed[row["case_id"]].append((new, old, row))
            elif row["answer"] == Answer.OWNER and row["category"] not in NO_CASE:
                homeless[row["contract_id"], row["category"]].append((new, old, row))
        trial.complaints += len(portion)
        reached = portion[-1]["received_at"]
        if clock() > give_up or trial.complaints >= most:
            trial.is_cut, trial.since = True, reached
            break
    weigh_filed(trial, filed)
    housed = {(row["contract_id"], row["category"]) for rows in filed.values() for *_, row in rows}
    lonely = [rows for key, rows in homeless.items() if key not in housed]
    trial.more = sum(opens(rows, 0) and not opens(rows, 1) for rows in lonely)
    return trial


def portions(since: datetime) -> Iterator[list[Row]]:
    """Complaints from the newest back, by their ids: the index that every database has at hand."""
    below, old = None, 0
    while True:
        rows = (
            Complaint.objects.order_by("-id")
            if below is None
            else Complaint.objects.filter(id__lt=below).order_by("-id")
        )
        found = [dict(zip(COLUMNS, row, strict=True)) for row in rows.values_list(*COLUMNS)[:PORTION]]
        young = [row for row in found if row["received_at"] >= since]
        if young:
            yield young
        old = 0 if young else old + 1
        if len(found) < PORTION or old == MOST_OLD:
            return
        below = found[-1]["id"]


def accused_of(row: Row, kinds: Mapping[int, str]) -> Accused:
    return Accused(
        address=bytes(row["address"]),
        category=row["category"],
        reporter=row["reporter__address"] or "",
        contract=row["contract_id"],
        kind=kinds.get(row["contract_id"] or 0, ""),
        format=row["format"],
    )


def weigh_filed(trial: Trial, filed: Mapping[int, list[Judged]]) -> None:
    """Cases of the days that the new rules would not have opened, though the old ones did; and what they are."""
    gone = [pk for pk, rows in filed.items() if not opens(rows, 0) and opens(rows, 1)]
    routed = [
        pk for pk, rows in filed.items() if any(new and new.kind == "route" and new is not old for new, old, _ in rows)
    ]
    for start in range(0, len(gone), 500):
        cases = Case.objects.filter(pk__in=gone[start : start + 500], opened_at__gte=trial.since)
        trial.fewer += cases.values_list("pk", flat=True)
        trial.proven += proven_among(cases)
    for start in range(0, len(routed), 500):
        trial.given += Case.objects.filter(pk__in=routed[start : start + 500], opened_at__gte=trial.since).count()
    trial.fewer.sort(reverse=True)
    trial.proven.sort(reverse=True)


def proven_among(cases: Any) -> list[int]:
    """By a check of ours that said "bad", by a fix that was verified, or by a cause of which we are sure."""
    ids = list(cases.values_list("pk", flat=True))
    checked = set(
        CheckRun.objects.filter(case__in=ids, check_name="relay", verdict=Verdict.BAD).values_list("case", flat=True)
    )
    sure = Q(resolution=Resolution.FIXED_VERIFIED) | Q(cause_confidence__gte=PROVEN)
    return sorted(checked | set(cases.filter(sure).values_list("pk", flat=True)))


def opens(rows: Sequence[Judged], which: int) -> bool:
    """Whether a case would have been opened by these complaints under the new rules (0) or the old ones (1)."""
    held: deque[Seen] = deque(maxlen=MOST_HELD)
    for each in sorted(rows, key=lambda each: each[2]["id"]):
        line, row = (each[0], each[1])[which], each[2]
        if line is None or line.kind not in (IGNORE, THRESHOLD):
            return True
        if line.kind == THRESHOLD:
            held.append(Seen(row["seen_at"], voice_of(row["reporter__address"] or "")))
            since = row["received_at"] - timedelta(days=line.days)
            if is_reached(line, [seen for seen in held if seen.at > since]):
                return True
    return False
