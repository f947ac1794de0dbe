"""A dry run: what a draft would have done with the cases of the last days, beside what was done. Nothing is written."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from datetime import datetime, timedelta

from complaints.models import Case, PlaybookVersion, Reattribution
from complaints.playbooks.choosing import fits
from complaints.playbooks.comparing import Compared, Total, compare, shifts, totals
from complaints.playbooks.facts import working_time
from complaints.playbooks.recorded import as_they_were, records
from complaints.playbooks.replay import replay
from complaints.playbooks.versions import steps_of_version

DAYS = 30
MOST_CASES = 1000
LOOKED_AT = 20_000  # the youngest cases of the desk; the sample is drawn from those
BATCH = 100


@dataclasses.dataclass(frozen=True, slots=True)
class DryRun:
    """found: cases of those days that the draft is about. left_out: of the sample, those with a correction of owner."""

    since: datetime
    found: int
    is_sample: bool
    left_out: int
    compared: Sequence[Compared]
    not_comparable: Sequence[Compared]
    totals: Sequence[Total]
    shifts: Sequence[str]

    @property
    def differing(self) -> list[Compared]:
        return [each for each in self.compared if each.differs]


def dry_run(version: PlaybookVersion, *, now: datetime, days: int = DAYS, most: int = MOST_CASES) -> DryRun:
    """Play the cases of the last `days` again as if `version` had been the active one of its name all the time."""
    since = now - timedelta(days=days)
    found = cases_about(version, since=since)
    chosen = sample(found, most)
    corrected = set(Reattribution.objects.filter(from_case__in=chosen).values_list("from_case", flat=True)) | set(
        Reattribution.objects.filter(to_case__in=chosen).values_list("to_case", flat=True)
    )
    ids = [pk for pk in chosen if pk not in corrected]
    as_it_was, as_drafted, hours = as_they_were(), as_they_were(instead=version), working_time()
    with_listings = any("delisted" in step.when for step in steps_of_version(version))
    every: list[Compared] = []
    for start in range(0, len(ids), BATCH):
        for record in records(ids[start : start + BATCH], now=now, with_listings=with_listings):
            own = replay(record, as_it_was, working=hours)
            every.append(compare(record, own, replay(record, as_drafted, working=hours)))
    compared = [each for each in every if not each.problem]
    return DryRun(
        since=since,
        found=len(found),
        is_sample=len(chosen) < len(found),
        left_out=len(corrected),
        compared=compared,
        not_comparable=[each for each in every if each.problem],
        totals=totals(compared),
        shifts=shifts(compared),
    )


def cases_about(version: PlaybookVersion, *, since: datetime) -> list[int]:
    """Cases opened since then that followed a version of this name, or that this one is meant for. Youngest first."""
    names = dict(PlaybookVersion.objects.values_list("pk", "name"))
    audience = {field: names for field, names in version.document.get("for", {}).items() if field != "contract"}
    youngest = Case.objects.order_by("-pk").values_list("pk", "opened_at", "playbook_id", "category", "cause")
    return [
        pk
        for pk, opened_at, playbook, category, cause in youngest[:LOOKED_AT]
        if opened_at >= since
        and (
            names.get(playbook) == version.name
            or (audience and fits({"for": audience}, {"category": category, "cause": cause}))
        )
    ]


def sample(ids: Sequence[int], most: int) -> list[int]:
    """Evenly over the time, and the same ones each time."""
    if len(ids) <= most:
        return list(ids)
    return [ids[number * len(ids) // most] for number in range(most)]
