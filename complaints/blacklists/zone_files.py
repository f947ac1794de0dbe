"""Taking in a zone file: the whole assigned space against one list at once."""

from __future__ import annotations

import dataclasses
import gzip
import ipaddress
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from django.db import transaction

from complaints.addresses import prefix_key
from complaints.blacklists.history import record_findings
from complaints.blacklists.opening import Opened
from complaints.blacklists.space import held_ranges
from complaints.blacklists.sweeps import open_or_hold
from complaints.blacklists.zone_format import BadZoneFile, Entry, read_entries, text_for
from complaints.blacklists.zone_merge import Named, OurSpace, TooMany, named_among
from complaints.checks import DnsblList
from complaints.checks.dnsbl import reading_of
from complaints.models import Blacklist, Listing, ListSweep

LOOPBACK = (int(ipaddress.IPv4Address("127.0.0.1")), int(ipaddress.IPv6Address("::ffff:7f00:1")))
LONGEST_FILE = 4 * 1024**3  # octets read, unpacked


@dataclasses.dataclass(frozen=True, slots=True)
class Imported:
    """entries: in the file. ours: listings that name us. new, gone: since the last file. held: why none was filed."""

    entries: int
    ours: int
    new: int
    gone: int
    complaints: int
    unsure: int
    cases: tuple[int, ...]
    held: str = ""


def import_zone_file(
    blacklist: Blacklist, path: Path, *, kind: str, now: datetime, history_only: bool = False
) -> Imported:
    """Write down which of our addresses the file names, end what it names no more, and open cases for what is new.

    history_only: open no case. All or nothing: raises BadZoneFile, and OSError, before anything is written.
    """
    each, family = blacklist.as_list(), 4 if kind.startswith("ip4") else 6
    space, counted = OurSpace(held_ranges(family, now)), [0]
    try:
        ours = list(kept_entries(lines_of(path), kind, space, counted))
        named = named_among(space, ours, family=family, is_set=kind == "ip4set")
    except TooMany as exc:
        raise BadZoneFile(str(exc)) from exc
    if not counted[0]:
        raise BadZoneFile("no entry at all: an emptied list, or no zone file")
    rows = [row for network in named if (row := finding_of(each, network))]
    begun = record_findings(rows, now=now, source=Listing.Source.FILE)
    gone = end_missing(blacklist, {prefix_key(str(row["place"])) for row in rows}, family, now=now)
    sweep, _ = ListSweep.objects.get_or_create(blacklist=blacklist)
    asked = sum(last - first + 1 for first, last in space.ranges)
    opened = Opened() if history_only else open_or_hold(sweep, begun, asked, since=sweep.file_at, now=now)
    ListSweep.objects.filter(pk=sweep.pk).update(file_at=now, file_entries=counted[0])
    sweep.refresh_from_db()
    return Imported(
        entries=counted[0], ours=len(rows), new=len(begun), gone=gone, complaints=opened.complaints,
        unsure=opened.unsure, cases=tuple(sorted(opened.cases)), held=sweep.held,
    )  # fmt: skip


def lines_of(path: Path) -> Iterator[str]:
    """Packed by gzip or not, as rbldnsd takes both."""
    with path.open("rb") as raw:
        packed = raw.read(2) == b"\x1f\x8b"
        raw.seek(0)
        read = 0
        for line in gzip.GzipFile(fileobj=raw) if packed else raw:
            read += len(line)
            if read > LONGEST_FILE:
                raise BadZoneFile(f"longer than {LONGEST_FILE:,} octets")
            yield line.decode("utf-8", "replace")


def kept_entries(lines: Iterable[str], kind: str, space: OurSpace, counted: list[int]) -> Iterator[Entry]:
    """Those that meet our space. A file that lists 127.0.0.1 lists the world (RFC 5782 section 5)."""
    try:
        for entry in read_entries(lines, kind):
            counted[0] += 1
            if entry.value is not None and any(entry.first <= address <= entry.last for address in LOOPBACK):
                raise BadZoneFile("lists even 127.0.0.1: it lists the world")
            if space.meets(entry):
                yield entry
    except (EOFError, gzip.BadGzipFile) as exc:
        raise BadZoneFile(f"the packed file is damaged: {exc}") from exc


def finding_of(each: DnsblList, named: Named) -> dict[str, Any] | None:
    """As the blacklist check tells it; None: the code is an error, or a good word."""
    codes = sorted({ipaddress.IPv4Address(value.code) for value in named.values})
    place = str(named.network.network_address) if named.network.num_addresses == 1 else str(named.network)
    reading = reading_of(each, codes)
    if reading.status not in ("listed", "policy"):
        return None
    texts = dict.fromkeys(text_for(value, str(named.network.network_address)) for value in named.values)
    return {
        "list": each.name,
        "place": place,
        "status": reading.status.value,
        "codes": [str(code) for code in codes],
        "meaning": "; ".join(reading.meanings),
        "cause": ", ".join(reading.causes),
        "txt": " ".join(text for text in texts if text)[:512],
    }


def end_missing(blacklist: Blacklist, keys: set[bytes], family: int, *, now: datetime) -> int:
    """The file names everything that is listed, so what it leaves out is gone."""
    rows = Listing.objects.filter(blacklist=blacklist, source=Listing.Source.FILE, gone_at__isnull=True)
    size = 5 if family == 4 else 17
    gone = [pk for pk, key in rows.values_list("pk", "key") if len(bytes(key)) == size and bytes(key) not in keys]
    with transaction.atomic():
        for part in parts(gone, 500):
            Listing.objects.filter(pk__in=part, gone_at__isnull=True).update(gone_at=now, look_at=None)
    return len(gone)


def parts(items: Sequence[int], n: int) -> Iterator[Sequence[int]]:
    return (items[start : start + n] for start in range(0, len(items), n))
