"""import_assignments: which contract holds which prefix, and ports, from when until when."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from complaints.addresses import prefix_text
from complaints.attribution.importing.cells import one_of, port_or, prefix, required, time, time_or_open
from complaints.attribution.importing.holding_files import import_holdings, with_contracts
from complaints.attribution.importing.reading import Progress, Sheet
from complaints.attribution.importing.staged_holdings import ASSIGNMENTS, Staged
from complaints.attribution.importing.staging import Cells, ask, stream
from complaints.attribution.importing.upsert import Summary
from complaints.attribution.lookup import as_time
from complaints.attribution.networks import OwnNetworks
from complaints.attribution.times import utc_text
from complaints.models import Assignment, PrefixLength
from complaints.models.assignments import ALL_PORTS

COLUMNS = ("contract", "prefix", "kind", "valid_from", "valid_until", "port_first", "port_last")
KIND, PORT_FIRST, PORT_LAST = one_of(Assignment.Kind.values), port_or(ALL_PORTS[0]), port_or(ALL_PORTS[1])
CONTRACT = 4  # its place in the rows


def import_assignments(
    stream: Iterable[str], *, name: str, dry_run: bool = False, progress: Progress | None = None
) -> Summary:
    """Add the file's assignments; one that is known (prefix, valid_from, port_first, contract) gets its new end.

    None is ever removed: history stays, an assignment ends by its valid_until.

    Raises:
        ImportRefused: with every fault; nothing was changed.
    """
    sheet = Sheet(stream, COLUMNS, name=name, progress=progress)
    return import_holdings(
        ASSIGNMENTS,
        sheet,
        with_contracts(sheet, read_assignments(sheet), CONTRACT),
        says_again="this prefix, valid_from and port_first",
        column="prefix",
        what=lambda thing: prefix_text(thing[0]),
        before_writing=prepare,
        dry_run=dry_run,
    )


def read_assignments(sheet: Sheet) -> Iterator[Cells]:
    """Line, prefix key, valid_from, port_first, contract reference, kind, valid_until, port_last."""
    ours = OwnNetworks()
    for row in sheet.rows():
        key, since = row.read("prefix", prefix), row.read("valid_from", time)
        first, contract = row.read("port_first", PORT_FIRST), row.read("contract", required)
        kind, until = row.read("kind", KIND), row.read("valid_until", time_or_open)
        last = row.read("port_last", PORT_LAST)
        if key is None or since is None or first is None or last is None or not row.good:
            continue
        if not ours.hold_prefix(key):
            row.refuse("prefix", f"{prefix_text(key)!r} is not inside any of our networks")
        if until is not None and until <= since:
            row.refuse("valid_until", f"{utc_text(until)} is not after valid_from, {utc_text(since)}")
        if last < first:
            row.refuse("port_last", f"{last} is before port_first, {first}")
        if row.good:
            yield row.line, key, since, first, contract, kind, until, last


def prepare(staged: Staged, summary: Summary) -> None:
    note_prefix_lengths(staged)
    note_spans(staged, summary)


def note_prefix_lengths(staged: Staged) -> None:
    """Tell the look-up which lengths to ask for. They are never taken back: one too many costs a key a
    look-up, one too few would name the holder of the block around instead of the holder.
    """
    found = ask(f"SELECT DISTINCT length(key), substr(key, 1, 1) FROM {staged.name}")  # noqa: S608 - our own name
    lengths = sorted((4 if size == 5 else 6, bytes(first)[0]) for size, first in found)
    rows = [PrefixLength(family=family, length=length) for family, length in lengths]
    PrefixLength.objects.bulk_create(rows, ignore_conflicts=True)


def note_spans(staged: Staged, summary: Summary) -> None:
    """What is going to be changed."""
    news = f"SELECT i.key, i.valid_from, i.valid_until FROM {staged.name} AS i WHERE NOT {staged.known}"  # noqa: S608
    for key, since, until in stream(news):
        summary.spans.add(key, as_time(since), as_time(until))
    changed = (
        f"SELECT i.key, i.valid_from, i.valid_until, s.valid_until, i.kind = s.kind AND i.port_last = s.port_last"  # noqa: S608
        f" FROM {staged.name} AS i JOIN {staged.of.table} AS s ON {staged.same} WHERE {staged.differ}"
    )
    for key, since, until, before, ends_only in stream(changed):
        ends = [end for end in (as_time(until), as_time(before)) if end is not None]
        since = min(ends) if ends_only else as_time(since)
        summary.spans.add(key, since, max(ends) if len(ends) == 2 else None)
