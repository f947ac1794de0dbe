"""Whose was this address then: look-ups among 15,000,000 intervals, beside in-memory tries and AbuseIO's query.

    python -m bench.attribution                # SQLite and PostgreSQL, all of it: half an hour, 4 GB of disk and memory
    python -m bench.attribution --scale 0.01   # a hundredth

1,000,000 prefixes with 5 holders each and 200,000 addresses with 50 leases each, one of them with 10,000, and one
that is shared by ports. The prefixes as they are now come in by the import verb, the rest in bulk. Asked is whose an
address was at some time of that history, alone and in batches of 500, of those that somebody held and of those that
nobody did. All contestants must give the same answers. Ratios are to the round trip of the same run (SELECT 1 by the
driver); those to the peers and to the query shape of AbuseIO say what the database costs and what the key saves.

Peers run in this process: dict and bisect always; py-radix and pytricia where a wheel can be had (--peers FOLDER keeps
it). They are asked for the prefix and then by bisect for the time, so that they answer the same question.
"""

from __future__ import annotations

import argparse
import dataclasses
import gc
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from bench.address_peers import Asked, abuseio, get_peers, peers_of
from bench.ingest import server_cpu
from bench.network_plan import BLOCKS, HOUR, LEASED, NETWORKS, NEVER, NOW, QUIET, SHARED, Plan
from complaints.addresses import address_key, address_text, prefix_key, prefix_text

GOALS_US = {"postgresql": {"single": 200, "batch": 40}, "sqlite": {"single": 60, "batch": 50}}
GOAL_ROUND_TRIPS = 4
GOAL_ABUSEIO = 100
GOAL_IMPORT_S = 60
BATCH, SINGLES, BATCHES, SLOW = 500, 2_000, 20, 100
SLACK = timedelta(minutes=5)
SHARED_BUFFERS = "2GB"


# --- the database


def build(plan: Plan) -> float:
    """Fill the database; seconds that the import verb took for the prefixes as they are now."""
    from complaints.models import Assignment, Contract, Customer, Network, PrefixLength
    from complaints.models.bulk import insert_rows

    customer = Customer.objects.create(reference="K-1", name="Bench")
    contracts = (Contract(reference=f"C-{n}", customer=customer) for n in range(plan.contracts))
    made = Contract.objects.bulk_create(contracts, batch_size=5_000)
    assert [contract.pk for contract in made] == list(range(1, plan.contracts + 1)), "as_row relies on it"
    Network.objects.bulk_create(Network(key=prefix_key(network)) for network in NETWORKS)
    for family, lengths in plan.lengths.items():
        for length in lengths:
            PrefixLength.objects.create(family=family, length=length)
    took = import_prefixes(plan)
    fields = ("contract_id", "key", "kind", "valid_from", "valid_until", "port_first", "port_last")
    for start in range(0, len(plan.keys), 20_000):
        some = plan.rows(start, min(start + 20_000, len(plan.keys)))
        insert_rows(Assignment, fields, (as_row(row) for row in some if row[4] != NEVER or row[2] != "static"))
    insert_rows(Assignment, fields, (as_row(row) for row in plan.shared))
    return took


def import_prefixes(plan: Plan) -> float:
    """By the verb of `manage.py import_assignments`."""
    from complaints.attribution.importing import import_assignments

    def lines() -> Iterator[str]:
        yield "contract,prefix,kind,valid_from,valid_until,port_first,port_last\n"
        for n in range(plan.statics):
            i = plan.first[n + 1] - 1
            yield f"C-{plan.contract[i]},{prefix_text(plan.keys[n])},static,{moment(plan.since[i]).isoformat()},,,\n"

    began = time.perf_counter()
    summary = import_assignments(lines(), name="plan.csv")
    assert summary.created == plan.statics, summary
    return time.perf_counter() - began


def as_row(row: tuple[Any, ...]) -> tuple[Any, ...]:
    contract, key, kind, since, until, first, last = row
    return contract + 1, key, kind, moment(since), None if until == NEVER else moment(until), first, last


def moment(at: int) -> datetime:
    return datetime.fromtimestamp(at, UTC)


def settle() -> None:
    """What autovacuum or a day of running would have done."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE" if connection.vendor == "postgresql" else "ANALYZE")


# --- contestants: questions in, contract numbers (or None) out


def ours(asked: Asked, size: int, slack: timedelta = timedelta(0)) -> list[Any]:
    """The verb itself; UNSURE is told apart from nobody by its candidates."""
    from complaints.attribution import Question, attribute

    found: list[Any] = []
    for start in range(0, len(asked), size):
        questions = [Question(address, None, moment(at), slack=slack) for address, at in asked[start : start + size]]
        found += attribute(questions)
    return [h.contract_id - 1 if h.contract_id else tuple(pk - 1 for pk in h.candidate_ids) or None for h in found]


# --- measuring


@dataclasses.dataclass(frozen=True)
class Figure:
    """Microseconds each: wall time, median and best of the rounds; CPU of us and the server, median."""

    wall: float
    best: float
    cpu: float


Figures = dict[str, Figure]
Taken = list[tuple[float, float]]  # wall and CPU of each round


def in_turns(contestants: dict[str, tuple[Callable[[], Any], int]], rounds: int) -> Figures:
    """Each contestant warms up once. On a busy machine the CPU tells more than the clock."""
    backend = server_pid()
    taken: dict[str, Taken] = {name: [] for name in contestants}
    for number in range(rounds + 1):
        for name, (run, count) in contestants.items():
            cpu, began = time.process_time() + server_cpu(backend), time.perf_counter()
            run()
            wall = time.perf_counter() - began
            cpu = time.process_time() + server_cpu(backend) - cpu
            if number:
                taken[name].append((wall / count * 1e6, cpu / count * 1e6))
    return {name: as_figure(rounds_of_it) for name, rounds_of_it in taken.items()}


def as_figure(taken: Taken) -> Figure:
    walls, cpus = zip(*taken, strict=True)
    return Figure(statistics.median(walls), min(walls), statistics.median(cpus))


def server_pid() -> int | None:
    from django.db import connection

    connection.ensure_connection()
    return connection.connection.info.backend_pid if connection.vendor == "postgresql" else None


def round_trips(count: int) -> None:
    from django.db import connection

    cursor = connection.connection.cursor()
    for _ in range(count):
        cursor.execute("SELECT 1")
        cursor.fetchone()


def busy(text: str, count: int, *, port: int | None = None) -> None:
    from complaints.attribution import Question, attribute

    address = address_key(text)
    for n in range(count):
        [holding] = attribute([Question(address, port, moment(NOW - 100 * HOUR - n * HOUR // 50 - 900), slack=SLACK)])
        assert holding.contract_id or holding.candidates, holding


def agree(plan: Plan, contestants: dict[str, Callable[[Asked], list[Any]]], asked: Asked) -> None:
    expected = [plan.holder(address, at) for address, at in asked]
    for name, run in contestants.items():
        for (address, at), said, wanted in zip(asked, run(asked), expected, strict=True):
            assert said == wanted, f"{name}: {address_text(address)} at {moment(at)}: {said}, not {wanted}"
    for (address, at), said, wanted in zip(asked, ours(asked, BATCH, SLACK), expected, strict=True):
        honest = said == wanted or (isinstance(said, tuple) and (wanted is None or wanted in said))
        assert honest, f"with slack: {address_text(address)} at {moment(at)}: {said}, not {wanted}"


def agree_on_ports(plan: Plan, count: int) -> None:
    """The address that is shared by ports, which the peers do not know."""
    from complaints.attribution import Question, attribute

    rows, address = plan.shared, address_key(SHARED)
    asked = [(plan.dice.randrange(NOW - 200 * HOUR, NOW), plan.dice.randrange(1024, 65536)) for _ in range(count)]
    holdings = attribute([Question(address, port, moment(at)) for at, port in asked])
    for (at, port), holding in zip(asked, holdings, strict=True):
        [row] = [row for row in rows if row[3] <= at < row[4] and row[5] <= port <= row[6]]
        assert holding.contract_id == row[0] + 1, (at, port, holding)


def measure(vendor: str, options: argparse.Namespace) -> None:
    import django

    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    began = time.perf_counter()
    plan = Plan(options.scale)
    import_s = build(plan)
    settle()
    print(
        f"\n{vendor}: {plan.statics:,} prefixes and {len(plan.since) + len(plan.shared):,} intervals,"
        f" made in {time.perf_counter() - began:.0f} s, {size_of_table():.1f} GB"
    )
    print(f"import of {plan.statics:,} prefixes: {import_s:.1f} s, {plan.statics / import_s:,.0f} a second")
    hits, misses = plan.hits(BATCH * BATCHES), plan.misses(BATCH * BATCHES * 2)[: BATCH * BATCHES]
    peers = peers_of(plan)
    all_of_them = {"ours": lambda asked: ours(asked, BATCH), "ours alone": lambda asked: ours(asked, 1), **peers}
    agree(plan, all_of_them, hits[:3_000] + misses[:3_000])
    agree_on_ports(plan, 500)
    print(f"agree on {6_000:,} answers: {', '.join(all_of_them)}")
    gc.freeze()  # the peers' million objects are no part of anybody's look-up
    figures = in_turns(
        {
            "round trip": (lambda: round_trips(SINGLES), SINGLES),
            "single, held": (lambda: ours(hits[:SINGLES], 1, SLACK), SINGLES),
            "single, nobody's": (lambda: ours(misses[:SINGLES], 1, SLACK), SINGLES),
            "one line, no history": (lambda: busy(QUIET, 1_000), 1_000),
            f"one line, {10_000:,} leases": (lambda: busy(LEASED, 1_000), 1_000),
            f"shared, {200 * BLOCKS:,} port blocks": (lambda: busy(SHARED, 1_000, port=30_000), 1_000),
            "batch of 500, held": (lambda: ours(hits, BATCH, SLACK), len(hits)),
            "batch of 500, nobody's": (lambda: ours(misses, BATCH, SLACK), len(misses)),
            **{f"in memory: {name}": (lambda run=run: run(hits), len(hits)) for name, run in peers.items()},
        },
        options.rounds,
    )
    figures |= against_abuseio(plan, options.rounds)
    show(vendor, figures, import_s * 1_000_000 / plan.statics)


def against_abuseio(plan: Plan, rounds: int) -> Figures:
    """Nine of ten are somebody's; all are asked for as they are now, which is all that AbuseIO knows."""
    run = abuseio(plan)
    asked = []
    while len(asked) < SLOW:
        address = plan.address_in(plan.keys[plan.dice.randrange(plan.statics)])
        asked.append((address if len(asked) % 10 else plan.misses(8)[0][0], NOW))
    expected = [plan.holder(address, at) for address, at in asked]
    assert run(asked) == expected == ours(asked, 1), "AbuseIO's shape and ours disagree"
    return in_turns(
        {
            "now, ours single": (lambda: ours(asked * 10, 1, SLACK), SLOW * 10),
            "now, AbuseIO's query": (lambda: run(asked), SLOW),
        },
        min(rounds, 3),
    )


def size_of_table() -> float:
    from django.db import connection

    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SELECT pg_total_relation_size('complaints_assignment')")
        else:
            cursor.execute("SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()")
        return cursor.fetchone()[0] / 1e9


def show(vendor: str, figures: Figures, import_s: float) -> None:
    trip = figures["round trip"].wall
    print(f"{'':34}{'µs each':>10}{'best':>10}{'CPU':>10}{'a second':>12}{'× round trip':>14}")
    for name, it in figures.items():
        print(f"{name:34}{it.wall:10.1f}{it.best:10.1f}{it.cpu:10.1f}{1e6 / it.wall:12,.0f}{it.wall / trip:14.1f}")
    for text, measured, limit, unit in goals(vendor, figures, import_s):
        reached = "reached" if measured <= limit else "MISSED"
        print(f"goal {text} ≤ {limit:g} {unit}: {reached} ({measured:.2f} {unit})")
    ratio = figures["now, AbuseIO's query"].wall / figures["now, ours single"].wall
    reached = "reached" if ratio >= GOAL_ABUSEIO else "MISSED"
    print(f"goal ≥ {GOAL_ABUSEIO} × AbuseIO's query: {reached} ({ratio:.0f} ×)")


def goals(vendor: str, figures: Figures, import_s: float) -> Iterator[tuple[str, float, float, str]]:
    """What it is, what was measured, the most it may be, and the unit."""
    us = {name: figure.wall for name, figure in figures.items()}
    single, batch = us["single, held"], us["batch of 500, held"]
    yield "single", single, GOALS_US[vendor]["single"], "µs"
    if vendor == "postgresql":
        yield "single", single / us["round trip"], GOAL_ROUND_TRIPS, "round trips"
    yield "batch of 500", batch, GOALS_US[vendor]["batch"], "µs"
    yield "nobody's against held, single", us["single, nobody's"] / single, 1, "×"
    yield "nobody's against held, batch", us["batch of 500, nobody's"] / batch, 1, "×"
    yield "10,000 leases against one line", us["one line, 10,000 leases"] / us["one line, no history"], 2, "×"
    yield "import of 1,000,000 prefixes", import_s, GOAL_IMPORT_S, "s"


def child(vendor: str, url: str, options: argparse.Namespace) -> None:
    words = [sys.executable, "-m", "bench.attribution", "--one", vendor, "--scale", str(options.scale)]
    words += ["--rounds", str(options.rounds)]
    with tempfile.TemporaryDirectory(dir=options.scratch) as scratch:
        environment = {
            "DATABASE_URL": url or f"sqlite:///{scratch}/bench.sqlite3",
            "ABUSEDESK_DATA_DIR": scratch,
            "ABUSEDESK_SECRET_KEY": "bench",
            "DJANGO_SETTINGS_MODULE": "abusedesk.settings",
            "PYTHONPATH": options.peers,
        }
        subprocess.run(words, env={**os.environ, **environment}, check=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--vendor", choices=["sqlite", "postgresql"], help="only this database")
    parser.add_argument("--peers", help="folder that keeps the peers' packages")
    parser.add_argument("--scratch", help="folder for the SQLite file")
    parser.add_argument("--one", choices=["sqlite", "postgresql"], help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        measure(options.one, options)
        return
    from tests.services.postgres import postgres_server

    with tempfile.TemporaryDirectory() as folder:
        options.peers = options.peers or folder
        get_peers(Path(options.peers))
        if options.vendor != "postgresql":
            child("sqlite", "", options)
        if options.vendor != "sqlite":
            with postgres_server(shared_buffers=SHARED_BUFFERS) as url:
                child("postgresql", url, options)


if __name__ == "__main__":
    main()
