"""python -m tests.services.letters make N | work SINCE PORT: letters in a desk's database, and who sends them.

The worker is the sweep's part of sending in a process of its own. Its clock began at SINCE (seconds since 1970). The
pauses after an outage are over once the mail server at PORT is back and nothing else is to be done: no test of hours.
"""

from __future__ import annotations

import socket
import sys
import time
from datetime import UTC, datetime, timedelta

import django

django.setup()

from complaints.models import Notice  # noqa: E402
from complaints.notices.delivery import deliver_due, release_dead  # noqa: E402
from tests.factories import make_case  # noqa: E402
from tests.notices.rows import queued  # noqa: E402

BEGAN = datetime(2026, 11, 1, tzinfo=UTC)
PORTION = 40


def make(count: int) -> None:
    for number in range(count):
        queued(make_case(f"C-{number}"), now=BEGAN)


def work(since: float, port: int) -> None:
    while Notice.objects.filter(state__in=["queued", "sending"]).exists():
        now = BEGAN + timedelta(seconds=time.time() - since)
        release_dead(now=now)
        if not deliver_due(now=now, limit=PORTION):
            time.sleep(0.05)
            if is_there(port):
                Notice.objects.filter(state="queued", due_at__gt=now).update(due_at=now)


def is_there(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


if __name__ == "__main__":
    make(int(sys.argv[2])) if sys.argv[1] == "make" else work(float(sys.argv[2]), int(sys.argv[3]))
