"""Received lines (RFC 5321 section 4.4): who handed the mail to whom, and which hop to believe.

Every server writes its line on top, so the lines above a point were written by those nearer to the reporter. Read
downwards from the reporter's own side, the first hop that came from outside is the last one that an honest server
wrote; everything below it may be forged and never decides.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from .addresses import canonical, is_public

MOST_LINES = 100
LONGEST_LINE = 2_000

BY = re.compile(r"(?:^|\s)by\s+(?:\[?([\w.\-:]+))")
WITH = re.compile(r"\swith\s+(?:Microsoft\s+)?([\w-]+)", re.I)
CLAIMED = re.compile(r"\b(?:helo|ehlo|lhlo)[=\s]+\S+?(?=[)\s]|$)", re.I)
HELO_EQUALS = re.compile(r"\b(?:helo|ehlo|lhlo)=", re.I)
CLAIMED_NAME = re.compile(r"\b(?:helo|ehlo|lhlo)[=\s]+\[?([^\s)\]]+)", re.I)
IN_BRACKETS = re.compile(r"[\[(]\s*(?:IPv6:)?([0-9A-Fa-f.:]{3,45})\s*(?:\](?::\d+)?|[\s)]|:\d+|$)", re.I)
AT_START = re.compile(r"\[?(?:IPv6:)?([0-9A-Fa-f.:]{3,45})\]?(?=[\s(]|$)", re.I)
# Postfix and sendmail print a name in these places only when it resolves back to the address; so does Exim before "([".
PROVEN_NAME = re.compile(r"\(\s*[\w.\-]+\s*\[|^[\w.\-]+\s+\(\[")
FORGED = "may be forged"
# A whole word before a bracket. Looser patterns, that may begin anywhere in it, cost time in the square of its length.
WORD_BEFORE = re.compile(r"(?<![\w.\-])([\w.\-]{1,255})\s*\[")
LETTER = re.compile(r"[A-Za-z]")


@dataclass(frozen=True, slots=True)
class Hop:
    """One line. `helo` is what the peer called itself; `name` what its address resolved to; both may be missing.

    name_is_proven: the receiving server checked that the name leads back to the address.
    """

    number: int  # 1 = topmost
    address: str | None
    helo: str | None
    name: str | None
    by: str | None
    protocol: str | None
    text: str
    name_is_proven: bool = False

    @property
    def described(self) -> str:
        return f"Received line {self.number}: from {self.name or self.helo or 'a host'} [{self.address}]"


def read_hop(number: int, line: str) -> Hop:
    line = line[:LONGEST_LINE]
    by = BY.search(line)
    protocol = WITH.search(line)
    sender = line[: by.start()] if by else line.partition(";")[0]
    address = helo = name = None
    if sender[:5].lower() == "from ":
        sender = sender[5:].strip()
        helo, address, name = read_sender(sender)
    proven = name is not None and FORGED not in sender and PROVEN_NAME.search(sender) is not None
    written_by = by[1] if by else None
    return Hop(number, address, helo, name, written_by, protocol[1].upper() if protocol else None, line, proven)


def read_sender(sender: str) -> tuple[str | None, str | None, str | None]:
    """→ (helo, address, name). What the receiver found stands in brackets, last; what follows HELO is claimed."""
    claimed = CLAIMED_NAME.search(sender)
    first = sender.split(None, 1)[0] if sender else ""
    seen = CLAIMED.sub(" ", sender)
    # Exim and ecelerity write "from name ([address]:port helo=x)": whatever stands behind "helo=", brackets and spaces
    # too, the peer chose. sendmail, Postfix and qmail write what they saw last: "from helo (name [address])".
    told = HELO_EQUALS.search(sender)
    if told and address_in(sender[: told.start()]):
        seen = sender[: told.start()]
    address = address_in(seen)
    name = next(filter(None, map(host_name, WORD_BEFORE.findall(seen))), None)
    if claimed and not first.startswith("["):  # the name before a stated HELO is the resolved one
        name = name or (first if re.search(r"\.[\w.-]*[A-Za-z]", first) else None)
    return (claimed[1] if claimed else first or None), address, name


def address_in(seen: str) -> str | None:
    for found in reversed(IN_BRACKETS.findall(seen)):
        if address := canonical(found):
            return address
    start = AT_START.match(seen)
    return canonical(start[1]) if start else None


def host_name(word: str) -> str | None:
    """The word where it is a name of several labels whose last one is no number."""
    name = word.lstrip("_.-").rstrip(".")
    above, dot, last = name.rpartition(".")
    return name if above and dot and LETTER.search(last) else None


def read_hops(lines: Sequence[str]) -> list[Hop]:
    return [read_hop(number, line) for number, line in enumerate(lines[:MOST_LINES], start=1)]


def outside_hop(lines: Sequence[str], is_ours: Callable[[str], bool] | None = None) -> Hop | None:
    """The first hop, from the top, that entered the reporter's side from outside.

    Passed over are lines without an address (local hand-over), private addresses, and hand-overs within one
    organisation (mx1.brenn.example → mail.brenn.example). One of our own addresses is never passed over.
    """
    for number, line in enumerate(lines[:MOST_LINES], start=1):
        hop = read_hop(number, line)
        if hop.address is None:
            continue
        if is_ours is not None and is_ours(hop.address):
            return hop
        # Only a proven name lets a hop pass as the reporter's own: anybody may call himself mx1.mailhaus.example.
        inside = hop.name_is_proven and same_organisation(hop.name, hop.by)
        if is_public(hop.address) and not inside:
            return hop
    return None


def same_organisation(one: str | None, other: str | None) -> bool:
    return one is not None and other is not None and organisation(one) == organisation(other) != ""


def organisation(name: str) -> str:
    """The registered part of a host name, guessed: a.b.co.uk → b.co.uk, mx.brenn.example → brenn.example."""
    labels = name.lower().rstrip(".").split(".")
    if len(labels) < 2 or labels[-1].isdigit():
        return ""
    short_second = len(labels[-1]) == 2 and len(labels[-2]) <= 3 and len(labels) > 2
    return ".".join(labels[-3:] if short_second else labels[-2:])
