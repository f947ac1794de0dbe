"""How much a case hurts, 0 to 100, explained line by line. Pure: same inputs, same order."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from math import log2
from typing import Any

from complaints.cases.weights import DEFAULTS
from complaints.vocabulary import CaseState, Category, ContractKind

MANY_REPORTERS, MANY_COMPLAINTS, MUCH_RISEN, HEAVY_LISTS = 32, 100, 8.0, 3.0
OFTEN_WRONG = 0.5
RISING_FROM = 3  # complaints of the last day: one more than one is no trend
MOST_RELAPSES = 2
HALF, PASSED = "half", "passed"
Lines = list[tuple[str, int]]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Weight:
    """What the priority is made from. JSON values alone: it is kept, so that other weights can be tried on it.

    reporters: independent ones; precision: how often the best of them is right, 0 to 1. lists: the blacklists that
    name the address, and how much each says, 0 to 1. last_day, a_day_before: complaints. promise: how much of the
    promised time has gone, "half" or "passed" or "".
    """

    category: Category
    state: CaseState
    complaints: int
    last_day: int = 0
    a_day_before: float = 0.0
    reporters: int
    precision: float = 0.7
    lists: tuple[tuple[str, float], ...] = ()
    proven: bool
    kind: ContractKind = ContractKind.BUSINESS
    ladder: int
    promise: str = ""

    def as_json(self) -> dict[str, Any]:
        return dataclasses.asdict(self) | {"lists": [list(each) for each in self.lists]}


def weight_from(document: Mapping[str, Any]) -> Weight:
    """What as_json wrote. Raises KeyError, TypeError or ValueError for anything else."""
    return Weight(
        **dict(document)
        | {
            "category": Category(document["category"]),
            "state": CaseState(document["state"]),
            "kind": ContractKind(document["kind"]),
            "lists": tuple((str(name), float(says)) for name, says in document["lists"]),
        }
    )


def prioritise(weight: Weight, points: Mapping[str, int] = DEFAULTS) -> tuple[int, Lines]:
    """The points in all, 0 to 100, and the lines that make them up, biggest first."""
    doubted = weight.reporters > 0 and weight.precision < OFTEN_WRONG and not weight.proven
    lines = [
        (f"category {weight.category.replace('_', ' ')}", points[f"severity.{weight.category}"]),
        ("proven by our own check", points["proven"] if weight.proven else 0),
        (count(weight.reporters, "independent reporter"), share(points["reporters"], weight.reporters, MANY_REPORTERS)),
        (f"reporters right in {weight.precision:.0%} at best", -points["doubt"] if doubted else 0),
        (count(weight.complaints, "complaint"), share(points["complaints"], weight.complaints - 1, MANY_COMPLAINTS)),
        rising(weight, points["rising"]),
        listed(weight, points["blacklists"]),
        (f"{weight.kind} line", points[f"kind.{weight.kind}"]),
        (count(weight.ladder, "relapse"), points["relapse"] * min(weight.ladder, MOST_RELAPSES)),
        ("customer waits for us", points["waits"] if weight.state is CaseState.ANSWERED else 0),
        ("half of the promised time gone", points["half"] if weight.promise == HALF else 0),
        ("promised time passed", points["passed"] if weight.promise == PASSED else 0),
    ]
    lines = sorted(((text, worth) for text, worth in lines if worth), key=lambda line: -line[1])
    return max(0, min(100, sum(worth for _, worth in lines))), lines


def share(most: int, number: int, full: int) -> int:
    """Each doubling counts alike; `full` of them and more are worth `most`."""
    return round(most * min(1.0, log2(1 + max(number, 0)) / log2(1 + full)))


def rising(weight: Weight, most: int) -> tuple[str, int]:
    times = weight.last_day / max(weight.a_day_before, 1.0)
    worth = round(most * min(1.0, log2(max(times, 1.0)) / log2(MUCH_RISEN))) if weight.last_day >= RISING_FROM else 0
    return f"rising: {weight.last_day} in the last day, {weight.a_day_before:.0f} a day before", worth


def listed(weight: Weight, most: int) -> tuple[str, int]:
    says = min(1.0, sum(each for _, each in weight.lists) / HEAVY_LISTS)
    names = [name for name, _ in sorted(weight.lists, key=lambda each: (-each[1], each[0]))]
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return f"on {', '.join(names[:3])}{more}", round(most * says)


def count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
