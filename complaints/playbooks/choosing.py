"""Which playbook a case follows: the one that is meant for it most closely. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from complaints.playbooks.documents import BadPlaybook

D = TypeVar("D", bound=Mapping[str, Any])
# A playbook that names the cause beats one that names the category, and that one beats the kind of contract.
WEIGHTS = {"cause": 4, "category": 2, "contract": 1}


def choose(documents: Sequence[D], *, category: str, cause: str, contract: str) -> D:
    """Of equally close ones the first by name, so that the same case always gets the same. Raises BadPlaybook."""
    here = {"category": category, "cause": cause, "contract": contract}
    fitting = [document for document in documents if fits(document, here)]
    if not fitting:
        raise BadPlaybook(f"no active playbook is for {category}, {cause}, {contract}: activate one without 'for'")
    return min(fitting, key=lambda document: (-closeness(document), document["name"]))


def fits(document: Mapping[str, Any], here: Mapping[str, str]) -> bool:
    return all(here[field] in names for field, names in document.get("for", {}).items())


def closeness(document: Mapping[str, Any]) -> int:
    return sum(WEIGHTS[field] for field in document.get("for", {}))
