"""A corrected plan wins over what is stored, for its prefixes, ports and times; and history keeps every change."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from complaints.attribution.importing import ImportRefused, Summary, correct_assignments
from complaints.attribution.importing.correcting import Part, Stored, Wanted, corrections
from complaints.models import Assignment, AssignmentChange
from tests.factories import NOON, make_assignment, make_contract, make_network

pytestmark = pytest.mark.django_db
HEADER = "contract,prefix,kind,valid_from,valid_until,port_first,port_last"
DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def _plan() -> None:
    make_network()
    for reference in ("C-1", "C-2", "C-3"):
        make_contract(reference)


def line(contract: str, since: int, until: int | None = None, ports: tuple[str | int, str | int] = ("", "")) -> str:
    end = (NOON + until * DAY).isoformat() if until is not None else ""
    return f"{contract},192.0.2.10/32,static,{(NOON + since * DAY).isoformat()},{end},{ports[0]},{ports[1]}"


def correct(*lines: str, **options) -> Summary:
    return correct_assignments([HEADER, *lines], name="F.csv", **options)


def day(at: datetime | str | None) -> int | None:
    if isinstance(at, str):
        at = datetime.fromisoformat(at)
    return None if at is None else (at - NOON) // DAY


def held() -> list[tuple]:
    rows = Assignment.objects.select_related("contract").order_by("valid_from", "port_first")
    return [
        (row.contract.reference, day(row.valid_from), day(row.valid_until))
        + (() if (row.port_first, row.port_last) == (0, 65535) else (row.port_first, row.port_last))
        for row in rows
    ]


def changed() -> list[tuple]:
    def short(part: dict | None) -> tuple | None:
        return (part["contract"], day(part["valid_from"]), day(part["valid_until"])) if part else None

    rows = AssignmentChange.objects.order_by("pk")
    return [(row.action, row.why, short(row.before), short(row.after)) for row in rows]


def test_one_who_was_put_in_between_splits_the_stored_row():
    make_assignment("C-1", "192.0.2.10/32", valid_from=NOON)

    summary = correct(line("C-2", 3, 5))

    assert held() == [("C-1", 0, 3), ("C-2", 3, 5), ("C-1", 5, None)]
    assert changed() == [
        ("ended", "F.csv:2", ("C-1", 0, None), ("C-1", 0, 3)),
        ("split", "F.csv:2", ("C-1", 0, None), ("C-1", 5, None)),
        ("added", "F.csv:2", None, ("C-2", 3, 5)),
    ]
    assert (summary.created, summary.updated, summary.removed, summary.unchanged) == (2, 1, 0, 0)
    assert [(day(span.since), span.until) for span in summary.spans] == [(0, None)]


def test_rows_are_ended_cut_and_removed():
    make_assignment("C-1", "192.0.2.10/32", valid_from=NOON, valid_until=NOON + 3 * DAY)
    make_assignment("C-2", "192.0.2.10/32", valid_from=NOON + 3 * DAY, valid_until=NOON + 4 * DAY)
    make_assignment("C-1", "192.0.2.10/32", valid_from=NOON + 4 * DAY)

    correct(line("C-3", 2, 6))

    assert held() == [("C-1", 0, 2), ("C-3", 2, 6), ("C-1", 6, None)]
    assert [change[0] for change in changed()] == ["ended", "removed", "cut", "added"]


def test_a_row_that_the_file_names_becomes_what_the_file_says():
    make_assignment("C-1", "192.0.2.10/32", valid_from=NOON)
    make_assignment("C-2", "192.0.2.10/32", valid_from=NOON - 9 * DAY, valid_until=NOON - 5 * DAY)

    correct(line("C-1", 0, 3), line("C-2", -9, 0))

    assert held() == [("C-2", -9, 0), ("C-1", 0, 3)]
    assert [change[0] for change in changed()] == ["changed", "ended"]


def test_again_nothing_changes():
    make_assignment("C-1", "192.0.2.10/32", valid_from=NOON)
    correct(line("C-2", 3, 5))
    before = changed()

    summary = correct(line("C-2", 3, 5))

    assert (summary.unchanged, summary.updated, summary.created, changed()) == (1, 0, 0, before)


def test_ports_are_taken_out_and_the_rest_stays():
    make_assignment("C-1", "192.0.2.10/32", valid_from=NOON, port_first=1000, port_last=4000)

    correct(line("C-2", 3, 5, (2000, 2999)))

    assert held() == [
        ("C-1", 0, 3, 1000, 4000),
        ("C-1", 3, 5, 1000, 1999),
        ("C-2", 3, 5, 2000, 2999),
        ("C-1", 3, 5, 3000, 4000),
        ("C-1", 5, None, 1000, 4000),
    ]


def test_two_contracts_in_the_file_itself_are_refused_and_nothing_changes():
    make_assignment("C-1", "192.0.2.10/32", valid_from=NOON)

    with pytest.raises(ImportRefused) as refusal:
        correct(line("C-2", 3, 5), line("C-3", 4, 6))

    assert refusal.value.faults == [
        "F.csv:3: prefix: C-3 (here) and C-2 (line 2) would both hold 192.0.2.10/32 at 2026-03-14 12:00:00 UTC"
    ]
    assert (held(), changed()) == ([("C-1", 0, None)], [])


def test_a_dry_run_shows_every_change_and_makes_none(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    make_assignment("C-1", "192.0.2.10/32", valid_from=NOON)
    (tmp_path / "F.csv").write_text(f"{HEADER}\n{line('C-2', 3)}\n")
    out = StringIO()

    call_command("import_assignments", "F.csv", correct=True, dry_run=True, stdout=out)

    *changes, summary = [json.loads(text) for text in out.getvalue().splitlines()]
    assert [(each["action"], each["prefix"], each["why"]) for each in changes] == [
        ("ended", "192.0.2.10/32", "F.csv:2"),
        ("added", "192.0.2.10/32", "F.csv:2"),
    ]
    assert changes[0]["after"]["valid_until"] == "2026-03-13T12:00:00+00:00"
    assert (summary["created"], summary["updated"]) == (1, 1)
    assert (held(), changed()) == ([("C-1", 0, None)], [])


# --- against a naive oracle: a table of days and ports

rectangles = st.tuples(
    st.sampled_from([1, 2, 3]),
    st.integers(0, 9),
    st.one_of(st.none(), st.integers(1, 6)),
    st.integers(0, 5),
    st.integers(0, 5),
)


def part(contract: int, since: int, lasts: int | None, first: int, more: int) -> Part:
    end = None if lasts is None else NOON + (since + lasts) * DAY
    return Part(contract, "static", NOON + since * DAY, end, first, first + more)


def cells(one: Part) -> set[tuple[int, int]]:
    days = range((one.valid_from - NOON) // DAY, 20 if one.valid_until is None else (one.valid_until - NOON) // DAY)
    return {(day, port) for day in days for port in range(one.port_first, one.port_last + 1)}


def without_overlaps(found: list[Part]) -> list[Part]:
    kept: list[Part] = []
    for one in found:
        if all(cells(one).isdisjoint(cells(other)) for other in kept):
            kept.append(one)
    return kept


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(rectangles, max_size=6), st.lists(rectangles, min_size=1, max_size=4))
def test_every_cell_is_the_files_or_as_it_was(stored, wanted):
    before = without_overlaps([part(*one) for one in stored])
    claims = without_overlaps([part(*one) for one in wanted])
    rows = dict(enumerate(before, 1))
    named = {one.identity for one in claims}

    for change in corrections([Stored(pk, one) for pk, one in rows.items()], [Wanted(2, one) for one in claims]):
        assert change.before is None or change.pk is None or rows[change.pk] == change.before
        if change.after is None:
            del rows[change.pk]
        else:
            rows[change.pk or max(rows, default=0) + 100] = change.after

    expected = {cell: one.contract_id for one in before if one.identity not in named for cell in cells(one)}
    expected |= {cell: one.contract_id for one in claims for cell in cells(one)}
    found = [(cell, one.contract_id) for one in rows.values() for cell in cells(one)]
    assert len(found) == len(dict(found))
    assert dict(found) == expected
