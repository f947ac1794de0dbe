"""What is remembered of the plan of addresses is never believed longer than it is true, whoever changes it."""

from __future__ import annotations

import pytest
from django.db import connection

from complaints.addresses import address_key, prefix_key
from complaints.attribution import Question, attribute
from complaints.attribution.address_plan import remembered
from complaints.attribution.lookup import look_around
from complaints.models import AddressPlanVersion, Assignment, Network, PrefixLength, SharedMachine
from complaints.models.bulk import insert_rows
from complaints.vocabulary import Answer
from tests.factories import LONG_AGO, NOON, make_assignment, make_contract, make_network

pytestmark = pytest.mark.django_db
QUESTION = Question(address_key("192.0.2.10"), None, NOON)


def version() -> str:
    return AddressPlanVersion.objects.get().value


def answer() -> Answer:
    return attribute([QUESTION])[0].answer


def test_the_version_changes_with_every_network_machine_and_length_however_it_is_written():
    seen = [version()]

    def changed() -> bool:
        seen.append(version())
        return len(set(seen)) == len(seen)

    network = make_network("192.0.2.0/24")
    assert changed()
    Network.objects.filter(pk=network.pk).update(key=prefix_key("192.0.2.0/25"))
    assert changed()
    insert_rows(Network, ("key", "name"), [(prefix_key("198.51.100.0/24"), "")])
    assert changed()
    Network.objects.all().delete()
    assert changed()
    PrefixLength.objects.bulk_create([PrefixLength(family=4, length=30)], ignore_conflicts=True)
    assert changed()
    SharedMachine.objects.create(key=prefix_key("192.0.2.1/32"), what="mail")
    assert changed()
    SharedMachine.objects.update(tells_login=False)
    assert changed()


def test_the_version_stays_where_nothing_is_written():
    make_network()
    make_assignment()
    before = version()

    PrefixLength.objects.bulk_create([PrefixLength(family=4, length=32)], ignore_conflicts=True)
    make_assignment("C-2", "192.0.2.11/32")
    attribute([QUESTION])

    assert version() == before


def test_what_another_process_changed_is_seen_in_the_next_look():
    network = make_network("192.0.2.0/24")
    make_assignment("provider", "192.0.2.0/24")
    assert answer() is Answer.OWNER

    with connection.cursor() as cursor:  # as if by another process: nothing of ours runs
        cursor.execute(f"DELETE FROM {Network._meta.db_table} WHERE id = %s", [network.pk])
    assert answer() is Answer.NOT_OURS

    make_network("192.0.2.0/24")
    insert_rows(PrefixLength, ("family", "length"), [(4, 29)])
    other = make_contract("customer")
    columns = ("contract_id", "key", "kind", "valid_from", "valid_until", "port_first", "port_last")
    insert_rows(Assignment, columns, [(other.pk, prefix_key("192.0.2.8/29"), "static", LONG_AGO, None, 0, 65535)])
    assert attribute([QUESTION])[0].contract_id == other.pk

    SharedMachine.objects.create(key=prefix_key("192.0.2.10/32"), what="web")
    assert look_around([QUESTION]).machine(QUESTION.address) == {"web"}


def test_the_plan_is_read_once_while_it_stays(django_assert_num_queries):
    make_network()
    make_assignment()
    attribute([QUESTION])

    with django_assert_num_queries(0):
        assert answer() is Answer.OWNER


def test_without_a_version_nothing_remembered_is_believed():
    make_network()
    make_assignment()
    AddressPlanVersion.objects.all().delete()
    remembered.clear()
    assert answer() is Answer.OWNER

    with connection.cursor() as cursor:
        cursor.execute(f"DELETE FROM {Network._meta.db_table}")
    AddressPlanVersion.objects.all().delete()
    assert answer() is Answer.NOT_OURS

    make_network()
    assert AddressPlanVersion.objects.count() == 1  # mended by the next change


def test_the_index_of_what_was_held_long_is_there_and_used():
    """SQLite forgets what it does not find in the models when a migration rebuilds the table."""
    from complaints.attribution import statements

    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET LOCAL enable_seqscan = off")
            cursor.execute("EXPLAIN " + statements.MANY.decode().replace("%b", "%s"), [["{}"], [NOON], [NOON]])
        else:
            cursor.execute("EXPLAIN QUERY PLAN " + statements.claims_statement(1), ["", "", "", b""])
        plan = str(cursor.fetchall())

    assert "SCAN complaints_assignment" not in plan
    assert plan.count("assignment_long") == 1
