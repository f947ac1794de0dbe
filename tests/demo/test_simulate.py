"""Some days of a small world through the whole product, and whether the judge would see it go wrong."""

from __future__ import annotations

import copy
import dataclasses
import json
import os
import random
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.test.utils import override_settings

from complaints.demo.simulation.feed import Feed
from complaints.demo.simulation.lines import Span
from complaints.demo.simulation.noise import slipped
from complaints.demo.simulation.play import due_by_beat, play
from complaints.demo.simulation.scorecard import Card, is_passed_on, judge
from complaints.demo.simulation.summary import as_text
from complaints.demo.simulation.truth import Told
from complaints.demo.simulation.world import Plan, World
from complaints.models import Case, CaseEvent, CheckRun, Complaint, Contract, Notice, Reading
from complaints.vocabulary import CaseState, Resolution, Verdict

pytestmark = pytest.mark.timeout(900)  # days of a world take a while on a busy machine
START = datetime(2026, 3, 2, tzinfo=UTC)
SITE = "https://desk.isp.example"
SURROUNDINGS = {
    "BASE_URL": SITE,
    "ALLOWED_HOSTS": ["desk.isp.example"],
    "CSRF_TRUSTED_ORIGINS": [SITE],
    "DESK_EMAIL": "abuse@isp.example",
    "AUTHSERV_ID": "mx.isp.example",
    "PROBE_DOMAIN": "probe.isp.example",
    "HELO": "relaycheck.isp.example",
    "DNS_RESOLVERS": (("192.0.2.53", 53),),
    "RELAY_PORT": 25,
}
PLAN = Plan(seed=3, days=5, customers=300, sources=100, start=START, site=SITE, desk="abuse@isp.example", strain=30.0)


@pytest.fixture
def world(transactional_db: None) -> Iterator[World]:
    with override_settings(**SURROUNDINGS):
        yield play(PLAN)


def test_five_days_of_a_small_world(world: World) -> None:
    """One long play, and everything that is asked of it: playing costs more than looking."""
    card = judge(world)
    numbers = card.numbers
    sent = world.truth.told

    assert len(sent) > 30
    assert numbers["complaints_lost"] == 0, card.worst["lost"]
    assert sum(numbers["attributions"][name] for name in ("right", "wrong", "withheld")) == len(sent)
    assert numbers["attributions"]["right"] > len(sent) / 2
    assert numbers["cases"]["closed_while_broken"] == 0
    assert all(Reading.objects.values_list("state", flat=True))

    # The product did it by itself: a relay proven by its own probe, customers told, and what they claim is checked.
    assert CheckRun.objects.filter(check_name="relay", verdict=Verdict.BAD, arrivals__isnull=False).exists()
    assert CheckRun.objects.filter(check_name="dnsbl", verdict=Verdict.BAD).exists()
    assert Notice.objects.filter(state=Notice.State.SENT).count() == numbers["notices"]["sent"] > 5
    assert Case.objects.filter(events__kind="customer_saw").exists()
    assert Case.objects.filter(events__kind="customer_answered", checks__occasion__startswith="verify").exists()
    assert {read.contract for read in world.truth.read} <= set(Contract.objects.values_list("reference", flat=True))

    # The judge sees what goes wrong.
    assert worse(world, card, lose_a_complaint)["complaints_lost"] == (0, 1)
    assert worse(world, card, accuse_the_wrong)["attributions.wrong"] == (
        numbers["attributions"]["wrong"],
        numbers["attributions"]["wrong"] + 1,
    )
    assert worse(world, card, close_what_is_broken)["cases.closed_while_broken"] == (0, 1)
    assert worse(world, card, write_to_a_stranger)["notices.wrong_customer"] == (
        numbers["notices"]["wrong_customer"],
        numbers["notices"]["wrong_customer"] + 1,
    )
    unknowable = numbers["causes"]["unknowable"]
    assert worse(world, card, tell_of_a_forged_line_in_words)["causes.unknowable"] == (unknowable, unknowable + 1)
    assert "complaints_lost" in as_text(numbers | {"worst": card.worst})
    json.dumps(card.numbers | {"worst": card.worst})


def worse(world: World, card: Card, damage: Any) -> dict[str, tuple[Any, Any]]:
    """What the card says differently after the damage, which is undone."""
    told, read = copy.copy(world.truth.told), copy.copy(world.truth.read)
    undo = damage(world)
    try:
        before, now = flat(card.numbers), flat(judge(world).numbers)
        return {name: (before[name], now[name]) for name in before if now.get(name) != before[name]}
    finally:
        world.truth.told, world.truth.read = told, read
        undo()


def flat(numbers: dict[str, Any]) -> dict[str, Any]:
    found = {}
    for name, value in numbers.items():
        found |= {f"{name}.{k}": v for k, v in value.items()} if isinstance(value, dict) else {name: value}
    return found


def lose_a_complaint(world: World) -> Any:
    """Its mail was read, and nothing was filed."""
    (row,) = Complaint.objects.filter(message=world.truth.told[0].message)
    Complaint.objects.filter(pk=row.pk).delete()
    return lambda: row.save(force_insert=True)


def accuse_the_wrong(world: World) -> Any:
    row = Complaint.objects.filter(answer="owner", contract__reference__in=truly_accused(world)).order_by("pk")[0]
    stranger = Contract.objects.exclude(pk=row.contract_id).order_by("pk")[0]
    return changed(Complaint, row.pk, contract=stranger.pk)


def truly_accused(world: World) -> set[str]:
    return {each.abuse.contract for each in world.truth.told if each.kind == "true" and each.abuse.contract}


def close_what_is_broken(world: World) -> Any:
    lasting = {each.number: each.customer.contract for each in world.troubles if each.ended is None}
    told = [each for each in world.truth.told if each.kind == "true" and each.abuse.trouble in lasting]
    there = {(each.message, each.abuse.contract) for each in told}
    rows = Complaint.objects.filter(case__in=Case.objects.active()).order_by("case", "pk")
    pairs = rows.values_list("message", "contract__reference", "case")
    case = Case.objects.get(pk=next(pk for message, contract, pk in pairs if (message, contract) in there))
    closed = {"state": CaseState.CLOSED, "closed_at": PLAN.end, "resolution": Resolution.FIXED_VERIFIED}
    return changed(Case, case.pk, **closed)


def write_to_a_stranger(world: World) -> Any:
    stranger = dataclasses.replace(world.truth.read[0], contract="C-000001")
    world.truth.read.append(stranger)
    return lambda: None


def tell_of_a_forged_line_in_words(world: World) -> Any:
    """Nobody can know that the line was forged from a sentence that names its address."""
    case = Case.objects.filter(complaints__answer="owner").order_by("pk")[0]
    about = set(case.complaints.values_list("message", flat=True))
    world.truth.told = [in_words(told) if told.message in about else told for told in world.truth.told]
    closed = {"state": CaseState.CLOSED, "closed_at": PLAN.end, "resolution": Resolution.STALE, "cause": "unknown"}
    return changed(Case, case.pk, **closed)


def in_words(told: Told) -> Told:
    abuse, source = dataclasses.replace(told.abuse, trouble=None), dataclasses.replace(told.source, style="words")
    return dataclasses.replace(told, kind="forged", abuse=abuse, source=source)


def changed(model: Any, pk: int, **columns: Any) -> Any:
    before = model.objects.filter(pk=pk).values(*columns).get()
    model.objects.filter(pk=pk).update(**columns)
    return lambda: model.objects.filter(pk=pk).update(**before)


def test_the_same_seed_gives_the_same_scorecard_whatever_the_process() -> None:
    begun = [simulate("--json", "--seed=2", hashes=hashes) for hashes in ("1", "2")]  # side by side
    cards = [card_of(process) for process in begun]
    assert cards[0] == cards[1]
    assert json.loads(cards[0])["complaints"] > 0


def simulate(*more: str, hashes: str) -> subprocess.Popen[str]:
    command = [sys.executable, "manage.py", "simulate", "--days=1", "--customers=800", "--sources=100", *more]
    env = {name: value for name, value in os.environ.items() if not name.startswith(("ABUSEDESK_", "DATABASE_URL"))}
    env["PYTHONHASHSEED"] = hashes
    pipe = subprocess.PIPE
    return subprocess.Popen(command, cwd=django_settings.BASE_DIR, env=env, stdout=pipe, stderr=pipe, text=True)


def card_of(process: subprocess.Popen[str]) -> str:
    out, err = process.communicate()
    assert process.returncode == 0, err
    return out


def test_books_that_follow_late_still_name_the_one_who_has_left() -> None:
    day = timedelta(days=1)
    left = Span("C-1", "198.18.0.20/32", "static", START, START + day, end_lag=2 * day)
    came = Span("C-2", "198.18.0.20/32", "static", START + day, begin_lag=2 * day)
    told_at = (START + 2 * day, START + 3 * day)
    named = [Feed.holder_as_told([left, came], START + 1.5 * day, None, now) for now in told_at]
    assert named == ["C-1", "C-2"]


def test_books_that_are_closed_tell_all_that_was_so_until_then_and_nothing_twice() -> None:
    day = timedelta(days=1)
    line = "198.18.0.20/32"
    left = Span("C-1", line, "static", START, START + day, end_lag=3 * day)
    came = Span("C-2", line, "static", START + day, START + 9 * day, begin_lag=3 * day)
    coming = Span("C-3", line, "static", START + 9 * day)
    known = Span("C-4", "198.18.0.21/32", "static", START, START + day)
    feed = Feed([left, came, coming, known])
    assert [row[0] for row in feed.rows_until(START + 2 * day)] == ["C-1", "C-4"]
    rows = {row[0]: row[4] for row in feed.rows_left(START + 2 * day)}
    assert rows == {"C-1": (START + day).isoformat(), "C-2": ""}


def test_a_slip_of_the_finger_changes_one_digit_of_an_address() -> None:
    dice = random.Random(1)
    slips = {slipped("198.18.0.107", dice) for _ in range(500)}
    assert all(
        len(slip) == 12 and sum(a != b for a, b in zip(slip, "198.18.0.107", strict=True)) == 1 for slip in slips
    )
    assert len(slips) > 10
    assert all(int(slip.rpartition(".")[2]) < 256 for slip in slips)


@pytest.mark.parametrize(
    ("actor", "minutes", "passed_on"), [("machine", 0, True), ("machine", 2, False), ("ada", 0, False)]
)
def test_a_stay_that_the_machine_ends_at_once_is_nobodys_work(actor: str, minutes: int, passed_on: bool) -> None:
    event, then = CaseEvent(at=START), CaseEvent(at=START + timedelta(minutes=minutes), actor=actor)
    assert is_passed_on(event, then) is passed_on
    assert not is_passed_on(event, None)


def test_numbers_that_make_no_world_are_refused() -> None:
    command = [sys.executable, "manage.py", "simulate", "--customers=7"]
    done = subprocess.run(command, cwd=django_settings.BASE_DIR, capture_output=True, text=True)
    assert done.returncode != 0
    assert "'7': a whole number from 200 to 25000 is wanted" in done.stderr


def test_the_tasks_of_beat_are_rung_for_when_their_time_has_come() -> None:
    night = START.replace(hour=3, minute=10)
    assert "complaints.tasks.sweep" in due_by_beat(START, START + timedelta(minutes=10))
    assert "complaints.tasks.learn_dictionary" in due_by_beat(night, night + timedelta(minutes=10))
    assert "complaints.tasks.learn_dictionary" not in due_by_beat(START, START + timedelta(minutes=10))
    assert due_by_beat(START, START) == []
