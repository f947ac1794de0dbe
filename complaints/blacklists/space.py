"""The addresses that a sweep asks about: those that somebody holds now, in an order that a cursor can stand in."""

from __future__ import annotations

import dataclasses
import ipaddress
from datetime import datetime, timedelta
from itertools import islice

from django.db.models import IntegerField, Q, QuerySet
from django.db.models.functions import Length

from complaints.addresses import MAPPED, address_text, prefix_text
from complaints.attribution import Question, attribute
from complaints.models import Assignment, Complaint
from complaints.vocabulary import Answer

# No list can know these: they never send anything outside.
INSIDE = [ipaddress.IPv4Network(text) for text in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10")]
AFTER_IPV4 = b"\xff"  # first byte of a cursor that stands among the IPv6 addresses; no prefix is so long
COMPLAINED_WITHIN = timedelta(days=90)
KEYS_AT_ONCE = 1000


@dataclasses.dataclass(frozen=True, slots=True)
class Cursor:
    """key: prefix key of the assignment it stands in, or AFTER_IPV4 and an IPv6 address. offset: asked of it."""

    key: bytes = b""
    offset: int = 0


def held_now(now: datetime) -> QuerySet[Assignment]:
    """Assignments of IPv4 that hold now."""
    rows = Assignment.objects.annotate(size=Length("key", output_field=IntegerField())).filter(size=5)
    return rows.filter(Q(valid_until__isnull=True) | Q(valid_until__gt=now), valid_from__lte=now)


def count_addresses(now: datetime) -> int:
    """How many IPv4 addresses a whole round asks about; nested prefixes count twice."""
    keys = held_now(now).order_by("key").values_list("key", flat=True).distinct()
    return sum(size_of(bytes(key)) for key in keys.iterator(chunk_size=KEYS_AT_ONCE))


def size_of(key: bytes) -> int:
    network = ipaddress.IPv4Network(prefix_text(key))
    return 0 if any(network.subnet_of(inside) for inside in INSIDE) else int(network.num_addresses)


def next_ipv4(cursor: Cursor, n: int, *, now: datetime) -> tuple[list[str], Cursor | None]:
    """The next `n` addresses after the cursor, and where it stands then; None: there are no more."""
    rows = held_now(now).filter(key__gte=cursor.key).order_by("key").values_list("key", flat=True).distinct()
    found: list[str] = []
    for key in (bytes(key) for key in rows.iterator(chunk_size=KEYS_AT_ONCE)):
        begin = cursor.offset if key == cursor.key else 0
        size, first = size_of(key), int.from_bytes(key[1:], "big")
        end = min(size, begin + n - len(found))
        found += [str(ipaddress.IPv4Address(first + offset)) for offset in range(begin, end)]
        if len(found) >= n:
            return found, Cursor(key, end)
    return found, None


def next_ipv6(cursor: Cursor, n: int, *, now: datetime) -> tuple[list[str], Cursor | None]:
    """The same of IPv6: only addresses that somebody complained about lately, and that are held now."""
    after = cursor.key[1:] or MAPPED + b"\xff" * 4
    rows = Complaint.objects.filter(address__gt=after, seen_at__gt=now - COMPLAINED_WITHIN)
    keys = [bytes(key) for key in islice(rows.order_by("address").values_list("address", flat=True).distinct(), n)]
    holdings = attribute([Question(key, None, now) for key in keys]) if keys else []
    held = [
        address_text(key)
        for key, holding in zip(keys, holdings, strict=True)
        if holding.answer in (Answer.OWNER, Answer.UNSURE)
    ]
    return held, Cursor(AFTER_IPV4 + keys[-1]) if len(keys) == n else None


def held_ranges(family: int, now: datetime) -> list[tuple[int, int]]:
    """First and last address of all that is held now, as numbers, in order and without overlap."""
    size = 5 if family == 4 else 17
    rows = Assignment.objects.annotate(size=Length("key", output_field=IntegerField())).filter(size=size)
    rows = rows.filter(Q(valid_until__isnull=True) | Q(valid_until__gt=now), valid_from__lte=now)
    keys = rows.order_by("key").values_list("key", flat=True).distinct()
    return merged(sorted(range_of(bytes(key)) for key in keys.iterator(chunk_size=KEYS_AT_ONCE)))


def range_of(key: bytes) -> tuple[int, int]:
    first, bits = int.from_bytes(key[1:], "big"), (len(key) - 1) * 8
    return first, first + (1 << (bits - key[0])) - 1


def merged(ranges: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """`ranges` in order; those that touch or overlap become one."""
    found: list[tuple[int, int]] = []
    for first, last in ranges:
        if found and first <= found[-1][1] + 1:
            found[-1] = (found[-1][0], max(found[-1][1], last))
        else:
            found.append((first, last))
    return found
