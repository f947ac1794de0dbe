"""A case's history as somebody restricted may read it: it names no case and no contract that is not theirs."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from django.contrib.auth.models import AnonymousUser

from complaints.cases.story import Entry
from complaints.desk.access import visible
from complaints.desk.rights import is_restricted
from complaints.models import Case, CaseEvent, User
from complaints.vocabulary import Resolution

NOT_YOURS = "(not yours)"
ENDS = ("to", "from")  # of a line about two cases


def mask(entries: Iterable[Entry], user: User | AnonymousUser) -> None:
    """Take the names of others out of the lines, which are shown and never saved."""
    if not is_restricted(user):
        return
    events = [entry.what for entry in entries if isinstance(entry.what, CaseEvent)]
    named = {event.data.get(f"{end}_case") for event in events for end in ENDS} - {None}
    theirs = set(visible(user, Case).filter(pk__in=named).values_list("pk", flat=True)) if named else set()
    for event in events:
        event.data = masked(event.data, theirs)


def masked(data: Mapping[str, Any], theirs: Collection[int]) -> dict[str, Any]:
    found = dict(data)
    for end in ENDS:
        if found.get(f"{end}_number") and found.get(f"{end}_case") not in theirs:
            found |= {f"{end}_number": NOT_YOURS, f"{end}_contract": NOT_YOURS}
    if found.get("resolution") == Resolution.MERGED:
        found["reason"] = ""  # its words name the case that it went to
    return found
