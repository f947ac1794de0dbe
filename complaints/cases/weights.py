"""The weights of the priority: which there are, what each may be, and what it means. Pure.

They are data: a supervisor changes them (complaints/models/weights.py keeps every version), and sees before what
would become of the queue.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from complaints.vocabulary import Category, ContractKind


@dataclasses.dataclass(frozen=True, slots=True)
class Setting:
    """One weight. most: the highest that may be set; the lowest is 0."""

    name: str
    title: str
    default: int
    most: int = 40
    meaning: str = ""


SEVERE = {
    Category.PHISHING: 35,
    Category.MALWARE: 35,
    Category.FRAUD: 35,
    Category.DDOS: 30,
    Category.BOT: 30,
    Category.LOGIN_ATTACK: 25,
    Category.SPAM: 20,
    Category.SCAN: 15,
    Category.VULNERABLE: 15,
    Category.COPYRIGHT: 10,
}
KINDS = {ContractKind.RESIDENTIAL: 0, ContractKind.BUSINESS: 2, ContractKind.RESELLER: 2, ContractKind.CRITICAL: 8}

TITLES = {Category.DDOS: "Denial of service", Category.LOGIN_ATTACK: "Log-in attack", Category.OTHER: "Anything else"}
SEVERITY = tuple(
    Setting(f"severity.{each}", TITLES.get(each, each.replace("_", " ").capitalize()), SEVERE.get(each, 5), 60)
    for each in Category
)
EVIDENCE = (
    Setting("proven", "Proven by our own check", 15),
    Setting("reporters", "Many independent reporters", 20, 40, "At 32 of them; one domain counts once"),
    Setting("doubt", "All of them are often wrong", 12, 40, "Taken away where the best of them is right in under half"),
    Setting("complaints", "Many complaints", 10, 40, "At 100 of them"),
    Setting("rising", "Rising", 10, 40, "At eight times as many in the last day as on a day before"),
    Setting("blacklists", "On blacklists", 15, 40, "At three lists that say much; each counts by what it says"),
)
TIME = (
    Setting("relapse", "Each relapse", 10, 20, "Twice that at most"),
    Setting("waits", "The customer waits for us", 10),
    Setting("half", "Half of the promised time has gone", 3, 20),
    Setting("passed", "The promised time has passed", 10),
)
CONTRACTS = tuple(Setting(f"kind.{kind}", f"{kind.capitalize()} line", points, 20) for kind, points in KINDS.items())
GROUPS = (("What it is", SEVERITY), ("What speaks for it", EVIDENCE), ("Time", TIME), ("Whose line it is", CONTRACTS))
SETTINGS = {setting.name: setting for _, group in GROUPS for setting in group}
DEFAULTS: Mapping[str, int] = {name: setting.default for name, setting in SETTINGS.items()}


class BadWeight(ValueError):
    """Which one, what stood there and what may."""


def read_weights(document: Mapping[str, Any]) -> dict[str, int]:
    """Every weight there is; those that an older version does not know have their default. Raises BadWeight."""
    unknown = sorted(set(document) - set(SETTINGS))
    if unknown:
        raise BadWeight(f"there is no weight “{unknown[0]}”")
    found = dict(DEFAULTS)
    for name, value in document.items():
        setting = SETTINGS[name]
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= setting.most:
            raise BadWeight(f"{setting.title}: {value!r} is no whole number from 0 to {setting.most}")
        found[name] = value
    return found


def kept_weights(document: Mapping[str, Any]) -> dict[str, int]:
    """Of a stored version: what this program knows of it, at most what may be set today."""
    return {name: min(int(document.get(name, each.default)), each.most) for name, each in SETTINGS.items()}
