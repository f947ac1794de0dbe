"""The queue and its search on a full desk: 1,000,000 cases and 10,000,000 complaints on PostgreSQL.

    python -m bench.desk                 # a quarter of an hour, 12 GB of disk
    python -m bench.desk --scale 0.1     # a tenth

Every page is asked for as a browser does, through all of Django, logged in, at the top and deep down. Goals: 5 ms of
SQL and 60 ms p95 for the whole response, 12 statements a page; looking up an exact address, contract or rare word 2 ms
of SQL, words that very many cases have 250 ms. What counts is the CPU of this process and of the server, with the
clock beside it. In the same run: what a list with COUNT(*), OFFSET and LIKE costs.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median, quantiles
from typing import Any

GOAL_SQL_MS, GOAL_PAGE_MS, GOAL_QUERIES = 5.0, 60.0, 12
GOAL_EXACT_MS, GOAL_COMMON_MS = 2.0, 250.0
ROUNDS = 40
OPTIONS = {"shared_buffers": "2GB", "work_mem": "16MB", "maintenance_work_mem": "1GB", "max_wal_size": "8GB",
           "autovacuum": "off", "max_parallel_workers_per_gather": "0"}  # fmt: skip
TABLES = ("customer", "contract", "reporter", "message", "case", "complaint", "caseevent", "checkrun", "casetext",
          "caseaddress", "queuecount")  # fmt: skip

# Contract c holds 10.x.y.z; every fifth case is its own; every tenth case is open.
ADDRESS = "'\\x00000000000000000000ffff0a'::bytea || substring(int4send({contract}), 2)"
STATES = """(ARRAY['triage','triage','triage','answered','escalated','investigating','verifying','verifying','notified',
    'notified','notified','notified','notified','notified','notified','notified','notified','notified','notified',
    'notified'])[(i / 10) % 20 + 1]"""
LOAD = [
    "INSERT INTO complaints_customer (id, reference, name, protected) SELECT c, 'K-' || c, 'Customer ' || c ||"
    " (ARRAY[' Logistics',' Garden',' Travel',' Clinic'])[c % 4 + 1], false FROM generate_series(1, {contracts}) AS c",
    "INSERT INTO complaints_contract (id, reference, customer_id, product, brand, reachable)"
    " SELECT c, 'C-' || c, c, 'business', '', true FROM generate_series(1, {contracts}) AS c",
    "INSERT INTO complaints_reporter ({reporter_columns}) SELECT {reporter_values} FROM generate_series(1, 500) AS r",
    "INSERT INTO complaints_message (id, sha256, packed, size, channel, peer, envelope_from, envelope_to, received_at)"
    " SELECT m, decode(md5(m::text), 'hex'), ''::bytea, 1, 'lmtp', '', '', '', now()"
    " FROM generate_series(1, {messages}) AS m",
    "INSERT INTO complaints_case ({case_columns}) SELECT {case_values} FROM generate_series(1, {cases}) AS i",
    "INSERT INTO complaints_complaint ({complaint_columns}) SELECT {complaint_values}"
    " FROM generate_series(1, {complaints}) AS n, LATERAL (SELECT n % {cases} + 1 AS i) AS one",
    "INSERT INTO complaints_caseevent (case_id, at, kind, actor, data) SELECT i, now() - (i % 300) * interval '1 hour'"
    " - k * interval '1 minute', (ARRAY['moved','check_done','opened'])[k], 'machine',"
    " jsonb_build_object('from', 'investigating', 'to', 'triage', 'reason', 'Nothing was proven')"
    " FROM generate_series(1, {cases}) AS i, generate_series(1, 3) AS k",
    "INSERT INTO complaints_checkrun ({checkrun_columns}) SELECT {checkrun_values}"
    " FROM generate_series(10, {cases}, 10) AS i, generate_series(1, 4) AS k",
    "INSERT INTO complaints_caseaddress (case_id, address)"
    " SELECT i, {case_address} FROM generate_series(1, {cases}) AS i",
    # A word of a third of the cases, of a thirtieth, of a thousand, and of one.
    "INSERT INTO complaints_casetext (case_id, upto, words)"
    " SELECT i, 0, concat_ws(' ', 'c:customer', 'c:' || (i - 1) / 5 + 1, 'customer',"
    " 'c-' || (i - 1) / 5 + 1, 'k-' || (i - 1) / 5 + 1, 'w' || i, 'r:fbl' || i % 500 || '@feed.example',"
    " 'mail.h' || i % 5000 || '.example', 'batch' || i % 1000, CASE WHEN i % 3 = 0 THEN 'cheap' END,"
    " CASE WHEN i % 30 = 0 THEN 'watches' END, CASE WHEN i % 7 = 0 THEN 'invoice' END)"
    " FROM generate_series(1, {cases}) AS i",
]
GIVEN: dict[str, dict[str, str]] = {
    "case": {
        "id": "i", "contract_id": "(i - 1) / 5 + 1", "category": "'spam'", "address": "{case_address}",
        "state": f"CASE WHEN i % 10 = 0 THEN {STATES} ELSE 'closed' END", "state_since": "now()",
        "customer_status": "'none'", "resolution": "CASE WHEN i % 10 = 0 THEN '' ELSE 'fixed_verified' END",
        "owner": "jsonb_build_object('customer_name', 'Customer ' || i / 5, 'contract', 'C-' || i / 5)",
        "cause": "(ARRAY['open_relay','bot','unknown','bulk_mail','stolen_mailbox'])[i / 10 % 5 + 1]",
        "cause_confidence": "(i / 10 % 10) / 10.0", "priority": "(i::bigint * 7919 / 10) % 101",
        "priority_reasons": "'[[\"41 reporters\", 20], [\"category spam\", 20]]'::jsonb",
        "opened_at": "now() - (i % 365) * interval '1 day'", "first_seen_at": "now()", "last_seen_at": "now()",
        "complaint_count": "10", "reporter_count": "3", "stay": "1",
        "closed_at": "CASE WHEN i % 10 = 0 THEN NULL ELSE now() END",
        "deadline_at": "CASE WHEN i % 10 = 0 THEN now() + (i / 10 % 1000 - 30) * interval '15 minutes' END",
        "assignee_id": "CASE WHEN i % 200 = 0 THEN 1 END",
    },
    "complaint": {
        "message_id": "n % {messages} + 1", "address": ADDRESS.format(contract="((i - 1) / 5 + 1)::int"),
        "seen_at": "now() - n * interval '3 seconds'", "received_at": "now()", "category": "'spam'", "format": "'arf'",
        "subject": "'Cheap watches, batch ' || i % 1000", "original_message_id": "'m' || n || '@x.example'",
        "answer": "'owner'", "contract_id": "(i - 1) / 5 + 1", "case_id": "i", "confidence": "0.95",
        "method": "'static'", "reporter_id": "n % 500 + 1", "seen_exactly": "true",
    },
    "reporter": {"address": "'fbl' || r || '@feed.example'", "first_seen_at": "now()"},
    "checkrun": {
        "case_id": "i", "check_name": "(ARRAY['relay','dnsbl'])[k % 2 + 1]", "address": "{case_address}",
        "occasion": "'o' || k", "state": "'done'", "verdict": "(ARRAY['bad','clean'])[k % 2 + 1]", "queued_at": "now()",
        "finished_at": "now()", "nonce": "'b' || i || '-' || k", "port": "25",
    },
}  # fmt: skip
# What a column gets that nothing is said of, by its type.
EMPTY = {"jsonb": "jsonb_build_object()", "bytea": "''::bytea", "boolean": "false", "timestamp with time zone": "now()"}


def columns_of(cursor: Any, table: str) -> dict[str, str]:
    """Every column that must have a value, with one."""
    cursor.execute(
        "SELECT column_name, data_type FROM information_schema.columns WHERE table_name = %s AND is_nullable = 'NO'"
        " AND column_default IS NULL AND is_identity = 'NO'",
        [f"complaints_{table}"],
    )
    found = {
        name: EMPTY.get(kind, "''" if "char" in kind or kind == "text" else "0") for name, kind in cursor.fetchall()
    }
    return found | GIVEN[table]


def load(cases: int) -> None:
    from django.db import connection

    from complaints.cases.counting import prove_counts

    sizes = {"cases": cases, "complaints": cases * 10, "contracts": cases // 5 + 1, "messages": cases // 10 + 1}
    sizes["case_address"] = ADDRESS.format(contract="((i - 1) / 5 + 1)::int")
    with connection.cursor() as cursor:
        for table in GIVEN:
            found = columns_of(cursor, table)
            sizes[f"{table}_columns"] = ", ".join(found)
            sizes[f"{table}_values"] = ", ".join(found.values()).format(**sizes)
        cursor.execute("SET session_replication_role = replica")  # neither triggers nor foreign keys while it is filled
        cursor.execute(
            "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = ANY(%s) AND indexname NOT LIKE '%%pkey'"
            " AND indexname NOT IN (SELECT conname FROM pg_constraint)",
            [[f"complaints_{table}" for table in TABLES]],
        )
        indexes = cursor.fetchall()
        for name, _ in indexes:
            cursor.execute(f'DROP INDEX "{name}"')
        for statement in LOAD:
            timed(statement[:48], lambda s=statement: cursor.execute(s.format(**sizes)))
        for name, definition in indexes:
            timed(f"index {name}", lambda d=definition: cursor.execute(d))
        cursor.execute("SET session_replication_role = origin")
        for table in TABLES:
            if table not in ("casetext", "queuecount"):
                last = f"(SELECT max(id) FROM complaints_{table})"
                cursor.execute(f"SELECT setval(pg_get_serial_sequence('complaints_{table}', 'id'), {last})")
        timed("VACUUM ANALYZE", lambda: cursor.execute("VACUUM ANALYZE"))
    timed("counts proved from nothing", prove_counts)
    timed("counts proved again", prove_counts)


def timed(what: str, run: Callable[[], object]) -> None:
    began = time.perf_counter()
    run()
    print(f"  {what:<50} {time.perf_counter() - began:8.1f} s", flush=True)


# --- pages


class Meter:
    """Milliseconds and number of the statements of a page."""

    def __init__(self) -> None:
        self.ms, self.count = 0.0, 0
        self.slowest: tuple[float, str] = (0.0, "")

    def __call__(self, execute: Any, sql: Any, params: Any, many: Any, context: Any) -> Any:
        began = time.perf_counter()
        try:
            return execute(sql, params, many, context)
        finally:
            took = (time.perf_counter() - began) * 1e3
            self.ms += took
            self.count += 1
            self.slowest = max(self.slowest, (took, str(sql)[:300]))


def on_cpu(pid: int) -> float:
    """Milliseconds that a process has run so far. On a busy machine they tell more than the clock."""
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e6


def pages(cases: int) -> dict[str, tuple[Callable[[int], str], float]]:
    """Name → the address of the n-th request, and the goal for its SQL."""
    case = lambda n: (n * 7_919 * 10) % cases + 1  # noqa: E731
    deep = lambda n: f"&after={100 - n * 2 % 100}.{case(n)}"  # noqa: E731
    plain = {
        name: (lambda n, q=query: f"/?tab={q}" + (deep(n) if n % 2 else ""))
        for name, query in {
            "needs you": "you", "mine": "mine", "unassigned": "unassigned", "triage": "triage", "overdue": "late",
            "with customers": "customers", "all open": "open", "closed": "closed",
        }.items()
    }  # fmt: skip
    filters = {
        query: (lambda n, q=query: f"/?q={q}" + (deep(n) if n % 2 else ""))
        for query in (
            "state:triage cause:relay", "state:triage,answered older:2d", "cause:mailbox is:unassigned is:late",
            "-cause:bot priority:40-69", "state:notified cause:bot older:300d priority:90", "is:proven is:mine",
        )
    }  # fmt: skip
    exact = {
        "address": lambda n: f"/?q=10.{(c := case(n) // 5) >> 16 & 255}.{c >> 8 & 255}.{c & 255}",
        "contract": lambda n: f"/?q=contract:C-{case(n) // 5}",
        "case number": lambda n: f"/?q=case:{case(n)}",
        "message-id": lambda n: f"/?q=m{case(n) * 10}@x.example",
        "rare word": lambda n: f"/?q=w{case(n)}",
        "customer and state": lambda n: f"/?q=customer:{case(n) // 5} state:closed",
    }
    return (
        {name: (url, GOAL_SQL_MS) for name, url in (plain | filters).items()}
        | {name: (url, GOAL_EXACT_MS) for name, url in exact.items()}
        | {
            "word of a thousandth": (lambda n: f"/?q=batch{n % 1000}", GOAL_COMMON_MS),
            "network /24": (lambda n: f"/?q=10.{n % 3}.{n % 250}.0/24", GOAL_COMMON_MS),
            "word of a thirtieth": (lambda n: "/?q=watches", GOAL_COMMON_MS),
            "word of a third": (lambda n: "/?q=cheap" + (deep(n) if n % 2 else ""), GOAL_COMMON_MS),
            "two common words": (lambda n: "/?q=cheap invoice", GOAL_COMMON_MS),
            "common word and state": (lambda n: "/?q=cheap state:triage", GOAL_COMMON_MS),
            "reporter of 2,000 cases": (lambda n: f"/?q=reporter:fbl{n % 500}@feed.example", GOAL_COMMON_MS),
        }
    )


def looked_up(url: str, user: Any) -> None:
    """The search alone: its words, addresses and cases. Nothing for a page that is none."""
    if not url.startswith("/?"):
        return
    from django.utils import timezone

    from complaints.cases.queue import page_of
    from complaints.desk.narrowings import Asking
    from complaints.desk.query import parse
    from complaints.desk.search import search
    from complaints.desk.tabs import TAB
    from complaints.models import Case

    given = dict(part.split("=", 1) for part in url.partition("?")[2].split("&"))
    query = parse(given["q"]) if "q" in given else TAB[given["tab"]].query
    found = search(query, Asking(user, timezone.now(), Case.objects.all()))
    page_of(found.branches, after=given.get("after", ""), newest_first=given.get("tab") == "closed")


def measure(cases: int, rounds: int) -> bool:
    from django.db import connection
    from django.test import Client

    from bench.case_page import fill
    from tests.factories import make_user

    user, client, good = make_user("root", is_superuser=True), Client(), True
    long = fill("C-long")
    case_pages = {
        "a case": (lambda n: f"/case/{(n * 7_919 * 10) % cases + 1}", GOAL_SQL_MS),
        "a case of 200 complaints, long": (lambda n: f"/case/{long}", GOAL_SQL_MS),
    }
    client.force_login(user)
    connection.ensure_connection()
    server = connection.connection.info.backend_pid
    print(
        "\nCPU ms to find the rows; CPU ms of all SQL, median and p95, and by the clock; CPU ms of the page, median and"
    )
    print("p95, and by the clock; statements")
    for name, (url, goal) in (case_pages | pages(cases)).items():
        taken: list[tuple[float, ...]] = []
        most, slowest = 0, (0.0, "")
        for n in range(rounds + 3):
            began = on_cpu(server)
            looked_up(url(n), user)
            found = on_cpu(server) - began
            meter = Meter()
            theirs, ours, start = on_cpu(server), time.process_time(), time.perf_counter()
            with connection.execute_wrapper(meter):
                response = client.get(url(n), follow=False)
            wall = (time.perf_counter() - start) * 1e3
            theirs = on_cpu(server) - theirs
            assert response.status_code in (200, 302), (url(n), response.status_code)
            if n >= 3:
                taken.append((found, theirs, meter.ms, (time.process_time() - ours) * 1e3 + theirs, wall))
                most, slowest = max(most, meter.count), max(slowest, meter.slowest)
        look, sql, sql_wall, page, page_wall = ([each[i] for each in taken] for i in range(5))
        common = goal == GOAL_COMMON_MS
        fine = median(look) <= goal and p95(page) <= GOAL_PAGE_MS + (goal if common else 0) and most <= GOAL_QUERIES
        fine = fine and (common or median(sql) <= GOAL_SQL_MS)
        good = good and fine
        missed = "" if fine else f"  MISSED (goal {goal:.0f} ms); slowest: {slowest[0]:.1f} ms {slowest[1][:200]}"
        print(
            f"{name:<46} {median(look):7.2f} {median(sql):7.2f} {p95(sql):7.2f} {median(sql_wall):7.1f}"
            f" {median(page):8.1f} {p95(page):7.1f} {median(page_wall):7.1f} {most:7d}{missed}",
            flush=True,
        )
    return good


def p95(values: list[float]) -> float:
    return quantiles(values, n=20)[-1]


def naive(cases: int) -> None:
    """What lists usually do, on the same data."""
    from django.db import connection

    for what, sql in {
        "COUNT(*) of the open cases": "SELECT count(*) FROM complaints_case WHERE state <> 'closed'",
        "OFFSET to the last page": "SELECT * FROM complaints_case ORDER BY priority DESC, id"
        f" OFFSET {cases - 50} LIMIT 50",
        "LIKE over the subjects": "SELECT id FROM complaints_complaint WHERE subject ILIKE '%%zzz%%' LIMIT 50",
    }.items():
        with connection.cursor() as cursor:
            began = time.perf_counter()
            cursor.execute(sql)
            print(f"{'usual way: ' + what:<46} {(time.perf_counter() - began) * 1e3:8.1f} ms", flush=True)


def upkeep() -> None:
    """What keeping costs: a move with its count, and the words of cases that are due."""
    from django.db import connection
    from django.utils import timezone

    from complaints.cases.counting import count_queue, sum_up
    from complaints.cases.words import read_words
    from complaints.models import Case, CaseTextDue

    ids = list(Case.objects.filter(state="triage").values_list("pk", flat=True)[:2_000])
    for on in (True, False):
        with connection.cursor() as cursor:
            cursor.execute(f"ALTER TABLE complaints_case {'ENABLE' if on else 'DISABLE'} TRIGGER USER")
        began = time.perf_counter()
        for pk in ids[:500]:
            Case.objects.filter(pk=pk).update(state="answered")
            Case.objects.filter(pk=pk).update(state="triage")
        print(f"a move by UPDATE, counted: {on!s:<20} {(time.perf_counter() - began) * 1e6 / 1000:8.0f} µs")
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE complaints_case ENABLE TRIGGER USER")
    began = time.perf_counter()
    sum_up(least=1)
    print(f"{'summing up the counts':<46} {(time.perf_counter() - began) * 1e3:8.1f} ms")
    began = time.perf_counter()
    count_queue(user_id=1, now=timezone.now())
    print(f"{'all counts of the tabs':<46} {(time.perf_counter() - began) * 1e3:8.1f} ms")
    CaseTextDue.objects.bulk_create(CaseTextDue(case_id=pk, anew=True) for pk in ids)
    began = time.perf_counter()
    read_words(most=len(ids))
    print(f"{'words of a case, read anew':<46} {(time.perf_counter() - began) * 1e6 / len(ids):8.0f} µs")


def run(options: argparse.Namespace) -> int:
    import django

    django.setup()
    from django.conf import settings
    from django.test.utils import setup_databases

    settings.SCRATCH.mkdir(exist_ok=True)
    settings.ALLOWED_HOSTS = ["testserver"]
    cases = int(1_000_000 * options.scale)
    setup_databases(verbosity=0, interactive=False)  # it dies with the server
    print(f"{cases:,} cases, {cases * 10:,} complaints", flush=True)
    load(cases)
    good = measure(cases, options.rounds)
    upkeep()
    naive(cases)
    settings.SCRATCH.rmdir()
    return 0 if good else 1


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.here:
        sys.exit(run(options))
    from tests.services.postgres import postgres_server

    with postgres_server(**OPTIONS) as url:
        environment = os.environ | {"DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "tests.settings"}
        command = [
            sys.executable,
            "-m",
            "bench.desk",
            "--here",
            "--scale",
            str(options.scale),
            "--rounds",
            str(options.rounds),
        ]
        sys.exit(subprocess.run(command, env=environment, check=False).returncode)


if __name__ == "__main__":
    main()
