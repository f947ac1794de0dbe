"""The port and the time that a reporter tells in answer to our question, read from their own words. Pure.

Nothing is guessed (told_lines.py): what could be meant in two ways is not read, and a person reads the answer instead.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import TypeVar

from complaints.addresses import address_key
from complaints.formats.dates import ZONES, stated_zone
from complaints.notices.told_lines import AMBIGUOUS, Facts, read_line

T = TypeVar("T")
MOST_LINES = 2000
LONGEST_LINE = 1000
FAR_OFF = timedelta(days=31)  # of the time in the report: then it is another event
CLOCKS_DIFFER = timedelta(minutes=15)
ZONE_NAME = re.compile(
    rf"\b(?P<name>{'|'.join(sorted((z for z in ZONES if len(z) > 2), key=len, reverse=True))})"
    r"(?P<offset>\s?[+-]\d{1,2}(?::?\d{2})?)?\b",
    re.I,
)
ZONE_OFFSET = re.compile(r"(?<![\d:])[+-]\d{2}:?\d{2}\b(?![-:\d]|\.\d)")


@dataclasses.dataclass(frozen=True, slots=True)
class Asked:
    """One complaint that we asked about. at: as the report has it; read as if in UTC where `zone` is missing.

    missing: of "port", "time", "zone" and "second", as in complaints/notices/asking.py.
    """

    address: str
    at: datetime
    missing: tuple[str, ...]

    @property
    def wants_time(self) -> bool:
        return any(what != "port" for what in self.missing)


@dataclasses.dataclass(frozen=True, slots=True)
class Told:
    port: int | None = None
    at: datetime | None = None

    def answers(self, asked: Asked) -> bool:
        return (self.port is not None or "port" not in asked.missing) and (self.at is not None or not asked.wants_time)


NOTHING = Told()


MOST_SAID = 400  # characters, without what they quote: who writes more has something to say
FACT = re.compile(r"[\d@?]|https?:|\b(?:\w*hundr?e[dt]|thousand|\w*tausend|mille|cents?)\b|\bport\b.*\bis\b", re.I)
# Whoever takes a complaint back, or says whose fault it was, is read by a person.
TAKES_BACK = re.compile(
    r"\b(?:mistake|error|wrong|withdraw|ignore|false|disregard|solved|fixed|stopped|our own|customer|lawyer|police"
    r"|irrtum|fehler|versehen|falsch|zurück|erledigt|behoben|kunde|anwalt|polizei"
    r"|erreur|tort|faux|retir|réglé|résolu|client|avocat|police)\w*",
    re.I,
)


def says_nothing(text: str) -> bool:
    """Whether an answer surely has nothing in it that anybody could use: short, no figure, and nothing taken back."""
    return bool(text.strip()) and len(text) <= MOST_SAID and not FACT.search(text) and not TAKES_BACK.search(text)


def told_facts(text: str, asked: Sequence[Asked], *, received_at: datetime) -> list[Told]:
    """What the text tells of each complaint, in the order of `asked`; NOTHING where it tells nothing clearly.

    A line that names an address is about that address alone; a text without one is about the only event we asked of.
    """
    lines = [line[:LONGEST_LINE] for line in text.split("\n")[:MOST_LINES]]
    zone = stated_zone(text) if not AMBIGUOUS.search(text) else None
    found = [read_line(line, zone) for line in lines]
    named = {address_key(each.address) for each in asked}
    about = [facts for facts in found if facts.addresses & named]
    if about:
        return [for_one(each, asked, about, found, received_at) for each in asked]
    if len(asked) == 1 and not any(facts.addresses for facts in found):
        return [from_all(text, found, asked[0], received_at)]
    return [NOTHING] * len(asked)


def from_all(text: str, lines: Sequence[Facts], asked: Asked, received_at: datetime) -> Told:
    """One event was asked of, and no address is named: all lines speak of it."""
    if not all(is_same_event(facts, asked) for facts in lines):
        return NOTHING
    ports = frozenset[int]().union(*(facts.ports for facts in lines))
    plain = frozenset[int]().union(*(facts.plain for facts in lines))
    if not ports and (plain or is_little_else(text)):
        plain |= frozenset(number for facts in lines for number in facts.numbers)
    times = {at for facts in lines for at in facts.times}
    port, at = only(ports or plain), only(times)
    if not times and "zone" in asked.missing and is_little_else(text, most=15):
        at = in_zone(text, asked.at)
    return fitting(Told(port, at), asked, received_at)


def is_little_else(text: str, *, most: int = 6) -> bool:
    """A few words around it: it is the answer to the question. In a long text a zone or a number may mean anything."""
    return len(re.findall(r"[^\W\d_]{2,}", text)) <= most


def only(found: Collection[T]) -> T | None:
    return next(iter(found)) if len(found) == 1 else None


def in_zone(text: str, at: datetime) -> datetime | None:
    """The reported time, which was read as if in UTC, in the one zone that the text names."""
    if AMBIGUOUS.search(text):
        return None
    east: set[timedelta] = set()
    for found in ZONE_NAME.finditer(text[:5000]):
        if found["name"].isupper() or found["name"].lower() in ("utc", "gmt"):
            east.add(timedelta(hours=ZONES[found["name"].lower()]) + shift(found["offset"] or ""))
    if not east:
        east = {shift(found[0]) for found in ZONE_OFFSET.finditer(text[:5000])}
    return at - next(iter(east)) if len(east) == 1 else None


def shift(written: str) -> timedelta:
    digits = re.sub(r"[^\d]", "", written)
    if not digits:
        return timedelta(0)
    hours, minutes = (digits, "0") if len(digits) < 3 else (digits[:-2], digits[-2:])
    size = timedelta(hours=int(hours), minutes=int(minutes))
    return -size if "-" in written else size


def for_one(
    one: Asked, asked: Sequence[Asked], lines: Sequence[Facts], all_lines: Sequence[Facts], received_at: datetime
) -> Told:
    """From the lines that name its address. Several events of one address are told apart by their times."""
    key = address_key(one.address)
    mine = [facts for facts in lines if key in facts.addresses and is_same_event(facts, one)]
    exactly = [facts for facts in mine if any(same_minute(at, one.at) for at in facts.times)]
    if sum(each.address == one.address for each in asked) > 1 or (exactly and not one.wants_time):
        mine = [] if one.wants_time else exactly
    ports = {port for facts in mine for port in facts.ports_of(key)}
    times = {at for facts in mine for at in facts.times}
    if len(asked) == 1 and len(lines) == 1:  # the address in one line, port or time in the next: one event all the same
        beside = [facts for facts in all_lines if not facts.addresses and is_same_event(facts, one)]
        ports = ports or {port for facts in beside for port in facts.ports or facts.plain}
        times = times or {at for facts in beside for at in facts.times}
    return fitting(Told(only(ports), only(times)), one, received_at)


def is_same_event(facts: Facts, one: Asked) -> bool:
    """A port of another time may be somebody else's. Where the time itself is asked for, any may be the event's."""
    return one.wants_time or not facts.times or any(abs(at - one.at) <= CLOCKS_DIFFER for at in facts.times)


def same_minute(one: datetime, other: datetime) -> bool:
    return abs(one - other) < timedelta(minutes=1)


def fitting(told: Told, asked: Asked, received_at: datetime) -> Told:
    """Without what cannot be: a time to come, or one that lies far from the report's."""
    at = told.at if asked.wants_time else None
    if at is not None and (at > received_at + CLOCKS_DIFFER or abs(at - asked.at) > FAR_OFF):
        at = None
    return Told(told.port if "port" in asked.missing else None, at)
