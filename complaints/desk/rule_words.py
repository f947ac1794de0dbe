"""A rule as people say it: what it is about, what it does, and how it stands."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from complaints.cases.story import Accusation
from complaints.desk.words import CATEGORIES, Word
from complaints.models import Rule
from complaints.vocabulary import Category

KINDS = {
    "ignore": Word("ignore", "bad", "Kept and found, but in no case"),
    "allow": Word("allow", "good", "No later rule applies"),
    "threshold": Word("threshold", "warn", "A case only when there are enough"),
    "route": Word("route", "", "New cases are given to somebody"),
}
CONTRACT_KINDS = {
    "residential": "homes",
    "business": "businesses",
    "reseller": "resellers",
    "critical": "critical lines",
}
TITLES = {
    "prefix": "Address",
    "category": "Category",
    "reporter": "Reporter",
    "contract": "Contract",
    "contract_kind": "Lines of",
    "format": "Format",
}
MOST_NAMED = 4


def state_word(rule: Rule, now: datetime) -> Word:
    if not rule.active:
        return Word("off", "", "It decides nothing")
    if rule.until and rule.until <= now:
        return Word("expired", "warn", "Its date has passed: it decides nothing")
    return Word("active", "good")


def conditions_words(conditions: dict[str, list[str]]) -> list[tuple[str, str]]:
    """(what, which of them), such as ("Category", "Spam or Scanning")."""
    return [
        (TITLES[name], listed([value_words(name, value) for value in conditions[name]]))
        for name in TITLES
        if name in conditions
    ]


def value_words(name: str, value: str) -> str:
    if name == "category":
        return CATEGORIES[Category(value)]
    return CONTRACT_KINDS.get(value, value) if name == "contract_kind" else value


def listed(values: list[str]) -> str:
    if len(values) > MOST_NAMED:
        return f"{', '.join(values[:MOST_NAMED])} or {len(values) - MOST_NAMED} more"
    return " or ".join([", ".join(values[:-1]), values[-1]] if len(values) > 1 else values)


def effect_words(rule: Rule) -> str:
    """What it does, as a sentence."""
    if rule.kind == Rule.Kind.IGNORE:
        return "Opens no case. The complaints are kept, and found here."
    if rule.kind == Rule.Kind.ALLOW:
        return "Is filed as usual: no rule below is asked."
    if rule.kind == Rule.Kind.THRESHOLD:
        numbers = [(rule.complaints, "complaints"), (rule.reporters, "independent reporters")]
        wanted = " and ".join(f"{number} {what}" for number, what in numbers if number)
        return (
            f"Opens a case only from {wanted} within {rule.days} day{'s' if rule.days > 1 else ''}, with all of them."
        )
    person = (rule.assignee.get_full_name() or rule.assignee.username) if rule.assignee else ""
    team = f"team {rule.team}" if rule.team else ""
    return f"Gives new cases to {' and '.join(each for each in (person, team) if each)}."


def assigned_line(data: dict[str, Any]) -> tuple[str, str]:
    """A line of a case's history: to whom it was given, and by which rule if one did."""
    to = [data["to"]] if data.get("to") else []
    to += [f"the team {data['team']}"] if data.get("team") else []
    because = f"By the rule “{data['because']}”" if data.get("rule") else ""
    return (f"Assigned to {' and '.join(to)}" if to else "Assigned to nobody"), because


def rules_of(complaints: Sequence[Accusation]) -> list[Rule]:
    """Those that decided any of a case's complaints; no statement where none did."""
    wanted = {each.rule_id for each in complaints if each.rule_id}
    return list(Rule.objects.filter(pk__in=wanted)) if wanted else []
