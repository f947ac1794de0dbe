"""Other weights: tried on the queue before they hold, and then given to every open case, batch by batch.

The batches follow the ids of the open cases; how far they have come stands on the version's row, so any worker can go
on. A case that is looked at meanwhile takes the newest weights by itself.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction

from complaints.cases.priority import PASSED, prioritise, weight_from
from complaints.cases.weights import DEFAULTS, kept_weights, read_weights
from complaints.models import Case, PriorityWeights
from complaints.models.bulk import update_rows
from complaints.models.text import storable

PORTION = 500
LOOKED_AT = 3_000  # of the most urgent cases: one from farther behind can hardly come among those shown
SHOWN = 50
AGED, DAY = timedelta(hours=1), timedelta(days=1)
CALMED = timedelta(days=2)  # so long after it, for a desk that was switched off meanwhile


class StaleWeights(Exception):
    """Somebody else has changed them since they were looked at."""


@dataclasses.dataclass(frozen=True, slots=True)
class Place:
    """A case in the queue of today and in that of other weights; places begin at 1."""

    case: Case
    was: int
    now: int
    points_were: int
    points: int
    lines: list[tuple[str, int]]

    @property
    def up(self) -> int:
        """By how many places it would rise; below 0: it would fall."""
        return self.was - self.now


def newest() -> PriorityWeights | None:
    return PriorityWeights.objects.first()


def weights_now() -> tuple[int, dict[str, int]]:
    """The version that holds (0: the shipped one), and its weights."""
    row = newest()
    return (row.number, kept_weights(row.document)) if row else (0, dict(DEFAULTS))


def try_weights(points: Mapping[str, int], *, most: int = LOOKED_AT, shown: int = SHOWN) -> tuple[list[Place], int]:
    """The first of the queue as it would be, and how many cases were looked at. Changes nothing."""
    fields = ("id", "priority", "weighed", "headline", "category", "opened_at", "state", "owner", "address")
    queue = Case.objects.active().only(*fields).order_by("-priority", "id")
    cases = list(queue[:most])
    was = {case.pk: place for place, case in enumerate(cases, start=1)}
    judged = [(case, *weighed_again(case, points)) for case in cases]
    judged.sort(key=lambda each: (-each[1], each[0].pk))
    found = [
        Place(case, was[case.pk], place, case.priority, worth, lines)
        for place, (case, worth, lines) in enumerate(judged[:shown], start=1)
    ]
    return found, len(cases)


def weighed_again(case: Case, points: Mapping[str, int]) -> tuple[int, list[tuple[str, int]]]:
    """By other weights; a case that was not weighed yet, or by an older program, keeps what it has."""
    if not case.weighed:
        return case.priority, []
    try:
        return prioritise(weight_from(case.weighed), points)
    except (KeyError, TypeError, ValueError):
        return case.priority, []


def save_weights(
    document: Mapping[str, Any], *, instead_of: int, actor: str, reason: str, now: datetime
) -> PriorityWeights:
    """A new version that holds from now on. `instead_of`: the version that was looked at.

    Raises:
        BadWeight: what stands where, and what may.
        StaleWeights: there is a newer version.
    """
    points = read_weights(document)
    row = newest()
    if (row.number if row else 0) != instead_of:
        raise StaleWeights("the weights were changed by somebody else since you looked at them")
    try:
        with transaction.atomic():
            return PriorityWeights.objects.create(
                number=instead_of + 1, document=points, reason=storable(reason, 500), created_at=now, created_by=actor
            )
    except IntegrityError:
        raise StaleWeights("somebody else has just saved other weights") from None


def reweigh(*, now: datetime, most: int = PORTION) -> int:
    """Give the next open cases the newest weights; how many were looked at, 0 when all have them. Safe to repeat."""
    row = PriorityWeights.objects.filter(finished_at=None).first()
    if row is None:
        return 0
    PriorityWeights.objects.filter(finished_at=None, number__lt=row.number).update(finished_at=now)  # overtaken
    cases = list(Case.objects.active().filter(pk__gt=row.upto).only("pk", "priority", "weighed").order_by("pk")[:most])
    points = kept_weights(row.document)
    with transaction.atomic():
        done = {"upto": cases[-1].pk} if cases else {"finished_at": now}
        if not PriorityWeights.objects.filter(pk=row.pk, upto=row.upto, finished_at=None).update(**done):
            return len(cases)  # another worker did these
        write(cases, points)
    return len(cases)


def unfinished() -> list[int]:
    """The versions that not every open case has yet; at most one, and what it overtook."""
    return list(PriorityWeights.objects.filter(finished_at=None).values_list("pk", flat=True)[:2])


def write(cases: Sequence[Case], points: Mapping[str, int]) -> None:
    judged = [(case.pk, *weighed_again(case, points)) for case in cases]
    rows = [(pk, worth, [list(line) for line in lines]) for pk, worth, lines in judged if lines]
    update_rows(Case, "id", ("priority", "priority_reasons"), rows)


def reweigh_late(*, now: datetime, most: int = PORTION) -> int:
    """Cases whose promised time has just passed, and that nobody looks at: they rise without being asked again."""
    late = Case.objects.active().filter(deadline_at__lte=now, deadline_at__gt=now - AGED).order_by("deadline_at")
    found = late.only("pk", "priority", "weighed")[:most]
    return change_weighed(
        [case for case in found if case.weighed and case.weighed["promise"] != PASSED], promise=PASSED
    )


def reweigh_calm(*, now: datetime, most: int = PORTION) -> int:
    """Cases without a complaint since a day that are still called rising, though nobody looks at them."""
    calm = Case.objects.active().filter(last_seen_at__lte=now - DAY, last_seen_at__gt=now - DAY - CALMED)
    found = calm.filter(weighed__last_day__gt=0).only("pk", "priority", "weighed").order_by("pk")
    return change_weighed(list(found[:most]), last_day=0)


def change_weighed(cases: Sequence[Case], **changed: Any) -> int:
    """Give these cases the points of what has changed by the time alone."""
    for case in cases:
        case.weighed = {**(case.weighed or {}), **changed}
    if cases:
        with transaction.atomic():
            update_rows(Case, "id", ("weighed",), [(case.pk, case.weighed) for case in cases])
            write(cases, weights_now()[1])
    return len(cases)
