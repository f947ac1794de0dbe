"""import_networks: the address space that is ours, as `prefix,name`."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import transaction

from complaints.attribution.importing.cells import prefix, text
from complaints.attribution.importing.reading import Progress, Sheet
from complaints.attribution.importing.upsert import Cells, Summary, Table, keep_other_writers_out, upsert
from complaints.models import Network

COLUMNS = ("prefix", "name")
NETWORKS = Table(Network, ("key",), ("name",))


def import_networks(
    stream: Iterable[str], *, name: str, dry_run: bool = False, progress: Progress | None = None
) -> Summary:
    """Add the file's networks, and give known ones their name. None is ever removed.

    Raises:
        ImportRefused: with every fault; nothing was changed.
    """
    sheet = Sheet(stream, COLUMNS, name=name, progress=progress)
    rows = read_networks(sheet)
    sheet.seal()
    summary = Summary(name, sheet.lines)
    with transaction.atomic():
        keep_other_writers_out(Network)
        upsert(NETWORKS, rows, summary)
        if dry_run:
            transaction.set_rollback(True)
    return summary


def read_networks(sheet: Sheet) -> list[Cells]:
    found: dict[bytes, tuple[int, str]] = {}
    for row in sheet.rows():
        key, title = row.read("prefix", prefix), row.read("name", text(200))
        if key in found:
            row.refuse("prefix", f"is also in line {found[key][0]}")
        if row.good and key is not None and title is not None:
            found[key] = (row.line, title)
    return [(key, title) for key, (_, title) in found.items()]
