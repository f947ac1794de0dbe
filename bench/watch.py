"""What the background work behind the filing costs: `python -m bench.watch [COMPLAINTS]`, in a database of its own.

Campaigns with their mails' texts, counters, and the rises of 1,000 contracts after eight weeks of counting; CPU each.
"""

from __future__ import annotations

import hashlib
import os
import random
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

CONTRACTS = 1_000
WORDS = ("offer", "watch", "loan", "doctor", "prize", "letter", "bank", "stock", "pill", "travel", "winter", "garden")


def main(complaints: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        os.environ.update(
            DJANGO_SETTINGS_MODULE="abusedesk.settings",
            ABUSEDESK_DATA_DIR=folder,
            DATABASE_URL=f"sqlite:///{folder}/bench.sqlite3",
            ABUSEDESK_SECRET_KEY="only for this measurement" * 2,
        )
        import django

        django.setup()
        from django.core.management import call_command

        call_command("migrate", verbosity=0)
        measure(complaints)


def measure(complaints: int) -> None:
    from django.utils import timezone

    from complaints.cases.campaigns import find_campaigns
    from complaints.cases.rises import watch_rises
    from complaints.cases.tallies import count_complaints
    from complaints.models import Campaign, CampaignMark

    now, none = timezone.now(), timedelta(0)
    fill(complaints, now)
    told = timed(lambda: work_off(lambda: find_campaigns(now=now, lag=none)))
    found = f"{Campaign.objects.count():,} campaigns by {CampaignMark.objects.count():,} marks"
    print(f"campaigns: {told / complaints * 1e6:.0f} µs a complaint; {found}")
    told = timed(lambda: work_off(lambda: count_complaints(now=now, lag=none)))
    print(f"counters: {told / complaints * 1e6:.1f} µs a complaint")
    count_weeks(now)
    told = timed(lambda: watch_rises(now=now))
    print(f"rises: {told / CONTRACTS * 1e3:.2f} ms a contract that might rise")


def fill(complaints: int, now: datetime) -> None:
    """Every tenth mail is of one of twenty runs; the others are nobody's."""
    from django.db import transaction

    from complaints.models import Message, Reading
    from complaints.models.compression import pack
    from tests.factories import make_case, make_complaint, make_contract

    dice = random.Random(1)
    runs = [text(dice) for _ in range(20)]
    with transaction.atomic():
        cases = [make_case(make_contract(f"C-{n}", customer=f"K-{n}")) for n in range(CONTRACTS)]
        for number in range(complaints):
            raw = mail(number, dice.choice(runs) if number % 10 == 0 else text(dice))
            message = Message.objects.create(
                sha256=hashlib.sha256(raw).digest(), packed=pack(raw), size=len(raw), channel="lmtp", received_at=now
            )
            Reading.objects.create(message=message, state="read", complaint_count=1)
            case = cases[dice.randrange(CONTRACTS)]
            told: dict[str, Any] = {"subject": f"News {number}", "original_message_id": f"{number}.abcdefg@x.example"}
            make_complaint(case, message=message, seen_at=now, received_at=now, **told)


def text(dice: random.Random) -> str:
    return " ".join(dice.choice(WORDS) + dice.choice(WORDS) for _ in range(120))


def mail(number: int, words: str) -> bytes:
    parts = [
        "",
        "--b",
        "",
        "see below",
        "--b",
        "Content-Type: message/rfc822",
        "",
        f"Subject: News {number}",
        "",
        words,
    ]
    header = ["Subject: complaint", "Content-Type: multipart/mixed; boundary=b"]
    return "\r\n".join([*header, *parts, "--b--", ""]).encode()


def count_weeks(now: datetime) -> None:
    from complaints.models import Contract, Tally

    day, dice = now.replace(hour=0, minute=0, second=0, microsecond=0), random.Random(2)
    Tally.objects.filter(kind="contract").delete()
    for back in range(57):
        at = day - timedelta(days=back)
        rows = [
            ("contract", pk, dice.randrange(5) if back else 20) for pk in Contract.objects.values_list("pk", flat=True)
        ]
        if back:
            rows.append(("all", 0, 2_500))
        every = (Tally(kind=kind, ref=ref, metric="complaints", span="day", at=at, n=n) for kind, ref, n in rows)
        Tally.objects.bulk_create(every)


def work_off(step: Callable[[], int]) -> None:
    while step():
        pass


def timed(work: Callable[[], object]) -> float:
    began = time.process_time()
    work()
    return time.process_time() - began


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5_000)
