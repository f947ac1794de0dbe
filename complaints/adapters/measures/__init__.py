"""How a measure reaches the ISP's own systems: one file an adapter, found by being there (complaints/registry.py).

NAME, RANK, and carry_out(order, config) -> words of what the other side said. It may be called twice with the same
`order.key`, and must then have the effect of once. Raises TryLater, Refused or AskHuman.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from functools import cache
from types import ModuleType

from complaints.registry import load_plugins
from complaints.vocabulary import MeasureKind


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """One measure to begin, or to lift.

    key: the same for every try of the same order; beginning and lifting have different ones.
    prefixes: what the contract holds at this moment, with ports where it shares an address: "192.0.2.1:1024-2047".
    """

    key: str
    kind: MeasureKind
    lift: bool
    contract: str
    customer: str
    case: str
    prefixes: tuple[str, ...]
    accounts: tuple[str, ...] = ()
    reason: str = ""
    decided_by: str = ""
    seconded_by: str = ""


Config = Mapping[str, str]


class TryLater(Exception):
    """The other side could not be reached, or was busy: the same order is sent again."""


class Refused(Exception):
    """The other side said no, and will say it again: a human must look."""


class AskHuman(Exception):
    """No machine can do it here: a person does it and says so."""


@cache
def load_adapters() -> Sequence[ModuleType]:
    return load_plugins(__name__, {"RANK": int, "carry_out": None})
