"""import_leases: leases as CSV, for every system that has no reader of its own. One line is one lease.

    identifier_kind,identifier,prefix,start,stop,port_first,port_last

Times are ISO 8601 with zone; an empty stop means that it goes on; empty ports mean all of them, others make it a
port block behind CGNAT. `inside` as a kind takes the address inside the network that a CGNAT log names; who held that
is looked up. A stop that has not come yet is when the lease runs out, which is no word of what happens before. The file
is read twice: a fault anywhere refuses it whole.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from django.utils import timezone

from complaints.addresses import address_text, prefix_text
from complaints.attribution.importing.cells import address, one_of, port_or, prefix, required, time, time_or_open
from complaints.attribution.importing.leases.events import ALL_PORTS, LeaseEvent
from complaints.attribution.importing.leases.owners import INSIDE
from complaints.attribution.importing.reading import Sheet
from complaints.attribution.networks import OwnNetworks
from complaints.attribution.times import utc_text
from complaints.models import LineIdentifier
from complaints.models.identifiers import identifier_value

COLUMNS = ("identifier_kind", "identifier", "prefix", "start", "stop", "port_first", "port_last")
KIND = one_of((*LineIdentifier.Kind.values, INSIDE))
PORT_FIRST, PORT_LAST = port_or(ALL_PORTS[0]), port_or(ALL_PORTS[1])


def read_leases(sheet: Sheet) -> Iterator[LeaseEvent]:
    """The good rows; every fault is noted in the sheet."""
    ours, now = OwnNetworks(), timezone.now()
    for row in sheet.rows():
        kind, value = row.read("identifier_kind", KIND), row.read("identifier", required)
        key, start, stop = row.read("prefix", prefix), row.read("start", time), row.read("stop", time_or_open)
        first, last = row.read("port_first", PORT_FIRST), row.read("port_last", PORT_LAST)
        if kind and value:
            normal = address_text(row.read("identifier", address) or b"") if kind == INSIDE else ""
            value = normal or row.read("identifier", lambda cell, kind=kind: identifier_value(kind, cell))  # type: ignore[misc]
        if not row.good or not (kind and value and key and start) or first is None or last is None:
            continue
        if not ours.hold_prefix(key):
            row.refuse("prefix", f"{prefix_text(key)!r} is not inside any of our networks")
        if stop is not None and stop <= start:
            row.refuse("stop", f"{utc_text(stop)} is not after start, {utc_text(start)}")
        if last < first:
            row.refuse("port_last", f"{last} is before port_first, {first}")
        if row.good:
            method = "lease" if (first, last) == ALL_PORTS else "cgnat"
            source = f"{sheet.name}:{row.line}"[-300:]
            said_at = stop if stop and stop <= now else start
            yield LeaseEvent(((kind, value),), key, start, stop, said_at, False, source, method, first, last)


def check(lines: Iterable[str], *, name: str) -> int:
    """The number of data lines. Raises ImportRefused with every fault."""
    sheet = Sheet(lines, COLUMNS, name=name)
    for _ in read_leases(sheet):
        pass
    sheet.seal()
    return sheet.lines
