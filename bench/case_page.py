"""The page of a case with 200 complaints and a long history, from a real web server, as the product runs it.

    python -m bench.case_page                # SQLite
    python -m bench.case_page --postgres     # PostgreSQL, started for it

Goals: 5 ms of SQL and 60 ms p95 for the whole response, 12 statements; a page without news, asked every three seconds,
2 ms of SQL and 10 ms of CPU. The clock tells the truth only of a machine that does nothing else: so the CPU of the
web server stands beside it, and the load of the machine is printed first.
"""

from __future__ import annotations

import argparse
import http.client
import os
import re
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import nullcontext
from datetime import timedelta
from pathlib import Path
from statistics import median, quantiles
from typing import Any

from django.db import connection

GOAL_SQL_MS, GOAL_PAGE_MS, GOAL_QUERIES = 5.0, 60.0, 12
GOAL_IDLE_SQL_MS, GOAL_IDLE_CPU_MS = 2.0, 10.0
COMPLAINTS, CHECKS, NOTES, LETTERS, LINES = 200, 20, 80, 3, 120
ROUNDS = 150


def fill(reference: str = "C-1") -> int:
    """One case with all of it, of a contract of this reference; its id."""
    from django.utils import timezone

    from complaints.cases.transitions import add_note
    from complaints.notices.compose import queue_notice
    from tests.factories import make_assignment, make_case, make_complaint, make_contract, make_run

    now, contract = timezone.now(), make_contract(reference, customer=reference)
    make_assignment(contract, "192.0.2.10/32", valid_from=now - timedelta(days=400))
    old = make_case(contract, state="closed", closed_at=now - timedelta(days=60), resolution="fixed_verified")
    seen: dict[str, Any] = {"first_seen_at": now - timedelta(hours=COMPLAINTS), "last_seen_at": now, "state_since": now}
    case = make_case(contract, relapse_of=old, ladder=1, complaint_count=COMPLAINTS, **seen)
    evidence = {
        "received": [f"from mx{n}.example by mx.reporter.example" for n in range(20)],
        "extra": {"k": "v" * 900},
    }
    for n in range(COMPLAINTS):
        make_complaint(
            case, address="192.0.2.10", reporter=f"r{n}@x.example", seen_at=now - timedelta(hours=n), evidence=evidence
        )
    talk = [{"t": n / 10, "dir": "<>"[n % 2], "text": f"250 2.1.{n} Ok, go on"} for n in range(LINES)]
    lists = [{"list": f"List {n}", "status": "not-listed", "codes": [], "reason": ""} for n in range(40)]
    for n in range(CHECKS):
        details = {"transcript": talk} if n % 2 else {"lists": lists}
        make_run(case, "relay" if n % 2 else "dnsbl", verdict="clean", occasion=f"verify.{n}", details=details)
    for n in range(NOTES):
        add_note(case, actor="ada", text=f"note {n}: called @bruno")
    for n in range(LETTERS):
        queue_notice(case, "notify", occurrence=n + 1, now=now)
    return int(case.pk)


def logged_in() -> tuple[Any, str]:
    from django.conf import settings
    from django.test import Client

    from tests.factories import make_user

    client = Client(headers={"Referer": "http://127.0.0.1/"})  # from the queue, as mostly
    client.force_login(make_user("ada", "analyst"))
    return client, f"{settings.SESSION_COOKIE_NAME}={client.cookies[settings.SESSION_COOKIE_NAME].value}"


def statements(client: Any, path: str) -> tuple[float, float, int]:
    """Milliseconds of CPU of its SQL, median and p95, and how many statements: of the server, or of SQLite in here."""
    taken, most = [], 0
    for _ in range(ROUNDS // 3):
        meter = SqlMeter()
        with connection.execute_wrapper(meter):
            client.get(path)
        taken.append(meter.spent())
        most = max(most, meter.count)
    return median(taken), p95(taken), most


class SqlMeter:
    """CPU of what the statements of a page cost the database."""

    def __init__(self) -> None:
        self.ms, self.count = 0.0, 0
        self.server = connection.connection.info.backend_pid if connection.vendor == "postgresql" else 0
        self.began = on_cpu_of(self.server) if self.server else 0.0

    def __call__(self, execute: Any, sql: Any, params: Any, many: Any, context: Any) -> Any:
        began = time.thread_time()
        try:
            return execute(sql, params, many, context)
        finally:
            self.ms += (time.thread_time() - began) * 1e3
            self.count += 1

    def spent(self) -> float:
        return on_cpu_of(self.server) - self.began if self.server else self.ms


def on_cpu_of(pid: int) -> float:
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e6


def served(port: int, cookie: str, path: str, *, at_once: int, cpu: Callable[[], float]) -> tuple[list[float], float]:
    """Milliseconds of each response, and the web server's CPU for one."""
    taken: list[float] = []

    def ask() -> None:
        wire = http.client.HTTPConnection("127.0.0.1", port)
        for _ in range(ROUNDS // at_once):
            began = time.perf_counter()
            wire.request("GET", path, headers={"Cookie": cookie, "Referer": f"http://127.0.0.1:{port}/"})
            answer = wire.getresponse()
            answer.read()
            assert answer.status in (200, 204), answer.status
            taken.append((time.perf_counter() - began) * 1e3)

    before = cpu()
    threads = [threading.Thread(target=ask) for _ in range(at_once)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return taken, (cpu() - before) / len(taken)


def on_cpu(parent: int) -> float:
    """Milliseconds that the children of `parent`, the workers, have run so far with all their threads."""
    children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    tasks = [task for child in children for task in Path(f"/proc/{child}/task").iterdir()]
    return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks) / 1e6


def p95(values: list[float]) -> float:
    return quantiles(values, n=20)[-1]


def measure(port: int) -> bool:
    from complaints.management.commands.run import GUNICORN

    case = fill()
    client, cookie = logged_in()
    page = f"/case/{case}"
    web = subprocess.Popen([*GUNICORN, "--bind", f"127.0.0.1:{port}", "abusedesk.wsgi:application"])
    good = True
    try:
        wait_for(port)
        cpu = lambda: on_cpu(web.pid)  # noqa: E731
        for _ in range(2):  # both workers have loaded what they load once
            served(port, cookie, page, at_once=4, cpu=cpu)
        shown = client.get(page).content
        print(f"{len(shown):,} bytes; load of the machine {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
        print(
            "CPU ms of SQL, median and p95; statements; response ms, median and p95, with 4 at once; CPU ms of the web"
        )
        for name, path_of, sql_goal, page_goal, cpu_goal in (
            ("a case", lambda: page, GOAL_SQL_MS, GOAL_PAGE_MS, GOAL_PAGE_MS),
            ("no news", lambda: asked_again(client, page), GOAL_IDLE_SQL_MS, GOAL_PAGE_MS, GOAL_IDLE_CPU_MS),
        ):
            sql, sql_p95, count = statements(client, path_of())
            alone, spent = served(port, cookie, path_of(), at_once=1, cpu=cpu)
            busy, _ = served(port, cookie, path_of(), at_once=4, cpu=cpu)
            fine = sql <= sql_goal and count <= GOAL_QUERIES and p95(alone) <= page_goal and spent <= cpu_goal
            good = good and fine
            print(
                f"{name:<10} {sql:6.2f} {sql_p95:6.2f} {count:4d} {median(alone):7.1f} {p95(alone):7.1f}"
                f" {median(busy):7.1f} {p95(busy):7.1f} {spent:7.1f}{'' if fine else '  MISSED'}",
                flush=True,
            )
    finally:
        web.terminate()
        web.wait(20)
    return good


def asked_again(client: Any, page: str) -> str:
    """What the page asks every three seconds, as long as nothing has happened."""
    shown = client.get(page).content.decode()
    again = re.search(r'hx-get="([^"]+part=live[^"]+)"', shown)
    mark = re.search(r'id="live-has" name="has" value="([^"]+)"', shown)
    assert again
    assert mark
    return f"{again[1].replace('&amp;', '&')}&has={mark[1]}"


def wait_for(port: int) -> None:
    for _ in range(200):
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.1)
    raise TimeoutError("the web server did not start")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--postgres", action="store_true")
    options = parser.parse_args()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    from tests.services.postgres import postgres_server

    with tempfile.TemporaryDirectory() as home, postgres_server() if options.postgres else nullcontext("") as url:
        os.environ |= {"DJANGO_SETTINGS_MODULE": "abusedesk.settings", "ABUSEDESK_DATA_DIR": home}
        os.environ |= {"ABUSEDESK_SECRET_KEY": "k" * 64, "ABUSEDESK_BASE_URL": f"http://127.0.0.1:{port}"}
        os.environ |= {"ABUSEDESK_ALLOWED_HOSTS": "127.0.0.1,testserver"} | ({"DATABASE_URL": url} if url else {})
        import django
        from django.core.management import call_command

        django.setup()
        call_command("migrate", verbosity=0)
        good = measure(port)
        django.db.connections.close_all()
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
