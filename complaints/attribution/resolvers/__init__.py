"""One file a source of truth; found by being there (complaints/registry.py), named as the file.

    NAME, RANK          who is asked first, unless ABUSEDESK_RESOLVERS says otherwise
    resolve(questions, around) -> one Holding a question, or None for one it knows nothing about
    health(*, now)      -> what a person should know of it, cheaply: never a count of a large table
    PLACES              where it is asked about; without it, about lines of ours
    review(pairs, around) -> the second look of one that may doubt another's owner; optional

The first answer but "nobody" stands. An UNSURE with `again_at` (unknown now) stands only if nobody after it knows.
One call is one batch: few queries, whatever its size.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import Enum
from functools import cache
from types import ModuleType
from typing import NamedTuple

from django.conf import settings

from complaints.registry import BadPlugin, by_name, load_plugins


class Place(Enum):
    """What an address is to us: it decides which resolvers may say whose it was."""

    LINE = "a line of ours"
    RELAY = "a mail relay of ours, on which many customers act"
    WEB_SERVER = "a web server of ours, on which many customers act"
    OUTSIDE = "outside our networks"
    NO_ADDRESS = "no address is named"


LINES = frozenset({Place.LINE})


class Fact(NamedTuple):
    """One line of a resolver's health."""

    ok: bool
    words: str


@cache
def all_resolvers() -> Mapping[str, ModuleType]:
    """By name, in the order of their rank."""
    found = load_plugins(__name__, {"RANK": int, "resolve": None, "health": None})
    for module in found:
        if module.__name__.rpartition(".")[2] != module.NAME:
            raise BadPlugin(f"{module.__name__}: NAME must be as the file, is {module.NAME!r}")
    return by_name(found)


def chain() -> Sequence[ModuleType]:
    """Those in use, in the order in which they are asked."""
    known = all_resolvers()
    return [known[name] for name in settings.RESOLVERS] if settings.RESOLVERS else list(known.values())


def places_of(resolver: ModuleType) -> frozenset[Place]:
    places: frozenset[Place] = getattr(resolver, "PLACES", LINES)
    return places
