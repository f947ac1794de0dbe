"""A listing from before the contract had the address is about somebody else: it is shown, and proves nothing.

Addresses that are lent go from one customer to the next, and lists forget an address days after it fell silent.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from complaints.addresses import prefix_key
from complaints.attribution import Question, attribute
from complaints.models import Case, CheckRun, Listing
from complaints.vocabulary import Answer, CheckOutcome, Verdict

Result = tuple[CheckRun, CheckOutcome]
Row = Mapping[str, Any]  # what one list said, as checks/dnsbl.py writes it into the details
Place = tuple[str, bytes]  # list, prefix key
LISTED, EARLIER = "listed", "earlier"


def of_their_own(results: Sequence[Result]) -> list[Result]:
    """`results`, without the listings that began while another contract held the address."""
    since = first_seen(row for run, outcome in results for row in listed_in(run, outcome))
    asked = [
        (run, place, since[place])
        for run, outcome in results
        for row in listed_in(run, outcome)
        if (place := place_of(row)) in since and since[place] < (run.started_at or run.queued_at)
    ]
    if not asked:
        return list(results)
    holdings = attribute([Question(address=bytes(run.address), port=None, at=at) for run, _, at in asked])
    contracts = dict(Case.objects.filter(pk__in={run.case_id for run, _, _ in asked}).values_list("pk", "contract"))
    others = {
        (run.pk, place)
        for (run, place, _), holding in zip(asked, holdings, strict=True)
        if holding.answer is Answer.OWNER and holding.contract_id != contracts.get(run.case_id or 0)
    }
    return [(run, without(outcome, [place for pk, place in others if pk == run.pk])) for run, outcome in results]


def listed_in(run: CheckRun, outcome: CheckOutcome) -> list[Row]:
    """Nothing of checks that are about no case."""
    if run.check_name != "dnsbl" or run.case_id is None:
        return []
    return [row for row in outcome.details.get("lists", ()) if row["status"] == LISTED]


def place_of(row: Row) -> Place:
    return str(row["list"]), prefix_key(str(row["place"]))


def first_seen(rows: Iterable[Row]) -> dict[Place, datetime]:
    """Since when the lists name these places, as far as anybody has looked."""
    places = {place_of(row) for row in rows}
    if not places:
        return {}
    listings = Listing.objects.filter(key__in=sorted({key for _, key in places}), gone_at__isnull=True)
    found: dict[Place, datetime] = {}
    for name, key, at in listings.values_list("blacklist__name", "key", "first_seen_at"):
        place = str(name), bytes(key)
        found[place] = min(at, found.get(place, at))
    return found


def without(outcome: CheckOutcome, earlier: Collection[Place]) -> CheckOutcome:
    """The outcome with these places put aside; unknown where no other list names the address. Pure."""
    if not earlier:
        return outcome
    rows = [
        {**row, "status": EARLIER} if row["status"] == LISTED and place_of(row) in earlier else row
        for row in outcome.details["lists"]
    ]
    listed = [row for row in rows if row["status"] == LISTED]
    causes = {cause for row in listed for cause in str(row["cause"]).split(", ") if cause}
    aside = "listed since before they had the address by " + names_of(row for row in rows if row["status"] == EARLIER)
    return dataclasses.replace(
        outcome,
        verdict=Verdict.BAD if listed else Verdict.UNKNOWN,
        reason=f"listed by {names_of(listed)}; {aside}" if listed else aside,
        details={**outcome.details, "lists": rows, "causes": sorted(causes)},
    )


def names_of(rows: Iterable[Row]) -> str:
    return ", ".join(str(row["list"]) for row in rows)
