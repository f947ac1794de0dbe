"""python -m tests.services.letters make N | work SINCE: letters in a desk's database, and a worker that sends them.

The worker is the sweep's part of sending in a process of its own. Its clock runs sixty times as fast from SINCE on
(seconds since 1970), so that the pauses after an outage do not make a test of hours.
"""

from __future__ import annotations

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
FASTER = 60
PORTION = 40


def clock(since: float) -> datetime:
    return BEGAN + timedelta(seconds=(time.time() - since) * FASTER)


def make(count: int) -> None:
    for number in range(count):
        queued(make_case(f"C-{number}"), now=BEGAN)


def work(since: float) -> None:
    while Notice.objects.filter(state__in=["queued", "sending"]).exists():
        release_dead(now=clock(since))
        if not deliver_due(now=clock(since), limit=PORTION):
            time.sleep(0.05)


if __name__ == "__main__":
    make(int(sys.argv[2])) if sys.argv[1] == "make" else work(float(sys.argv[2]))
