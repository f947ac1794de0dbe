"""The whole program as its users run it: `manage.py run` in a process tree of its own, on free ports."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.apps import apps
from django.db.models import DateTimeField

from tests.services.ports import free_ports

ROOT = Path(__file__).resolve().parent.parent.parent
KEY = "a-key-of-the-process-tests-0123456789-abcdefghijklmnopqrstuvwxyz"
START_S = 120
ELSEWHERE_S = 15_000 * 86_400  # still after 1970: some counts are kept by seconds since then
SHOWN = {
    "complaints_case": "id, state, stay, cause, customer_status, due_at, deadline_at",
    "complaints_caseevent": "at, kind, data",
    "complaints_checkrun": "check_name, occasion, state, verdict, due_at, finished_at",
    "complaints_notice": "step, state, due_at, sent_at, problem",
}


class Desk:
    """port: web, smtp, lmtp, relay, dns, mailbox by name. log: what the tree printed. tree: the launcher's pid."""

    tree: int

    def __init__(self, home: Path, **environment: str) -> None:
        self.home = home
        self.port = dict(zip(("web", "smtp", "lmtp", "relay", "dns", "mailbox"), free_ports(6), strict=True))
        self.log = home / "run.log"
        self.environment = {
            "PATH": os.environ["PATH"],
            "ABUSEDESK_DATA_DIR": str(home / "data"),
            "ABUSEDESK_SECRET_KEY": KEY,
            "ABUSEDESK_BASE_URL": self.site,
            "ABUSEDESK_WEB_LISTEN": f"127.0.0.1:{self.port['web']}",
            "ABUSEDESK_SMTP_LISTEN": f"127.0.0.1:{self.port['smtp']}",
            "ABUSEDESK_LMTP_LISTEN": f"127.0.0.1:{self.port['lmtp']}",
            "ABUSEDESK_RELAY_PORT": str(self.port["relay"]),
            "ABUSEDESK_DNS": f"127.0.0.1:{self.port['dns']}",
            "EMAIL_URL": f"smtp://127.0.0.1:{self.port['mailbox']}",
            "ABUSEDESK_EMAIL": "abuse@isp.example",
            "ABUSEDESK_PROBE_DOMAIN": "probe.isp.example",
            "ABUSEDESK_HELO": "relaycheck.isp.example",
            "ABUSEDESK_RELAY_PACE": "0",
            "ABUSEDESK_PROBE_WAIT": "20",
            "ABUSEDESK_SWEEP_SECONDS": "1",
            "ABUSEDESK_MAIL_UNDO": "0",
            **environment,
        }

    @property
    def site(self) -> str:
        return f"http://127.0.0.1:{self.port['web']}"

    def take_tables(self, migrated: Path) -> None:
        """What `migrate` does, by a copy of a database on which it was done."""
        folder = self.home / "data"
        folder.mkdir(mode=0o700)
        shutil.copyfile(migrated, folder / "abusedesk.sqlite3")

    def manage(self, *words: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        return subprocess.run([*MANAGE, *words], env=self.environment, input=stdin, capture_output=True, timeout=120)

    @contextlib.contextmanager
    def running(self) -> Iterator[subprocess.Popen[bytes]]:
        with self.log.open("ab") as log:
            tree = subprocess.Popen([*MANAGE, "run"], env=self.environment, stdout=log, stderr=subprocess.STDOUT)
        try:
            self.tree = tree.pid
            self.wait_until(lambda: "The abuse desk is at" in self.log.read_text(), within_s=START_S)
            yield tree
        finally:
            tree.send_signal(signal.SIGTERM)
            try:
                tree.wait(timeout=30)
            except subprocess.TimeoutExpired:
                tree.kill()
                tree.wait()

    def kill(self, part: str) -> int:
        """kill -9 of every process whose command line names `part`; how many there were."""
        pids = [pid for pid, words in descendants(self.tree) if part in words]
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        return len(pids)

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        database = sqlite3.connect(f"file:{self.home}/data/abusedesk.sqlite3?mode=ro", uri=True, timeout=20)
        with contextlib.closing(database):
            return database.execute(sql).fetchall()

    def let_pass(self, span: timedelta) -> None:
        """Time passes: all that the desk has written down happened so much earlier, and what it waits for is nearer."""
        database = sqlite3.connect(f"{self.home}/data/abusedesk.sqlite3", timeout=20, isolation_level="IMMEDIATE")
        with contextlib.closing(database), database:
            # By way of a time long ago: moved straight, one hour's count would meet that of another hour for a moment.
            for seconds in (-ELSEWHERE_S - span.total_seconds(), ELSEWHERE_S):
                for table, columns in moments():
                    moved = ", ".join(f"{c} = strftime('%Y-%m-%d %H:%M:%f', {c}, ?)" for c in columns)
                    database.execute(f"UPDATE {table} SET {moved}", [f"{seconds:+.0f} seconds"] * len(columns))

    def wait_until(self, asked: Callable[[], bool], *, within_s: float) -> None:
        """Raises AssertionError with the end of the log."""
        until = time.monotonic() + within_s
        while not asked():
            assert time.monotonic() < until, f"not within {within_s:g} s\n{self.state()}"
            time.sleep(0.2)

    def state(self) -> str:
        """How far the work has come, for whoever reads why a test failed."""
        found = [
            f"{table}: {row}" for table, columns in SHOWN.items() for row in self.rows(f"SELECT {columns} FROM {table}")
        ]
        return "\n".join([*found[:80], "the log ends:", self.log.read_text()[-4000:]])


def moments() -> Iterator[tuple[str, list[str]]]:
    """Every table of the product with its columns that hold a moment."""
    for model in apps.get_app_config("complaints").get_models():
        fields = [field for field in model._meta.local_concrete_fields if isinstance(field, DateTimeField)]
        if fields:
            yield model._meta.db_table, [str(field.column) for field in fields]


MANAGE = [sys.executable, str(ROOT / "manage.py")]


def descendants(root: int) -> Iterator[tuple[int, str]]:
    """(pid, command line) of every process below `root`."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            with contextlib.suppress(OSError):
                parent = int((entry / "stat").read_bytes().rpartition(b")")[2].split()[1])
                children.setdefault(parent, []).append(int(entry.name))
    waiting = list(children.get(root, ()))
    while waiting:
        pid = waiting.pop()
        waiting += children.get(pid, ())
        with contextlib.suppress(OSError):
            yield pid, Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
