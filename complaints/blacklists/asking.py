"""The edge between the lists' rows and the sockets: what a batch may know and ask, and what it brought home."""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from operator import itemgetter
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from complaints.addresses import prefix_key, prefix_text
from complaints.blacklists.budget import give_back, reserve
from complaints.blacklists.health import due_for_test, known_health, record_tests
from complaints.blacklists.history import record_findings
from complaints.checks import Inquiry, Kept, Timeouts
from complaints.checks.dnsbl import real_address, say_all
from complaints.models import Blacklist, ListAnswer, Listing
from complaints.models.text import storable

EACH = 2  # questions about one address: A, and TXT where it is listed
TESTING = 8  # questions of the self-tests of one list, tries included
LATER = timedelta(hours=1)
Place = tuple[str, bytes]  # name of a list, and prefix key


class Batch:
    """Questions to the lists under one event loop; the database is used in `expect`, `keep` and `end` alone.

    `expect` before the loop runs, or between two of its turns; `keep` whenever something was found; `end` always.
    kept_back: the share of each list's day that this batch must leave to others.
    listed_only: do not remember that an address is not listed; a sweep would fill the table with that.
    """

    def __init__(
        self, *, lists: Sequence[Blacklist] | None = None, kept_back: float = 0.0, listed_only: bool = False
    ) -> None:
        self.wanted, self.kept_back, self.listed_only = lists, kept_back, listed_only
        self.asked: list[Blacklist] = []
        self.inquiry = Inquiry(settings.DNS_RESOLVERS, Timeouts().dns)
        self.began = timezone.now()

    def expect(self, addresses: Sequence[str], *, tests: bool = False, known_of: Sequence[str] = ()) -> None:
        """Reserve what these may need of every list, and remember what is known of them and of `known_of`.

        Nothing to ask: nothing is done.
        """
        if not addresses and not tests:
            return
        known, now = self.inquiry, timezone.now()
        if not self.asked:
            lists = Blacklist.objects.all() if self.wanted is None else self.wanted
            self.asked = [each for each in lists if each.enabled]
            known.health.update(known_health(self.asked))
        reserved = reserve(self.asked, EACH * len(addresses) + TESTING, now=now, kept_back=self.kept_back)
        for name, allowance in reserved.items():
            if before := known.allowances.get(name):
                allowance.left = (allowance.left or 0) + (before.left or 0)
                allowance.not_before = max(allowance.not_before, before.not_before)
            known.allowances[name] = allowance
        known.kept.update(kept_answers(self.asked, [*addresses, *known_of], now=now))

    def keep(self, said: Iterable[Mapping[str, Any]]) -> list[Listing]:
        """Write what was learnt so far: self-tests, answers, and the history of listings. The episodes just begun."""
        known = self.inquiry
        tested, known.tested = known.tested, {}
        learnt, known.learnt = known.learnt, {}
        if self.listed_only:
            learnt = {place: kept for place, kept in learnt.items() if kept.codes}
        record_tests(tested, now=timezone.now())
        keep_answers({each.name: each.pk for each in self.asked}, learnt)
        return record_findings(said, now=timezone.now())

    def end(self) -> None:
        give_back(self.asked, self.inquiry.allowances, now=self.began)
        self.keep(())


@contextmanager
def batch_of(addresses: Sequence[str], *, known: Sequence[str] = (), **given: Any) -> Iterator[Batch]:
    """A batch whose addresses are all known when it begins. known: further ones whose answers are looked up."""
    batch = Batch(**given)
    batch.expect(addresses, tests=True, known_of=known)
    try:
        yield batch
    finally:
        batch.end()


def kept_answers(
    lists: Sequence[Blacklist], addresses: Iterable[str], *, now: datetime
) -> dict[tuple[str, bytes], Kept]:
    """Answers still good by their TTL, about these addresses and their /64 networks."""
    keys = set[bytes]()
    for text in addresses:
        address = real_address(text)
        keys.add(prefix_key(str(address)))
        if address.version == 6:
            keys.add(prefix_key(str(ipaddress.ip_network((int(address) >> 64 << 64, 64)))))
    names, ordered = {each.pk: each.name for each in lists}, sorted(keys)
    found: dict[Place, Kept] = {}
    for start in range(0, len(ordered), 500):
        rows = ListAnswer.objects.filter(key__in=ordered[start : start + 500], expires_at__gt=now)
        for row in rows.filter(blacklist__in=names):
            codes = tuple(ipaddress.IPv4Address(code) for code in row.codes)
            found[names[row.blacklist_id], bytes(row.key)] = Kept(codes, row.text, row.expires_at.timestamp())
    return found


def keep_answers(ids: Mapping[str, int], learnt: Mapping[Place, Kept]) -> None:
    rows = [
        ListAnswer(
            blacklist_id=ids[name],
            key=place,
            codes=[str(code) for code in kept.codes],
            text=storable(kept.text, 512),
            expires_at=datetime.fromtimestamp(kept.until, UTC),
        )
        for (name, place), kept in sorted(learnt.items(), key=itemgetter(0))
        if name in ids
    ]
    if not rows:
        return
    with transaction.atomic():
        ListAnswer.objects.bulk_create(
            rows,
            update_conflicts=True,
            unique_fields=["blacklist", "key"],
            update_fields=["codes", "text", "expires_at"],
            batch_size=500,
        )


def forget_old_answers(*, now: datetime) -> int:
    return ListAnswer.objects.filter(expires_at__lte=now).delete()[0]


def run_due_tests(*, now: datetime) -> int:
    """Ask the test addresses of every list whose test is due, parked ones too; how many were tested."""
    due = due_for_test(now=now) if settings.DNS_RESOLVERS else []
    if not due:
        return 0
    lists = {each.pk: each for each, _ in due}
    with batch_of((), lists=list(lists.values())) as batch:

        async def every() -> None:
            await asyncio.gather(*(batch.inquiry.test(each.as_list(), family) for each, family in due))

        asyncio.run(every())
    return len(due)


def look_again(*, now: datetime, most: int = 200) -> int:
    """Ask once more about what is listed, so that the history knows when it went; how many were asked."""
    due = Listing.objects.filter(look_at__lte=now, gone_at__isnull=True, blacklist__enabled=True)
    found = list(due.select_related("blacklist").order_by("look_at")[:most]) if settings.DNS_RESOLVERS else []
    if not found:
        return 0
    lists = {each.blacklist_id: each.blacklist for each in found}
    places = [(lists[each.blacklist_id].as_list(), first_address(each)) for each in found]
    with batch_of([str(address) for _, address in places], lists=list(lists.values())) as batch:
        batch.keep([finding.as_details() for finding in asyncio.run(say_all(places, batch.inquiry))])
    # Whoever could not answer is asked again at the usual time, not at once.
    still = [each.pk for each in found]
    Listing.objects.filter(pk__in=still, look_at__lte=now).update(look_at=now + LATER)
    return len(found)


def first_address(listing: Listing) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    return ipaddress.ip_network(prefix_text(listing.key)).network_address
