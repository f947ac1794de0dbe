"""import_assignments --correct: the file is right, and what is stored gives way. Every change is kept in history."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import groupby
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from complaints.addresses import prefix_text
from complaints.attribution.importing.assignments import COLUMNS as CSV_COLUMNS
from complaints.attribution.importing.assignments import CONTRACT, note_prefix_lengths, read_assignments
from complaints.attribution.importing.correcting import Change, Part, Stored, Wanted, corrections
from complaints.attribution.importing.holding_files import name_holders, refuse_repeats, with_contracts
from complaints.attribution.importing.reading import Progress, Sheet
from complaints.attribution.importing.spans import Spans
from complaints.attribution.importing.staged_holdings import ASSIGNMENTS, Staged
from complaints.attribution.importing.staging import Cells, stream
from complaints.attribution.importing.upsert import Summary, keep_other_writers_out
from complaints.attribution.lookup import as_time, names_of
from complaints.models import Assignment, AssignmentChange
from complaints.models.bulk import insert_rows, update_rows

KEYS_A_STEP = 500
VALUES = ("contract_id", "kind", "valid_from", "valid_until", "port_first", "port_last", "said_at", "feed_id")
HISTORY = ("changed_at", "action", "why", "key", "before", "after")
Show = Callable[[dict[str, Any]], None]
Changes = list[tuple[bytes, Change]]


def correct_assignments(
    lines: Iterable[str],
    *,
    name: str,
    dry_run: bool = False,
    progress: Progress | None = None,
    show: Show = lambda _change: None,
) -> Summary:
    """Make what the file's rows say true, for their prefixes, ports and times: stored rows are ended, cut, split or
    removed. `show` is told every change as it stands in AssignmentChange.

    Raises:
        ImportRefused: with every fault, also for two contracts in the file itself; nothing was changed.
    """
    sheet = Sheet(lines, CSV_COLUMNS, name=name, progress=progress)
    with Staged(ASSIGNMENTS) as staged:
        staged.fill(with_contracts(sheet, read_assignments(sheet), CONTRACT))
        refuse_repeats(staged, sheet, "this prefix, valid_from and port_first")
        sheet.seal()
        summary = Summary(name, sheet.lines)
        with transaction.atomic():
            keep_other_writers_out(Assignment)
            note_prefix_lengths(staged)
            try:
                with transaction.atomic():
                    correct(staged, summary, show)
            except IntegrityError:
                name_holders(staged, sheet, "prefix", lambda thing: prefix_text(thing[0]), in_file_only=True)
                sheet.seal()
                raise
            if dry_run:
                transaction.set_rollback(True)
    return summary


def correct(staged: Staged, summary: Summary, show: Show) -> None:
    now = timezone.now()
    for wanted in steps_of_keys(wanted_rows(staged)):
        stored = stored_rows(list(wanted))
        changes = [(key, change) for key, rows in wanted.items() for change in corrections(stored.get(key, []), rows)]
        write(changes)
        names = names_of({part.contract_id for _, c in changes for part in (c.before, c.after) if part})
        records = [history(key, change, summary.file, now, names) for key, change in changes]
        insert_rows(AssignmentChange, HISTORY, records)
        for key, change in changes:
            note(summary.spans, key, change)
        for record in records:
            show(dict(zip(HISTORY, record, strict=True)) | {"prefix": prefix_text(record[3])})
        count(summary, [change for _, change in changes], sum(len(rows) for rows in wanted.values()))


def wanted_rows(staged: Staged) -> Iterator[tuple[bytes, Wanted]]:
    columns = "key, line, contract_id, kind, valid_from, valid_until, port_first, port_last"
    for key, line, contract, kind, since, until, first, last in stream(
        f"SELECT {columns} FROM {staged.name} ORDER BY key, line"  # noqa: S608 - our own names
    ):
        yield bytes(key), Wanted(line, Part(contract, kind, as_time(since), as_time(until), first, last))


def steps_of_keys(rows: Iterator[tuple[bytes, Wanted]]) -> Iterator[dict[bytes, list[Wanted]]]:
    step: dict[bytes, list[Wanted]] = {}
    for key, of_key in groupby(rows, key=lambda row: row[0]):
        step[key] = [wanted for _, wanted in of_key]
        if len(step) == KEYS_A_STEP:
            yield step
            step = {}
    if step:
        yield step


def stored_rows(keys: list[bytes]) -> dict[bytes, list[Stored]]:
    found: dict[bytes, list[Stored]] = {}
    rows = Assignment.objects.filter(key__in=keys).order_by("valid_from", "pk").values_list("key", "pk", *VALUES)
    for key, pk, *values in rows:
        found.setdefault(bytes(key), []).append(Stored(pk, Part(*values)))
    return found


def write(changes: Changes) -> None:
    """What becomes less before what becomes more: so no moment has two holders."""
    gone = [change.pk for _, change in changes if change.after is None and change.pk is not None]
    if gone:
        Assignment.objects.filter(pk__in=gone).delete()
    kept = [change for _, change in changes if change.pk is not None and change.after is not None]
    less = [change for change in kept if is_less(change)]
    for some in (less, [change for change in kept if change not in less]):
        update_rows(Assignment, "id", VALUES, [(change.pk, *change.after) for change in some if change.after])
    new = [(key, *change.after) for key, change in changes if change.pk is None and change.after]
    insert_rows(Assignment, ("key", *VALUES), new)


def is_less(change: Change) -> bool:
    before, after = change.before, change.after
    assert before is not None
    assert after is not None
    ends = before.valid_until is None or (after.valid_until is not None and after.valid_until <= before.valid_until)
    ports = before.port_first <= after.port_first and after.port_last <= before.port_last
    return before.valid_from <= after.valid_from and ends and ports


def history(key: bytes, change: Change, file: str, now: object, names: dict[int, str]) -> Cells:
    before, after = (record(part, names) for part in (change.before, change.after))
    return now, change.action.value, f"{file}:{change.line}"[-300:], key, before, after


def record(part: Part | None, names: dict[int, str]) -> dict[str, Any] | None:
    if part is None:
        return None
    return {
        "contract": names[part.contract_id],
        "kind": part.kind,
        "valid_from": part.valid_from.isoformat(),
        "valid_until": part.valid_until.isoformat() if part.valid_until else None,
        "port_first": part.port_first,
        "port_last": part.port_last,
    }


def note(spans: Spans, key: bytes, change: Change) -> None:
    parts = [part for part in (change.before, change.after) if part]
    ends = [part.valid_until for part in parts]
    until = None if None in ends else max(end for end in ends if end is not None)
    spans.add(key, min(part.valid_from for part in parts), until)


def count(summary: Summary, changes: list[Change], rows: int) -> None:
    new = sum(change.pk is None for change in changes)
    gone = sum(change.after is None for change in changes)
    summary.created += new
    summary.removed += gone
    summary.updated += len(changes) - new - gone
    summary.unchanged += rows - len({change.line for change in changes})
