"""Kea's memfile lease files, kea-leases4.csv and kea-leases6.csv (Kea Administrator Reference, "Memfile").

A journal: each line is the whole lease as it became, and the last line of an address is the current one; the clean-up
(kea-lfc) starts a new file with the last lines only. Columns by their names in the header, because versions add some:

    address,hwaddr,client_id,valid_lifetime,expire,subnet_id,fqdn_fwd,fqdn_rev,hostname,state,user_context,pool_id
    address,duid,valid_lifetime,expire,subnet_id,pref_lifetime,lease_type,iaid,prefix_len,fqdn_fwd,…,hwaddr,state,…

expire is seconds since 1970 and is the client's last transmission (cltt) plus valid_lifetime. Commas inside a value
are written as &#x2c, so nothing is quoted. States: 0 assigned, 1 declined (the address is in use by somebody the
server does not know), 2 expired and reclaimed, 3 released, 4 registered. lease_type: 0 IA_NA, 1 IA_TA, 2 IA_PD.

A lease that is deleted is written with valid_lifetime 0 and no word on when. It was the client's until then, and the
file is in the order of time: so until the latest time that any line before it names.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from complaints.attribution.importing.cells import prefix
from complaints.attribution.importing.leases.events import Fault, Identifier, Item, LeaseEvent
from complaints.models.identifiers import identifier_value

NAME = "kea"
FOREVER = 0xFFFFFFFF
ASSIGNED, DECLINED, RECLAIMED, RELEASED, REGISTERED = range(5)
PREFIX_DELEGATION = "2"
NEEDED = {"address", "valid_lifetime", "expire", "state"}
IDENTIFIERS = (("client_id", "client_id"), ("duid", "duid"), ("hwaddr", "mac"))  # column and kind, the surest first


class Reader:
    pending = False  # a line is a record

    def __init__(self, state: dict[str, Any]) -> None:
        self.state = state  # header: names of the columns; clock: the latest time named so far, epoch seconds

    def read(self, source: str, line: str) -> Iterator[Item]:
        cells = line.rstrip("\r\n").split(",")
        if cells[0] == "address":
            self.state["header"] = cells
            missing = sorted(NEEDED.difference(cells))
            if missing:
                yield Fault(source, line, f"the header lacks {', '.join(missing)}")
            return
        if not line.strip():
            return
        try:
            event = self.lease(source, cells)
        except (ValueError, OverflowError) as exc:
            yield Fault(source, line, str(exc))
            return
        if event is not None:
            yield event

    def finish(self) -> Iterator[Item]:
        yield from ()

    def lease(self, source: str, cells: list[str]) -> LeaseEvent | None:
        header = self.state.get("header")
        if header is None or not NEEDED.issubset(header):
            raise ValueError("there is no header line before it that names the columns")
        if len(cells) != len(header):
            raise ValueError(f"{len(cells)} cells, but the header has {len(header)}")
        row = dict(zip(header, cells, strict=True))
        lifetime, expire, state = number(row, "valid_lifetime"), number(row, "expire"), number(row, "state")
        seen = expire - lifetime
        clock = self.state["clock"] = max(seen, self.state.get("clock", 0))
        key = prefix_of(row)
        start = said_at = moment(seen)
        stop = None if lifetime == FOREVER else moment(expire)
        if lifetime == 0 or state == RELEASED:
            stop = said_at = moment(clock)
        identifiers = identifiers_of(row)
        if state == DECLINED:
            identifiers = (("unknown", f"declined {row['address']}"),)
        if not identifiers:
            if lifetime == 0 or state in (RECLAIMED, RELEASED):
                return None
            raise ValueError("names no client: hwaddr, client_id and duid are empty")
        return LeaseEvent(identifiers, key, start, stop, said_at, True, source)


def number(row: dict[str, str], column: str) -> int:
    cell = row[column]
    if not (cell.isascii() and cell.isdigit() and len(cell) < 12):
        raise ValueError(f"{column}: {cell!r} is not a number")
    return int(cell)


def moment(seconds: int) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)


def prefix_of(row: dict[str, str]) -> bytes:
    if row.get("lease_type") == PREFIX_DELEGATION:
        return prefix(f"{row['address']}/{number(row, 'prefix_len')}")
    return prefix(row["address"])


def identifiers_of(row: dict[str, str]) -> tuple[Identifier, ...]:
    found = []
    for column, kind in IDENTIFIERS:
        if row.get(column):
            try:
                found.append((kind, identifier_value(kind, row[column])))
            except ValueError:
                continue  # a hardware address of another length, as InfiniBand's: the next one may do
    return tuple(found)
