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
import os
import statistics
import subprocess
import sys
import tempfile
import time
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from bench.network_plan import BLOCKS, HOUR, LEASED, NETWORKS, NEVER, NOW, QUIET, SHARED, Plan
from complaints.addresses import address_key, address_text, enclosing_keys, prefix_key, prefix_text

GOALS_US = {"postgresql": {"single": 200, "batch": 40}, "sqlite": {"single": 60, "batch": 50}}
GOAL_ROUND_TRIPS = 4
GOAL_ABUSEIO = 100
GOAL_IMPORT_S = 60
BATCH, SINGLES, BATCHES, SLOW = 500, 2_000, 20, 100
PEERS = ("py-radix==1.1.0", "pytricia==1.3.0")
SLACK = timedelta(minutes=5)
SHARED_BUFFERS = "2GB"
Asked = Sequence[tuple[bytes, int]]


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


def dict_of_prefixes(plan: Plan) -> Callable[[Asked], list[int | None]]:
    numbers = plan.numbers

    def run(asked: Asked) -> list[int | None]:
        found = []
        for address, at in asked:
            lengths = plan.lengths[4 if address.startswith(bytes(10) + b"\xff\xff") else 6]
            around = (numbers[key] for key in enclosing_keys(address, lengths) if key in numbers)
            found.append(next((holder for n in around if (holder := held(plan, n, at)) is not None), None))
        return found

    return run


def held(plan: Plan, n: int, at: int) -> int | None:
    i = bisect_right(plan.since, at, plan.first[n], plan.first[n + 1]) - 1
    if i < plan.first[n] or not (plan.until[i] == NEVER or at < plan.until[i]):
        return None
    return plan.contract[i]


def radix_tree(plan: Plan) -> Callable[[Asked], list[int | None]]:
    import radix

    tree = radix.Radix()
    for n, key in enumerate(plan.keys):
        tree.add(packed=key[1:], masklen=key[0]).data["n"] = n

    def run(asked: Asked) -> list[int | None]:
        found = []
        for address, at in asked:
            node = tree.search_best(packed=address[12:] if address.startswith(bytes(10) + b"\xff\xff") else address)
            while node is not None and (holder := held(plan, node.data["n"], at)) is None:
                node = node.parent
            found.append(holder if node is not None else None)
        return found

    return run


def patricia_trie(plan: Plan) -> Callable[[Asked], list[int | None]]:
    import pytricia

    tries = {5: pytricia.PyTricia(32), 17: pytricia.PyTricia(128)}
    for n, key in enumerate(plan.keys):
        tries[len(key)].insert(key[1:], key[0], n)

    def run(asked: Asked) -> list[int | None]:
        found = []
        for address, at in asked:
            is_4 = address.startswith(bytes(10) + b"\xff\xff")
            trie, packed = tries[5 if is_4 else 17], address[12:] if is_4 else address
            prefix = trie.get_key(packed)
            while prefix is not None and (holder := held(plan, trie[prefix], at)) is None:
                prefix = trie.parent(prefix)
            found.append(holder if prefix is not None else None)
        return found

    return run


def abuseio(plan: Plan) -> Callable[[Asked], list[int | None]]:
    """Its table of netblocks as they are now: no history, so the time is not asked."""
    from django.db import connection

    kind = "bytea" if connection.vendor == "postgresql" else "blob"
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE TABLE peer_netblock (first {kind}, last {kind}, contract integer)")
        rows = [netblock(plan, n) for n in range(plan.statics)]
        for start in range(0, len(rows), 1_000):
            marks = ", ".join(["(%s, %s, %s)"] * len(rows[start : start + 1_000]))
            cursor.execute(f"INSERT INTO peer_netblock VALUES {marks}", sum(rows[start : start + 1_000], ()))
        cursor.execute("CREATE INDEX peer_netblock_range ON peer_netblock (first, last)")
        cursor.execute("ANALYZE peer_netblock")
    driver = connection.connection.cursor()
    mark = "%s" if connection.vendor == "postgresql" else "?"
    sql = (
        f"SELECT contract FROM peer_netblock WHERE first <= {mark} AND last >= {mark} ORDER BY first DESC, last LIMIT 1"
    )

    def run(asked: Asked) -> list[int | None]:
        found = []
        for address, _ in asked:
            driver.execute(sql, (address, address))
            row = driver.fetchone()
            found.append(row[0] if row else None)
        return found

    return run


def netblock(plan: Plan, n: int) -> tuple[bytes, bytes, int]:
    key = plan.keys[n]
    first = address_key(prefix_text(key).partition("/")[0])
    free = 8 * (len(key) - 1) - key[0]
    last = (int.from_bytes(first, "big") | ((1 << free) - 1)).to_bytes(16, "big")
    return first, last, plan.contract[plan.first[n + 1] - 1]


# --- measuring


def cost(run: Callable[[], Any], count: int) -> float:
    """Microseconds of wall time each."""
    began = time.perf_counter()
    run()
    return (time.perf_counter() - began) / count * 1e6


Figures = dict[str, tuple[float, float]]  # median and best of the rounds


def in_turns(contestants: dict[str, tuple[Callable[[], Any], int]], rounds: int) -> Figures:
    """Each contestant warms up once. The best of the rounds tells what a busy machine hides."""
    taken: dict[str, list[float]] = {name: [] for name in contestants}
    for number in range(rounds + 1):
        for name, (run, count) in contestants.items():
            took = cost(run, count)
            if number:
                taken[name].append(took)
    return {name: (statistics.median(values), min(values)) for name, values in taken.items()}


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


def measure(vendor: str, options: argparse.Namespace) -> None:
    import django

    django.setup()
    from django.core.management import call_command
    from django.db import connection

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
    peers = peers_of(plan, options.peers)
    all_of_them = {"ours": lambda asked: ours(asked, BATCH), "ours alone": lambda asked: ours(asked, 1), **peers}
    agree(plan, all_of_them, hits[:3_000] + misses[:3_000])
    print(f"agree on {6_000:,} answers: {', '.join(all_of_them)}")
    connection.ensure_connection()
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
    """Nine tenths are held now, as in the other figures' literature; each is asked for as it is now."""
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


def peers_of(plan: Plan, folder: str | None) -> dict[str, Callable[[Asked], list[int | None]]]:
    found = {"dict and bisect": dict_of_prefixes(plan)}
    for name, make in (("py-radix", radix_tree), ("pytricia", patricia_trie)):
        try:
            found[name] = make(plan)
        except ImportError:
            print(f"{name}: not to be had here, left out")
    return found


def size_of_table() -> float:
    from django.db import connection

    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SELECT pg_total_relation_size('complaints_assignment')")
        else:
            cursor.execute("SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()")
        return cursor.fetchone()[0] / 1e9


def show(vendor: str, figures: Figures, import_s: float) -> None:
    trip = figures["round trip"][0]
    print(f"{'':34}{'µs each':>11}{'best':>11}{'a second':>12}{'× round trip':>14}")
    for name, (us, best) in figures.items():
        print(f"{name:34}{us:11.1f}{best:11.1f}{1e6 / us:12,.0f}{us / trip:14.1f}")
    for text, measured, limit, unit in goals(vendor, figures, import_s):
        reached = "reached" if measured <= limit else "MISSED"
        print(f"goal {text} ≤ {limit:g} {unit}: {reached} ({measured:.2f} {unit})")
    ratio = figures["now, AbuseIO's query"][0] / figures["now, ours single"][0]
    reached = "reached" if ratio >= GOAL_ABUSEIO else "MISSED"
    print(f"goal ≥ {GOAL_ABUSEIO} × AbuseIO's query: {reached} ({ratio:.0f} ×)")


def goals(vendor: str, figures: Figures, import_s: float) -> Iterator[tuple[str, float, float, str]]:
    """What it is, what was measured, the most it may be, and the unit."""
    us = {name: median for name, (median, _) in figures.items()}
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


def get_peers(folder: Path) -> None:
    for peer in PEERS:
        words = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--only-binary", ":all:"]
        subprocess.run([*words, "--target", str(folder), peer], check=False, stderr=subprocess.DEVNULL)


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
