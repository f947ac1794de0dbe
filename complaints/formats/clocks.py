"""How far a complaint's time may be off, as the stamps of mail servers show (RFC 5321 section 4.4).

Each server that takes a mail stamps it. A Date that another house's server contradicts tells that the reporter's clock
is off, or that the mail lay around: which of the two, nobody knows. A stated time that the reporter's own Received line
contradicts may be when somebody pressed a button, days after the mail came. Both widen the time that is asked about.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from .dates import ZONELESS, read_mail_date
from .header_text import Headers, bare_address
from .received import BY, LONGEST_LINE, organisation

FINE: Final = timedelta(minutes=5)  # mails need a while, and clocks that are set by hand differ as much
MOST_OFF: Final = timedelta(days=2)  # more is no clock: an old mail was sent again
MOST_LINES: Final = 20
EXACT: Final = 0
SHORTEST_DATE: Final = 24  # "3 Mar 2026 08:59:38 +0000"
MONTHS: Final = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]


def clock_error(headers: Headers, sent: datetime | None) -> int:
    """Seconds by which the first server of another house contradicts the Date `sent`; 0 where that is nothing."""
    lines = headers.every("received")
    if sent is None or not lines:
        return EXACT
    last = lines[0]
    if written_alike(headers.first("date") or "", last) or (taken := stamp(last)) is None or abs(taken - sent) <= FINE:
        return EXACT  # the last stamp: those between it and the Date cannot be further off
    house = organisation((bare_address(headers.first("from")) or "").rpartition("@")[2])
    for line in reversed(lines[:MOST_LINES]):
        by = BY.search(line[:LONGEST_LINE])
        if by and organisation(by[1]) != house and (at := stamp(line)):
            return seconds_apart(at, sent)
    return EXACT


def line_error(at: datetime, source: str, received: Sequence[str]) -> int:
    """Seconds between the stated time and the stamp of the topmost line that names the accused address."""
    for line in received[:MOST_LINES]:
        if source in line:
            return EXACT if same_minute(line, at) else seconds_apart(stamp(line), at)
    return EXACT


def written_alike(date: str, line: str) -> bool:
    """Whether the line has the Date to its minute and in its zone, letter by letter: nearly all mails' do."""
    return len(date) > SHORTEST_DATE and date[-9] == ":" and date[:-8] in line and date[-5:] in line


def same_minute(line: str, at: datetime) -> bool:
    """True for most mails, and found without reading the stamp; False says nothing."""
    return f"{at.day} {MONTHS[at.month - 1]} {at.year} {at.hour:02}:{at.minute:02}:" in line and "+0000" in line


def stamp(line: str) -> datetime | None:
    """What follows the last semicolon. One without a zone measures nothing."""
    at = read_mail_date(line[:LONGEST_LINE].rpartition(";")[2].strip())
    return None if at is None or at.tzinfo is ZONELESS else at


def seconds_apart(one: datetime | None, other: datetime) -> int:
    """Nothing where it is within what is usual, or beyond what a clock explains."""
    if one is None:
        return EXACT
    apart = abs(one - other)
    return int(apart.total_seconds()) if FINE < apart <= MOST_OFF else EXACT
