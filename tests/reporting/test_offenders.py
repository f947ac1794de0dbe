from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from complaints.reporting import load_reports, offenders
from complaints.reporting._export import cell
from complaints.reporting._period import BadPeriod, read_period
from complaints.vocabulary import CaseState, Category, Resolution
from tests.desk.conftest import ada, carla  # noqa: F401 - fixtures
from tests.factories import NOON, make_case, make_complaint, make_contract, make_customer

DAY = timedelta(days=1)
SINCE, UNTIL = NOON - 30 * DAY, NOON


def closed(at: datetime, how: Resolution) -> dict[str, Any]:
    return {"state": CaseState.CLOSED, "closed_at": at, "resolution": how}


def rows(**options: Any) -> list[dict[str, Any]]:
    return list(offenders.rows(SINCE, UNTIL, **options))


def test_the_report_is_found_by_being_there() -> None:
    assert load_reports()["offenders"] is offenders


@pytest.mark.django_db
def test_a_contract_is_counted_in_every_column() -> None:
    contract = make_contract("C-1", customer=make_customer("K-1", name="Brenn"))
    fixed = make_case(contract, opened_at=NOON - 20 * DAY, **closed(NOON - 19 * DAY, Resolution.FIXED_VERIFIED))
    again = make_case(
        contract, opened_at=NOON - 10 * DAY, relapse_of=fixed, **closed(NOON - 8 * DAY, Resolution.FIXED_NOT_VERIFIABLE)
    )
    silent = make_case(
        contract, opened_at=NOON - 5 * DAY, relapse_of=again, **closed(NOON - DAY, Resolution.NO_RESPONSE)
    )
    bot = make_case(contract, category=Category.BOT, opened_at=NOON - DAY)
    for case, days in ((fixed, 20), (again, 10), (silent, 5), (bot, 1), (bot, 2)):
        make_complaint(case, seen_at=NOON - days * DAY)

    assert rows() == [
        {
            "customer": "Brenn", "customer_reference": "K-1", "contract": "C-1", "relapses": 2, "cases": 4,
            "complaints": 5, "categories": 2, "last_seen": NOON - DAY, "open_now": 1, "closed_fixed": 2,
            "closed_silent": 1, "hours_to_fix": 36.0,
        }
    ]  # fmt: skip


@pytest.mark.django_db
def test_the_period_includes_its_first_moment_and_not_its_last() -> None:
    case = make_case(opened_at=SINCE - DAY)
    for moment in (SINCE - timedelta(microseconds=1), SINCE, UNTIL - timedelta(microseconds=1), UNTIL):
        make_complaint(case, seen_at=moment)

    assert [row["complaints"] for row in rows()] == [2]


@pytest.mark.django_db
def test_an_old_case_that_is_merely_still_open_makes_nobody_an_offender() -> None:
    make_case(opened_at=SINCE - DAY)

    assert rows() == []


@pytest.mark.django_db
def test_who_comes_back_stands_before_who_was_complained_about_more() -> None:
    loud, back = make_contract("C-loud"), make_contract("C-back")
    case = make_case(loud, opened_at=NOON - DAY)
    for hours in range(5):
        make_complaint(case, seen_at=NOON - timedelta(hours=hours + 1))
    old = make_case(back, opened_at=NOON - 9 * DAY, **closed(NOON - 8 * DAY, Resolution.STALE))
    make_case(back, opened_at=NOON - DAY, relapse_of=old)

    assert [row["contract"] for row in rows()] == ["C-back", "C-loud"]
    assert [row["contract"] for row in rows(sort="complaints")] == ["C-loud", "C-back"]
    assert [row["contract"] for row in rows(sort="contract", most=1)] == ["C-back"]


@pytest.mark.django_db
@pytest.mark.parametrize("sort", [column.name for column in offenders.COLUMNS])
def test_every_column_sorts(sort: str) -> None:
    make_case("C-1", opened_at=NOON - DAY)
    make_case("C-2", opened_at=NOON - DAY, **closed(NOON, Resolution.FIXED_VERIFIED))

    assert len(rows(sort=sort)) == 2


# --- what leaves as a file


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx", "\nx"])
def test_a_cell_that_a_spreadsheet_would_run_is_disarmed(text: str) -> None:
    assert cell(text) == "'" + text


@pytest.mark.parametrize("value", ["Brenn", "", 0, -5, 1.5])
def test_harmless_cells_stay_as_they_are(value: object) -> None:
    assert cell(value) == value


def test_the_csv_has_a_line_for_each_contract_and_no_formula(carla: Client) -> None:  # noqa: F811
    contract = make_contract("-2", customer=make_customer("K-1", name='=HYPERLINK("http://evil.example")'))
    make_complaint(make_case(contract, opened_at=NOON - DAY), seen_at=NOON - DAY)

    response = carla.get("/offenders.csv", {"since": "2026-02-01", "until": "2026-03-10"})
    lines = list(csv.reader(io.StringIO(b"".join(response.streaming_content).decode())))  # type: ignore[attr-defined]

    assert response["Content-Disposition"] == 'attachment; filename="offenders-20260201-20260310.csv"'
    assert lines[0] == [column.name for column in offenders.COLUMNS]
    assert lines[1][:3] == ['\'=HYPERLINK("http://evil.example")', "K-1", "'-2"]
    assert len(lines) == 2


def test_the_page_shows_the_rows_and_says_what_a_column_counts(carla: Client) -> None:  # noqa: F811
    make_complaint(make_case(make_contract(customer=make_customer(name="<b>Brenn</b>")), opened_at=NOON - DAY))

    page = carla.get(
        "/offenders", {"since": "2026-02-01", "until": "2026-03-11", "sort": "complaints"}
    ).content.decode()

    assert "&lt;b&gt;Brenn&lt;/b&gt;" in page
    assert 'aria-sort="descending"' in page
    assert "Closed without any response in the period; never counted as fixed" in page


@pytest.mark.parametrize(
    "query", [{"since": "soon"}, {"since": "2026-02-02", "until": "2026-02-01"}, {"until": "0001-01-01"}]
)
def test_a_period_that_is_none_is_told_and_not_guessed(carla: Client, query: dict[str, str]) -> None:  # noqa: F811
    assert carla.get("/offenders", query)["Location"] == "/offenders"
    assert carla.get("/offenders.csv", query).status_code == 400


# --- the period


def test_a_day_as_end_is_included() -> None:
    period = read_period("2026-02-01", "2026-02-01", now=NOON, zone=UTC)

    assert (period.since, period.until) == (datetime(2026, 2, 1, tzinfo=UTC), datetime(2026, 2, 2, tzinfo=UTC))


def test_without_any_times_it_is_the_last_90_days() -> None:
    period = read_period(None, None, now=NOON, zone=UTC)

    assert (period.since, period.until) == (NOON - 90 * DAY, NOON)


@pytest.mark.parametrize("text", ["soon", "2026-13-01", "2026-02-30", "٢٠٢٦-٠١-٠١"])
def test_a_time_that_cannot_be_read_is_quoted(text: str) -> None:
    with pytest.raises(BadPeriod, match=f"since '{text}' is no day"):
        read_period(text, None, now=NOON, zone=UTC)


# --- the command


@pytest.mark.django_db
def test_the_command_prints_json(capsys: pytest.CaptureFixture[str]) -> None:
    make_complaint(make_case(opened_at=NOON - DAY), seen_at=NOON - DAY)

    call_command("report", "offenders", since="2026-02-01", until="2026-03-10", format="json")

    [row] = json.loads(capsys.readouterr().out)
    assert (row["contract"], row["complaints"], row["last_seen"]) == ("C-1", 1, "2026-03-09T12:00:00+00:00")


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (["nonsense"], "no report 'nonsense': there is offenders"),
        (["offenders", "--format", "pdf"], "--format pdf is not built yet: use csv or json"),
        (["offenders", "--format", "doc"], "--format 'doc' is unknown: use csv or json"),
        (["offenders", "--since", "soon"], "since 'soon' is no day"),
    ],
)
def test_the_command_says_what_it_cannot_do(given: list[str], sentence: str) -> None:
    with pytest.raises(CommandError, match=sentence):
        call_command("report", *given)
