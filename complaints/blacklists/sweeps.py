"""The whole assigned space against every list, once a day, a portion a minute, within the lists' limits.

The place is a row, so a sweep goes on where it was after anything that dies. Off unless ABUSEDESK_SWEEP_LISTS is set.
"""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice
from math import ceil

from django.conf import settings
from django.db.models import F, Q
from django.utils import timezone

from complaints.blacklists.asking import EACH, TESTING, batch_of
from complaints.blacklists.opening import CATEGORIES, Opened, has_meaning, open_for_listings
from complaints.blacklists.space import AFTER_IPV4, Cursor, count_addresses, next_ipv4, next_ipv6
from complaints.checks.dnsbl import real_address, say_all
from complaints.models import Blacklist, DeskTask, Listing, ListSweep, ListUse

ROUND = timedelta(hours=24)
PORTION = timedelta(minutes=1)  # of time; how many addresses that is depends on the space and on the list
MOST = 2000  # addresses of one portion
SPENT_S = 20  # seconds of a minute that a portion may take: the checks of cases are asked by the same workers
KEPT_BACK = 0.25  # of a list's day is left to the checks of cases
# So many new listings at once are the list's fault before they are ours: a person looks first.
MANY, MANY_SHARE = 25, 0.2
TASK = "blacklist-held"


@dataclasses.dataclass(slots=True)
class Swept:
    """asked: questions about addresses. found: episodes that began. cases: ids of those they opened or joined."""

    asked: int = 0
    found: int = 0
    cases: set[int] = dataclasses.field(default_factory=set)


def sweep_lists(*, now: datetime) -> Swept:
    """The next portion of every list that is due; runs beside other workers. Nothing when sweeps are off."""
    swept = Swept()
    if not settings.SWEEP_LISTS or not settings.DNS_RESOLVERS:
        return swept
    total: int | None = None
    portions = []
    for row in take_due(now):
        if row.round_started_at is None:
            total = count_addresses(now) if total is None else total
            begin_round(row, total, now=now)
        if portion := portion_of(row, now=now):
            portions.append((row, *portion))
    if portions:
        ask_portions(portions, swept, now=now)
    return swept


def take_due(now: datetime) -> list[ListSweep]:
    """The cursors that are ours to move now. Whoever takes one moves its time on, so nobody else has it."""
    lists = [each for each in Blacklist.objects.filter(enabled=True) if is_swept(each)]
    ListSweep.objects.bulk_create([ListSweep(blacklist=each) for each in lists], ignore_conflicts=True)
    due = ListSweep.objects.filter(Q(next_at__lte=now) | Q(next_at__isnull=True), blacklist__in=lists, held="")
    mine = []
    for row in due.select_related("blacklist"):
        if ListSweep.objects.filter(pk=row.pk, next_at=row.next_at).update(next_at=now + PORTION):
            mine.append(row)
    return mine


def is_swept(each: Blacklist) -> bool:
    """Only lists whose answers could open a case."""
    causes = {cause for code in each.codes.values() for cause in listed_causes(code)} | {each.cause}
    return not causes.isdisjoint(CATEGORIES)


def listed_causes(code: dict[str, object]) -> list[str]:
    cause = code.get("cause", [])
    return [cause] if isinstance(cause, str) else list(cause) if isinstance(cause, list) else []


def begin_round(row: ListSweep, total: int, *, now: datetime) -> None:
    row.round_started_at, row.key, row.offset, row.done, row.total = now, b"", 0, 0, total
    row.save(update_fields=["round_started_at", "key", "offset", "done", "total"])


def portion_of(row: ListSweep, *, now: datetime) -> tuple[list[str], Cursor | None] | None:
    """The next addresses, and where the cursor stands after them (None: the round is over). None: not now."""
    each, cursor = row.blacklist, Cursor(bytes(row.key), row.offset)
    n = min(MOST, ceil(row.total / (ROUND / PORTION)) or 1, left_today(each, now=now) // EACH)
    if each.per_second:
        n = min(n, max(1, int(each.per_second * SPENT_S)))
    if n <= 0:
        return None
    if cursor.key[:1] == AFTER_IPV4:
        return next_ipv6(cursor, n, now=now)
    found, after = next_ipv4(cursor, n, now=now) if "ipv4" in each.families else ([], None)
    if after is None and "ipv6" in each.families:
        after = Cursor(AFTER_IPV4)
    return found, after


def left_today(each: Blacklist, *, now: datetime) -> int:
    if not each.per_day:
        return MOST * EACH
    used = ListUse.objects.filter(blacklist=each, day=now.astimezone(UTC).date()).values_list("asked", flat=True)
    return max(0, int(each.per_day * (1 - KEPT_BACK)) - sum(used) - TESTING)


def ask_portions(
    portions: Sequence[tuple[ListSweep, list[str], Cursor | None]], swept: Swept, *, now: datetime
) -> None:
    """All portions in one loop. A list that fails its self-test keeps its place: it goes on when it is back."""
    lists = [row.blacklist for row, _, _ in portions]
    every = sorted({address for _, addresses, _ in portions for address in addresses})
    most = max(portions, key=lambda portion: len(portion[1]))[1]
    with batch_of(most, lists=lists, kept_back=KEPT_BACK, listed_only=True, known=every) as batch:
        known = {row.pk: row.blacklist.as_list() for row, _, _ in portions}
        pairs = [(known[row.pk], real_address(text)) for row, addresses, _ in portions for text in addresses]
        found = iter(asyncio.run(say_all(pairs, batch.inquiry)))
        for row, addresses, after in portions:
            said = [finding.as_details() for finding in islice(found, len(addresses))]
            swept.asked += len(said)
            begun = batch.keep(said)
            swept.found += len(begun)
            if addresses and all(answer["status"] == "unknown" for answer in said):
                continue
            move_on(row, len(addresses), after, now=now)
            swept.cases |= open_or_hold(row, begun, len(addresses), since=row.last_round_at, now=now).cases


def move_on(row: ListSweep, asked: int, after: Cursor | None, *, now: datetime) -> None:
    """Only from where we took it up: a worker that was believed dead must not set it back."""
    mine = ListSweep.objects.filter(pk=row.pk, key=row.key, offset=row.offset, round_started_at=row.round_started_at)
    if after is not None:
        mine.update(key=after.key, offset=after.offset, done=F("done") + asked)
        return
    began = row.round_started_at or now
    mine.update(
        round_started_at=None, last_round_at=began, round_ended_at=timezone.now(),
        key=b"", offset=0, done=F("done") + asked, next_at=max(began + ROUND, now + PORTION),
    )  # fmt: skip


def open_or_hold(
    row: ListSweep, begun: Sequence[Listing], asked: int, *, since: datetime | None, now: datetime
) -> Opened:
    """File what is new; a list that suddenly names very many of us is held until somebody has looked."""
    meant = [listing for listing in begun if has_meaning(listing)]
    if len(meant) < MANY or len(meant) <= asked * MANY_SHARE:
        return open_for_listings(meant, since=since, now=now)
    reason = f"began to name {len(meant):,} of the {asked:,} addresses asked at once"
    ListSweep.objects.filter(pk=row.pk).update(held=reason)
    DeskTask.objects.get_or_create(
        kind=TASK,
        key=row.blacklist.name,
        done_at=None,
        defaults={
            "title": f"The blacklist {row.blacklist.name} {reason}",
            "text": "No case was opened. Decide on the page of blacklists whether the list is to be believed.",
            "url": "/blacklists",
            "opened_at": now,
            "opened_by": "machine",
        },
    )
    return Opened()


def release_held(row: ListSweep, *, believe: bool, actor: str, now: datetime) -> Opened:
    """Somebody has looked: the list is believed and its new listings are filed, or they are history and no more."""
    if not ListSweep.objects.filter(pk=row.pk).exclude(held="").update(held=""):
        return Opened()
    DeskTask.objects.filter(kind=TASK, key=row.blacklist.name, done_at__isnull=True).update(done_at=now, done_by=actor)
    if not believe:
        return Opened()
    rows = Listing.objects.filter(blacklist=row.blacklist, gone_at__isnull=True, case__isnull=True)
    return open_for_listings(list(rows.select_related("blacklist")), since=row.last_round_at, now=now)
