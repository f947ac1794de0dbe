"""What a process remembers of the plan of addresses: our networks, shared machines, the prefix lengths in use, whether
leases wait, and how far the feeds of leases have told.

Each look-up brings the version that the database has, and what is remembered of another version is thrown away
(complaints/models/address_plan.py says how that changes). So an import in another process is never missed. Feeds go on
all the time without a new version: what one has told once stays true, and who needs more reads them again.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping

from django.db import DEFAULT_DB_ALIAS

from complaints.addresses import enclosing_keys, family_of
from complaints.attribution.feeds import Feeds, Told
from complaints.models import AddressPlanVersion, LeaseFeed, Network, PrefixLength, SharedMachine

Lengths = Mapping[int, tuple[int, ...]]  # by family, most specific first
LOGIN = "login"  # beside SharedMachine.What: its own Received line tells who had logged in


@dataclasses.dataclass(frozen=True, slots=True)
class AddressPlan:
    version: str | None = None
    lengths: Lengths = dataclasses.field(default_factory=lambda: by_family(()))
    networks: frozenset[bytes] = frozenset()
    network_lengths: Lengths = dataclasses.field(default_factory=lambda: by_family(()))
    machines: Mapping[bytes, frozenset[str]] = dataclasses.field(default_factory=dict)
    machine_lengths: Lengths = dataclasses.field(default_factory=lambda: by_family(()))
    has_waiting: bool = False
    feeds: Feeds = dataclasses.field(default_factory=dict)

    def keys_around(self, address: bytes) -> list[bytes]:
        """The prefixes around it that somebody may hold, most specific first."""
        return enclosing_keys(address, self.lengths[family_of(address)])

    def is_ours(self, address: bytes) -> bool:
        around = enclosing_keys(address, self.network_lengths[family_of(address)])
        return not self.networks.isdisjoint(around)

    def machine(self, address: bytes) -> frozenset[str]:
        """What the machine at this address is, if many customers act on it; most sites have none such."""
        if not self.machines:
            return frozenset()
        around = enclosing_keys(address, self.machine_lengths[family_of(address)])
        return frozenset().union(*(self.machines.get(key, ()) for key in around))


remembered: dict[str, AddressPlan] = {}  # by database


def known_plan() -> AddressPlan:
    """As remembered, which the next look-up must verify; one without a version cannot be verified."""
    plan = remembered.get(DEFAULT_DB_ALIAS)
    return plan if plan and plan.version else load_plan()


def load_plan() -> AddressPlan:
    """The version first: what is read after it may be younger than it says, never older."""
    version, has_waiting = AddressPlanVersion.objects.values_list("value", "has_waiting").first() or (None, True)
    networks = frozenset(bytes(key) for key in Network.objects.values_list("key", flat=True))
    machines: dict[bytes, frozenset[str]] = {}
    for key, what, tells_login in SharedMachine.objects.values_list("key", "what", "tells_login"):
        tells = what == SharedMachine.What.MAIL and tells_login
        machines[bytes(key)] = machines.get(bytes(key), frozenset()) | ({what, LOGIN} if tells else {what})
    plan = remembered[DEFAULT_DB_ALIAS] = AddressPlan(
        version,
        by_family(PrefixLength.objects.values_list("family", "length")),
        networks,
        lengths_of(networks),
        machines,
        lengths_of(machines),
        bool(has_waiting),
        load_feeds(),
    )
    return plan


def with_new_feeds(plan: AddressPlan) -> AddressPlan:
    """The plan with the feeds as they are now; the same one if none of them has told more."""
    feeds = load_feeds()
    if feeds == plan.feeds:
        return plan
    newer = remembered[DEFAULT_DB_ALIAS] = dataclasses.replace(plan, feeds=feeds)
    return newer


def load_feeds() -> Feeds:
    rows = LeaseFeed.objects.values_list("pk", "name", "told_until", "heard_at")
    return {pk: Told(name, until, heard_at) for pk, name, until, heard_at in rows}


def lengths_of(keys: Iterable[bytes]) -> Lengths:
    return by_family({(family_of(key), key[0]) for key in keys})


def by_family(pairs: Iterable[tuple[int, int]]) -> Lengths:
    lengths: dict[int, list[int]] = {4: [], 6: []}
    for family, length in pairs:
        lengths[family].append(length)
    return {family: tuple(sorted(found, reverse=True)) for family, found in lengths.items()}
