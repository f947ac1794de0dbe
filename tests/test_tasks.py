"""Waking and sweeping, against a real broker."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

import pytest
from django.db import transaction
from kombu import Connection, Queue, pools
from pytest_django import Settings

from abusedesk.celery import app
from complaints import tasks
from complaints.checking.loop import record_all
from complaints.models import Reading
from complaints.vocabulary import CheckOutcome, Verdict
from tests.factories import NOON, make_assignment, make_case, make_message, make_network, make_run
from tests.services.valkey import Valkey
from tests.test_pipeline import arf


@contextmanager
def broker_at(url: str) -> Iterator[None]:
    """Celery keeps its connections in pools that know the old address: they are thrown away around it."""
    before = app.conf.broker_url
    app.conf.broker_url = url
    forget_connections()
    yield
    app.conf.broker_url = before
    forget_connections()


def forget_connections() -> None:
    pools.reset()
    app._pool = app.amqp._producer_pool = None


@pytest.fixture
def broker(valkey: Valkey) -> Iterator[Connection]:
    with broker_at(valkey.broker_url), app.connection_for_write(valkey.broker_url) as connection:
        yield connection


def waiting(connection: Connection, queue: str = "desk") -> list[tuple[str, list[list[int]]]]:
    """(task, arguments) of what lies in the queue; takes it out."""
    found = []
    bound = Queue(queue)(connection.default_channel)
    while message := bound.get(no_ack=True):
        found.append((message.headers["task"].rpartition(".")[2], message.payload[0]))
    return found


@pytest.mark.django_db(transaction=True)
def test_a_wake_up_rings_after_the_commit_once_for_all_ids(broker: Connection) -> None:
    with transaction.atomic():
        tasks.wake(tasks.advance_cases, [3, 1, None, 3])
        assert waiting(broker) == []
    assert waiting(broker) == [("advance_cases", [[1, 3]])]


@pytest.mark.django_db(transaction=True)
def test_what_is_rolled_back_wakes_nobody(broker: Connection) -> None:
    with transaction.atomic():
        tasks.wake(tasks.advance_cases, [1])
        transaction.set_rollback(True)
    assert waiting(broker) == []


@pytest.mark.django_db(transaction=True)
def test_a_thousand_ids_are_two_tasks(broker: Connection) -> None:
    tasks.wake(tasks.advance_cases, range(1, 1001))
    assert [len(arguments[0]) for _, arguments in waiting(broker)] == [500, 500]


@pytest.mark.django_db(transaction=True)
def test_without_a_broker_a_wake_up_is_a_log_line_and_not_an_error(caplog: pytest.LogCaptureFixture) -> None:
    with broker_at("redis://127.0.0.1:1/0"), caplog.at_level(logging.WARNING):
        tasks.wake(tasks.advance_cases, [1])
    assert "the sweep will do complaints.tasks.advance_cases" in caplog.text


@pytest.mark.django_db(transaction=True)
def test_the_sweep_finds_messages_that_nobody_was_woken_for(broker: Connection) -> None:
    message = make_message(arf())
    tasks.sweep()
    assert waiting(broker) == [("process_messages", [[message.pk]])]


@pytest.mark.django_db(transaction=True)
def test_the_sweep_leaves_what_a_living_worker_holds(broker: Connection) -> None:
    message = make_message(arf())
    Reading.objects.filter(pk=message.pk).update(claim="another-machine", claimed_at=tasks.timezone.now())
    tasks.sweep()
    assert waiting(broker) == []


@pytest.mark.django_db(transaction=True)
def test_the_sweep_wakes_cases_whose_time_has_come(broker: Connection) -> None:
    due = make_case("C-1", due_at=NOON)
    make_case("C-2", due_at=tasks.timezone.now() + timedelta(hours=1))
    tasks.sweep()
    assert waiting(broker) == [("advance_cases", [[due.pk]])]


@pytest.mark.django_db(transaction=True)
def test_one_case_that_cannot_be_advanced_does_not_hold_up_the_others(broker: Connection) -> None:
    broken, good = make_case("C-1", due_at=NOON), make_case("C-2", due_at=NOON)
    type(broken).objects.filter(pk=broken.pk).update(state="no such state")
    tasks.advance_cases([broken.pk, good.pk])

    broken.refresh_from_db()
    good.refresh_from_db()
    assert broken.due_at > tasks.timezone.now()
    assert {run.state for run in good.checks.all()} == {"refused"}


@pytest.mark.django_db
def test_an_outcome_that_cannot_be_written_is_unknown_and_holds_no_other_up() -> None:
    case = make_case()
    odd = make_run(case, verdict="", state="running", claim="mine", occasion="investigate.1")
    good = make_run(case, "dnsbl", verdict="", state="running", claim="mine", occasion="investigate.1")
    unwritable = CheckOutcome(verdict=Verdict.BAD, reason="", details={"json": {"has no sets"}})
    assert record_all([(odd, unwritable), (good, CheckOutcome(verdict=Verdict.CLEAN, reason="fine"))]) == [case.pk] * 2

    assert list(case.checks.order_by("pk").values_list("state", "verdict", "reason")) == [
        ("done", "unknown", "the outcome cannot be recorded: TypeError"),
        ("done", "clean", "fine"),
    ]


@pytest.mark.django_db(transaction=True)
def test_a_bell_that_rang_long_ago_is_not_answered(broker: Connection) -> None:
    """The sweep rings again and again while a row waits: with a slow worker the old bells must not pile up."""
    tasks.wake(tasks.advance_cases, [1])
    message = Queue("desk")(broker.default_channel).get(no_ack=True)
    expires = datetime.fromisoformat(message.headers["expires"])
    assert expires - tasks.timezone.now() <= timedelta(seconds=tasks.STALE_S)


@pytest.mark.django_db(transaction=True)
def test_work_until_idle_counts_what_came_of_the_messages(settings: Settings, free_port: int) -> None:
    settings.RELAY_PORT = free_port  # nobody listens there: the check runs and says so
    make_network("127.77.0.0/16")
    make_assignment("C-1", "127.77.0.10/32")
    addresses = ("127.77.0.10", "127.77.0.77", "203.0.113.5")
    messages = [make_message(arf(number, address)) for number, address in enumerate(addresses)]
    broken = make_message(b"\0\0\0")

    found = tasks.work_until_idle([message.pk for message in [*messages, broken]])

    assert found == {
        "read": 3,
        "unread": 1,
        "waiting": 0,
        "complaints": 3,
        "attributed": 1,
        "not_ours": 1,
        "nobody": 1,
        "unsure": 0,
        "cases": 1,
        "cases_opened": 1,
        "notices": 0,
    }
