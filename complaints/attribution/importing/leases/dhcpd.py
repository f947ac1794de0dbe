r"""ISC dhcpd's lease files, dhcpd.leases(5), for DHCPv4 and DHCPv6.

    lease 192.0.2.10 {
      starts 2 2026/03/10 12:00:00;
      ends 2 2026/03/10 13:00:00;
      cltt 2 2026/03/10 12:00:00;
      binding state active;
      hardware ethernet 00:11:22:aa:bb:cc;
      uid "\001\000\021\"\252\273\314";
      option agent.circuit-id "slot1/port2";
    }
    ia-pd "\001\000\000\000\000\001\000\001…" {
      cltt 2 2026/03/10 12:00:00;
      iaprefix 2001:db8:100::/56 { binding state active; ends 2 2026/03/10 13:00:00; }
    }

"The lease file is a log-structured file: whenever a lease changes, the contents of that lease are written to the end
of the file", so the last declaration of an address is the current one. Times are in UTC, behind the day of the week, or
with db-time-format local as "epoch SECONDS; # …"; "never" has no end. An ended lease (free, expired, released,
backup) says by `ends` when. Strings have octal escapes, or are octets in hexadecimal with colons. The string of an
ia-na or ia-pd is four octets of IAID, then the DUID.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from complaints.attribution.importing.cells import prefix
from complaints.attribution.importing.leases.events import Fault, Identifier, Item, LeaseEvent
from complaints.models.identifiers import identifier_value

NAME = "dhcpd"
MOST_LINES = 2_000
BEGINS = re.compile(r"\s*(lease|ia-na|ia-ta|ia-pd)\s+(\S.*?)\s*\{")
QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"')
STATEMENT = re.compile(r'\s*([a-z][a-z0-9.-]*(?: [a-z][a-z0-9.-]*)??)\s+((?:"(?:[^"\\]|\\.)*"|[^;"])*);')
INNER = re.compile(r"(iaaddr|iaprefix)\s+(\S+)\s*\{([^{}]*)\}")
TIME = re.compile(r"\d (\d{4})/(\d\d)/(\d\d) (\d\d):(\d\d):(\d\d)")
ESCAPE = re.compile(r"\\([0-7]{3}|.)", re.DOTALL)
ACTIVE, ABANDONED, RELEASED = "active", "abandoned", "released"
AGENT = (("agent.circuit-id", "circuit_id"), ("agent.remote-id", "remote_id"))


class Reader:
    def __init__(self, state: dict[str, Any]) -> None:
        self.state = state
        self.lines: list[str] = []
        self.depth = 0
        self.source = ""

    @property
    def pending(self) -> bool:
        return bool(self.lines)

    def read(self, source: str, line: str) -> Iterator[Item]:
        bare = QUOTED.sub('""', line.rstrip("\r\n")).partition("#")[0]
        if not self.lines:
            if "{" not in bare:
                return  # authoring-byte-order, server-duid and empty lines
            self.source, self.depth = source, 0
        self.lines.append(line)
        self.depth += bare.count("{") - bare.count("}")
        if self.depth <= 0:
            yield from self.finish()
        elif len(self.lines) > MOST_LINES:
            yield Fault(self.source, "".join(self.lines), f"no closing brace within {MOST_LINES} lines")
            self.lines = []

    def finish(self) -> Iterator[Item]:
        lines, self.lines = self.lines, []
        if not lines:
            return
        text = "".join(lines)
        if self.depth > 0:
            yield Fault(self.source, text, "the closing brace is missing")
            return
        found = BEGINS.match(text)
        if not found:
            return  # host, group, failover peer, zone: no leases
        inside = text[found.end() : text.rindex("}")]
        try:
            if found[1] == "lease":
                event = lease4(found[2], statements(inside), self.source)
                if event is not None:
                    yield event
            else:
                yield from leases6(found[2], inside, self.source)
        except (ValueError, OverflowError) as exc:
            yield Fault(self.source, text, str(exc))


def statements(inside: str) -> dict[str, str]:
    """`binding state` and `hardware ethernet` are names of two words; `option x` and `set x` go by x."""
    found: dict[str, str] = {}
    for line in re.split(r";[ \t]*(?:#[^\n]*)?(?:\n|$)|;(?=\s)", inside):
        words = line.strip().split(None, 1)
        if len(words) == 2:
            name, value = words
            if name in ("option", "binding", "hardware", "next", "rewind", "set"):
                second, _, value = value.partition(" ")
                name = second if name == "option" else f"{name} {second}"
            found.setdefault(name, value.strip())
    return found


def lease4(address: str, said: dict[str, str], source: str) -> LeaseEvent | None:
    state = said.get("binding state", ACTIVE)
    starts, ends, cltt = (time_of(said, name) for name in ("starts", "ends", "cltt"))
    start = starts or cltt
    identifiers = identifiers4(said)
    if state == ABANDONED:
        identifiers = (("unknown", f"abandoned {address}"),)
    if start is None or not identifiers:
        if state not in (ACTIVE, ABANDONED):
            return None  # was never anybody's
        raise ValueError("has no start" if start is None else "names no client: hardware and uid are missing")
    said_at = max(start, cltt or start)
    if state not in (ACTIVE, ABANDONED) and ends is not None:
        said_at = max(said_at, ends)
    return LeaseEvent(identifiers, prefix(address), start, ends, said_at, True, source)


def leases6(name: str, inside: str, source: str) -> Iterator[LeaseEvent]:
    octets = octets_of(name)
    if len(octets) < 5:
        raise ValueError(f"{name[:40]} is no IAID with a DUID")
    identifiers = (("duid", octets[4:].hex(":")),)
    cltt = time_of(statements(INNER.sub("", inside)), "cltt")
    if cltt is None:
        raise ValueError("cltt is missing")
    for _, place, part in INNER.findall(inside):
        said = statements(part)
        ends = time_of(said, "ends")
        state = said.get("binding state", ACTIVE)
        if state == RELEASED:  # what the client said last was that
            ends = cltt
        said_at = cltt if state in (ACTIVE, RELEASED) or ends is None else max(cltt, ends)
        yield LeaseEvent(identifiers, prefix(place), cltt, ends, said_at, True, source)


def time_of(said: dict[str, str], name: str) -> datetime | None:
    """None for "never" and for what is not there."""
    text = said.get(name, "never").partition("#")[0].strip()
    if text == "never":
        return None
    if text.startswith("epoch "):
        return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=int(text[6:]))
    found = TIME.fullmatch(text)
    if not found:
        raise ValueError(f"{name}: {text!r} is not a time such as 2 2026/03/10 12:00:00")
    year, month, day, hour, minute, second = (int(part) for part in found.groups())
    return datetime(year, month, day, hour, minute, second, tzinfo=UTC)


def identifiers4(said: dict[str, str]) -> tuple[Identifier, ...]:
    found: list[Identifier] = []
    for option, kind in AGENT:
        if option in said:
            octets = octets_of(said[option])
            text = octets.decode("ascii", "replace")
            found.append((kind, text if text.isprintable() and text.isascii() else octets.hex(":")))
    if "uid" in said:
        found.append(("client_id", octets_of(said["uid"]).hex(":")))
    if "hardware ethernet" in said:
        found.append(("mac", identifier_value("mac", said["hardware ethernet"])))
    return tuple((kind, value) for kind, value in found if 0 < len(value) <= 255)


def octets_of(text: str) -> bytes:
    text = text.strip()
    if not text.startswith('"'):
        return bytes.fromhex(text.replace(":", " "))
    inner = text[1 : text.rindex('"')].encode("utf-8", "surrogateescape").decode("latin-1")
    return ESCAPE.sub(
        lambda found: chr(int(found[1], 8) & 255) if found[1].isdigit() and len(found[1]) == 3 else found[1], inner
    ).encode("latin-1")
