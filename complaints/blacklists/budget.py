"""How many questions a list gets, shared by all worker processes: by the second and by the day, counted on rows.

A batch reserves what it may need before it starts and gives back what it did not ask.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from django.db.models import F
from django.db.models.functions import Greatest

from complaints.checks import Allowance
from complaints.models import Blacklist, ListUse

TRIES = 20


def reserve(
    lists: Sequence[Blacklist], questions: int, *, now: datetime, kept_back: float = 0.0
) -> dict[str, Allowance]:
    """What each list may be asked, `questions` at most. kept_back: the share of the day left to others, 0 to 1."""
    limited = [each for each in lists if each.per_day or each.per_second]
    day = now.astimezone(UTC).date()
    ListUse.objects.bulk_create([ListUse(blacklist=each, day=day) for each in limited], ignore_conflicts=True)
    return {each.name: reserve_one(each, questions, now=now, kept_back=kept_back) for each in limited}


def reserve_one(each: Blacklist, questions: int, *, now: datetime, kept_back: float) -> Allowance:
    uses = ListUse.objects.filter(blacklist=each, day=now.astimezone(UTC).date())
    for _ in range(TRIES):
        asked, free_at = uses.values_list("asked", "free_at").get()
        granted = questions
        if each.per_day:
            granted = max(0, min(questions, int(each.per_day * (1 - kept_back)) - asked))
        begins = max(free_at, now.timestamp())
        until = begins + granted / each.per_second if each.per_second else free_at
        if uses.filter(asked=asked, free_at=free_at).update(asked=asked + granted, free_at=until):
            return Allowance(left=granted, per_second=each.per_second, not_before=begins)
    return Allowance(left=0, refusal="other workers take its turns: asked again later")


def give_back(lists: Sequence[Blacklist], reserved: Mapping[str, Allowance], *, now: datetime) -> None:
    """What was reserved and not asked. The rate is handed back only for what nobody has built on since."""
    day = now.astimezone(UTC).date()
    for each in lists:
        unused = (reserved[each.name].left or 0) if each.name in reserved else 0
        if unused:
            saved = unused / each.per_second if each.per_second else 0
            ListUse.objects.filter(blacklist=each, day=day, asked__gte=unused).update(
                asked=F("asked") - unused, free_at=Greatest(F("free_at") - saved, 0.0)
            )
