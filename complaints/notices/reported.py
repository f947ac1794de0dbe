"""The complaints of one mail, as the verbs that answer its author want them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from complaints.models import Complaint, Message, Reporter
from complaints.vocabulary import Answer

MOST_COMPLAINTS = 500  # of one mail; what is beyond waits for an analyst


def line_of(complaint: Complaint) -> dict[str, Any]:
    """A complaint as a letter names it; kept with the mail, as it was told."""
    return {
        "complaint": complaint.pk,
        "address": complaint.address_text,
        "port": complaint.port or None,
        "at": complaint.seen_at.isoformat(),
    }


def source_of(complaints: Sequence[Complaint]) -> tuple[Message, Reporter]:
    first = complaints[0]
    assert first.reporter is not None, "only complaints with a reporter are answered"
    return first.message, first.reporter


def by_message(complaints: Iterable[Complaint]) -> list[list[Complaint]]:
    grouped: dict[int, list[Complaint]] = defaultdict(list)
    for complaint in complaints:
        grouped[complaint.message_id].append(complaint)
    return list(grouped.values())


def complaints_of(message: Message, answer: Answer) -> list[Complaint]:
    """Those of one message with this answer of attribution."""
    found = message.complaints.filter(answer=answer.value, reporter__isnull=False).select_related("reporter", "message")
    return list(found.order_by("pk")[:MOST_COMPLAINTS])
