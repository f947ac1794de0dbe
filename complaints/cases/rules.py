"""Rules are made, changed, put in order, switched on and off; and what they kept out of the cases is filed after all.

Each verb is one transaction, writes its line of history, and refuses a page that is older than the rule.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import F, Max, Min

from complaints.cases.accusations import Accusation, by_case, stored_accusation
from complaints.cases.asking import stored_holding
from complaints.cases.placing import place
from complaints.cases.rule_documents import MOST_RULES, BadRule, checked
from complaints.cases.rulings import take_back
from complaints.models import Complaint, Rule, RuleChange
from complaints.models.bulk import update_rows
from complaints.models.text import storable

What = RuleChange.What
KEPT = ("kind", "name", "reason", "conditions", "complaints", "reporters", "days", "team")
MOST_FILED = 2_000  # complaints that come back at once; the rest at the next press


class StaleRule(Exception):
    """Somebody else changed it since it was looked at: look again."""


def add_rule(document: Mapping[str, Any], *, actor: str, now: datetime, active: bool, first: bool = False) -> Rule:
    """A new rule, behind the others or before them. Raises BadRule."""
    columns = checked(document)
    with transaction.atomic():
        if Rule.objects.count() >= MOST_RULES:
            raise BadRule("name", f"There are {MOST_RULES} rules already: nobody can oversee more")
        ends = Rule.objects.aggregate(first=Min("position"), last=Max("position"))
        if first and ends["first"] is not None:
            Rule.objects.update(position=F("position") + 1)
        position = (ends["first"] or 0) if first else (ends["last"] or 0) + 1
        rule = Rule.objects.create(position=position, active=active, created_at=now, created_by=actor, **columns)
        note(rule, What.ADDED, actor=actor, now=now, text=rule.reason)
        if active:
            note(rule, What.ACTIVATED, actor=actor, now=now)
    return rule


def change_rule(rule: Rule, document: Mapping[str, Any], *, actor: str, now: datetime, active: bool) -> Rule:
    """`rule` as it was looked at. Raises BadRule and StaleRule."""
    columns = checked(document)
    was = rule.active
    with transaction.atomic():
        rise(rule, **columns, active=active)
        note(rule, What.CHANGED, actor=actor, now=now, text=rule.reason)
        if active != was:
            note(rule, What.ACTIVATED if active else What.DEACTIVATED, actor=actor, now=now)
    return rule


def activate(rule: Rule, *, actor: str, now: datetime, why: str = "") -> None:
    switch(rule, True, What.ACTIVATED, actor=actor, now=now, why=why)


def deactivate(rule: Rule, *, actor: str, now: datetime, why: str = "") -> None:
    """From now on it decides nothing. What it decided before stays as it is; file_after_all brings that back."""
    switch(rule, False, What.DEACTIVATED, actor=actor, now=now, why=why)


def switch(rule: Rule, active: bool, what: RuleChange.What, *, actor: str, now: datetime, why: str) -> None:
    if rule.active == active:
        return
    with transaction.atomic():
        rise(rule, active=active)
        note(rule, what, actor=actor, now=now, text=why)


def rise(rule: Rule, **columns: Any) -> None:
    """Write `columns`, if the rule is still as it was looked at."""
    found = Rule.objects.filter(pk=rule.pk, revision=rule.revision)
    if not found.update(**columns, revision=F("revision") + 1):
        raise StaleRule(f"“{rule.name}” was changed by somebody else since you opened it")
    for name, value in columns.items():
        setattr(rule, name, value)
    rule.revision += 1


def move_rule(rule: Rule, *, by: int, actor: str, now: datetime) -> bool:
    """One place up (-1) or down (+1); False where it stands at the end already."""
    with transaction.atomic():
        order = list(Rule.objects.order_by("position", "id").values_list("pk", flat=True))
        at = order.index(rule.pk)
        to = at + by
        if not 0 <= to < len(order):
            return False
        order[at], order[to] = order[to], order[at]
        update_rows(Rule, "id", ("position",), list(enumerate_places(order)))
        note(rule, What.MOVED, actor=actor, now=now, text=f"from place {at + 1} to {to + 1}")
    return True


def enumerate_places(order: Sequence[int]) -> Iterable[tuple[int, int]]:
    return ((pk, place_) for place_, pk in enumerate(order, start=1))


def note(rule: Rule, what: RuleChange.What, *, actor: str, now: datetime, text: str = "") -> None:
    document = {name: getattr(rule, name) for name in KEPT}
    document |= {"until": rule.until.isoformat() if rule.until else None, "assignee": rule.assignee_id}
    RuleChange.objects.create(
        rule=rule, what=what, actor=actor, at=now, text=storable(text, 500), document=document | {"active": rule.active}
    )


def file_after_all(rule: Rule, *, since: datetime, actor: str, now: datetime) -> tuple[int, list[int]]:
    """Bring back what the rule kept out since then, oldest first: how many, and the cases to wake. Safe to repeat.

    Those that accuse nobody who is known lose the rule's mark alone, and stand among the unattributed again.
    """
    kept_out = Complaint.objects.filter(rule=rule, received_at__gte=since, case=None).exclude(ruling="")
    ids = list(kept_out.order_by("pk").values_list("pk", flat=True)[:MOST_FILED])
    filed, cases = file_ids(ids, now=now)
    if filed:
        note(rule, What.FILED, actor=actor, now=now, text=f"{filed} complaints were filed after all")
    return filed, cases


def file_ids(ids: Sequence[int], *, now: datetime) -> tuple[int, list[int]]:
    """File these complaints, which a rule kept out. Others, and those that somebody else is filing, are passed over."""
    taken = 0
    cases: dict[Accusation, int] = {}
    for start in range(0, len(ids), 500):
        with transaction.atomic():
            portion = ids[start : start + 500]
            mine = take_back(portion, ruling="ignored") | take_back(portion, ruling="held")
            rows = Complaint.objects.filter(pk__in=mine).select_related("reporter").order_by("pk")
            accusations = {stored_accusation(each, stored_holding(each)): each.pk for each in rows}
            grouped = by_case(accusations)
            found = place(grouped, now)[0] if grouped else {}
            update_rows(Complaint, "id", ("case_id",), sorted((accusations[a], case) for a, case in found.items()))
            taken += len(mine)
            cases |= found
    return taken, sorted(set(cases.values()))
