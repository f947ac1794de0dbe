"""How long a dry run over 1,000 past cases takes: `python -m bench.dry_run [CASES]`, in a database of its own."""

from __future__ import annotations

import os
import sys
import tempfile
import time
from copy import deepcopy
from datetime import datetime, timedelta
from typing import Any


def main(cases: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        os.environ.update(
            DJANGO_SETTINGS_MODULE="abusedesk.settings",
            ABUSEDESK_DATA_DIR=folder,
            ABUSEDESK_PROBE_DOMAIN="probe.example",
            ABUSEDESK_HELO="tester.example",
            DATABASE_URL=f"sqlite:///{folder}/bench.sqlite3",
            ABUSEDESK_SECRET_KEY="only for this measurement" * 2,
        )
        import django

        django.setup()
        from django.core.management import call_command

        call_command("migrate", verbosity=0)
        measure(cases)


def measure(cases: int) -> None:
    from django.conf import settings
    from django.db import transaction
    from django.utils import timezone

    from complaints.models import PlaybookVersion
    from complaints.playbooks.dry_run import dry_run
    from complaints.playbooks.loading import begin_with_shipped
    from complaints.playbooks.versions import make_draft
    from tests.factories import make_assignment, make_case, make_complaint, make_network

    now = timezone.now()
    begin_with_shipped(now=now)
    make_network("10.0.0.0/16")
    settings.DNS_RESOLVERS, settings.RELAY_PACE = (("127.0.0.1", 9),), 0
    with transaction.atomic():
        for number in range(cases):
            at = now - timedelta(days=28, minutes=-number)
            make_assignment(f"C-{number}", f"10.0.{number // 250}.{number % 250 + 1}/32")
            case = make_case(f"C-{number}", opened_at=at, address=f"10.0.{number // 250}.{number % 250 + 1}", due_at=at)
            for hour in range(20):
                seen = at + timedelta(hours=hour - 20)
                make_complaint(
                    case, address=case.address_text, seen_at=seen, received_at=at, reporter=f"r{hour}@trap.example"
                )
            live(case, now)
    document = deepcopy(PlaybookVersion.objects.get(name="open relay").document)
    next(step for step in document["steps"] if step["id"] == "escalate")["after"] = "48h"
    version = make_draft(document, actor="bench", now=now)
    began, cpu = time.perf_counter(), time.process_time()
    run = dry_run(version, now=now)
    took, cpu = time.perf_counter() - began, time.process_time() - cpu
    done = len(run.compared) + len(run.not_comparable)
    each = f"{cpu / done * 1000:.1f} ms each"
    print(f"{cases} cases of 20 complaints, {done} played twice in {took:.1f} s, {cpu:.1f} s of CPU: {each}")
    print(len(run.compared), "compared;", [total.words for total in run.totals], run.shifts)
    if run.not_comparable:
        print("first of those not comparable:", run.not_comparable[0].problem)


def live(case: Any, now: datetime) -> None:
    """The case's whole life by the real runner, every check answered at once: the relay stays open."""
    from complaints.models import CheckRun
    from complaints.playbooks.runner import advance_case

    while case.due_at and case.due_at <= now:
        at = case.due_at
        advance_case(case.pk, now=at)
        queued = CheckRun.objects.filter(case=case, state="queued")
        for check, verdict in (("relay", "bad"), ("dnsbl", "clean")):
            queued.filter(check_name=check).update(state="done", verdict=verdict, finished_at=at)
        advance_case(case.pk, now=at)
        case.refresh_from_db()
        if case.due_at == at:
            return


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1000)
