"""The database itself refuses two holders of one address, whoever writes; and the admin says it in words."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction
from django.db.models import F
from django.test import Client

from complaints.addresses import prefix_key
from complaints.models import Assignment, HostedName, LineIdentifier, PrefixLength
from complaints.models.bulk import insert_rows
from tests.factories import NOON, make_assignment, make_contract, make_user, overlaps_allowed

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


def may_store(contract: str, prefix: str = "192.0.2.8/29", **columns) -> bool:
    try:
        with transaction.atomic():
            make_assignment(contract, prefix, **columns)
    except IntegrityError:
        return False
    return True


@pytest.fixture(autouse=True)
def _held() -> None:
    make_assignment("C-1", "192.0.2.8/29", valid_from=NOON, valid_until=NOON + DAY, port_first=1024, port_last=2047)


def test_what_another_contract_holds_is_refused_by_the_database():
    assert not may_store("C-2")


def test_the_same_contract_may_hold_it_twice():
    assert may_store("C-1")


@pytest.mark.parametrize(
    "columns",
    [
        {"prefix": "192.0.2.8/30"},
        {"prefix": "192.0.2.16/29"},
        {"valid_from": NOON + DAY},
        {"valid_until": NOON},
        {"port_last": 1023},
        {"port_first": 2048},
    ],
)
def test_beside_it_everything_is_free(columns):
    assert may_store("C-2", **columns)


@pytest.mark.parametrize(
    "columns",
    [
        {"valid_from": NOON + DAY - timedelta(microseconds=1)},
        {"valid_until": NOON + timedelta(microseconds=1)},
        {"port_last": 1024},
        {"port_first": 2047},
    ],
)
def test_one_moment_or_port_in_common_is_refused(columns):
    assert not may_store("C-2", **columns)


@pytest.mark.parametrize("change", [{"valid_until": None}, {"port_last": 2048}, {"port_first": 1023}])
def test_a_change_that_would_reach_into_another_is_refused(change):
    make_assignment("C-2", "192.0.2.8/29", valid_from=NOON + DAY)
    make_assignment("C-2", "192.0.2.8/29", valid_from=NOON, valid_until=NOON + DAY, port_last=1023)
    make_assignment("C-2", "192.0.2.8/29", valid_from=NOON, valid_until=NOON + DAY, port_first=2048)

    with pytest.raises(IntegrityError), transaction.atomic():
        Assignment.objects.filter(contract__reference="C-1").update(**change)


def test_a_holding_may_be_given_to_another_contract():
    Assignment.objects.update(contract=make_contract("C-2"))

    assert [assignment.contract.reference for assignment in Assignment.objects.select_related("contract")] == ["C-2"]


def test_many_rows_in_one_statement_are_compared_with_each_other():
    contracts = [make_contract("C-1"), make_contract("C-2")]
    rows = [Assignment(contract=each, key=prefix_key("198.51.100.0/24"), valid_from=NOON) for each in contracts]

    with pytest.raises(IntegrityError), transaction.atomic():
        Assignment.objects.bulk_create(rows)


def test_what_overlaps_already_does_not_stop_a_change_beside_it():
    with overlaps_allowed():
        make_assignment("C-2", "192.0.2.8/29")
    Assignment.objects.filter(contract__reference="C-2").update(valid_until=F("valid_from") + DAY)

    assert not may_store("C-3")


@pytest.mark.skipif("connection.vendor != 'postgresql'", reason="SQLite's message is fixed")
def test_postgresql_names_both():
    with pytest.raises(IntegrityError, match="contracts C-2 and C-1 would both hold the same at once"):
        make_assignment("C-2", "192.0.2.8/29")


def test_names_and_identifiers_have_one_contract_at_a_time():
    one, other = make_contract("C-1"), make_contract("C-2")
    HostedName.objects.create(contract=one, name="www.shop.example", valid_until=NOON)
    LineIdentifier.objects.create(contract=one, kind="mac", value="00:11:22:aa:bb:cc")
    HostedName.objects.create(contract=other, name="www.shop.example", valid_from=NOON)
    LineIdentifier.objects.create(contract=other, kind="radius_user", value="00:11:22:aa:bb:cc")

    with pytest.raises(IntegrityError), transaction.atomic():
        HostedName.objects.create(contract=other, name="www.shop.example", valid_until=NOON - DAY)
    with pytest.raises(IntegrityError), transaction.atomic():
        LineIdentifier.objects.create(contract=other, kind="mac", value="00:11:22:aa:bb:cc", valid_from=NOON)


def test_the_model_names_both_parties():
    wanted = Assignment(contract=make_contract("C-2"), key=prefix_key("192.0.2.8/29"), valid_from=NOON - DAY)

    with pytest.raises(ValidationError) as refusal:
        wanted.full_clean()

    assert refusal.value.messages == [
        "C-2 and C-1 would both hold 192.0.2.8/29 at 2026-03-10 12:00:00 UTC, ports 1024 to 2047. End the one first."
    ]


def admin_form(contract: str, **changes: str) -> dict[str, str]:
    filled = {
        "prefix_text": "192.0.2.8/29",
        "contract": str(make_contract(contract).pk),
        "kind": "static",
        "valid_from_0": "2026-03-11",
        "valid_from_1": "12:00:00",
        "port_first": "0",
        "port_last": "65535",
    }
    return filled | changes


def test_the_admin_says_who_holds_it_and_notes_the_length_of_what_it_makes(client: Client):
    client.force_login(make_user(is_staff=True, is_superuser=True))
    PrefixLength.objects.all().delete()
    early = admin_form("C-2", valid_from_0="2026-03-10")

    refused = client.post("/admin/complaints/assignment/add/", early)
    assert "C-2 and C-1 would both hold 192.0.2.8/29" in refused.content.decode()

    assert client.post("/admin/complaints/assignment/add/", admin_form("C-2")).status_code == 302
    assert list(PrefixLength.objects.values_list("family", "length")) == [(4, 29)]


def test_the_rule_is_there(django_db_setup):
    """SQLite forgets triggers when a migration rebuilds a table."""
    names = "SELECT name FROM sqlite_master WHERE type = 'trigger' AND name LIKE '%one_holder%'"
    if connection.vendor == "postgresql":
        names = "SELECT tgrelid::regclass || tgname FROM pg_trigger WHERE tgname LIKE 'one_holder%%'"
    with connection.cursor() as cursor:
        cursor.execute(names)
        found = cursor.fetchall()

    assert len(found) == 6


def test_the_models_of_names_and_identifiers_write_one_way_and_name_the_other_holder():
    one, other = make_contract("C-1"), make_contract("C-2")
    LineIdentifier.objects.create(contract=one, kind="mac", value="00:11:22:aa:bb:cc", valid_until=NOON)
    later = LineIdentifier(contract=other, kind="mac", value="00-11-22-AA-BB-CC", valid_from=NOON)
    later.full_clean()
    assert later.value == "00:11:22:aa:bb:cc"

    later.valid_from = NOON - DAY
    with pytest.raises(ValidationError, match=r"C-1 has mac 00:11:22:aa:bb:cc at that time too. End the one first."):
        later.full_clean()
    with pytest.raises(ValidationError, match="is not a full host name"):
        HostedName(contract=one, name="shop").full_clean()


@pytest.mark.parametrize("lasting", [timedelta(seconds=5), DAY, timedelta(hours=30), timedelta(days=41), None])
@pytest.mark.parametrize("longest", [timedelta(seconds=5), timedelta(hours=30), timedelta(days=400)])
def test_however_long_the_other_one_holds_it_its_first_and_last_moment_are_refused(lasting, longest):
    """What is read of the history depends on how long the prefix was ever held."""
    moment, prefix, long_ago = timedelta(microseconds=1), "198.51.100.0/29", NOON - timedelta(days=900)
    make_assignment("C-1", prefix, valid_from=long_ago, valid_until=long_ago + longest)
    ends = NOON + lasting if lasting else None
    make_assignment("C-1", prefix, valid_from=NOON, valid_until=ends)
    last = (ends or NOON + timedelta(days=900)) - moment

    assert not may_store("C-2", prefix, valid_from=NOON - DAY, valid_until=NOON + moment)
    assert not may_store("C-2", prefix, valid_from=last, valid_until=None)
    assert not may_store("C-2", prefix, valid_from=NOON - DAY, valid_until=None)
    assert may_store("C-2", prefix, valid_from=NOON - DAY, valid_until=NOON)
    assert ends is None or may_store("C-2", prefix, valid_from=ends)


@pytest.mark.skipif("connection.vendor == 'postgresql'", reason="counts the steps of SQLite's machine")
@pytest.mark.parametrize("lasting", [timedelta(seconds=5), timedelta(hours=1), timedelta(hours=30)])
def test_a_row_put_in_before_a_long_history_reads_a_handful_of_it(lasting):
    contracts = [make_contract("C-1").pk, make_contract("C-2").pk]
    key, columns = prefix_key("198.51.100.7/32"), ("contract_id", "key", "kind", "valid_from", "valid_until")
    rows = [(contracts[n % 2], key, "lease", NOON + n * lasting, NOON + (n + 1) * lasting) for n in range(2_000)]
    columns = (*columns, "port_first", "port_last")
    insert_rows(Assignment, columns, [(*row, 0, 65535) for row in reversed(rows[1:])])
    hundreds = []
    connection.connection.set_progress_handler(lambda: hundreds.append(1), 100)

    insert_rows(Assignment, columns, [(*rows[0], 0, 65535)])

    connection.connection.set_progress_handler(None, 0)
    assert len(hundreds) < 10
