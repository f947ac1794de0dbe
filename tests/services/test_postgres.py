"""The PostgreSQL server of the tests: it must leave nothing, however it ends."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from tests.services.postgres import postgres_server

ROOT = Path(__file__).parent.parent.parent
RUN = [sys.executable, "-m", "tests.services.postgres"]
HANG = "import os, time; print(os.environ['DATABASE_URL'], flush=True); time.sleep(600)"


def directory_of(url: str) -> Path:
    return Path(re.findall(r"@(.*)/postgres", url)[0].replace("%2F", "/"))


def servers_in(directory: Path) -> list[str]:
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if str(directory) in (line := path.read_text()):
                found.append(line)
        except OSError:  # it ended meanwhile
            continue
    return found


def test_server_answers_and_leaves_nothing():
    with postgres_server() as url, psycopg.connect(url) as connection:
        assert connection.execute("select 6 * 7").fetchone() == (42,)
    assert not directory_of(url).exists()
    assert servers_in(directory_of(url)) == []


def test_failing_block_leaves_nothing():
    with pytest.raises(ZeroDivisionError), postgres_server() as url:
        raise ZeroDivisionError
    assert not directory_of(url).exists()


def test_command_gets_the_address_and_gives_its_exit_code():
    done = subprocess.run(
        [*RUN, "--", "sh", "-c", "echo $DATABASE_URL; exit 7"], cwd=ROOT, capture_output=True, text=True
    )
    assert done.stdout.startswith("postgresql://abusedesk@%2F")
    assert done.returncode == 7


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_interrupted_command_leaves_nothing(number: signal.Signals, code: int):
    with subprocess.Popen(
        [*RUN, "--", sys.executable, "-c", HANG], cwd=ROOT, stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        assert process.stdout is not None
        directory = directory_of(process.stdout.readline())
        os.killpg(process.pid, number)
        assert process.wait(timeout=30) == code
    assert not directory.exists()
    assert servers_in(directory) == []
