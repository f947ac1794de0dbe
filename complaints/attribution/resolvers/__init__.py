"""One file a source of truth; found by being there (complaints/registry.py).

NAME and RANK (who is asked first), and resolve(questions) -> one Holding a question, or None for a
question it knows nothing about. The first answer but "nobody" stands; "nobody" yields to a later resolver.
Every question lies inside our networks. One call is one batch: few queries, whatever its size.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from types import ModuleType

from complaints.registry import load_plugins


@cache
def chain() -> Sequence[ModuleType]:
    return load_plugins(__name__, {"RANK": int, "resolve": None})
