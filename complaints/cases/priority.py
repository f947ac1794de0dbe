"""How much a case hurts, 0 to 100, explained line by line. Pure: same inputs, same order."""

from __future__ import annotations

import dataclasses
from math import log2

from complaints.vocabulary import CaseState, Category

SEVERITY: dict[Category, int] = {
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
OTHER_SEVERITY = 5


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Weight:
    """What the priority is made from."""

    category: Category
    state: CaseState
    complaints: int
    reporters: int
    blacklists: int
    proven: bool
    ladder: int
    overdue: bool


def prioritise(weight: Weight) -> tuple[int, list[tuple[str, int]]]:
    """The points in all, at most 100, and the lines that make them up, biggest first."""
    lines = [
        (f"category {weight.category.replace('_', ' ')}", SEVERITY.get(weight.category, OTHER_SEVERITY)),
        ("proven by our own check", 15 if weight.proven else 0),
        (count(weight.reporters, "reporter"), min(20, round(4 * log2(max(weight.reporters, 1)) + 2))),
        (count(weight.complaints, "complaint"), min(10, round(1.5 * log2(max(weight.complaints, 1))))),
        (f"on {count(weight.blacklists, 'blacklist')}", min(15, 5 * weight.blacklists)),
        (count(weight.ladder, "relapse"), min(20, 10 * weight.ladder)),
        ("customer waits for us", 10 if weight.state is CaseState.ANSWERED else 0),
        ("deadline passed", 10 if weight.overdue else 0),
    ]
    lines = sorted(((text, points) for text, points in lines if points), key=lambda line: -line[1])
    return min(100, sum(points for _, points in lines)), lines


def count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
