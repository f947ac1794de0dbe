from __future__ import annotations

from typing import Any

import pytest
from django.contrib.messages import get_messages
from django.test import Client
from django.utils import timezone

from complaints.cases.mentions import names_in
from complaints.cases.transitions import add_note, move_case
from complaints.models import Case, CaseEvent, CheckRun, DeskTask, Notice, User
from complaints.vocabulary import CaseState, CustomerStatus, EventKind, Resolution
from tests.desk.minute import after_the_minute
from tests.factories import (
    NOON,
    make_assignment,
    make_case,
    make_complaint,
    make_contract,
    make_network,
    make_run,
    make_user,
)


def post(client: Client, case: Case, action: str, **data: Any) -> Any:
    return client.post(f"/case/{case.pk}/{action}", {"stay": case.stay, **data})


def told(response: Any) -> list[str]:
    return [str(message) for message in get_messages(response.wsgi_request)]


def history(case: Case) -> list[tuple[str, str]]:
    return list(CaseEvent.objects.filter(case=case).order_by("id").values_list("kind", "actor"))


def test_telling_the_customer_queues_the_first_notice_and_hands_the_case_over(ada: Client) -> None:
    case = make_case(state="triage")

    response = post(ada, case, "notify")

    assert response["Location"] == f"/case/{case.pk}"
    assert list(Notice.objects.values_list("step", "to_email", "state")) == [
        ("notify", "c-1@customer.example", "queued")
    ]
    case.refresh_from_db()
    assert case.state == CaseState.NOTIFIED
    assert case.deadline_at is not None
    assert history(case) == [(EventKind.MOVED, "ada"), (EventKind.NOTICE_QUEUED, "machine")]


def test_a_customer_who_was_told_before_hears_what_is_still_open(ada: Client) -> None:
    case = make_case(state="answered", customer_status=CustomerStatus.CLAIMS_FIXED)

    post(ada, case, "notify")

    assert list(Notice.objects.values_list("step", flat=True)) == ["still_open"]


def test_a_customer_whose_turn_it_is_gets_one_reminder_however_often_it_is_pressed(ada: Client) -> None:
    case = make_case(state="notified", customer_status=CustomerStatus.NOTIFIED)

    post(ada, case, "notify")
    second = post(ada, case, "notify")

    assert list(Notice.objects.values_list("step", flat=True)) == ["remind"]
    assert told(second)[-1] == "This customer was already reminded since the last notice. Nothing was sent."


def test_nobody_is_told_when_there_is_no_address(ada: Client) -> None:
    case = make_case(make_contract("C-9", email=""), state="triage")

    response = post(ada, case, "notify")

    assert response.status_code == 409
    assert "Nobody can be written to: the contract has no contact" in response.content.decode()
    case.refresh_from_db()
    assert case.state == CaseState.TRIAGE


@pytest.mark.parametrize("action", ["notify", "verify", "close"])
def test_a_page_older_than_the_case_changes_nothing(ada: Client, action: str) -> None:
    case = make_case(state="triage")
    old = Case.objects.get(pk=case.pk)
    move_case(case, CaseState.NOTIFIED, actor="carla", reason="called them")
    before = history(case)

    response = post(ada, old, action, resolution="not_abuse", reason="My long reason")

    assert response.status_code == 409
    page = response.content.decode()
    assert "Nothing was changed: somebody else moved this case since you opened the page." in page
    assert history(case) == before
    if action == "close":
        assert "My long reason" in page  # what was written is not lost
        assert f'name="stay" value="{case.stay}"' in page


@pytest.mark.parametrize("stay", ["", "x", "-1"])
def test_a_form_without_its_token_changes_nothing(ada: Client, stay: str) -> None:
    case = make_case(state="triage")

    assert post(ada, case, "notify", stay=stay).status_code == 409
    assert Notice.objects.count() == 0


def test_verifying_treats_the_case_as_fixed_from_now(ada: Client) -> None:
    case = make_case(state="escalated")

    post(ada, case, "verify")
    after_the_minute()

    case.refresh_from_db()
    assert case.state == CaseState.VERIFYING
    assert case.fixed_claimed_at is not None


def test_verifying_is_refused_where_the_table_has_no_such_move(ada: Client) -> None:
    case = make_case(state="triage")

    response = post(ada, case, "verify")

    assert response.status_code == 409
    assert "The case cannot go from “Triage” to “Being verified”." in response.content.decode()


def test_checking_again_orders_every_check_once_while_it_is_under_way(ada: Client, settings: Any) -> None:
    settings.DNS_RESOLVERS = (("127.0.0.1", 53),)
    make_network()
    case = make_case(state="triage")
    make_assignment(case.contract)
    make_complaint(case)

    post(ada, case, "check")
    post(ada, case, "check")

    assert sorted(CheckRun.objects.values_list("check_name", "state")) == [("dnsbl", "queued"), ("relay", "queued")]


def test_a_check_that_safety_forbids_says_which_rule(ada: Client) -> None:
    case = make_case(state="triage")  # its address is in none of our networks
    make_complaint(case)

    response = post(ada, case, "check")

    assert "relay check of 192.0.2.10 refused: 192.0.2.10 is not in our networks" in told(response)


def test_a_closed_case_is_not_checked_again(ada: Client) -> None:
    case = make_case(state="closed", closed_at=NOON, resolution=Resolution.STALE)

    assert post(ada, case, "check").status_code == 409
    assert CheckRun.objects.count() == 0


def test_a_case_is_taken_and_given_back(ada: Client) -> None:
    case = make_case()

    post(ada, case, "assign", was="")
    case.refresh_from_db()
    assert case.assignee is not None
    assert case.assignee.username == "ada"
    post(ada, case, "assign", to="nobody", was=case.assignee_id)
    case.refresh_from_db()
    assert case.assignee is None


@pytest.mark.parametrize("was", ["", "0", "x", None])
def test_a_case_that_a_colleague_took_meanwhile_is_not_taken_unseen(ada: Client, was: str | None) -> None:
    bruno = make_user("bruno", "analyst")
    case = make_case(assignee=bruno)

    response = post(ada, case, "assign", **({} if was is None else {"was": was}))

    assert response.status_code == 409
    page = response.content.decode()
    assert "the case was assigned anew, and is with bruno now" in page
    assert f'hx-get="/case/{case.pk}?part=live' in page  # what renews itself asks the page, not the act
    case.refresh_from_db()
    assert case.assignee == bruno
    assert case.events.count() == 0


def test_a_case_is_taken_over_from_a_colleague(ada: Client) -> None:
    case = make_case(assignee=make_user("bruno", "analyst"))
    page = ada.get(f"/case/{case.pk}").content.decode()
    assert "The case is with <b>bruno</b>." in page

    response = post(ada, case, "assign", was=case.assignee_id)

    case.refresh_from_db()
    assert str(case.assignee) == "ada"
    assert told(response) == ["You took this case over from bruno."]
    assert [(event.kind, event.actor, event.data["to"]) for event in case.events.all()] == [("assigned", "ada", "ada")]


# --- asking colleagues


def test_who_is_named_in_a_note_finds_it_among_their_tasks_and_on_the_case(ada: Client) -> None:
    make_user("bruno", "analyst")
    case = make_case()

    response = ada.post(f"/case/{case.pk}/note", {"text": "@Bruno, is this yours? @ada @nobody me@bruno.example"})

    assert told(response) == ["It asks, by a task: bruno.", "Nobody who may see this case is called @nobody."]
    assert DeskTask.objects.count() == 0
    after_the_minute()
    (task,) = DeskTask.objects.all()
    assert (str(task.to), task.opened_by, task.case) == ("bruno", "ada", case)
    assert '<b class="mention">@Bruno</b>' in ada.get(f"/case/{case.pk}").content.decode()
    assert "You are asked" not in ada.get("/tasks").content.decode()
    other = Client()
    other.force_login(User.objects.get(username="bruno"))
    for path in (f"/case/{case.pk}", "/tasks"):
        page = other.get(path).content.decode()
        assert "is this yours?" in page
        assert f"/tasks/{task.pk}/done" in page
    assert "You are asked" in other.get("/tasks").content.decode()
    done = other.post(f"/tasks/{task.pk}/done", {"from": case.pk})
    assert done["Location"] == f"/case/{case.pk}"
    assert "asks you:" not in other.get(f"/case/{case.pk}").content.decode()


def test_who_is_asked_finds_the_note_however_much_came_since(ada: Client) -> None:
    bruno, case = make_user("bruno", "analyst"), make_case()
    ada.post(f"/case/{case.pk}/note", {"text": "@bruno, is this yours?"})
    after_the_minute()
    for number in range(60):
        add_note(case, actor="carla", text=f"note {number}")
    task, other = DeskTask.objects.get(), Client()
    other.force_login(bruno)

    page, _, place = task.url.partition("#")
    assert f'id="{place}"' in other.get(page).content.decode()


def test_nobody_hears_of_a_case_that_they_may_not_see(ada: Client) -> None:
    make_user("dora", "analyst", only_brands=["other brand"])

    response = ada.post(f"/case/{make_case().pk}/note", {"text": "@dora look"})

    assert told(response) == ["Nobody who may see this case is called @dora."]
    assert DeskTask.objects.count() == 0


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("@a", ["a"]),
        ("ask @bruno.", ["bruno"]),
        ("(@bruno, @BRUNO and @carla-2)", ["bruno", "carla-2"]),
        ("x@bruno.example, https://x.example/@bruno, @@bruno, @ , @.", []),
        (" ".join(f"@n{n}" for n in range(12)), [f"n{n}" for n in range(10)]),
    ],
)
def test_names_in_a_note(text: str, names: list[str]) -> None:
    assert names_in(text) == names


def test_a_note_is_taken_from_an_old_page_too(ada: Client) -> None:
    case = make_case(state="triage")

    ada.post(f"/case/{case.pk}/note", {"text": "  called them  "})
    after_the_minute()

    assert [(e.kind, e.actor, e.data) for e in case.events.all()] == [("note", "ada", {"text": "called them"})]


@pytest.mark.parametrize("text", ["", "   ", "x" * 10_001])
def test_a_note_that_is_none_is_refused_and_kept_in_the_form(ada: Client, text: str) -> None:
    case = make_case()

    assert ada.post(f"/case/{case.pk}/note", {"text": text}).status_code == 400
    assert case.events.count() == 0


# --- taking it back

ACTS: list[tuple[str, dict[str, str]]] = [
    ("note", {"text": "called them"}),
    ("close", {"resolution": "not_abuse", "reason": "asked for"}),
    ("verify", {}),
    ("interact", {"number": "1", "do": "send", "to": "triage", "note": "n", "words": "Dear all"}),
]


@pytest.mark.parametrize(("action", "given"), ACTS)
def test_an_act_on_a_case_is_shown_and_taken_back_within_the_minute(
    ada: Client, action: str, given: dict[str, str]
) -> None:
    case = make_case(state="answered", customer_status=CustomerStatus.SEEN)
    post(ada, case, action, **given)
    page = ada.get(f"/case/{case.pk}").content.decode()
    assert "You are about to" in page
    assert 'data-key="u"' in page

    back = ada.post("/undo", {"next": f"/case/{case.pk}"})
    after_the_minute()

    assert back["Location"] == f"/case/{case.pk}"
    assert "You are about to" not in ada.get(f"/case/{case.pk}").content.decode()
    case.refresh_from_db()
    assert (case.state, case.events.count(), Notice.objects.count()) == ("answered", 0, 0)


def test_taking_a_case_is_taken_back_and_its_line_says_so(ada: Client) -> None:
    bruno = make_user("bruno", "analyst")
    case = make_case(assignee=bruno)
    post(ada, case, "assign", was=bruno.pk)
    assert "You gave this case to ada." in ada.get(f"/case/{case.pk}").content.decode()

    ada.post("/undo", {})

    case.refresh_from_db()
    assert case.assignee == bruno


def test_what_somebody_else_is_about_to_do_is_seen_and_is_theirs_to_take_back(ada: Client, bruno: Client) -> None:
    case = make_case(state="triage")
    post(bruno, case, "close", resolution="stale", reason="old")

    page = ada.get(f"/case/{case.pk}").content.decode()
    refused = post(ada, case, "close", resolution="stale", reason="My own reason")

    assert "bruno is about to close it: stale" in page
    assert 'data-key="u"' not in page
    assert refused.status_code == 409
    assert "Bruno is acting on it at this moment." in refused.content.decode()
    assert "My own reason" in refused.content.decode()


def test_a_note_on_its_way_stops_nobody_from_closing(ada: Client) -> None:
    case = make_case(state="triage")
    post(ada, case, "note", text="called them")
    post(ada, case, "close", resolution="stale", reason="old")

    after_the_minute()

    assert history(case) == [("note", "ada"), ("moved", "ada")]


def test_what_could_not_be_done_after_the_minute_is_told_with_what_was_written(ada: Client) -> None:
    case = make_case(state="answered", customer_status=CustomerStatus.SEEN)
    post(ada, case, "interact", number=1, do="send", words="My long letter", to="triage")
    move_case(case, CaseState.VERIFYING, actor="customer", reason="says it is fixed")

    after_the_minute()

    case.refresh_from_db()
    assert case.state == CaseState.VERIFYING
    assert Notice.objects.count() == 0
    (task,) = DeskTask.objects.all()
    assert (str(task.to), task.text) == ("ada", "It was not done: it had moved on by then.\n\nMy long letter")
    assert "My long letter" in ada.get(f"/case/{case.pk}").content.decode()


def test_a_case_is_assigned_by_one_statement_that_compares_whose_it_was(ada: Client, sql_of: Any) -> None:
    case = make_case()

    statements = sql_of(lambda: post(ada, case, "assign", was=""))

    (update,) = [sql for sql in statements if sql.startswith('UPDATE "complaints_case"')]
    assert '"assignee_id" IS NULL' in update


COUNTED: list[tuple[str, dict[str, Any], int]] = [
    *((action, given, 22) for action, given in ACTS),
    ("assign", {"was": ""}, 20),
    ("check", {}, 30),
    ("notify", {}, 50),  # it weighs the case anew and words a letter
]


@pytest.mark.parametrize(("action", "given", "most"), COUNTED, ids=[action for action, *_ in COUNTED])
def test_an_act_costs_as_much_on_a_long_case_as_on_a_short_one(
    ada: Client, sql_of: Any, action: str, given: dict[str, Any], most: int
) -> None:
    def cost(reference: str, length: int) -> int:
        contract = make_contract(reference, customer=reference)
        case = make_case(contract, state="answered", customer_status=CustomerStatus.SEEN)
        for n in range(length):
            make_complaint(case, address="192.0.2.10", reporter=f"r{n}@x.example")
            make_run(case, occasion=f"a.{n}", verdict="clean")
        statements = sql_of(lambda: post(ada, case, action, **given))
        return len([sql for sql in statements if "SAVEPOINT" not in sql])

    cost("C-0", 1)  # the first act of all installs the playbooks
    short, long = cost("C-1", 1), cost("C-2", 20)

    assert (long, short <= most) == (short, True), short


# --- closing


def test_closing_asks_first(ada: Client) -> None:
    case = make_case(state="triage")

    page = ada.get(f"/case/{case.pk}/close").content.decode()

    assert f"Close case {case.number}?" in page
    case.refresh_from_db()
    assert case.state == CaseState.TRIAGE


def test_closing_stores_who_why_and_how(ada: Client) -> None:
    case = make_case(state="triage")

    response = post(ada, case, "close", resolution="not_abuse", reason="A newsletter they had asked for")

    assert response["Location"] == f"/case/{case.pk}"
    after_the_minute()
    event = case.events.get()
    assert (event.actor, event.data["resolution"], event.data["reason"]) == (
        "ada", "not_abuse", "A newsletter they had asked for",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"resolution": "", "reason": "x"}, "Say how the case ended."),
        ({"resolution": "stale", "reason": " "}, "Say why: the next person to see this customer will read it."),
        ({"resolution": "merged", "reason": "x"}, "Select a valid choice."),
        ({"resolution": "fixed_verified", "reason": "x"}, "needs a check that came out clean"),
    ],
)
def test_closing_without_enough_is_refused(ada: Client, given: dict[str, str], sentence: str) -> None:
    case = make_case(state="triage")

    response = post(ada, case, "close", **given)

    assert response.status_code == 400
    assert sentence in response.content.decode()
    case.refresh_from_db()
    assert case.state == CaseState.TRIAGE


def test_fixed_and_verified_needs_every_last_check_to_be_clean(ada: Client) -> None:
    case = make_case(state="triage")
    now = timezone.now()
    make_run(case, "relay", "clean", occasion="a.1", finished_at=NOON)
    make_run(case, "dnsbl", "bad", occasion="a.1", finished_at=NOON)
    assert post(ada, case, "close", resolution="fixed_verified", reason="x").status_code == 400
    make_run(case, "dnsbl", "clean", occasion="a.2", finished_at=now)

    assert post(ada, case, "close", resolution="fixed_verified", reason="x").status_code == 302


def test_a_closed_case_says_so_instead_of_closing_twice(ada: Client) -> None:
    case = make_case(state="closed", closed_at=NOON, resolution=Resolution.STALE)

    assert post(ada, case, "close", resolution="stale", reason="x").status_code == 302
    assert case.events.count() == 0
