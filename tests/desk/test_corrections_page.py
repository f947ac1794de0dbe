import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.messages import get_messages
from django.test import Client

from complaints.cases.reattribution import propose_reattributions
from complaints.models import Case, Complaint, Notice, Reattribution
from complaints.notices.compose import queue_notice
from tests.factories import NOON, make_assignment, make_case, make_complaint, make_contract, make_network

SqlOf = Callable[[Callable[[], object]], list[str]]


def correct(count: int = 1, *, told: bool = False, because: str = "leases.csv") -> Case:
    """A case of C-1 whose complaints turn out to be C-2's."""
    make_network("192.0.2.0/24")
    make_contract("C-2", customer="K-2")
    case = make_case("C-1", complaint_count=count, state="notified")
    for number in range(count):
        make_complaint(case, seen_at=NOON + timedelta(minutes=number), subject=f"Watch {number}")
    if told and (letter := queue_notice(case, "notify", occurrence=1, now=NOON)):
        Notice.objects.filter(pk=letter.pk).update(state="sent", sent_at=NOON)
    make_assignment("C-2")
    propose_reattributions(Complaint.objects.values_list("pk", flat=True), because=because, now=NOON)
    return case


def waiting() -> list[int]:
    return list(Reattribution.objects.filter(state="proposed").order_by("pk").values_list("pk", flat=True))


def decide(client: Client, **given: Any) -> list[str]:
    """Press a button of the review; what was said."""
    filled = {"group": waiting()[:1], "upto": max(waiting(), default=0), "do": "apply", "which": "all"}
    response = client.post("/corrections/decide", filled | given)
    assert response["Location"] == "/corrections"
    return [str(message) for message in get_messages(response.wsgi_request)]


def text_of(client: Client, url: str) -> str:
    html = client.get(url).content.decode()
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))


def test_without_corrections_the_page_says_what_would_come_here(ada: Client) -> None:
    assert "Nothing to correct" in text_of(ada, "/corrections")


def test_corrections_stand_in_groups_of_one_cause_and_two_contracts(ada: Client) -> None:
    correct(3)
    page = text_of(ada, "/corrections")
    assert "3 complaints 10 Mar 2026, 12:00 – 10 Mar 2026, 12:02 UTC" in page
    assert "Customer K-1 C-1" in page
    assert "Customer K-2 C-2" in page
    assert "leases.csv" in page


def test_the_menu_counts_what_waits_in_one_cheap_statement(ada: Client, sql_of: SqlOf) -> None:
    assert "nav-count" not in ada.get("/unread").content.decode()
    correct(2)
    assert '<span class="nav-count">2<' in ada.get("/unread").content.decode()
    [sql] = [sql for sql in sql_of(lambda: ada.get("/unread")) if "reattribution" in sql]
    assert "LIMIT 100" in sql


def test_looking_shows_what_would_move_and_who_was_told(ada: Client) -> None:
    case = correct(2, told=True)
    page = text_of(ada, f"/corrections/review?group={waiting()[0]}")
    assert f"{case.number} 2 of 2 complaints. Nothing is left of it: it is closed" in page
    assert "has been told 10 Mar 2026, 12:00 UTC to c-1@customer.example" in page
    assert "2 complaints about spam: open a new case" in page
    assert "192.0.2.10/32 was assigned (static)" in page


def test_a_case_that_keeps_complaints_goes_on(ada: Client) -> None:
    case = correct(1)
    Case.objects.filter(pk=case.pk).update(complaint_count=5)
    joined = make_case("C-2")
    page = text_of(ada, f"/corrections/review?group={waiting()[0]}")
    assert "1 of 5 complaints. The case goes on with the rest." in page
    assert "Its customer has not been told." in page
    assert f"1 complaint about spam: join case {joined.number}" in page


def test_all_of_a_group_move_by_one_click(ada: Client) -> None:
    correct(3)
    assert decide(ada, note="late log") == ["3 complaints moved."]
    assert {row.note for row in Reattribution.objects.filter(state="applied", decided_by="ada")} == {"late log"}
    assert Case.objects.get(contract__reference="C-2").complaint_count == 3


def test_only_the_ticked_ones_move(ada: Client) -> None:
    correct(3)
    _, second, _ = waiting()
    assert decide(ada, which="ticked", only=[second]) == ["1 complaint moved."]
    assert list(Reattribution.objects.filter(state="applied").values_list("pk", flat=True)) == [second]


def test_they_may_be_left_where_they_are(ada: Client) -> None:
    correct(1)
    assert decide(ada, do="dismiss") == ["1 complaint left where they are."]
    assert Reattribution.objects.get().state == "dismissed"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"do": "burn"}, "Nothing was changed: say whether to move them or to leave them."),
        ({"which": "ticked"}, "Nothing was changed: no complaint was ticked, or others have decided meanwhile."),
        ({"group": "x"}, "Nothing was changed: no complaint was ticked, or others have decided meanwhile."),
        ({"upto": ""}, "Nothing was changed: no complaint was ticked, or others have decided meanwhile."),
    ],
)
def test_an_unclear_form_changes_nothing(ada: Client, given: dict[str, Any], said: str) -> None:
    correct(1)
    assert decide(ada, **given) == [said]
    assert Reattribution.objects.get().state == "proposed"


def test_what_came_after_the_page_was_drawn_is_not_decided_with_it(ada: Client) -> None:
    correct(2)
    first, _ = waiting()
    assert decide(ada, group=[first], upto=first) == ["1 complaint moved."]


def test_deciding_what_others_have_decided_says_so(ada: Client) -> None:
    correct(1)
    [pk] = waiting()
    decide(ada)
    assert decide(ada, group=[pk], upto=pk)[-1] == (
        "Nothing was changed: no complaint was ticked, or others have decided meanwhile."
    )
    response = ada.get(f"/corrections/review?group={pk}")
    assert response["Location"] == "/corrections"


def test_the_wrongly_told_contract_is_written_to_by_one_click(ada: Client) -> None:
    case = correct(1, told=True)
    assert decide(ada)[-1] == (
        "The wrong contract had been told. Decide below whether to write that it was our mistake."
    )
    assert "The wrong contract was told" in text_of(ada, "/corrections")
    ada.post(f"/case/{case.pk}/withdraw", {"do": "withdraw"})

    assert case.notices.get(step="withdrawn").to_email == "c-1@customer.example"
    assert "The wrong contract was told" not in text_of(ada, "/corrections")


def test_a_case_in_question_says_so_and_leads_to_the_decision(ada: Client) -> None:
    case = correct(2)
    page = ada.get(f"/case/{case.pk}").content.decode()
    assert f"/corrections/review?group={waiting()[0]}" in page
    assert "no letter is written and no measure taken" in page


def test_what_moved_is_told_on_both_cases(ada: Client) -> None:
    old = correct(2)
    decide(ada)
    new = Case.objects.get(contract__reference="C-2")
    assert f"2 complaints moved to case {new.number} of contract C-2" in text_of(ada, f"/case/{old.pk}")
    assert f"2 complaints came from case {old.number} of contract C-1" in text_of(ada, f"/case/{new.pk}")


def test_what_was_moved_can_be_undone_and_is_told_as_undone(ada: Client) -> None:
    correct(2)
    pk = waiting()[0]
    decide(ada)
    old = Case.objects.get(contract__reference="C-1")
    response = ada.post(f"/corrections/{pk}/undo")

    new = Case.objects.active().get(contract__reference="C-1")
    assert [str(message) for message in get_messages(response.wsgi_request)][-2:] == [
        "2 complaints went back to where they were.",
        f"Case {old.number} had been closed meanwhile and stays so: they are in case {new.number} now.",
    ]
    assert new.complaint_count == 2
    assert "undone again" in text_of(ada, "/corrections")


def test_the_page_needs_few_statements_however_many_wait(ada: Client, sql_of: SqlOf) -> None:
    correct(30)
    few = len(sql_of(lambda: ada.get("/corrections")))
    for number in range(20):
        Reattribution.objects.filter(pk=waiting()[number]).update(because=f"file {number}")
    many = sql_of(lambda: ada.get("/corrections"))
    assert len(many) == few < 16
    assert not [sql for sql in many if "OFFSET" in sql]


def test_nobody_is_told_by_hand_while_it_is_in_question(ada: Client) -> None:
    case = correct(1)
    answer = ada.post(f"/case/{case.pk}/notify", {"stay": case.stay})
    assert answer.status_code == 409
    assert "It is in question whose line this was." in answer.content.decode()
