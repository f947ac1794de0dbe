"""One line of a reporter's answer: its addresses, the ports and the times that it gives. Pure.

A port must be named as a source port, stand behind the address, or be the one number that is left; a time must say
its zone, or the whole text must.
"""

from __future__ import annotations

import dataclasses
import re
from datetime import UTC, datetime, timedelta

from complaints.addresses import address_key
from complaints.formats.addresses import TEXT_IPV4, TEXT_IPV6, addresses_in
from complaints.formats.dates import DATE_BEGINS, read_mail_date

PRIVILEGED = 1024  # below it a port without a word beside it is rather the one of the service

NUMBER = r"(\d{1,5})(?![\d.:]?\d)"
VERB = r"(?:[:=#]|\bis\b|\bwas\b|\bwar\b|\bist\b|\bétait\b|\best\b)"
IS = rf"[\"'*]{{0,2}}\s{{0,3}}(?:(?:number|no\.?|nr\.?)\s?)?{VERB}?\s{{0,3}}[\"'*]{{0,2}}"
SOURCE_PORT = re.compile(
    r"(?:\b(?:source|src|client|remote|origin(?:ating)?|outgoing|sending)[\s_-]{0,2}(?:tcp|udp)?[\s_-]{0,2}port\b"
    r"|\b(?:spt|sport|src_?p|quellports?|absenderport|port[\s_-]source|port d.origine)\b"
    rf"|\bfrom (?:tcp |udp |source )?port\b|\bvon (?:tcp-|udp-)?port\b){IS}{NUMBER}",
    re.I,
)
OTHER_PORT = re.compile(
    r"(?:\b(?:dest(?:ination)?|dst|target|server|local|listening|to|our|your|zu)[\s_-]{0,2}(?:tcp|udp)?[\s_-]{0,2}port\b"
    rf"|\b(?:dpt|dport|dst_?p|zielports?|port[\s_-]de[\s_-]destination)\b){IS}{NUMBER}",
    re.I,
)
ANY_PORT = re.compile(rf"\bports?\b{IS}{NUMBER}", re.I)
ALSO = re.compile(r"\s?(?:,|/|-|\b(?:or|and|oder|und|bis|to|ou|et|à)\b)\s?(\d{4,5})(?![\d.:]?\d)", re.I)
BARE_NUMBER = re.compile(r"(?<![\w.:/+=-])(\d{1,5})(?![\w:/-]|\.\d)")
BEHIND_ADDRESS = re.compile(r"\]?(?::|#|\.port |[\s(,]{1,3}port[ :=]{1,2})(\d{1,5})(?![\d.:])", re.I)
AMBIGUOUS = re.compile(r"\b(?:IST|CST|BST|AST|ECT|AMT)\b(?!\s?[+-]\d)")  # two or three zones each


@dataclasses.dataclass(frozen=True, slots=True)
class Facts:
    """What stands in a line. addresses: keys. behind: the ports behind an address.

    ports: named as source ports. plain: only called ports. numbers: that could be ports. times: whose zone is known.
    """

    addresses: frozenset[bytes]
    behind: dict[bytes, frozenset[int]]
    ports: frozenset[int]
    plain: frozenset[int]
    numbers: tuple[int, ...]
    times: tuple[datetime, ...]

    def ports_of(self, address: bytes) -> frozenset[int]:
        """Those that this line gives for the address; two of them are one doubt."""
        if address in self.behind:
            return self.behind[address]
        if self.ports:
            return self.ports
        return self.plain.union(self.numbers) if len(self.addresses) == 1 else frozenset()


def read_line(line: str, zone: timedelta | None) -> Facts:
    named = [(place, address_key(address)) for place, address in addresses_in(line)]
    behind: dict[bytes, frozenset[int]] = {}
    rest = line
    for place, key in named:
        written = TEXT_IPV4.match(line, place) or TEXT_IPV6.match(line, place)
        end = written.end() if written else place
        given = numbers_at(line, BEHIND_ADDRESS.match(line, end))
        if given:
            behind[key] = frozenset(given)
        rest = rest.replace(line[place:end], " " * (end - place))
    times, rest = times_in(rest, zone)
    others = {int(number) for number in OTHER_PORT.findall(rest)}
    ports = set[int]().union(*(numbers_at(rest, found) for found in SOURCE_PORT.finditer(rest)))
    left = SOURCE_PORT.sub(" ", OTHER_PORT.sub(" ", rest))
    called = set[int]().union(*(numbers_at(left, found) for found in ANY_PORT.finditer(left)))
    plain = {port for port in called if port >= PRIVILEGED} - others
    numbers = tuple(int(n) for n in BARE_NUMBER.findall(ANY_PORT.sub(" ", left)) if is_port(n))
    numbers = numbers if all(number >= PRIVILEGED for number in numbers) else ()
    return Facts(frozenset(key for _, key in named), behind, frozenset(ports), frozenset(plain), numbers, times)


def times_in(line: str, zone: timedelta | None) -> tuple[tuple[datetime, ...], str]:
    """The times of a line whose zone is known, and the line without its dates."""
    times, rest = [], line
    for found in DATE_BEGINS.finditer(line):
        written = line[found.start() : found.start() + 60]
        as_utc, as_other = (read_mail_date(written, timedelta(hours=hours)) for hours in (0, 1))
        if as_utc is None or as_other is None:
            continue
        if as_utc == as_other:  # it says its zone itself
            if not AMBIGUOUS.search(written):
                times.append(as_utc.astimezone(UTC))
        elif zone is not None and (at := read_mail_date(written, zone)):
            times.append(at.astimezone(UTC))
    if times or DATE_BEGINS.search(line):
        rest = re.sub(r"\d{4}-\d{2}-\d{2}|\d{1,2}:\d{2}(?::\d{2})?(?:[.,]\d+)?|[+-]\d{2}:?\d{2}\b", " ", line)
        rest = re.sub(r"\b\d{1,2}[./ -](?:\d{1,2}|[^\W\d_]{3,9})[./ -]\d{2,4}\b", " ", rest)
        rest = re.sub(r"\b(?:19|20)\d{2}\b", " ", rest)
    return tuple(dict.fromkeys(times)), rest


def numbers_at(line: str, found: re.Match[str] | None) -> set[int]:
    """The port found there, and those that stand beside it as its alternatives: "51234 or 51235"."""
    if found is None or not is_port(found[1]):
        return set()
    numbers, end = {int(found[1])}, found.end()
    while (another := ALSO.match(line, end)) and len(numbers) < 3:
        numbers.add(int(another[1]))
        end = another.end()
    return numbers


def is_port(text: str) -> bool:
    return 0 < int(text) < 65536
