"""Who is restricted to networks or brands: whatever they open, nothing of the others is in it."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse

from complaints.addresses import address_key
from complaints.api.keys import make_key
from complaints.cases.moving import other
from complaints.cases.regrouping import link_case
from complaints.cases.tasks import open_task
from complaints.cases.transitions import record
from complaints.interventions import decide_measure
from complaints.models import Case, Complaint, Contract, SavedView
from complaints.notices.compose import queue_notice
from complaints.vocabulary import CaseState, EventKind, MeasureKind
from tests.desk.permissions import OPENED
from tests.desk.test_permissions import URLS
from tests.factories import (
    NOON,
    make_assignment,
    make_case,
    make_complaint,
    make_contract,
    make_message,
    make_network,
    make_user,
)

OURS, THEIRS = "192.0.2.10", "198.51.100.20"
OPENABLE = {name: parts for name, parts in URLS.items() if name in OPENED}


@pytest.fixture
def mine(db: None) -> Case:
    make_contract("C-mine", customer="K-mine", brand="Nordlicht")
    case = make_case(contract="C-mine", address=OURS, state=CaseState.TRIAGE)
    make_complaint(case, address=OURS)
    return case


@pytest.fixture
def theirs(db: None) -> Case:
    make_contract("C-theirs", customer="K-theirs", brand="Sudlicht")
    case = make_case(contract="C-theirs", address=THEIRS, state=CaseState.TRIAGE)
    make_complaint(case, address=THEIRS, message=make_message(b"Subject: theirs\r\n\r\nx"))
    return case


@pytest.fixture(params=[{"only_networks": ["192.0.2.0/24"]}, {"only_brands": ["Nordlicht"]}], ids=["network", "brand"])
def nora(request: pytest.FixtureRequest, db: None) -> Client:
    """A senior who is restricted to the half that is hers."""
    client = Client()
    client.force_login(make_user("nora", "senior", **request.param))
    return client


def text_of(client: Client, path: str) -> str:
    response = client.get(path, follow=True)
    assert response.status_code == 200, path
    return response.content.decode()


@pytest.mark.parametrize("tab", ["you", "triage", "open"])
def test_the_queue_and_its_counts_hold_only_their_cases(nora: Client, mine: Case, theirs: Case, tab: str) -> None:
    page = text_of(nora, f"/?tab={tab}")

    assert f"/case/{mine.pk}" in page
    assert f"/case/{theirs.pk}" not in page
    assert "C-theirs" not in page
    assert THEIRS not in page
    assert ">2<" not in page  # no tab counts the other case


QUESTIONS = (THEIRS, "198.51.100.0/24", "C-theirs", "Customer K-theirs", "c-theirs@customer.example")


@pytest.mark.parametrize("asked", QUESTIONS)
def test_the_search_finds_nothing_of_the_others(nora: Client, mine: Case, theirs: Case, asked: str) -> None:
    assert f"/case/{theirs.pk}" not in text_of(nora, f"/?q={asked}")


def test_the_number_of_another_case_leads_nowhere(nora: Client, mine: Case, theirs: Case) -> None:
    assert nora.get("/", {"q": theirs.number}).status_code == 200
    assert nora.get("/", {"q": mine.number}).status_code == 302


@pytest.mark.parametrize("page", ["", "/conversation", "/close", "/next"])
def test_another_case_does_not_exist_for_them(nora: Client, mine: Case, theirs: Case, page: str) -> None:
    assert nora.get(f"/case/{theirs.pk}{page}").status_code == 404
    assert nora.get(f"/case/{mine.pk}{page}").status_code in (200, 302)


@pytest.mark.parametrize("act", ["notify", "check", "verify", "assign", "note", "close", "measures", "conversation"])
def test_nothing_is_done_to_another_case(nora: Client, theirs: Case, act: str) -> None:
    assert nora.post(f"/case/{theirs.pk}/{act}", {"text": "x", "stay": theirs.stay}).status_code == 404
    assert theirs.events.count() == 0


def test_the_next_case_is_one_of_theirs(nora: Client, mine: Case, theirs: Case) -> None:
    assert nora.get(f"/case/{mine.pk}/next")["Location"] in (f"/case/{mine.pk}", "/")


def test_messages_of_others_are_not_read_nor_taken(nora: Client, mine: Case, theirs: Case) -> None:
    other, own = Complaint.objects.get(case=theirs).message_id, Complaint.objects.get(case=mine).message_id

    for page in ("", "/raw", "/file/abc"):
        assert nora.get(f"/message/{other}{page}").status_code == 404
    assert nora.get(f"/message/{own}").status_code == 200
    assert nora.get(f"/message/{own}/raw").status_code == 200


def test_a_message_that_accuses_others_too_is_not_shown(nora: Client, mine: Case, theirs: Case) -> None:
    message = Complaint.objects.get(case=mine).message
    make_complaint(theirs, address=THEIRS, message=message)

    assert nora.get(f"/message/{message.pk}").status_code == 404


def test_letters_and_measures_of_others_are_out_of_reach(nora: Client, mine: Case, theirs: Case) -> None:
    notice = queue_notice(theirs, "notify", occurrence=1, now=NOON)
    measure = decide_measure(
        theirs, MeasureKind.SUSPEND, step="x", occurrence=1, actor="ada", reason="x", now=NOON, undo=timedelta()
    )

    assert nora.get(f"/notice/{notice.pk}/html").status_code == 404
    assert nora.post(f"/notice/{notice.pk}/take-back").status_code == 404
    assert nora.post(f"/measure/{measure.pk}/second").status_code == 404


def test_tasks_are_those_of_their_cases(nora: Client, mine: Case, theirs: Case) -> None:
    for case, title in ((mine, "Ring K-mine"), (theirs, "Ring K-theirs"), (None, "Feed fell silent")):
        open_task("playbook", title, title=title, actor="machine", now=NOON, case=case)
    page = text_of(nora, "/tasks")

    assert "Ring K-mine" in page
    assert "Ring K-theirs" not in page
    assert "Feed fell silent" not in page
    assert re.findall(r'class="nav-count">(\d+)<', page) == ["1"]


def test_the_customers_other_cases_are_named_only_where_they_may_be_seen(mine: Case) -> None:
    make_contract("C-else", customer="K-mine", brand="Sudlicht")
    other = make_case(contract="C-else", address=THEIRS)
    client = Client()
    client.force_login(make_user("nora", only_brands=["Nordlicht"]))

    assert f"/case/{other.pk}" not in text_of(client, f"/case/{mine.pk}")


def test_both_restrictions_must_hold(mine: Case, theirs: Case) -> None:
    client = Client()
    client.force_login(make_user("nora", only_networks=["192.0.2.0/24"], only_brands=["Sudlicht"]))

    assert client.get(f"/case/{mine.pk}").status_code == 404
    assert client.get(f"/case/{theirs.pk}").status_code == 404


def test_a_superuser_is_never_restricted(theirs: Case) -> None:
    client = Client()
    client.force_login(make_user("root", is_superuser=True, only_brands=["Nordlicht"]))

    assert client.get(f"/case/{theirs.pk}").status_code == 200


@pytest.mark.django_db
@pytest.mark.parametrize("limit", [{"only_networks": ["192.0.2.0/24"]}, {"only_brands": ["Nordlicht"]}])
def test_a_restricted_key_is_told_of_its_part_alone(client: Client, limit: dict[str, list[str]]) -> None:
    for prefix, reference, brand in ((OURS, "C-mine", "Nordlicht"), (THEIRS, "C-theirs", "Sudlicht")):
        make_network(f"{prefix.rpartition('.')[0]}.0/24")
        make_contract(reference, brand=brand)
        make_assignment(Contract.objects.get(reference=reference), f"{prefix}/32")
    row, secret = make_key("crm", scopes=["whose"], actor="root", now=NOON)
    type(row).objects.filter(pk=row.pk).update(**limit)
    header = {"Authorization": f"Bearer {secret}"}

    assert client.get("/api/whose", {"address": OURS}, headers=header).json()["contract"] == "C-mine"
    refused = client.get("/api/whose", {"address": THEIRS}, headers=header)
    assert refused.status_code == 403
    assert "C-theirs" not in refused.content.decode()


def test_bounds_are_those_of_the_prefix(mine: Case) -> None:
    edge = make_case(contract=make_contract("C-edge"), address="192.0.2.255")
    beyond = make_case(contract=make_contract("C-beyond"), address="192.0.3.0")
    client = Client()
    client.force_login(make_user("nora", only_networks=["192.0.2.0/24", "2001:db8::/32"]))

    assert bytes(edge.address) == address_key("192.0.2.255")
    assert client.get(f"/case/{edge.pk}").status_code == 200
    assert client.get(f"/case/{beyond.pk}").status_code == 404


def test_searches_that_others_share_are_not_shown_to_them(nora: Client, mine: Case) -> None:
    SavedView.objects.create(owner=make_user("otto"), name="Secret & Sons", query="customer:secret", shared=True)
    assert "Secret" not in text_of(nora, "/")


def test_the_history_names_neither_case_nor_contract_of_others(nora: Client, mine: Case, theirs: Case) -> None:
    link_case(theirs, parent=mine, actor="carla", reason="", now=NOON)
    told = {"complaints": 1, "because": "a correction", **other("from", theirs)}
    record(mine, EventKind.MOVED_HERE, actor="carla", now=NOON, **told)

    page = text_of(nora, f"/case/{mine.pk}")

    assert theirs.number not in page
    assert "C-theirs" not in page


def test_no_page_of_the_desk_holds_anything_of_the_others(nora: Client, mine: Case, theirs: Case) -> None:
    words, found = ("C-theirs", "K-theirs", THEIRS, "Sudlicht", theirs.number), []
    for name, parts in OPENABLE.items():
        for pk in {mine.pk, theirs.pk} if parts else {0}:
            path = reverse(name, kwargs={part: pk if value == "1" else value for part, value in parts.items()})
            page = nora.get(path).content.decode(errors="replace")
            found += [(path, word) for word in words if word in page]

    assert found == []
