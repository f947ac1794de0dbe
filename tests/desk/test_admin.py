from __future__ import annotations

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from complaints.addresses import prefix_key
from complaints.api.keys import make_key
from complaints.models import (
    Assignment,
    AssignmentChange,
    Brand,
    Case,
    CaseEvent,
    CheckOptOut,
    CheckRun,
    FeedFault,
    FeedPosition,
    HostedName,
    LineIdentifier,
    Message,
    Network,
    Notice,
    PlaybookVersion,
    PrefixLength,
    WaitingLease,
)
from complaints.notices.compose import queue_notice
from complaints.notices.own_letters import save_letter
from complaints.playbooks.loading import activate_playbook, read_playbook
from tests.blacklists.rows import make_blacklist
from tests.factories import (
    NOON,
    make_assignment,
    make_case,
    make_complaint,
    make_contract,
    make_network,
    make_run,
    make_shared_machine,
    make_user,
)

READ_ONLY = [Message, Case, CaseEvent, CheckRun, Notice, PlaybookVersion]
OURS = [model for model in admin.site._registry if model._meta.app_label == "complaints"]


@pytest.fixture
def root(db: None) -> Client:
    client = Client()
    client.force_login(make_user("root", is_staff=True, is_superuser=True))
    return client


def make_rows_of_feeds(case: Case) -> None:
    key, since = prefix_key("192.0.2.0/28"), {"valid_from": NOON, "said_at": NOON}
    CheckOptOut.objects.create(key=key, note="They asked")
    LineIdentifier.objects.create(contract=case.contract, kind="radius_user", value="anna")
    HostedName.objects.create(contract=case.contract, name="anna.example")
    AssignmentChange.objects.create(changed_at=NOON, action="ended", why="a.csv, line 2", key=key)
    WaitingLease.objects.create(
        kind="mac", value="02:00:00:00:00:01", key=key, method="lease", renews=True, why="unknown", source="f", **since
    )
    FeedFault.objects.create(source="kea.csv, line 7", text="?", reason="no time", seen_at=NOON)
    FeedPosition.objects.create(path="kea.csv", reader="kea", inode="1", read_at=NOON)


def admin_url(model: type, page: str, *args: int) -> str:
    return reverse(f"admin:complaints_{model._meta.model_name}_{page}", args=args)  # type: ignore[attr-defined]


@pytest.mark.parametrize("model", OURS, ids=lambda model: model._meta.model_name)
def test_every_list_and_form_opens(root: Client, model: type) -> None:
    make_network()
    case = make_case()
    make_assignment(case.contract)
    make_complaint(case, reporter="a@x.example")
    make_run(case)
    queue_notice(case, "notify", occurrence=1, now=NOON)
    activate_playbook(read_playbook(), now=NOON)
    make_shared_machine()
    make_blacklist()
    make_rows_of_feeds(case)
    make_key("crm", scopes=["whose"], actor="root", now=NOON)
    Brand.objects.create(name="Nordlicht", title="Nordlicht")
    save_letter(language="en", step="greeting_of_ours", cause="", source="Subject: x", actor="ada", now=NOON)

    assert root.get(admin_url(model, "changelist")).status_code == 200
    row = model.objects.first()  # type: ignore[attr-defined]
    assert root.get(admin_url(model, "change", row.pk)).status_code == 200


@pytest.mark.parametrize("model", READ_ONLY, ids=lambda model: model._meta.model_name)
def test_what_the_desk_wrote_is_never_edited(root: Client, model: type) -> None:
    assert root.get(admin_url(model, "add")).status_code == 403


def test_a_network_is_added_by_its_prefix(root: Client) -> None:
    root.post(admin_url(Network, "add"), {"prefix_text": "2001:db8::/32", "name": "Access"})

    assert [(network.prefix, network.name) for network in Network.objects.all()] == [("2001:db8::/32", "Access")]


@pytest.mark.parametrize("text", ["192.0.2.1/24", "nonsense", "192.0.2.0/24"])
def test_a_wrong_or_known_prefix_is_refused_with_its_reason(root: Client, text: str) -> None:
    make_network("192.0.2.0/24")

    page = root.post(admin_url(Network, "add"), {"prefix_text": text, "name": ""}).content.decode()

    assert 'class="errorlist"' in page
    assert Network.objects.count() == 1


def test_an_assignment_of_a_new_length_is_found_from_now_on(root: Client) -> None:
    contract = make_contract()
    form = {
        "prefix_text": "192.0.2.64/29", "contract": contract.pk, "kind": "static", "valid_from_0": "2026-01-01",
        "valid_from_1": "00:00", "valid_until_0": "", "valid_until_1": "", "port_first": 0, "port_last": 65535,
    }  # fmt: skip

    root.post(admin_url(Assignment, "add"), form)

    assert bytes(Assignment.objects.get().key) == prefix_key("192.0.2.64/29")
    assert PrefixLength.objects.filter(family=4, length=29).exists()


def test_an_analyst_does_not_get_into_the_admin(ada: Client) -> None:
    assert ada.get("/admin/", follow=True).status_code == 403


def test_times_are_shown_and_read_in_the_zone_of_the_desk(root: Client, settings: Settings) -> None:
    settings.DISPLAY_TIME_ZONE = "Europe/Berlin"
    held = make_assignment(make_contract(), valid_from=NOON)
    form = {
        "prefix_text": held.prefix, "contract": held.contract_id, "kind": "static", "valid_from_0": "2026-03-10",
        "valid_from_1": "14:30", "valid_until_0": "", "valid_until_1": "", "port_first": 0, "port_last": 65535,
    }  # fmt: skip

    assert "10 Mar 2026, 13:00 CET" in root.get(admin_url(Assignment, "changelist")).content.decode()
    root.post(admin_url(Assignment, "change", held.pk), form)

    assert Assignment.objects.get().valid_from == NOON.replace(hour=13, minute=30)
