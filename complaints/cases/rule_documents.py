"""A rule as people write it, read and checked: which conditions there are, and what each of them may say. Pure."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from complaints.addresses import prefix_key, prefix_text
from complaints.cases.rules_match import ALLOW, IGNORE, ROUTE, THRESHOLD
from complaints.vocabulary import Category, ContractKind

MOST_VALUES = 200  # of one condition: a longer list is a feed, and belongs elsewhere
MOST_RULES = 500
KINDS = (IGNORE, ALLOW, THRESHOLD, ROUTE)
DOMAIN = re.compile(r"(?!-)[a-z0-9-]{1,63}(\.(?!-)[a-z0-9-]{1,63})+", re.ASCII)
NAME = re.compile(r"[a-z0-9_]{1,40}", re.ASCII)


class BadRule(ValueError):
    """What stands where, and what may stand there; `field` names the place."""

    def __init__(self, field: str, text: str) -> None:
        super().__init__(text)
        self.field = field


def prefix(text: str) -> str:
    try:
        asked = ipaddress.ip_interface(text)
        mended = prefix_text(prefix_key(str(asked.network)))
    except ValueError:
        raise BadRule("prefix", f"“{text}” is neither an address nor a prefix such as 192.0.2.0/24") from None
    if asked.ip != asked.network.network_address:
        raise BadRule("prefix", f"“{text}” has bits behind its length: did you mean {mended}?")
    return mended


def reporter(text: str) -> str:
    text = text.lower().removeprefix("@")
    local, at, domain = text.rpartition("@")
    if not DOMAIN.fullmatch(domain) or (at and not local) or len(text) > 320:
        raise BadRule("reporter", f"“{text}” is neither a mail address nor a domain")
    return text


def one_of(field: str, words: Iterable[str]) -> Callable[[str], str]:
    allowed = tuple(words)

    def check(text: str) -> str:
        if text not in allowed:
            raise BadRule(field, f"“{text}” is none of {', '.join(allowed)}")
        return text

    return check


def contract(text: str) -> str:
    if len(text) > 100:
        raise BadRule("contract", f"“{text[:40]}…” is no number of a contract: it is too long")
    return text


def format_name(text: str) -> str:
    if not NAME.fullmatch(text):
        raise BadRule("format", f"“{text}” is no name of a format: it has letters, digits and _ alone")
    return text


# What may be asked, and how a value is read.
CONDITIONS: dict[str, Callable[[str], str]] = {
    "prefix": prefix,
    "category": one_of("category", [each.value for each in Category]),
    "reporter": reporter,
    "contract": contract,
    "contract_kind": one_of("contract_kind", [each.value for each in ContractKind]),
    "format": format_name,
}


def read_conditions(given: Mapping[str, Iterable[str]]) -> dict[str, list[str]]:
    """Each value checked and written in the one way it is compared in. Raises BadRule."""
    found: dict[str, list[str]] = {}
    for name, check in CONDITIONS.items():
        values = list(dict.fromkeys(check(text.strip()) for text in given.get(name, ()) if text.strip()))
        if len(values) > MOST_VALUES:
            raise BadRule(name, f"{len(values)} values: {MOST_VALUES} are the most of one condition")
        if values:
            found[name] = values
    return found


def checked(document: Mapping[str, Any]) -> dict[str, Any]:
    """The columns of a rule, if they make sense together. Raises BadRule."""
    kind, conditions = document["kind"], read_conditions(document["conditions"])
    if kind not in KINDS:
        raise BadRule("kind", f"“{kind}” is none of {', '.join(KINDS)}")
    if not str(document.get("name", "")).strip():
        raise BadRule("name", "Give it a name: it stands beside every complaint that it decided")
    if not str(document.get("reason", "")).strip():
        raise BadRule("reason", "Say why, for whoever asks a year later")
    if kind == IGNORE and not conditions:
        raise BadRule("conditions", "Without a condition it would ignore every complaint: name what it is about")
    complaints, reporters, days = (int(document.get(name) or 0) for name in ("complaints", "reporters", "days"))
    if kind == THRESHOLD:
        if complaints < 2 and reporters < 2:
            raise BadRule("complaints", "Ask for at least 2 complaints or 2 reporters: one is there anyway")
        if not 1 <= days <= 90:
            raise BadRule("days", "Say within how many days: 1 to 90")
        if max(complaints, reporters) > 1000:
            raise BadRule("complaints", "More than 1,000 would never be reached: use “ignore”")
    team, assignee = str(document.get("team") or "").strip(), document.get("assignee")
    if kind == ROUTE and not team and not assignee:
        raise BadRule("team", "Name a team or a person: to whom?")
    is_route, is_threshold = kind == ROUTE, kind == THRESHOLD
    return {
        "kind": kind,
        "name": str(document["name"]).strip()[:120],
        "reason": str(document["reason"]).strip()[:500],
        "conditions": conditions,
        "until": document.get("until"),
        "complaints": complaints if is_threshold else 0,
        "reporters": reporters if is_threshold else 0,
        "days": days if is_threshold else 0,
        "team": team[:60] if is_route else "",
        "assignee": assignee if is_route else None,
    }
