"""Every look at somebody's data beyond the case at hand leaves one line, and somebody can look through the lines."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client

from complaints.cases.reads import forget_reads, record_read
from complaints.models import AccessLog
from tests.factories import NOON, make_case, make_complaint, make_reporter

pytestmark = pytest.mark.django_db
What = AccessLog.What
NARROW = {"q": "state:triage cause:relay older:2d -is:late"}
SITE = "http://testserver"


def noted() -> list[tuple[str, str, str, str]]:
    rows = AccessLog.objects.order_by("pk").values_list("who", "what", "about", "case")
    return [(who, what, about, case) for who, what, about, case in rows]


@pytest.mark.parametrize("text", ["Brenn", "192.0.2.7", "192.0.2.0/24", "nora@x.example", "customer:acme is:listed"])
def test_a_search_is_noted_with_its_text(ada: Client, text: str) -> None:
    ada.get("/", {"q": text})

    assert noted() == [("ada", "search", text, "")]


def test_the_number_of_a_case_and_further_pages_are_no_new_search(ada: Client) -> None:
    case = make_case()
    for given in ({"q": case.number}, {"q": "#7"}, {}, NARROW):
        ada.get("/", given)
    ada.get("/", {"q": "Brenn", "after": "3.4"}, headers={"Referer": f"{SITE}/?q=Brenn"})
    ada.get("/", {"q": "Brenn", "part": "live"}, headers={"HX-Request": "true"})

    assert noted() == []


@pytest.mark.parametrize("more", [{"after": "3.4"}, {"part": "live"}])
def test_an_address_that_was_typed_is_no_way_around(ada: Client, more: dict[str, str]) -> None:
    ada.get("/", {"q": "Brenn"} | more)

    assert noted() == [("ada", "search", "Brenn", "")]


def test_a_case_opened_from_a_search_is_noted(ada: Client) -> None:
    case = make_case()

    ada.get(f"/case/{case.pk}", headers={"Referer": f"{SITE}/?q=Brenn"})

    assert noted() == [("ada", "case", f"case #{case.pk}", str(case.pk))]


@pytest.mark.parametrize("came_from", ["/", "/?tab=triage", "/case/{pk}", "/case/77/conversation"])
def test_the_case_at_hand_is_not(ada: Client, came_from: str) -> None:
    case = make_case()

    ada.get(f"/case/{case.pk}", headers={"Referer": SITE + came_from.format(pk=case.pk)})
    ada.get(f"/case/{case.pk}?part=live&seen=x", headers={"HX-Request": "true"})

    assert noted() == []


def test_whose_an_address_was_is_noted(ada: Client) -> None:
    ada.get("/whose", {"address": "192.0.2.7", "port": "1024"}, headers={"Referer": f"{SITE}/case/12"})
    ada.get("/whose")

    assert noted() == [("ada", "whose", "192.0.2.7", "12")]


def test_messages_and_their_bytes_are_noted(ada: Client) -> None:
    message = make_complaint().message_id

    ada.get(f"/message/{message}")
    ada.get(f"/message/{message}/raw")

    assert noted() == [("ada", "message", f"message {message}", ""), ("ada", "raw", f"message {message}", "")]


def test_customers_and_contracts_are_noted(ada: Client) -> None:
    contract = make_case().contract  # of customer K-1

    ada.get("/customers", {"q": "Brenn"})
    ada.get(f"/customers/{contract.customer_id}")
    ada.get("/customers/4711")

    assert noted() == [("ada", "search", "Brenn", ""), ("ada", "customer", "customer K-1", "")]


def test_a_reporter_is_noted_by_address(ada: Client) -> None:
    ada.get(f"/reporters/{make_reporter('nora@x.example').pk}")
    ada.get("/reporters/4711")

    assert noted() == [("ada", "reporter", "reporter nora@x.example", "")]


def test_what_was_refused_was_not_read(ada: Client) -> None:
    ada.get("/message/4711")
    ada.get("/offenders.csv")

    assert noted() == []


def test_an_export_is_noted(carla: Client) -> None:
    carla.get("/offenders.csv")

    assert noted() == [("carla", "export", "offenders", "")]


def test_a_line_has_the_readers_own_address_and_the_time(ada: Client) -> None:
    ada.get("/", {"q": "x" * 300}, REMOTE_ADDR="198.51.100.7")

    row = AccessLog.objects.get()
    assert (row.came_from, len(row.about), row.at.tzinfo is not None) == ("198.51.100.7", 200, True)


def test_a_read_costs_one_insert(ada: Client, sql_of: Callable[[Callable[[], object]], list[str]]) -> None:
    message = make_complaint().message_id
    ada.get(f"/message/{message}")
    statements = [sql for sql in sql_of(lambda: ada.get(f"/message/{message}")) if "accesslog" in sql]

    assert len(statements) == 1
    assert statements[0].startswith("INSERT")


def test_nothing_of_it_goes_into_the_log_of_the_program(ada: Client, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG", logger="complaints")
    ada.get("/", {"q": "nora@atelier-brenn.example"})

    assert "atelier" not in caplog.text


@pytest.mark.parametrize("name", ["carla", "olga"])
def test_supervisors_and_auditors_look_through_it(name: str, request: pytest.FixtureRequest, ada: Client) -> None:
    client: Client = request.getfixturevalue(name)
    ada.get("/whose", {"address": "192.0.2.7"})
    page = client.get("/read-log").content.decode()

    assert "asked who held an address" in page
    assert "192.0.2.7" in page
    assert ada.get("/read-log").status_code == 403


def test_looking_through_it_is_no_read_of_its_own(carla: Client) -> None:
    carla.get("/read-log")

    assert noted() == []


FILTERS = [
    ({"who": "ada"}, ["Brenn", "message 1"]),
    ({"what": "search"}, ["Brenn", "Brenn"]),
    ({"about": "Brenn"}, ["Brenn", "Brenn"]),
    ({"case": "2026-00012"}, ["message 1"]),
    ({"case": "#12"}, ["message 1"]),
    ({"since": "2026-03-11"}, ["Brenn"]),
    ({"until": "2026-03-10"}, ["Brenn", "message 1"]),
    ({"who": "ada", "what": "search"}, ["Brenn"]),
    ({"who": "ad"}, []),
]


@pytest.mark.parametrize(("given", "found"), FILTERS)
def test_filters_compose(carla: Client, given: dict[str, str], found: list[str]) -> None:
    record_read("ada", What.SEARCH, "Brenn", now=NOON)
    record_read("ada", What.MESSAGE, "message 1", now=NOON + timedelta(hours=11), case="12")
    record_read("eve", What.SEARCH, "Brenn", now=NOON + timedelta(hours=12))
    rows = carla.get("/read-log", given).context["rows"]

    assert sorted(row.about for row, _ in rows) == found


@pytest.mark.parametrize("given", [{"since": "yesterday"}, {"case": "twelve"}, {"what": "dreamt"}])
def test_a_filter_that_cannot_be_read_says_so(carla: Client, given: dict[str, str]) -> None:
    response = carla.get("/read-log", given)

    assert response.status_code == 400
    assert 'role="alert"' in response.content.decode()


def test_pages_continue_behind_the_last_row(carla: Client) -> None:
    for number in range(51):
        record_read("ada", What.MESSAGE, f"message {number}", now=NOON)
    first = carla.get("/read-log", {"who": "ada"})

    assert len(first.context["rows"]) == 50
    rest = carla.get("/read-log" + first.context["next"])
    assert [row.about for row, _ in rest.context["rows"]] == ["message 0"]


def test_no_list_counts_or_skips_rows(carla: Client, sql_of: Callable[[Callable[[], object]], list[str]]) -> None:
    for statement in sql_of(lambda: carla.get("/read-log", {"who": "ada", "below": "9"})):
        assert "COUNT(" not in statement
        assert "OFFSET" not in statement


def test_old_lines_are_forgotten_and_the_others_stay() -> None:
    for days in (0, 364, 365, 366):
        record_read("ada", What.SEARCH, f"{days}", now=NOON - timedelta(days=days))

    assert forget_reads(now=NOON, days=365) == 1
    assert [about for _, _, about, _ in noted()] == ["0", "364", "365"]
