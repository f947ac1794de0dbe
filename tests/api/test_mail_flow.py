"""POST /api/mail-flow: signed, fresh, once; and the file with the same rows."""

from __future__ import annotations

import json
import time
from contextlib import nullcontext
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import caches
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from complaints.api.keys import make_key, revoke_key
from complaints.api.signed import sign, signing_secret
from complaints.models import ApiKey, Contract, SignedCall, Tally
from tests.factories import NOON, make_contract

pytestmark = pytest.mark.django_db
TODAY = timezone.now().date().isoformat()
YESTERDAY = (timezone.now() - timedelta(days=1)).date().isoformat()
ROWS: list[dict[str, Any]] = [
    {"contract": "C-1", "day": TODAY, "messages": 120, "queue": 3, "failed": 4, "bytes": 9000}
]


@pytest.fixture(autouse=True)
def _empty_cache() -> None:
    caches["process"].clear()


@pytest.fixture
def key() -> ApiKey:
    make_contract("C-1")
    return make_key("mta", scopes=["mail-flow"], actor="ada", now=NOON)[0]


def post(
    key: ApiKey | None, rows: Any = None, *, at: float | None = None, body: bytes | None = None, **sent: str
) -> Any:
    """A call without cookies; the CSRF check is on, as in production."""
    told = json.dumps({"rows": ROWS if rows is None else rows}).encode() if body is None else body
    stamp = str(int(time.time() if at is None else at))
    headers = {"X-Desk-Time": stamp}
    if key:
        headers |= {"X-Desk-Key": str(key.pk), "X-Desk-Signature": sign(signing_secret(key), time=stamp, body=told)}
    client = Client(enforce_csrf_checks=True)
    return client.post("/api/mail-flow", told, content_type="application/json", headers=headers | sent)


def kept() -> list[tuple[str, int]]:
    return list(Tally.objects.order_by("metric").values_list("metric", "n"))


def test_what_a_signed_call_tells_is_kept(key: ApiKey) -> None:
    answer = post(key)

    assert (answer.status_code, answer.json()) == (200, {"rows": 1, "numbers": 4})
    assert kept() == [("bytes", 9000), ("failed", 4), ("messages", 120), ("queue", 3)]


def test_the_same_call_played_again_is_refused(key: ApiKey) -> None:
    now = time.time()
    assert [post(key, at=now).status_code, post(key, at=now).status_code] == [200, 409]
    assert SignedCall.objects.count() == 1


@pytest.mark.parametrize("seconds", [-301, 400, -86400])
def test_a_call_of_another_time_is_refused(key: ApiKey, seconds: int) -> None:
    answer = post(key, at=time.time() + seconds)
    assert (answer.status_code, answer.json()["error"]) == (401, "X-Desk-Time is more than five minutes off")


@pytest.mark.parametrize(
    "wrong",
    [
        {"X-Desk-Signature": "0" * 64},
        {"X-Desk-Signature": "zz"},
        {"X-Desk-Signature": "é" * 64},
        {"X-Desk-Key": "999"},
        {"X-Desk-Key": "1 or 1=1"},
    ],
)
def test_a_wrong_signature_and_an_unknown_key_look_the_same(key: ApiKey, wrong: dict[str, str]) -> None:
    answer = post(key, **wrong)
    assert (answer.status_code, answer.json()["error"]) == (401, "the signature does not fit")
    assert kept() == []


def test_a_body_that_was_changed_on_the_way_is_refused(key: ApiKey) -> None:
    stamp = str(int(time.time()))
    good = sign(signing_secret(key), time=stamp, body=b'{"rows": []}')
    answer = post(None, body=b'{"rows": [1]}', **{"X-Desk-Key": str(key.pk), "X-Desk-Signature": good})
    assert answer.status_code == 401


@pytest.mark.parametrize("missing", ["X-Desk-Key", "X-Desk-Time", "X-Desk-Signature"])
def test_a_call_that_is_not_signed_is_refused(key: ApiKey, missing: str) -> None:
    answer = post(key, **{missing: ""})
    assert (answer.status_code, missing in answer.json()["error"]) == (401, True)


def test_a_revoked_key_and_one_without_the_scope_sign_in_vain(key: ApiKey) -> None:
    other = make_key("billing", scopes=["whose"], actor="ada", now=NOON)[0]
    assert post(other).status_code == 403
    revoke_key("mta", now=NOON)
    assert post(key).status_code == 401


def test_it_is_no_page() -> None:
    assert Client().get("/api/mail-flow").status_code == 405


@pytest.mark.parametrize(
    ("rows", "error"),
    [
        ([{**ROWS[0], "contract": "C-9"}], "rows[0].contract: 'C-9' is not known"),
        ([{**ROWS[0], "day": "yesterday"}], "rows[0].day: 'yesterday' is no date such as 2026-03-10"),
        ([{**ROWS[0], "messages": -1}], "rows[0].messages: '-1' is no whole number from 0 on"),
        ([{**ROWS[0], "messages": True}], "rows[0].messages: 'True' is no whole number from 0 on"),
        ([{**ROWS[0], "day": "20260310"}], "rows[0].day: '20260310' is no date such as 2026-03-10"),
        ([{**ROWS[0], "day": 20260310}], "rows[0].day: '20260310' is no date such as 2026-03-10"),
        ([{**ROWS[0], "contract": ["C-1"]}], "rows[0].contract: a reference of 1 to 100 characters is needed"),
        (
            [{**ROWS[0], "contract": "C-1\0"}],
            "rows[0].contract: 'C-1\\x00' has a character that cannot stand in a reference",
        ),
        (
            [{**ROWS[0], "contract": "\ud800"}],
            "rows[0].contract: '\\ud800' has a character that cannot stand in a reference",
        ),
        ([{**ROWS[0], "mesages": 1}], "rows[0].mesages: is none of contract, day, messages, queue, failed, bytes"),
        ("C-1", "the body is not {“rows”: [{…}, …]}"),
        ([1], "the body is not {“rows”: [{…}, …]}"),
    ],
)
def test_one_wrong_row_and_nothing_is_kept(key: ApiKey, rows: Any, error: str) -> None:
    other = {"contract": "C-1", "day": YESTERDAY}
    answer = post(key, [other, *rows] if isinstance(rows, list) and rows[0] != 1 else rows)
    assert (answer.status_code, answer.json()["error"].replace("rows[1]", "rows[0]"), kept()) == (400, error, [])


def test_two_rows_about_a_contract_and_a_day_are_a_fault_as_in_a_file(key: ApiKey) -> None:
    answer = post(key, [ROWS[0], ROWS[0] | {"messages": 7}])
    assert answer.json()["error"] == f"rows[1].contract: C-1 on {TODAY} is also in rows[0]"
    assert kept() == []


@pytest.mark.parametrize("body", [b"", b"{", b"[" * 100_000, b"\xff"])
def test_what_is_no_json_is_refused_in_words(key: ApiKey, body: bytes) -> None:
    assert post(key, body=body).status_code == 400


def test_the_command_makes_a_key_with_its_signing_secret() -> None:
    out = StringIO()
    call_command("make_api_key", "mta", "--scope", "mail-flow", stdout=out)

    lines = out.getvalue().splitlines()
    key = ApiKey.objects.get()
    assert lines[0].startswith("adk_")
    assert lines[1] == f"key {key.pk}, signing secret {signing_secret(key)}"


def test_a_file_tells_the_same(tmp_path: Path) -> None:
    make_contract("C-1")
    path = tmp_path / "flow.csv"
    path.write_text(f"contract,day,messages,queue,failed,bytes\nC-1,{TODAY},120,,4,\n")
    out = StringIO()
    call_command("import_mail_flow", str(path), stdout=out)

    assert json.loads(out.getvalue())["updated"] == 2
    assert kept() == [("failed", 4), ("messages", 120)]


def test_a_file_with_faults_changes_nothing_and_names_them_all(tmp_path: Path) -> None:
    make_contract("C-1")
    path = tmp_path / "flow.csv"
    path.write_text(
        "contract,day,messages,queue,failed,bytes\n"
        f"C-1,{TODAY},1,,,\nC-1,{TODAY},2,,,\nC-1,1999-01-01,1,,,\nC-1,{TODAY[:8]}xx,many,,,\nC-7,{TODAY},1,,,\n"
    )
    err = StringIO()
    with pytest.raises(SystemExit):
        call_command("import_mail_flow", str(path), stderr=err)

    assert [line.partition("flow.csv:")[2] for line in err.getvalue().splitlines()] == [
        f"3: contract: C-1 on {TODAY} is also in line 2",
        "4: day: 1999-01-01 is not within the last 400 days",
        f"5: day: '{TODAY[:8]}xx' is no date such as 2026-03-10",
        "5: messages: 'many' is no whole number from 0 on",
        "6: contract: 'C-7' is not known",
    ]
    assert kept() == []


@pytest.mark.parametrize(
    ("raw", "faults"),
    [
        (b"\xef\xbb\xbfcontract,day,messages,queue,failed,bytes\r\nC-1,DAY,1,,,\r\n", []),
        (b"day,contract,messages,queue,failed,bytes\nDAY, C-1 ,1,,,\n\n", []),
        (b"contract;day;messages;queue;failed;bytes\nC-1;DAY;1;;;\n",
         ["1: the columns are parted by semicolons: part them by commas"]),
        (b"contract,day,messages,queue,failed,bytes\nC-\xe9,DAY,1,,,\n",
         ["2: byte 0xe9 at character 3 is no UTF-8",
          "2: contract: 'C-\\udce9' has a character that cannot stand in a reference"]),
        (b"contract,day,messages,queue,failed,bytes\nC-1,22.11.2026,\"1,000\",1.5,,\n",
         ["2: day: '22.11.2026' is no date such as 2026-03-10",
          "2: messages: '1,000' is no whole number from 0 on", "2: queue: '1.5' is no whole number from 0 on"]),
        (b"", ["1: the header line is missing: contract,day,messages,queue,failed,bytes"]),
    ],
    ids=["mark and CRLF", "order and blanks", "semicolons", "Latin-1", "commas in numbers", "empty"],
)  # fmt: skip
def test_files_as_spreadsheets_write_them(tmp_path: Path, raw: bytes, faults: list[str]) -> None:
    make_contract("C-1")
    path = tmp_path / "flow.csv"
    path.write_bytes(raw.replace(b"DAY", TODAY.encode()))
    out, err = StringIO(), StringIO()
    with nullcontext() if not faults else pytest.raises(SystemExit):
        call_command("import_mail_flow", str(path), stdout=out, stderr=err)

    assert [line.partition("flow.csv:")[2] for line in err.getvalue().splitlines()] == faults
    assert kept() == ([] if faults else [("messages", 1)])


def test_a_restricted_key_tells_of_its_own_contracts_alone(key: ApiKey) -> None:
    make_contract("C-2", brand="Meadow")
    ApiKey.objects.update(only_brands=["Meadow"])

    answer = post(key)
    assert (answer.status_code, answer.json()["error"]) == (403, "the key is for other networks or brands")
    assert kept() == []
    assert post(key, [ROWS[0] | {"contract": "C-2"}]).status_code == 200


def test_a_call_of_which_nothing_was_taken_may_come_again_as_it_is(key: ApiKey) -> None:
    now = time.time()
    Contract.objects.update(reference="C-9")
    assert post(key, at=now).status_code == 400

    Contract.objects.update(reference="C-1")
    assert [post(key, at=now).status_code, post(key, at=now).status_code] == [200, 409]
