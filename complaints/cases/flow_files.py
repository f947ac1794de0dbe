"""Mail flow as the ISP tells it: rows of a CSV file or of a call, read by the same rules. All of it or nothing."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime, timedelta
from typing import Any

from complaints.attribution.importing.reading import ImportRefused, Progress, Sheet
from complaints.attribution.importing.upsert import Summary
from complaints.cases.tallies import Flow, record_flow
from complaints.models import Contract
from complaints.models.text import storable

COUNTERS = ("messages", "queue", "failed", "bytes")
COLUMNS = ("contract", "day", *COUNTERS)
MOST = 2**63 - 1
DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
OLDEST = timedelta(days=400)
MOST_ROWS = 500_000
CHUNK = 500


def import_mail_flow(
    stream: Iterable[str], *, name: str, now: datetime, dry_run: bool = False, progress: Progress | None = None
) -> Summary:
    """Keep the counters of a CSV file. Raises ImportRefused with every fault; then nothing was changed."""
    sheet = Sheet(stream, COLUMNS, name=name, progress=progress)
    found: dict[tuple[str, date], tuple[int, dict[str, int | None]]] = {}
    for row in sheet.rows():
        reference, day = row.read("contract", named), row.read("day", day_before(now))
        numbers = {each: row.read(each, number_or_none) for each in COUNTERS}
        if row.good and reference is not None and day is not None:
            if (reference, day) in found:
                row.refuse("contract", f"{reference} on {day} is also in line {found[reference, day][0]}")
            found[reference, day] = (row.line, numbers)
        if len(found) > MOST_ROWS:
            raise ImportRefused([f"{name}: more than {MOST_ROWS:,} rows: import it in parts"])
    ids = contract_ids(reference for reference, _ in found)
    for (reference, _), (line, _) in found.items():
        if reference not in ids:
            sheet.fault(line, "contract", f"{reference!r} is not known")
    sheet.seal()
    summary = Summary(name, sheet.lines)
    if not dry_run:
        flows = (Flow(ids[reference], day, **numbers) for (reference, day), (_, numbers) in found.items())
        summary.updated = record_flow(flows)
    return summary


def read_rows(rows: Iterable[Mapping[str, Any]], *, now: datetime) -> list[Flow]:
    """The rows of a call. Raises ImportRefused with every fault as "rows[3].day: …"."""
    faults: list[str] = []
    read: list[tuple[int, str, date, dict[str, int | None]]] = []
    seen: dict[tuple[str, date], int] = {}
    for index, row in enumerate(rows):
        unknown = sorted(set(row) - set(COLUMNS))
        faults += [f"rows[{index}].{name}: is none of {', '.join(COLUMNS)}" for name in unknown[:5]]
        cells: dict[str, Any] = {}
        for name, parse in {**READERS, "day": day_before(now)}.items():
            try:
                cells[name] = parse(row.get(name))
            except ValueError as exc:
                faults.append(f"rows[{index}].{name}: {exc}")
        if len(cells) == len(COLUMNS):
            reference, day = cells.pop("contract"), cells.pop("day")
            if (first := seen.setdefault((reference, day), index)) != index:
                faults.append(f"rows[{index}].contract: {reference} on {day} is also in rows[{first}]")
            read.append((index, reference, day, cells))
        if len(faults) > 20:
            break
    ids = contract_ids(reference for _, reference, _, _ in read)
    faults += [f"rows[{index}].contract: {ref!r} is not known" for index, ref, _, _ in read if ref not in ids][:20]
    if faults:
        raise ImportRefused(faults)
    return [Flow(ids[reference], day, **numbers) for _, reference, day, numbers in read]


def contract_ids(references: Iterable[str]) -> dict[str, int]:
    wanted = sorted(set(references))
    found: dict[str, int] = {}
    for start in range(0, len(wanted), CHUNK):
        rows = Contract.objects.filter(reference__in=wanted[start : start + CHUNK])
        found |= dict(rows.values_list("reference", "pk"))
    return found


def named(cell: object) -> str:
    if not isinstance(cell, str) or not cell.strip() or len(cell) > 100:
        raise ValueError("a reference of 1 to 100 characters is needed")
    if storable(cell, 100) != cell:  # no database takes a half of a surrogate pair, PostgreSQL no NUL
        raise ValueError(f"{cell!a} has a character that cannot stand in a reference")
    return cell.strip()


def day_before(now: datetime) -> Callable[[object], date]:
    def read(cell: object) -> date:
        try:
            if not isinstance(cell, str) or not DATE.fullmatch(cell):  # a date of another form is easily misread
                raise ValueError
            day = date.fromisoformat(cell)
        except ValueError:
            raise ValueError(f"{str(cell or '')[:40]!a} is no date such as 2026-03-10") from None
        if not now - OLDEST <= now + (day - now.date()) <= now + timedelta(days=1):
            raise ValueError(f"{day} is not within the last {OLDEST.days} days")
        return day

    return read


def number_or_none(cell: str) -> int | None:
    if not cell:
        return None
    if not (cell.isascii() and cell.isdigit() and len(cell) < 20 and int(cell) <= MOST):
        raise ValueError(f"{cell[:40]!r} is no whole number from 0 on")
    return int(cell)


def whole(value: object) -> int | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= MOST:
        raise ValueError(f"{str(value)[:40]!r} is no whole number from 0 on")
    return value


READERS: dict[str, Callable[[object], Any]] = {"contract": named, **dict.fromkeys(COUNTERS, whole)}
