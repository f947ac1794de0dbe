"""A new desk says what it lacks, as long as it has no case."""

from __future__ import annotations

import pytest
from django.test import Client
from pytest_django import Settings

from complaints.desk.first_steps import first_steps
from tests.factories import make_assignment, make_case, make_contract, make_message, make_network, make_user

pytestmark = pytest.mark.django_db
TITLE = "What this desk still needs"


def still_to_do() -> list[str]:
    return [step.title for step in first_steps(make_user("olga", "auditor")) if not step.done]


def test_a_new_desk_names_what_is_missing_and_how_to_mend_it(ada: Client, settings: Settings) -> None:
    settings.PROBE_DOMAIN, settings.AUTHSERV_ID = "", ""
    page = ada.get("/").content.decode()

    assert TITLE in page
    assert page.count(">to do</span>") == 6
    assert "manage.py import_networks networks.csv" in page
    assert TITLE not in ada.get("/?tab=open").content.decode()


def test_what_is_done_is_ticked_off(settings: Settings) -> None:
    settings.PROBE_DOMAIN, settings.AUTHSERV_ID = "probe.isp.example", "mx.isp.example"
    make_network("192.0.2.0/24")
    make_contract("C-1")
    assert still_to_do() == ["Who held which address, and when", "Complaints"]


def test_it_goes_with_the_first_case(ada: Client) -> None:
    make_case(state="notified")
    assert TITLE not in ada.get("/").content.decode()


def test_it_goes_when_all_is_there(ada: Client, settings: Settings) -> None:
    settings.PROBE_DOMAIN, settings.AUTHSERV_ID = "probe.isp.example", "mx.isp.example"
    make_network("192.0.2.0/24")
    make_assignment("C-1", "192.0.2.0/24")
    assert TITLE in ada.get("/").content.decode()
    make_message()
    assert TITLE not in ada.get("/").content.decode()


def test_who_is_restricted_sees_nothing_of_it(settings: Settings) -> None:
    settings.PROBE_DOMAIN = ""
    user = make_user("rita", only_brands=["Nordlicht"])
    assert first_steps(user) == []
