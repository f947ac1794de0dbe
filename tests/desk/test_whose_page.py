import re
from collections.abc import Callable
from datetime import timedelta
from urllib.parse import urlencode

import pytest
from django.test import Client

from complaints.addresses import prefix_key
from complaints.attribution import holders
from complaints.desk import whose_page
from complaints.models import Assignment
from tests.factories import NOON, make_assignment, make_case, make_complaint, make_contract, make_network

SqlOf = Callable[[Callable[[], object]], list[str]]
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def ask(client: Client, address: str = "192.0.2.10", *, code: int = 200, **more: str) -> str:
    """The page's text, tags removed."""
    given = {"address": address, "at": NOON.isoformat(), **more}
    response = client.get("/whose?" + urlencode(given))
    assert response.status_code == code
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode()))


def held(client: Client, **more: str) -> list[str]:
    """The contracts of the table of holders, from the top."""
    html = client.get("/whose?" + urlencode({"address": "192.0.2.10", "at": NOON.isoformat(), **more})).content.decode()
    table = html.partition('class="q list holders"')[2].partition("</table>")[0]
    return re.findall(r'<span class="meta mono wrap">([^<]+)</span>', table)


@pytest.fixture(autouse=True)
def _ours(db: None) -> None:
    make_network("192.0.2.0/24")
    make_network("2001:db8::/32")


def test_an_empty_question_says_what_can_be_asked(ada: Client) -> None:
    assert "a zone is never guessed" in re.sub(r"\s+", " ", ada.get("/whose").content.decode())


def test_the_owner_is_named_with_confidence_and_interval(ada: Client) -> None:
    make_assignment(make_contract("C-1", customer="K-7"), valid_from=NOON - DAY, valid_until=NOON + DAY, kind="lease")
    page = ask(ada)
    assert "Customer K-7 sure" in page
    assert "Contract C-1 Customer K-7 Found by lease Confidence 0.9" in page
    assert "Valid 9 Mar 2026, 12:00:00 UTC – 11 Mar 2026, 12:00:00 UTC" in page


@pytest.mark.parametrize(
    ("address", "says"),
    [("192.0.2.99", "Ours, but nobody had it then"), ("198.51.100.1", "Not ours")],
)
def test_nobody_and_not_ours_are_answers(ada: Client, address: str, says: str) -> None:
    assert says in ask(ada, address)


def test_a_shared_address_without_its_port_names_the_candidates(ada: Client) -> None:
    make_assignment("C-1", kind="cgnat", port_first=1024, port_last=2047)
    make_assignment("C-2", kind="cgnat", port_first=2048, port_last=3071)
    assert "Could be: C-1 , C-2" in ask(ada)
    assert "Contract C-2 Customer K-1 Found by shared address and port" in ask(ada, port="2048")


def test_a_port_leaves_only_the_lane_it_lies_in(ada: Client) -> None:
    make_assignment("C-1", kind="cgnat", port_first=1024, port_last=2047)
    make_assignment("C-2", kind="cgnat", port_first=2048, port_last=3071)
    assert sorted(held(ada)) == ["C-1", "C-2"]
    assert held(ada, port="2047") == ["C-1"]


def test_each_level_is_shown_and_the_one_that_decides_is_marked(ada: Client) -> None:
    make_assignment("C-BLOCK", "192.0.2.0/24")
    make_assignment("C-LINE", "192.0.2.10/32")
    assert re.search(r"192\.0\.2\.10/32 decides all C-LINE .* 192\.0\.2\.0/24 all C-BLOCK", ask(ada))


def test_the_holders_stand_newest_first_and_only_of_the_period(ada: Client) -> None:
    make_assignment("C-OLD", valid_from=NOON - 90 * DAY, valid_until=NOON - 60 * DAY)
    make_assignment("C-1", valid_from=NOON - 5 * DAY, valid_until=NOON - DAY)
    make_assignment("C-2", valid_from=NOON - DAY)
    assert held(ada) == ["C-2", "C-1"]
    assert held(ada, span="year") == ["C-2", "C-1", "C-OLD"]
    assert held(ada, span="day", until=(NOON - 2 * DAY).isoformat()) == ["C-1"]


def test_ten_thousand_leases_are_paged_by_key(ada: Client, sql_of: SqlOf) -> None:
    contract = make_contract("C-1")
    make_assignment(contract, valid_from=NOON - HOUR)
    Assignment.objects.bulk_create(
        Assignment(
            contract=contract, key=prefix_key("192.0.2.10/32"), kind="lease",
            valid_from=NOON - HOUR - timedelta(minutes=number + 1), valid_until=NOON - HOUR - timedelta(minutes=number),
        )
        for number in range(10_000)
    )  # fmt: skip
    statements = sql_of(lambda: ask(ada, span="month"))
    html = ada.get("/whose?" + urlencode({"address": "192.0.2.10", "at": NOON.isoformat()})).content.decode()
    older = re.search(r'rel="next" href="([^"]+before[^"]+)"', html)
    assert older
    behind = ada.get("/whose" + older[1].replace("&amp;", "&")).content.decode()

    assert (html.count("<tr data-row"), behind.count("<tr data-row")) == (holders.MOST, holders.MOST)
    assert len(statements) < 20
    assert not [sql for sql in statements if "COUNT(" in sql or "OFFSET" in sql]
    newest, next_newest = (re.findall(r'From </span><time datetime="([^"]+)"', each) for each in (html, behind))
    assert newest[-1] > next_newest[0]


def test_a_prefix_shows_what_lies_in_it_and_around_it(ada: Client) -> None:
    make_assignment("C-BLOCK", "192.0.2.0/24")
    make_assignment("C-FIRST", "192.0.2.8/32")
    make_assignment("C-LAST", "192.0.2.15/32")
    make_assignment("C-OUT", "192.0.2.16/32")
    assert "A prefix has no single holder" in ask(ada, "192.0.2.9/29")
    html = ada.get("/whose?" + urlencode({"address": "192.0.2.9/29", "at": NOON.isoformat()})).content.decode()
    assert [name for name in ("C-BLOCK", "C-FIRST", "C-LAST", "C-OUT") if name in html] == [
        "C-BLOCK",
        "C-FIRST",
        "C-LAST",
    ]


def test_a_delegated_prefix_of_ipv6_holds_its_addresses(ada: Client) -> None:
    make_assignment("C-6", "2001:db8:0:100::/56")
    assert "Contract C-6" in ask(ada, "2001:db8:0:1ff::1")


def test_complaints_about_it_lead_to_their_mail_and_case(ada: Client) -> None:
    case = make_case("C-1")
    complaint = make_complaint(case, seen_at=NOON - HOUR, subject="Cheap watches")
    make_complaint(case, seen_at=NOON - 60 * DAY, subject="Long ago")
    html = ada.get("/whose?" + urlencode({"address": "192.0.2.10", "at": NOON.isoformat()})).content.decode()
    assert f"/message/{complaint.message_id}#complaint-{complaint.pk}" in html
    assert f'href="/case/{case.pk}"' in html
    assert "Long ago" not in html


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({"address": "192.0.2.300"}, "&#x27;192.0.2.300&#x27; is not an IP address."),
        ({"address": "192.0.2.0/40"}, "is neither an address nor a prefix"),
        ({"at": "2026-03-10T12:00:00"}, "has no time zone"),
        ({"at": "yesterday"}, "is not an ISO 8601 time"),
        ({"at": "9999-12-31T00:00:00Z"}, "is not in the years 1970 to 2199"),
        ({"port": "0"}, "is not a port from 1 to 65535"),
        ({"port": "9" * 5000}, "is not a port from 1 to 65535"),
    ],
)
def test_a_question_that_cannot_be_read_is_answered_beside_its_field(
    ada: Client, given: dict[str, str], problem: str
) -> None:
    page = ask(ada, code=400, **({"address": "192.0.2.10"} | given))
    assert problem in page


@pytest.mark.parametrize("name", ["until", "before", "span"])
@pytest.mark.parametrize("value", ["x", "0001-01-01T00:00:00Z", "2026-03-10T12:00:00Z_99999999999999999999"])
def test_a_place_in_the_list_that_nobody_gave_out_begins_at_the_top(ada: Client, name: str, value: str) -> None:
    make_assignment("C-1")
    assert held(ada, **{name: value}) == ["C-1"]


def test_an_offset_that_lost_its_plus_sign_is_read_all_the_same(ada: Client) -> None:
    page = ada.get("/whose?address=192.0.2.10&at=2026-03-10T13:00:00+01:00").content.decode()
    assert "10 Mar 2026, 12:00:00 UTC" in page


def test_everything_personal_comes_through_one_door(ada: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    real = whose_page.look_up
    monkeypatch.setattr(
        whose_page, "look_up", lambda wanted, user: asked.append(wanted.place.text) or real(wanted, user)
    )
    ask(ada)
    assert asked == ["192.0.2.10"]
