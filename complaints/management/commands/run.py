"""`manage.py run`: the whole desk in one process tree, on the configured or the embedded parts."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import ProxyHandler, Request, build_opener

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connections
from django.utils import timezone

from abusedesk import embedded
from abusedesk.processes import Child, ChildFailed, PortBusy, Tree, require_free_port
from abusedesk.start import StartRefused, doubts, require_safe_start
from complaints.blacklists import load_catalogue
from complaints.playbooks.loading import begin_with_shipped

# child: queue, processes. Slow mail servers must not hold up what DNS answers in milliseconds.
WORKERS = {"worker": ("desk", 2), "checker": ("checks-smtp", 1), "lister": ("checks-dns", 1)}


class Command(BaseCommand):
    help = "Run web, workers, beat, listeners (and the embedded broker) in one process tree; Ctrl-C stops all."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--demo", action="store_true", help="with ABUSEDESK_DEMO=1 (script/demo): the simulated ISP too"
        )
        parser.add_argument("--fresh", action="store_true", help="demo only: throw the demo's data away and start over")
        parser.add_argument("--port", type=int, help="serve the pages on this port")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["demo"] and not settings.DEMO:
            raise CommandError("run --demo needs ABUSEDESK_DEMO=1 in the environment: use script/demo")
        if options["port"]:
            start_again_on(options["port"])
        try:
            for host, port, what, variable in listening():
                require_free_port(host, port, what, variable)
            self.prepare(fresh=options["fresh"])
            Tree(list(children()), on_ready=self.welcome).run()
        except (StartRefused, PortBusy, ChildFailed, embedded.NoBroker) as exc:
            raise CommandError(str(exc)) from exc

    def prepare(self, *, fresh: bool) -> None:
        if fresh:
            throw_demo_away()
        self.say("1/3 preparing the database")
        settings.DATA_DIR.mkdir(parents=True, exist_ok=True, mode=0o700)
        if settings.DEMO and not any(settings.DATA_DIR.iterdir()):
            demo_marker().touch()
        call_command("migrate", verbosity=0, interactive=False)
        require_safe_start()
        for doubt in [] if settings.DEMO else doubts():
            self.say(f"note: {doubt}")
        self.say("2/3 loading the playbook" + (" and the simulated ISP's customers" if settings.DEMO else ""))
        if settings.DEMO:
            from complaints.demo.seed import seed_demo

            seed_demo(timezone.now())
        else:
            begin_with_shipped(now=timezone.now())
        load_catalogue()
        connections.close_all()
        self.say("3/3 starting the parts")

    def welcome(self) -> None:
        self.say("")
        self.say(f"The abuse desk is at {settings.BASE_URL}/")
        if settings.DEMO:
            self.say(
                "Log in as ada (analyst), bruno (senior), carla (supervisor), dora (administrator), olga (auditor)"
            )
            self.say("with the password demo. They exist only in this demo.")
            self.say("Open a case that says “Open relay, proven”: the mail the customer got is on it, with its link.")
            self.say("Complaints arrive within seconds. Ctrl-C stops everything; the next start goes on from there.")
        self.say("")

    def say(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()


def start_again_on(port: int) -> None:
    """The port is a setting, and settings are read once: begin again with it changed."""
    host = settings.WEB_LISTEN[0]
    os.environ |= {"ABUSEDESK_WEB_LISTEN": f"{host}:{port}", "ABUSEDESK_BASE_URL": f"http://{host}:{port}"}
    words = [word for word in sys.argv[1:] if not word.startswith("--port") and word != str(port)]
    os.execv(sys.executable, [sys.executable, sys.argv[0], *words])  # noqa: S606 - our own program, no shell


def throw_demo_away() -> None:
    if not settings.DEMO:
        raise CommandError("--fresh throws all data away: it is for the demo only (ABUSEDESK_DEMO=1)")
    if settings.DATA_DIR.exists() and any(settings.DATA_DIR.iterdir()) and not demo_marker().exists():
        raise CommandError(f"{settings.DATA_DIR} holds files that no demo made; --fresh leaves them alone")
    connections.close_all()
    shutil.rmtree(settings.DATA_DIR, ignore_errors=True)
    settings.DATA_DIR.mkdir(parents=True, mode=0o700)
    demo_marker().touch()


def demo_marker() -> Path:
    """A file that says: everything in this folder was made by a demo, and may be thrown away."""
    return Path(settings.DATA_DIR, "demo")


def listening() -> Iterator[tuple[str, int, str, str]]:
    """(host, port, what wants it, the variable that changes it), checked before anything starts."""
    yield *settings.WEB_LISTEN, "the web server", "ABUSEDESK_WEB_LISTEN and ABUSEDESK_BASE_URL (or --port N)"
    yield *settings.SMTP_LISTEN, "the SMTP listener", "ABUSEDESK_SMTP_LISTEN"
    yield *settings.LMTP_LISTEN, "the LMTP listener", "ABUSEDESK_LMTP_LISTEN"
    if settings.DEMO:
        from complaints.demo.places import wanted_places

        yield from wanted_places()


def children() -> Iterator[Child]:
    """The parts in their order of start; they stop in reverse."""
    manage = [sys.executable, str(Path(sys.argv[0]).absolute())]
    if not settings.BROKER_URL:
        ready = lambda: embedded.is_ready(settings.DATA_DIR)  # noqa: E731
        yield Child(name="broker", argv=embedded.broker_command(settings.DATA_DIR), ready=ready, hushed=NO_FORK)
    web = "[{}]:{}" if ":" in settings.WEB_LISTEN[0] else "{}:{}"
    yield Child(
        name="web", argv=[*GUNICORN, "--bind", web.format(*settings.WEB_LISTEN), "abusedesk.wsgi"], ready=web_answers
    )
    celery = [sys.executable, "-m", "celery", "-q", "-A", "abusedesk.celery"]
    for name, (queue, processes) in WORKERS.items():
        options = ["-Q", queue, "-c", str(processes), "-n", f"{name}@%h", "--without-mingle", "--without-gossip"]
        yield Child(
            name=name,
            argv=[*celery, "worker", "-l", "WARNING", *options],
            env=ROOT_IS_FINE if settings.DEMO else {},
            grace_s=20,
        )
    yield Child(name="beat", argv=[*celery, "beat", "-l", "WARNING", "--pidfile="])
    for listener in ("run_smtp", "run_lmtp"):
        yield Child(name=listener.removeprefix("run_"), argv=[*manage, listener])
    if settings.DEMO:
        yield Child(name="isp", argv=[*manage, "demo_world"])


# Meant for databases of gigabytes that fork; a queue of wake-up calls is small.
NO_FORK = ("Memory overcommit must be enabled",)
# A demo may run as root; elsewhere Celery's warning about it stands.
ROOT_IS_FINE = {"PYTHONWARNINGS": "ignore:You're running the worker with superuser privileges"}
GUNICORN = [sys.executable, "-m", "gunicorn", "--worker-class", "gthread", "--workers", "2", "--threads", "4"]
GUNICORN += ["--no-control-socket", "--log-level", "warning"]


def web_answers() -> bool:
    """Raises ChildFailed where it answers what waiting would not mend; 503 is a database that may come."""
    host, port = settings.WEB_LISTEN
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - compared, not bound
    url = f"http://{f'[{host}]' if ':' in host else host}:{port}/healthz"
    # By a name that it is allowed to answer to: the address it listens on need not be one.
    named = {"*": "localhost"}.get(settings.ALLOWED_HOSTS[0], settings.ALLOWED_HOSTS[0].lstrip("."))
    try:
        with build_opener(ProxyHandler({})).open(Request(url, headers={"Host": named}), timeout=1) as answer:
            return bool(answer.status == 200)
    except HTTPError as exc:
        if exc.code != 503:
            raise ChildFailed(f"web answers {exc.code} {exc.reason}; its last lines above say why") from exc
        return False
    except OSError:
        return False
