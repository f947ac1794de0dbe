"""RADIUS accounting as FreeRADIUS writes it into detail files (rlm_detail), RFC 2866 and RFC 2869.

A record is a line with the time, then one attribute a line, indented by a tab, then an empty line:

    Tue Mar 10 12:00:00 2026
        User-Name = "anna@isp.example"
        NAS-IP-Address = 198.51.100.1
        Acct-Status-Type = Start
        Acct-Session-Id = "4D2BB8AC"
        Framed-IP-Address = 192.0.2.10
        Delegated-IPv6-Prefix = 2001:db8:100::/56
        Event-Timestamp = "Mar 10 2026 11:59:59 UTC"
        Acct-Delay-Time = 0
        Timestamp = 1773144000

When it happened: Event-Timestamp (RFC 2869 section 5.3, seconds since 1970 on the wire) where its zone can be read,
else Timestamp, the server's own clock at arrival, less Acct-Delay-Time (RFC 2866 section 5.2). An Event-Timestamp that
is a day off Timestamp comes from a clock that was never set, and is not believed. The first line has no zone.
When it began: Acct-Session-Time (section 5.7) before that. Accounting-On and Accounting-Off end all sessions of the
access server (section 5.1). Prefixes: RFC 2865 section 5.8, RFC 3162 section 2.3, RFC 4818, RFC 6911 section 3.1.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from complaints.attribution.importing.cells import prefix
from complaints.attribution.importing.leases.events import Fault, Identifier, Item, Restart, Session
from complaints.models.identifiers import identifier_value

NAME = "radius"
MOST_LINES = 500  # a record: packets are at most 4,096 octets (RFC 2865 section 3)
ATTRIBUTE = re.compile(r"\s+([A-Za-z0-9-]{1,60})(?::\d+)? (?:=|:=|\+=) (.*)")
STARTED, STOPPED, RESTARTED = "started", "stopped", "restarted"
STATUS = {
    "start": STARTED, "1": STARTED, "interim-update": STARTED, "alive": STARTED, "3": STARTED,
    "stop": STOPPED, "2": STOPPED,
    "accounting-on": RESTARTED, "7": RESTARTED, "accounting-off": RESTARTED, "8": RESTARTED,
}  # fmt: skip
STARTS = ("start", "1")
PREFIXES = ("Framed-IP-Address", "Framed-IPv6-Address", "Framed-IPv6-Prefix", "Delegated-IPv6-Prefix")
NO_ADDRESS = ("255.255.255.255", "255.255.255.254", "0.0.0.0")  # noqa: S104 - RFC 2865 section 5.8: the user's choice
EVENT_TIME = re.compile(r"([A-Z][a-z]{2}) +(\d{1,2}) (\d{4}) (\d\d):(\d\d):(\d\d) (?:UTC|GMT)")
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
UNSET_CLOCK = timedelta(days=1)


class Reader:
    def __init__(self, state: dict[str, Any]) -> None:
        self.state = state  # nothing: a position is only kept between records
        self.lines: list[str] = []
        self.source = ""

    @property
    def pending(self) -> bool:
        return bool(self.lines)

    def read(self, source: str, line: str) -> Iterator[Item]:
        line = line.rstrip("\r\n")
        if line.strip() and (line[0].isspace() or not self.lines):
            self.source = self.source if self.lines else source
            self.lines.append(line)
            if len(self.lines) <= MOST_LINES:
                return
            yield Fault(self.source, "\n".join(self.lines), f"is longer than {MOST_LINES} lines")
            self.lines = []
            return
        yield from self.finish()
        if line.strip():  # a record began without an empty line before it
            self.source, self.lines = source, [line]

    def finish(self) -> Iterator[Item]:
        lines, self.lines = self.lines, []
        if not lines:
            return
        try:
            found = record(lines, self.source)
        except (ValueError, OverflowError) as exc:
            yield Fault(self.source, "\n".join(lines), str(exc))
        else:
            if found is not None:
                yield found


def record(lines: list[str], source: str) -> Item | None:
    """None for what is no start, stop or interim update, such as tunnel records or post-auth details."""
    values: dict[str, list[str]] = {}
    for line in lines:
        found = ATTRIBUTE.fullmatch(line)
        if found:
            values.setdefault(found[1], []).append(unquoted(found[2]))
    status = STATUS.get(first(values, "Acct-Status-Type").lower())
    if status is None:
        return None
    at = happened_at(values)
    nas = first(values, "NAS-Identifier") or first(values, "NAS-IP-Address") or first(values, "NAS-IPv6-Address")
    if status == RESTARTED:
        if not nas:
            raise ValueError("names no access server: NAS-Identifier and NAS-IP-Address are missing")
        return Restart(nas[:100], at, source)
    session = first(values, "Acct-Session-Id")
    if not session:
        raise ValueError("Acct-Session-Id is missing")
    identifiers = identifiers_of(values)
    if not identifiers:
        raise ValueError("names nobody: User-Name and Calling-Station-Id are missing")
    seconds = first(values, "Acct-Session-Time")
    start = at - timedelta(seconds=int(seconds)) if seconds.isdecimal() else None
    begins = first(values, "Acct-Status-Type").lower() in STARTS
    return Session(nas[:100], session[:255], identifiers, keys_of(values), start, at, status == STOPPED, source, begins)


def first(values: dict[str, list[str]], name: str) -> str:
    return values.get(name, [""])[0].strip()


def unquoted(value: str) -> str:
    value = value.strip()
    if len(value) >= 2 and value[0] == value[-1] and value[0] in "\"'":
        return re.sub(r"\\(.)", r"\1", value[1:-1])
    return value


def happened_at(values: dict[str, list[str]]) -> datetime:
    arrived = first(values, "Timestamp")
    delay = first(values, "Acct-Delay-Time")
    by_server = None
    if arrived.isdecimal():
        seconds = int(arrived) - (int(delay) if delay.isdecimal() else 0)
        by_server = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
    by_nas = event_time(first(values, "Event-Timestamp"))
    if by_nas and (by_server is None or abs(by_nas - by_server) < UNSET_CLOCK):
        return by_nas
    if by_server is None:
        raise ValueError("has no time: Timestamp is missing, and Event-Timestamp is missing or not in UTC")
    return by_server


def event_time(text: str) -> datetime | None:
    """Names of zones say too little (IST is three of them): only UTC and epoch seconds are read."""
    if text.isdecimal() and len(text) < 12:
        return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=int(text))
    found = EVENT_TIME.fullmatch(text)
    if not found or found[1] not in MONTHS:
        return None
    day, year, hour, minute, second = (int(found[n]) for n in range(2, 7))
    return datetime(year, MONTHS.index(found[1]) + 1, day, hour, minute, second, tzinfo=UTC)


def keys_of(values: dict[str, list[str]]) -> tuple[bytes, ...]:
    found = []
    for name in PREFIXES:
        for text in values.get(name, ()):
            if text in NO_ADDRESS:
                continue
            try:
                found.append(prefix(text))
            except ValueError as exc:
                raise ValueError(f"{name}: {exc}") from None
    return tuple(dict.fromkeys(found))


def identifiers_of(values: dict[str, list[str]]) -> tuple[Identifier, ...]:
    found: list[Identifier] = []
    for name, kind in (("User-Name", "radius_user"), ("Calling-Station-Id", "mac")):
        try:
            found.append((kind, identifier_value(kind, first(values, name))[:255]))
        except ValueError:
            continue  # Calling-Station-Id may be a telephone number
    return tuple(found)
