"""To move a rule or to switch it off changes what the others decide: tried on the past, as activating one is."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from complaints.cases.rules_match import IGNORE, THRESHOLD
from complaints.cases.rules_trial import Trial, try_rules
from complaints.cases.rulings import COLUMNS, lines_of
from complaints.models import Rule

KEEPS_OUT = frozenset({IGNORE, THRESHOLD})
STEPS = {"up": -1, "down": 1}
Rows = Sequence[dict[str, Any]]


def try_change(rule: Rule, verb: str, *, now: datetime) -> Trial | None:
    """What moving it ("up", "down") or switching it off ("off") would have done; None: it can keep nothing away."""
    rows = list(Rule.objects.order_by("position", "id").values("active", *COLUMNS))
    changed = without(rows, rule) if verb == "off" else swapped(rows, rule, STEPS[verb])
    if changed is None or not may_keep_out(rows, changed, rule, now=now):
        return None
    before, after = (lines_of([row for row in each if row["active"]]) for each in (rows, changed))
    return try_rules(after, instead_of=before, about=rule.pk, now=now)


def without(rows: Rows, rule: Rule) -> Rows:
    return [row for row in rows if row["id"] != rule.pk]


def swapped(rows: Rows, rule: Rule, by: int) -> Rows | None:
    """None: it stands at the end already."""
    at = next(number for number, row in enumerate(rows) if row["id"] == rule.pk)
    if not 0 <= at + by < len(rows):
        return None
    order = list(rows)
    order[at], order[at + by] = order[at + by], order[at]
    return order


def may_keep_out(before: Rows, after: Rows, rule: Rule, *, now: datetime) -> bool:
    """Whether a rule that keeps complaints out may come to be asked where another one was, of those in force."""
    kinds = [[row["kind"] for row in rows if in_force(row, now)] for rows in (before, after)]
    ids = [[row["id"] for row in rows if in_force(row, now)] for rows in (before, after)]
    if ids[0] == ids[1]:
        return False
    if len(ids[0]) != len(ids[1]):  # what stood behind the one that goes is asked in its place
        at = ids[0].index(rule.pk)
        return rule.kind != IGNORE and bool(KEEPS_OUT & set(kinds[0][at + 1 :]))
    pair = [kinds[0][at] for at, (was, now_) in enumerate(zip(*ids, strict=True)) if was != now_]
    return bool(KEEPS_OUT & set(pair)) and set(pair) != {IGNORE}


def in_force(row: dict[str, Any], now: datetime) -> bool:
    return row["active"] and (row["until"] is None or row["until"] > now)
