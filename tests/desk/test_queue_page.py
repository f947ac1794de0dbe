from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from django.test import Client
from django.utils import timezone

from complaints.cases import counting, queue
from complaints.cases.transitions import add_note, move_case, set_customer_status
from complaints.cases.words import read_words
from complaints.desk.tabs import TABS, Tab
from complaints.models import Case
from complaints.vocabulary import CaseState, Category, Cause, CustomerStatus, Resolution
from tests.factories import NOON, make_case, make_complaint, make_contract, make_customer, make_run, make_user

SqlOf = Callable[[Callable[[], object]], list[str]]
CLOSED: dict[str, Any] = {"state": CaseState.CLOSED, "closed_at": NOON, "resolution": Resolution.FIXED_VERIFIED}


def shown(client: Client, url: str = "/") -> list[int]:
    """Ids of the cases on the page, in order."""
    return [int(pk) for pk in re.findall(r'id="row-(\d+)"', client.get(url).content.decode())]


def make_cases(count: int, **columns: Any) -> list[Case]:
    return [make_case(make_contract(f"C-{n}"), priority=n % 7, **columns) for n in range(count)]


@pytest.mark.parametrize("tab", TABS, ids=lambda tab: tab.name)
def test_an_empty_tab_says_what_it_means(ada: Client, tab: Tab) -> None:
    page = ada.get(f"/?tab={tab.name}").content.decode()

    assert '<div class="empty">' in page


@pytest.mark.parametrize("state", list(CaseState))
def test_a_case_of_every_state_stands_in_its_tab(ada: Client, state: CaseState) -> None:
    closed = CLOSED if state is CaseState.CLOSED else {}
    case = make_case(**({"state": state} | closed))
    tab = {"notified": "customers"}.get(state, state)

    assert shown(ada, f"/?tab={tab}") == [case.pk]


@pytest.mark.django_db
def test_a_late_case_needs_the_desk_only_after_the_playbook_had_its_chance() -> None:
    now = timezone.now()
    edge = counting.late_before(now)  # a whole five minutes, at least GRACE ago
    just = make_case("C-1", state=CaseState.NOTIFIED, deadline_at=edge)
    late = make_case("C-2", state=CaseState.NOTIFIED, deadline_at=edge - timedelta(seconds=1))

    assert list(queue.needs_desk(now)) == [late]
    assert just.deadline_at is not None
    assert now - edge >= counting.GRACE


def test_the_most_urgent_case_stands_first_and_the_older_one_of_two_equals(ada: Client) -> None:
    first, second, third = (make_case(f"C-{n}", state="triage", priority=p) for n, p in enumerate((40, 90, 40)))

    assert shown(ada) == [second.pk, first.pk, third.pk]


def test_pages_show_every_case_once(ada: Client) -> None:
    cases = make_cases(queue.PAGE * 2 + 3)
    expected = [case.pk for case in sorted(cases, key=lambda case: (-case.priority, case.pk))]

    found, url = [], "/?tab=open"
    while url:
        page = ada.get(url).content.decode()
        found += [int(pk) for pk in re.findall(r'id="row-(\d+)"', page)]
        match = re.search(r'rel="next" href="([^"]+)"', page)
        url = "/" + match[1].replace("&amp;", "&") if match else ""

    assert found == expected


@pytest.mark.parametrize("cursor", ["x", "1", "1.", ".1", "-1.1", "1.1 or 1=1", "٣.٣", "1." + "9" * 30])
def test_a_page_that_was_never_given_out_leads_back_to_the_first(ada: Client, cursor: str) -> None:
    response = ada.get("/", {"after": cursor})

    assert (response.status_code, response["Location"]) == (302, "/")


EVERY_LIST = ["/", *(f"/?tab={tab.name}" for tab in TABS), "/?tab=open&after=3.5"] + [
    f"/?q={text}"
    for text in (
        "192.0.2.0/24", "watches", "state:triage cause:relay is:listed older:2d", "is:mine is:late", "customer:acme",
        "reporter:fbl@x.example", "state:triage,answered", "is:any", "turn:you&after=3.5",
    )
]  # fmt: skip


@pytest.mark.parametrize("url", EVERY_LIST)
@pytest.mark.parametrize("count", [1, 30])
def test_no_list_counts_a_table_or_skips_rows_and_few_queries_do(
    ada: Client, sql_of: SqlOf, url: str, count: int
) -> None:
    for case in make_cases(count, state=CaseState.TRIAGE, deadline_at=NOON - timedelta(days=9)):
        make_run(case)
    read_words()

    statements = sql_of(lambda: ada.get(url))

    assert [each for each in statements if "COUNT(" in each.upper() or "OFFSET" in each.upper()] == []
    assert len(statements) <= 12


def test_each_tab_says_how_many_stand_in_it(ada: Client) -> None:
    late = timezone.now() - timedelta(hours=1)
    user = make_user("bruno")
    make_case("C-1", state="triage")
    make_case("C-2", state="triage", assignee=user)
    make_case("C-3", state="notified", deadline_at=late)
    make_case("C-4", state="answered", deadline_at=late)
    make_case("C-5", state="verifying")
    make_case("C-6", **CLOSED)

    page = ada.get("/").content.decode()
    found = dict(re.findall(r'id="tab-(\w+)"[^>]*>[^<]* <b>([^<]*)</b>', page))

    assert found == {
        "you": "4", "mine": "0", "unassigned": "3", "triage": "2", "answered": "1", "late": "2", "customers": "1",
        "escalated": "0",        "verifying": "1", "investigating": "0", "open": "5", "closed": "1",
    }  # fmt: skip
    for name, count in found.items():
        assert len(shown(ada, f"/?tab={name}")) == int(count) or name == "mine"


def test_a_hostile_name_stays_text(ada: Client) -> None:
    contract = make_contract(customer=make_customer(name='<script>alert(1)</script>" onload="x'))
    make_case(contract, state="triage", headline="<img src=x>")

    page = ada.get("/").content.decode()

    assert "<script>alert" not in page
    assert "<img" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;&quot; onload=&quot;x" in page


def test_the_row_says_what_is_wrong_how_sure_and_what_the_checks_found(ada: Client) -> None:
    case = make_case(
        state="answered", customer_status=CustomerStatus.DISPUTES, cause=Cause.OPEN_RELAY, cause_confidence=0.99,
        ladder=2, priority=81, priority_reasons=[["2 relapses", 20]],
    )  # fmt: skip
    make_run(case, "relay", "bad")
    make_run(
        case, "dnsbl", "bad", details={"lists": [{"status": "listed"}, {"status": "listed"}, {"status": "unknown"}]}
    )

    page = ada.get("/").content.decode()

    assert "Disputed: open relay again, second relapse" in page
    assert 'title="99% sure">proven' in page
    assert ">open relay</span>" in page
    assert ">2 lists</span>" in page
    assert "<span>2 relapses</span> <b>+20</b>" in page


def test_only_the_last_run_of_a_check_counts(ada: Client) -> None:
    case = make_case(state="triage")
    make_run(case, "relay", "bad", occasion="investigate.1")
    make_run(case, "relay", "clean", occasion="verify.3")

    page = ada.get("/").content.decode()

    assert ">relay closed</span>" in page
    assert ">open relay</span>" not in page


def test_a_live_part_is_not_sent_again_while_nothing_changed(ada: Client) -> None:
    make_case("C-1", state="triage")
    url = re.search(r'hx-get="([^"]+)"', ada.get("/?tab=triage").content.decode())[1].replace("&amp;", "&")  # type: ignore[index]

    assert ada.get(url).status_code == 204
    make_case("C-2", state="triage")
    fresh = ada.get(url)
    assert fresh.status_code == 200
    assert "<html" not in fresh.content.decode()
    assert "tab=triage" in fresh.content.decode()


# --- search


def test_a_case_number_leads_to_the_case(ada: Client) -> None:
    case = make_case()

    assert ada.get("/", {"q": case.number})["Location"] == f"/case/{case.pk}"
    assert ada.get("/", {"q": f"1999-{case.pk:05d}"}).status_code == 200  # another year: no such case


@pytest.mark.parametrize(
    "text",
    [
        "192.0.2.10", "192.0.2.0/24", "192.0.2.10/24", "address:192.0.2.10", "C-7", "c-7", "contract:c-7", "K-7",
        "customer:K-7", "brenn", "customer:brenn", "BRÉNN atelier", '"Atelier Brenn"', "spam-1@x.example",
        "<spam-1@x.example>", "it@brenn.example", "brenn.example", "watches", "cheap is:closed",
        "reporter:fbl@x.example", "fbl@x.example", "shop.example", "hacked.shop.example",
        "shop", "mail.relay.example", "voicemail", "state:closed shop",
    ],
)  # fmt: skip
def test_search_finds_the_case_by(ada: Client, text: str) -> None:
    contract = make_contract("C-7", customer=make_customer("K-7", name="Atelier Brenn"), email="it@brenn.example")
    case = make_case(contract, **CLOSED)
    make_complaint(
        case, original_message_id="spam-1@x.example", reporter="fbl@x.example", subject="Cheap Watches",
        resource="https://hacked.shop.example/x", evidence={"received": ["from mail.relay.example (x [192.0.2.10])"]},
    )  # fmt: skip
    add_note(case, actor="ada", text="Left a voicemail")
    other = make_case(make_contract("C-8", customer="K-8"), address="198.51.100.1")
    make_complaint(other, address="198.51.100.1", subject="Pills", reporter="pa@y.example")
    read_words()

    assert shown(ada, "/?" + urlencode({"q": text})) == [case.pk]


def test_search_knows_ipv6_prefixes(ada: Client) -> None:
    case = make_case(address="2001:db8::25")
    make_complaint(case, address="2001:db8::25")

    assert shown(ada, "/?q=2001:db8::/32") == [case.pk]
    assert shown(ada, "/?q=2001:db9::/32") == []


@pytest.mark.parametrize("text", ["300.1.1.1/33", "%", "'; drop table", "\x00", "x" * 5000, "😀"])
def test_nonsense_in_the_search_finds_nothing_and_says_so(ada: Client, text: str) -> None:
    make_case(category=Category.SPAM)

    page = ada.get("/", {"q": text}).content.decode()

    assert "No case for this search" in page or "longer than 400" in page or text == "\x00"


def test_next_leads_to_the_case_behind_and_from_the_last_to_the_first(ada: Client) -> None:
    first, second = make_case("C-1", state="triage", priority=9), make_case("C-2", state="triage", priority=5)

    assert ada.get(f"/case/{first.pk}/next")["Location"] == f"/case/{second.pk}"
    assert ada.get(f"/case/{second.pk}/next")["Location"] == f"/case/{first.pk}"
    Case.objects.filter(pk=first.pk).update(**CLOSED)
    assert ada.get(f"/case/{second.pk}/next")["Location"] == "/"


def test_a_desk_with_nothing_to_do_sees_what_the_others_are_at(ada: Client) -> None:
    case = make_case(state="notified")
    page = ada.get("/").content.decode()

    assert shown(ada) == [case.pk]
    assert "Nothing needs you" in page
    assert "Customers and the machine are at work on these." in page


def test_the_rest_gives_way_to_the_first_case_that_needs_the_desk(ada: Client) -> None:
    make_case("C-1", state="notified")
    mine = make_case("C-2", state="triage")

    assert shown(ada) == [mine.pk]


def test_a_row_says_what_the_customer_did_since_the_first_notice(ada: Client) -> None:
    case = make_case(state=CaseState.INVESTIGATING, state_since=NOON)
    move_case(case, CaseState.NOTIFIED, actor="machine", reason="The cause is known", now=timezone.now())
    set_customer_status(case, CustomerStatus.SEEN)

    assert "With the customer, just now: has opened the page" in ada.get("/?tab=customers").content.decode()
