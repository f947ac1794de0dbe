"""What tests may ask for: real servers on loopback, and the promise that nothing else is reached."""

from __future__ import annotations

import logging
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.core.cache import caches
from django.db import connection
from hypothesis import settings as hypothesis_settings
from playwright.sync_api import expect
from pytest_django import DjangoDbBlocker, Settings

from complaints.checks._mail_hosts import known as known_mail_hosts
from complaints.models.compression import forget_dictionaries
from complaints.playbooks.facts import working_time
from tests.services import outside, smtp
from tests.services.ports import free_ports
from tests.services.valkey import Valkey, valkey_server

hypothesis_settings.register_profile("desk", deadline=None)  # a busy machine is not a failure
hypothesis_settings.load_profile("desk")
ROOT = Path(__file__).resolve().parent.parent
MIGRATED = "migrated.sqlite3"
LOOK_MS = 20_000  # so long a page may take to show what is expected


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--database-only", action="store_true", help="only the tests that touch the database")
    parser.addoption("--no-database", action="store_true", help="only the others")


def pytest_configure(config: pytest.Config) -> None:
    settings.SCRATCH.mkdir(mode=0o700, exist_ok=True)
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # a shell's background job; the programs we start inherit it
        signal.signal(signal.SIGINT, signal.default_int_handler)
    logging.getLogger("celery.app.trace").setLevel(logging.WARNING)  # a line a task would bury what failed


def pytest_unconfigure(config: pytest.Config) -> None:
    shutil.rmtree(settings.SCRATCH, ignore_errors=True)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    for option, wanted in (("--database-only", True), ("--no-database", False)):
        if config.getoption(option):
            config.hook.pytest_deselected(items=[item for item in items if touches_database(item) is not wanted])
            items[:] = [item for item in items if touches_database(item) is wanted]


def touches_database(item: pytest.Item) -> bool:
    fixtures = set(getattr(item, "fixturenames", ()))
    return item.get_closest_marker("django_db") is not None or not fixtures.isdisjoint({"db", "transactional_db"})


@pytest.fixture(autouse=True)
def _nothing_outside() -> Iterator[None]:
    """Fails the test that tried to reach another machine, also when the code swallowed the refusal."""
    outside.refuse()
    outside.attempts.clear()
    yield
    assert outside.attempts == []


@pytest.fixture(autouse=True)
def _nothing_remembered() -> None:
    """What a process keeps of its settings, its database or its neighbours, none of which outlives a test."""
    caches["process"].clear()
    forget_dictionaries()
    working_time.cache_clear()
    known_mail_hosts.clear()


@pytest.fixture
def free_port() -> int:
    """A port of 127.0.0.1 that nobody listened on a moment ago."""
    return free_ports(1)[0]


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> None:
    """Where there is a database of the tests, and it is an SQLite file: a copy of it before any test writes into it."""
    if Path(connection.settings_dict["NAME"]).is_file():
        with django_db_blocker.unblock(), connection.cursor() as cursor:
            cursor.execute("VACUUM INTO %s", [str(settings.SCRATCH / MIGRATED)])


@pytest.fixture(scope="session")
def migrated(django_db_setup: None) -> Path:
    """An SQLite file as `manage.py migrate` leaves it, to be copied: migrating takes seconds."""
    path = Path(settings.SCRATCH / MIGRATED)
    if not path.exists():  # the tests' own database is on another server
        environment = {
            "PATH": os.environ["PATH"],
            "DATABASE_URL": f"sqlite:///{path}",
            "ABUSEDESK_SECRET_KEY": "x" * 50,
        }
        environment["ABUSEDESK_DATA_DIR"] = str(settings.SCRATCH)
        subprocess.run([sys.executable, ROOT / "manage.py", "migrate", "-v0"], env=environment, check=True)
    return path


@pytest.fixture
def smtp_sink() -> Iterator[smtp.Sink]:
    """A mail server that keeps what it gets in `.messages`."""
    with smtp.sink() as found:
        yield found


@pytest.fixture
def real_smtp(smtp_sink: smtp.Sink, settings: Settings) -> smtp.Sink:
    """Django sends real SMTP to `smtp_sink`, instead of into `mailoutbox`."""
    settings.EMAIL_BACKEND = "complaints.notices.backend.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = smtp_sink.host, smtp_sink.port
    return smtp_sink


@pytest.fixture(scope="session")
def _valkey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Valkey]:
    with valkey_server(tmp_path_factory.mktemp("valkey")) as server:
        yield server


@pytest.fixture
def valkey(_valkey: Valkey) -> Valkey:
    """The embedded broker, running and empty."""
    _valkey.empty()
    return _valkey


@pytest.fixture(scope="session")
def chromium() -> str:
    """Path of the browser; skips where there is none."""
    found = os.environ.get("ABUSEDESK_CHROMIUM") or shutil.which("chromium")
    if not found:
        pytest.skip("no Chromium: apt-get install chromium fonts-dejavu-core, or set ABUSEDESK_CHROMIUM")
    expect.set_options(timeout=LOOK_MS)
    return found
