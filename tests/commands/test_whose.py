"""manage.py whose: the stable JSON, and its refusals."""

from __future__ import annotations

import json
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command

from tests.factories import NOON, make_assignment, make_network

pytestmark = pytest.mark.django_db


def whose(*arguments: str) -> dict[str, Any]:
    out = StringIO()
    call_command("whose", *arguments, stdout=out)
    return json.loads(out.getvalue())


def test_an_owner_is_printed_with_contract_and_customer():
    make_network("203.0.113.0/24")
    make_assignment("C-1", "203.0.113.7/32", kind="cgnat", port_first=1024, port_last=2047)

    assert whose("203.0.113.7", "--at", "2026-03-10T13:00:00+01:00", "--port", "1024") == {
        "address": "203.0.113.7",
        "port": 1024,
        "at": "2026-03-10T12:00:00+00:00",
        "answer": "owner",
        "contract": "C-1",
        "customer": "K-1",
        "method": "cgnat",
        "confidence": 0.9,
        "valid_from": "2020-01-01T00:00:00+00:00",
        "valid_until": None,
        "candidates": [],
        "reason": "203.0.113.7/32 was assigned (cgnat) from 2020-01-01 00:00:00 UTC and still is,"
        " with ports 1024 to 2047: port 1024 lies in it",
    }


def test_unsure_is_printed_with_candidates_and_nulls():
    make_network("203.0.113.0/24")
    make_assignment("C-2", "203.0.113.7/32", kind="cgnat", port_first=2048, port_last=3071)
    make_assignment("C-1", "203.0.113.7/32", kind="cgnat", port_first=1024, port_last=2047)

    assert whose("::ffff:203.0.113.7", "--at", "2026-03-10T12:00:00Z") == {
        "address": "203.0.113.7",
        "port": None,
        "at": "2026-03-10T12:00:00+00:00",
        "answer": "unsure",
        "contract": None,
        "customer": None,
        "method": None,
        "confidence": 0.0,
        "valid_from": None,
        "valid_until": None,
        "candidates": ["C-1", "C-2"],
        "reason": "203.0.113.7/32 was shared by 2 contracts at 2026-03-10 12:00:00 UTC,"
        " and the report gives no source port",
    }


def test_nobody_and_not_ours_are_different_answers():
    make_network("192.0.2.0/24")

    assert [whose(address)["answer"] for address in ("192.0.2.1", "198.51.100.1")] == ["nobody", "not-ours"]


def test_without_a_time_it_asks_for_now():
    make_network("192.0.2.0/24")
    make_assignment("C-1", "192.0.2.1/32", valid_until=NOON - timedelta(days=365))
    make_assignment("C-2", "192.0.2.1/32", valid_from=NOON - timedelta(days=365))

    assert whose("192.0.2.1")["contract"] == "C-2"


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["192.0.2.256"], "'192.0.2.256' is not an IP address"),
        (["mail.example"], "'mail.example' is not an IP address"),
        (["192.0.2.1", "--at", "yesterday"], "'yesterday' is not an ISO 8601 time, such as 2026-03-10T12:00:00Z"),
        (
            ["192.0.2.1", "--at", "2026-03-10T12:00:00"],
            "'2026-03-10T12:00:00' has no time zone: write 2026-03-10T12:00:00Z, or an offset such as +01:00 for Z",
        ),
        (["192.0.2.1", "--port", "0"], "'0' is not a port from 1 to 65535"),
        (["192.0.2.1", "--port", "smtp"], "'smtp' is not a port from 1 to 65535"),
    ],
)
def test_a_bad_question_is_refused_with_exit_2(arguments, problem):
    out, err = StringIO(), StringIO()

    with pytest.raises(SystemExit) as exit_info:
        call_command("whose", *arguments, stdout=out, stderr=err)

    assert (exit_info.value.code, out.getvalue(), err.getvalue()) == (2, "", f"whose: {problem}\n")
