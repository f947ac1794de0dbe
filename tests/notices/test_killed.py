"""A thousand letters while the mail server and the workers are killed again and again."""

from __future__ import annotations

import contextlib
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.services.desk import Desk

pytestmark = [pytest.mark.processes, pytest.mark.timeout(600)]
LETTERS = 1000
WORKERS = 2
WITHIN_S = 400


class Killed:
    """A process that is killed hard, and begun again."""

    def __init__(self, desk: Desk, *words: str) -> None:
        self.desk, self.words = desk, words
        self.kills = -1
        self.process: subprocess.Popen[bytes] | None = None
        self.again()

    def again(self) -> None:
        self.kill()
        env = {**self.desk.environment, "DJANGO_SETTINGS_MODULE": "abusedesk.settings"}
        self.process = subprocess.Popen([sys.executable, "-m", *self.words], env=env, stderr=subprocess.DEVNULL)
        self.kills += 1

    def kill(self) -> None:
        if self.process:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()

    @property
    def has_died(self) -> bool:
        return self.process is not None and self.process.poll() not in (None, 0)

    @property
    def is_at_work(self) -> bool:
        return self.process is not None and self.process.poll() is None

    @property
    def is_done(self) -> bool:
        return self.process is not None and self.process.poll() == 0


@contextlib.contextmanager
def ended(*processes: Killed) -> Iterator[None]:
    try:
        yield
    finally:
        for each in processes:
            each.kill()


def some_arrive(mailbox: Path, count: int, *, unless: Callable[[], bool]) -> None:
    """Wait for so many more letters: kills come by what was done, however slow the machine is."""
    wanted, deadline = len(list(mailbox.iterdir())) + count, time.monotonic() + WITHIN_S
    while len(list(mailbox.iterdir())) < wanted and not unless() and time.monotonic() < deadline:
        time.sleep(0.01)


def test_each_of_a_thousand_letters_arrives_once_or_is_shown_as_doubtful(tmp_path: Path, migrated: Path) -> None:
    desk, mailbox = Desk(tmp_path), tmp_path / "mailbox"
    mailbox.mkdir()
    desk.take_tables(migrated)
    env = {**desk.environment, "DJANGO_SETTINGS_MODULE": "abusedesk.settings"}
    subprocess.run([sys.executable, "-m", "tests.services.letters", "make", str(LETTERS)], env=env, check=True)
    chance, began = random.Random(7), time.monotonic()
    port, since = str(desk.port["mailbox"]), str(time.time())
    server = Killed(desk, "tests.services.mailbox_server", port, str(mailbox))
    workers = [Killed(desk, "tests.services.letters", "work", since, port) for _ in range(WORKERS)]
    with ended(server, *workers):
        while not all(each.is_done for each in workers):
            some_arrive(mailbox, chance.randint(5, 40), unless=lambda: not any(each.is_at_work for each in workers))
            assert time.monotonic() - began < WITHIN_S
            waiting = desk.rows("SELECT count(*) FROM complaints_notice WHERE state IN ('queued', 'sending')")[0][0]
            if waiting > LETTERS // 10:  # the rest in peace, as after any outage
                chance.choice([server, *workers]).again()
            for each in workers:
                if each.has_died:
                    each.again()

    arrived = Counter(name.name.partition("#")[0] for name in mailbox.iterdir())
    rows = desk.rows("SELECT message_id, state, problem FROM complaints_notice")
    sent = {row[0].strip("<>") for row in rows if row[1] == "sent"}
    doubtful = [row for row in rows if row[1] == "failed"]
    print(
        f"{LETTERS} letters, {server.kills} server kills, {sum(w.kills for w in workers)} worker kills: "
        f"{len(sent)} sent, {len(doubtful)} doubtful, {time.monotonic() - began:.0f} s"
    )
    assert min(server.kills, *(worker.kills for worker in workers)) >= 5
    assert max(arrived.values()) == 1, "a letter arrived twice"
    assert sent <= set(arrived), "a letter counts as sent and did not arrive"
    assert len(sent) + len(doubtful) == LETTERS
    assert all(row[2].startswith("it may have gone or not") for row in doubtful)
    assert len(doubtful) <= 3 * (server.kills + sum(worker.kills for worker in workers))
