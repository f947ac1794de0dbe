"""Getting off the lists after a fix: what to do at each, who asked when, and whether it has worked."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from complaints.blacklists.history import listings_of
from complaints.cases.transitions import record
from complaints.models import Case, ListHealth, Listing
from complaints.vocabulary import CaseState, EventKind, Resolution, Verdict

MOST_ADDRESSES = 4
FIXED = (Resolution.FIXED_VERIFIED, Resolution.FIXED_NOT_VERIFIABLE)


@dataclasses.dataclass(frozen=True, slots=True)
class Ways:
    """ready: the fix is proven, so asking makes sense now; before, most lists would name the address at once again."""

    listings: tuple[Listing, ...]
    ready: bool

    @property
    def to_do(self) -> list[Listing]:
        return [each for each in self.listings if each.gone_at is None]

    @property
    def done(self) -> list[Listing]:
        return [each for each in self.listings if each.gone_at is not None]


def addresses_of_case(case: Case) -> list[bytes]:
    """The addresses complained about, the youngest first."""
    rows = case.complaints.exclude(address=b"").order_by("-seen_at").values_list("address", flat=True)[:200]
    found = list(dict.fromkeys(bytes(key) for key in rows))[:MOST_ADDRESSES]
    return found or ([bytes(case.address)] if case.address else [])


def ways_out(case: Case, listings: Sequence[Listing] | None = None) -> Ways:
    """The lists that hold something against the case's addresses, or did while it was open."""
    every = listings_of(addresses_of_case(case)) if listings is None else listings
    about = [each for each in every if each.status == "listed" and still_matters(each, case)]
    return Ways(tuple(about), ready=is_fixed(case))


def still_matters(listing: Listing, case: Case) -> bool:
    """Not gone before the case, nor begun after it: by then the address may be somebody else's."""
    if case.closed_at is not None and listing.first_seen_at > case.closed_at:
        return False
    return listing.gone_at is None or listing.gone_at >= case.opened_at


def is_fixed(case: Case) -> bool:
    """By our own proof: closed as fixed, or clean checks since the customer said so."""
    if case.state == CaseState.CLOSED:
        return case.resolution in FIXED
    if case.state != CaseState.VERIFYING or case.fixed_claimed_at is None:
        return False
    since = case.checks.filter(finished_at__gt=case.fixed_claimed_at).exclude(check_name="dnsbl")
    verdicts = set(since.exclude(verdict="").values_list("verdict", flat=True))
    return verdicts == {Verdict.CLEAN}


def delisted(case: Case) -> bool | None:
    """Whether no list names the case's addresses any more; None: not known. For playbooks.

    A list that is switched off says nothing either way; one that is parked may still name them.
    """
    now = [
        each
        for each in listings_of(addresses_of_case(case))
        if each.gone_at is None and each.status == "listed" and each.blacklist.enabled
    ]
    if not now:
        asked = case.checks.filter(check_name="dnsbl", verdict__in=[Verdict.BAD, Verdict.CLEAN])
        return True if asked.exists() else None
    parked = set(
        ListHealth.objects.filter(blacklist__in=[each.blacklist_id for each in now])
        .exclude(problem="")
        .values_list("blacklist_id", flat=True)
    )
    return None if all(each.blacklist_id in parked for each in now) else False


def mark_asked(listing: Listing, *, case: Case, actor: str, now: datetime) -> bool:
    """Somebody asked the list to take the address out. Said twice it counts once; False when it is gone already."""
    with transaction.atomic():
        rows = Listing.objects.filter(pk=listing.pk, gone_at__isnull=True, asked_at__isnull=True)
        if not rows.update(asked_at=now, asked_by=actor, look_at=now):
            return False
        text = f"{listing.blacklist.name} was asked to take {listing.prefix} out"
        record(case, EventKind.NOTE, actor=actor, now=now, text=text)
    return True
