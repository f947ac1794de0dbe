"""The loop: the world goes on for some minutes, then the desk gets its mail and its own tasks run, all by one clock."""

from __future__ import annotations

import contextlib
import gc
import random
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

from celery.schedules import crontab
from django.conf import settings
from django.test.utils import override_settings

from abusedesk.celery import app
from complaints.attribution.importing import import_assignments, import_contracts, import_networks
from complaints.blacklists.catalogue import shipped
from complaints.demo.simulation import post
from complaints.demo.simulation.analysts import Analysts, correct
from complaints.demo.simulation.clock import VirtualClock
from complaints.demo.simulation.feed import Row, as_csv, contract_rows, network_rows
from complaints.demo.simulation.mailbag import hand_in
from complaints.demo.simulation.network import connected_to
from complaints.demo.simulation.population import PRODUCTS, TREATED
from complaints.demo.simulation.world import Plan, World
from complaints.management.import_command import ask_again
from complaints.models import Product
from complaints.playbooks.loading import begin_with_shipped

TICK = timedelta(minutes=30)
IMPORTS = {"networks": import_networks, "contracts": import_contracts, "assignments": import_assignments}
Progress = Callable[[datetime], None]


def play(plan: Plan, *, progress: Progress = lambda now: None) -> World:
    """Live through the plan's days on the database as it is (it must be empty), and return what really was."""
    clock = VirtualClock(plan.start)
    random.seed(plan.seed)  # what the product itself throws: how long before a check is tried again
    with clock.ruling():
        world = World(plan, clock, shipped())
        with outside(world), unmoved_memory():
            begin(world)
            analysts = Analysts()
            while clock.now() < plan.end:
                tick(world, analysts)
                progress(clock.now())
            close_books(world, analysts)
            world.truth.corrections = analysts.items
    return world


@contextlib.contextmanager
def outside(world: World) -> Iterator[None]:
    """What surrounds the product: the network, the mailboxes, and in place of a broker, tasks that run at once."""
    eager = app.conf.task_always_eager, app.conf.task_eager_propagates
    app.conf.task_always_eager = app.conf.task_eager_propagates = True
    try:
        with (
            connected_to(world),
            post.delivering_to(world.receive),
            override_settings(EMAIL_BACKEND=post.BACKEND, CACHES=settings.CACHES),
        ):
            yield
    finally:
        app.conf.task_always_eager, app.conf.task_eager_propagates = eager


@contextlib.contextmanager
def unmoved_memory() -> Iterator[None]:
    """The histories are hundreds of thousands of objects that never change: no collection need look at them."""
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


def begin(world: World) -> None:
    tell("networks", network_rows())
    tell("contracts", contract_rows(world.customers))
    Product.objects.bulk_create(Product(name=PRODUCTS[kind], kind=treated) for kind, treated in TREATED.items())
    tell("assignments", world.feed.rows_until(world.clock.now()))
    begin_with_shipped(now=world.clock.now())


def tell(kind: str, rows: list[Row]) -> None:
    """The ISP's systems tell the desk, by its own imports."""
    if rows:
        summary = IMPORTS[kind](as_csv(kind, rows), name=f"simulated {kind}.csv")
        if kind == "assignments":
            ask_again(summary.spans, because="the lines were told")


def tick(world: World, analysts: Analysts) -> None:
    before = world.clock.now()
    world.go_on_until(before + TICK)
    world.carry_out_orders()
    now = world.clock.now()
    tell("assignments", world.feed.rows_until(world.clock.now()))
    take_in(world, now)
    for name in due_by_beat(before, now):
        app.tasks[name].apply_async()
    analysts.work(now)
    world.dns.questions.clear()


def close_books(world: World, analysts: Analysts) -> None:
    """The ISP books what it had yet to book of these days, and the desk puts right what it hears last."""
    tell("assignments", world.feed.rows_left(world.plan.end))
    analysts.items += correct(world.clock.now())


def take_in(world: World, now: datetime) -> None:
    world.passed(now.timestamp())
    mails = world.mailbag.arrived(now)
    for at, _, told in mails:  # before: the desk may ask their senders at once
        for each in told:
            world.note_sent(each, at)
    stored = hand_in([arrival for _, arrival, _ in mails], now) if mails else []
    for message, (_, _, told) in zip(stored, mails, strict=True):
        for each in told:
            each.message = message


def due_by_beat(before: datetime, now: datetime) -> list[str]:
    """The periodic tasks that beat would have rung for since: each once, however often it would have."""
    return [entry["task"] for entry in app.conf.beat_schedule.values() if is_due(entry["schedule"], before, now)]


def is_due(schedule: object, before: datetime, now: datetime) -> bool:
    """Spans (seconds) count from midnight, so that all who run at the same hour run in the same tick."""
    if isinstance(schedule, crontab):
        minutes = (before + timedelta(minutes=n) for n in range(1, int((now - before).total_seconds() // 60) + 1))
        return any(matches(schedule, minute) for minute in minutes)
    seconds = schedule.total_seconds() if isinstance(schedule, timedelta) else float(str(schedule))
    return int(before.timestamp() // seconds) != int(now.timestamp() // seconds)


def matches(schedule: Any, at: datetime) -> bool:
    """A crontab's five sets of numbers; its weeks begin with Sunday as 0."""
    return (
        at.minute in schedule.minute
        and at.hour in schedule.hour
        and at.isoweekday() % 7 in schedule.day_of_week
        and at.day in schedule.day_of_month
        and at.month in schedule.month_of_year
    )
