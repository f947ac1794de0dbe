"""What a case's page says of corrections: that it is in question, that its contract was wrongly told, what moved."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django.db.models import QuerySet

from complaints.cases.corrections import proposed
from complaints.models import Case, Reattribution

MOST_COUNTED = 1000


def looks(case: Case) -> dict[str, QuerySet[Reattribution]]:
    """Two looks at small indexes."""
    return {
        "in_question": proposed().filter(from_case=case).order_by("pk").only("pk")[:MOST_COUNTED],
        "told_wrongly": Reattribution.objects.filter(from_case=case, told=Reattribution.Told.WRONG).only("pk")[:1],
    }


def corrections(waiting: Sequence[Reattribution], told: Sequence[Reattribution]) -> dict[str, Any]:
    """`questioned`: how many complaints wait for a decision; `questioned_by`: where."""
    return {"questioned": len(waiting), "questioned_by": waiting[0].pk if waiting else None, "wrongly_told": bool(told)}


def moved_away(data: Mapping[str, Any]) -> tuple[str, str]:
    if not data.get("to_number"):
        return f"{complaints(data)} accuse nobody any more", str(data.get("because") or "")
    where = f"case {data['to_number']} of contract {data.get('to_contract')}"
    return f"{complaints(data)} moved to {where}", str(data.get("because") or "")


def moved_here(data: Mapping[str, Any]) -> tuple[str, str]:
    where = f"case {data.get('from_number')} of contract {data.get('from_contract')}"
    return f"{complaints(data)} came from {where}", str(data.get("because") or "")


def kept(data: Mapping[str, Any]) -> tuple[str, str]:
    reason = " · ".join(str(data[name]) for name in ("because", "reason") if data.get(name))
    return f"{complaints(data)} stay here: a correction was dismissed", reason


def complaints(data: Mapping[str, Any]) -> str:
    count = int(data.get("complaints") or 0)
    return "1 complaint" if count == 1 else f"{count:,} complaints"


# The head and the second line of a history line, by kind of event.
LINES: dict[str, Callable[[Mapping[str, Any]], tuple[str, str]]] = {
    "moved_away": moved_away,
    "moved_here": moved_here,
    "kept": kept,
}
