"""The look-up: our networks, the claims on the prefixes around many addresses, and who held one last.

statements.py asks, address_plan.py knows what for: the prefix lengths in use are remembered in the process, and an
answer that comes back with another version of the plan is asked again.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from itertools import groupby
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connection, connections
from django.utils import timezone

from complaints.addresses import family_of
from complaints.attribution.address_plan import LOGIN, AddressPlan, known_plan, load_plan, with_new_feeds
from complaints.attribution.answers import Holding, Question
from complaints.attribution.decision import Claim, window
from complaints.attribution.feeds import may_be_untold
from complaints.attribution.statements import claims_in
from complaints.attribution.wording import last_held
from complaints.models import Assignment, Contract, PrefixInUse, WaitingLease
from complaints.vocabulary import Answer

__all__ = ["LOGIN", "Surroundings", "as_time", "look_around", "names_of", "with_last_holder"]

NAMES = f"SELECT id, reference FROM {Contract._meta.db_table} WHERE id IN ({{marks}})"  # noqa: S608 - our own table
IDS_A_STATEMENT = 5_000
NEIGHBOURS = 50  # prefixes in use on either side that tell whether an address lies in a pool of leases


class Surroundings:
    """One batch's answer: the plan of addresses, the claims that reach into each question's window, and the time."""

    def __init__(self, plan: AddressPlan, claims: Mapping[Question, list[Claim]], now: datetime) -> None:
        self.plan, self.claims, self.now = plan, claims, now
        self.is_ours, self.machine, self.feeds = plan.is_ours, plan.machine, plan.feeds

    def levels(self, question: Question) -> list[list[Claim]]:
        """The claims of each prefix around its address, most specific first."""
        claims = self.claims[question]
        if len(claims) < 2:
            return [claims]
        return [list(held) for _, held in groupby(sorted(claims, key=specific_first), key=specific_first)]


def specific_first(claim: Claim) -> int:
    return -claim.key[0]


def look_around(questions: Sequence[Question]) -> Surroundings:
    """Everything on the prefixes around the questions' addresses that could matter at their times."""
    now = timezone.now()
    if not questions:
        return Surroundings(AddressPlan(), {}, now)
    plan, database, feeds_are_new = known_plan(), connections[DEFAULT_DB_ALIAS], False
    while True:
        windows = [(plan.keys_around(q.address), *window(q)) for q in questions]
        versions, found = claims_in(windows, database, with_waiting=plan.has_waiting)
        if versions != ({plan.version} if plan.version else set()):
            plan, feeds_are_new = load_plan(), True
            continue
        around = Surroundings(plan, dict(zip(questions, found, strict=True)), now)
        if feeds_are_new or not any(may_be_untold(q, around.claims[q], plan.feeds, now) for q in questions):
            return around
        # Feeds first, then the claims again: a feed may have told meanwhile of the one who came after.
        newer, feeds_are_new = with_new_feeds(plan), True
        if newer is plan:
            return around
        plan = newer


def feed_inside(block: bytes, address: bytes, feeds: Collection[int], plan: AddressPlan) -> int | None:
    """One of these feeds that leases what lies inside the block and near the address; None: none does.

    A pool is known by its neighbours: the address may be leased for the first time.
    """
    own = address[12:] if len(block) == 5 else address
    bits = 8 * len(own)
    first = int.from_bytes(block[1:], "big")
    last = (first | ((1 << (bits - block[0])) - 1)).to_bytes(len(own), "big")
    for length in (length for length in plan.lengths[family_of(address)] if length > block[0]):
        head = bytes([length])
        inside = {"key__gte": head + block[1:], "key__lte": head + last}
        for model in (PrefixInUse, WaitingLease):
            keys = model._default_manager.filter(**inside).order_by("key").values_list("key", flat=True)
            near = [*keys.filter(key__gt=head + own)[:NEIGHBOURS]]
            near += keys.filter(key__lte=head + own).order_by("-key")[:NEIGHBOURS]
            holdings = Assignment.objects if model is PrefixInUse else WaitingLease.objects
            found = holdings.filter(key__in=near, feed__in=feeds).order_by().values_list("feed", flat=True)[:1]
            if near and (feed := next(iter(found), None)):
                return feed
    return None


def with_last_holder(question: Question, holding: Holding) -> Holding:
    """A "nobody" that also says who held it last; for a person who asks, because that may read a long history."""
    if holding.answer is not Answer.NOBODY:
        return holding
    keys = known_plan().keys_around(question.address)
    held = Assignment.objects.filter(key__in=keys, valid_until__lte=question.at).order_by("-valid_until")
    if question.port:
        held = held.filter(port_first__lte=question.port, port_last__gte=question.port)
    name, until = held.values_list("contract__reference", "valid_until").first() or ("", None)
    return dataclasses.replace(holding, reason=f"{holding.reason}; {last_held(name, until)}") if until else holding


def names_of(contract_ids: Iterable[int]) -> dict[int, str]:
    """References by id; asks nothing for nobody, nor for who is no contract (below 0)."""
    wanted = sorted({pk for pk in contract_ids if pk > 0})
    if not wanted:
        return {}  # even an empty query costs as much as a look-up
    names: dict[int, str] = {}
    with connection.cursor() as cursor:  # a tenth of what in_bulk takes, and "unsure" is no rare answer
        for start in range(0, len(wanted), IDS_A_STATEMENT):
            some = wanted[start : start + IDS_A_STATEMENT]
            cursor.execute(NAMES.format(marks=", ".join(["%s"] * len(some))), some)
            names.update(cursor.fetchall())
    return names


def as_time(value: Any) -> Any:
    """A time as the driver gave it (SQLite: text or naive, in UTC) as an aware one."""
    if isinstance(value, str):
        value = datetime.fromisoformat(value)
    return value if value is None or value.tzinfo else value.replace(tzinfo=UTC)
