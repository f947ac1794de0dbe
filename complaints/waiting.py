"""The messages that wait to be read, as a queue: claimed, portioned, and freed when their reader fails or dies.

A mail that kills its reader (memory, a fault in a library, no end) must not take the others along again and again:
whatever a dead worker held is marked, and marked messages are read one at a time. The one that goes on killing is
parked on the desk.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from django.db.models import Q, QuerySet, Value
from django.db.models.functions import Concat

from complaints.claims import dead_claims
from complaints.models import Reading
from complaints.vocabulary import Disposition

BATCH = 500
MOST_BYTES = 64 * 1024 * 1024  # of raw mail in memory at once
BEHIND = timedelta(minutes=10)  # mail that came longer ago and is not read yet: the desk does not know it all
CLAIM_LASTS = timedelta(minutes=10)  # then the worker that held it is taken for dead
DIED = "The worker that read this died. "
MOST_DEATHS = 3


def has_fallen_behind(*, now: datetime) -> bool:
    """The oldest mail that waits has waited long: in a flood, or after an outage."""
    waiting = Reading.objects.filter(state=Reading.State.WAITING).order_by("message")
    came_at = waiting.values_list("message__received_at", flat=True).first()
    return came_at is not None and came_at < now - BEHIND


@dataclasses.dataclass(frozen=True, slots=True)
class Claimed:
    """What is ours to read. portions: ids that fit into memory together. suspects: freed, then read alone."""

    count: int
    portions: Sequence[Sequence[int]] = ()
    suspects: Sequence[int] = ()


def claim_waiting(ids: Sequence[int], *, claim: str, now: datetime) -> Claimed:
    free = Q(claimed_at=None) | Q(claimed_at__lt=now - CLAIM_LASTS)
    count = Reading.objects.filter(free, message__in=ids, state=Reading.State.WAITING).update(
        claim=claim, claimed_at=now
    )
    if not count:
        return Claimed(0)
    rows = list(held_by(claim, ids).order_by("pk").values_list("pk", "message__size", "problem"))
    suspects = [pk for pk, _, problem in rows if problem] if len(rows) > 1 else []
    return Claimed(count, list(portions([(pk, size) for pk, size, _ in rows if pk not in suspects])), suspects)


def portions(sizes: Sequence[tuple[int, int]]) -> Iterator[list[int]]:
    portion: list[int] = []
    total = 0
    for pk, size in sizes:
        if portion and total + size > MOST_BYTES:
            yield portion
            portion, total = [], 0
        portion.append(pk)
        total += size
    if portion:
        yield portion


def held_by(claim: str, ids: Sequence[int]) -> QuerySet[Reading]:
    return Reading.objects.filter(pk__in=ids, claim=claim, state=Reading.State.WAITING)


def free(claim: str, ids: Sequence[int]) -> None:
    """Give back what was claimed and not read."""
    held_by(claim, ids).update(claim="", claimed_at=None)


def release_dead(*, now: datetime) -> list[int]:
    """Free and mark the messages of workers that died, and park those that have killed too many; the ids freed."""
    held = Reading.objects.filter(state=Reading.State.WAITING, claimed_at__gt=now - CLAIM_LASTS)
    dead = dead_claims(held.order_by().values_list("claim", flat=True).distinct())
    ids = list(held.filter(claim__in=dead).values_list("pk", flat=True)) if dead else []
    waiting = Reading.objects.filter(pk__in=ids, state=Reading.State.WAITING)
    waiting.filter(claim__in=dead).update(claimed_at=None, claim="", problem=Concat("problem", Value(DIED)))
    waiting.filter(claimed_at=None, problem__startswith=DIED * MOST_DEATHS).update(
        state=Reading.State.UNREAD,
        disposition=Disposition.UNREADABLE.value,
        problem=f"{MOST_DEATHS} workers died while they read this",
        read_at=now,
    )
    return ids
