"""Raw mail → stored → parsed → attributed → case → committed: CPU per complaint, beside a naive ORM pipeline.

    python -m bench.ingest                     # SQLite and PostgreSQL, batches of 500, 50 and 1
    python -m bench.ingest --mails 5000

CPU is user + system of this process and, on PostgreSQL, of the server's processes. The naive pipeline is what a
first version of such a program looks like: the standard library's parser, one ORM call after the other, commit each;
with email.policy.default, and with compat32. Rounds of all contestants take turns; medians are printed.
"""

from __future__ import annotations

import argparse
import dataclasses
import email
import email.policy
import hashlib
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parseaddr, parsedate_to_datetime
from pathlib import Path

GOALS_US = {"postgresql": 500, "sqlite": 600}
GOAL_RATIO = 20
CONTRACTS = 2_000
ROUNDS = 5


def prepare() -> list[str]:
    """A network plan: one /20 of contracts with an address each, and ten years of history. Returns the addresses."""
    from complaints.addresses import prefix_key
    from complaints.models import Assignment, Contact, Contract, Customer, Network, PrefixLength

    long_ago = datetime(2020, 1, 1, tzinfo=UTC)
    Network.objects.create(key=prefix_key("192.0.0.0/12"), name="bench")
    for length in (32, 29, 24):
        PrefixLength.objects.create(family=4, length=length)
    numbers = range(CONTRACTS)
    customers = Customer.objects.bulk_create(Customer(reference=f"K-{n}", name=f"Customer {n}") for n in numbers)
    contracts = Contract.objects.bulk_create(Contract(reference=f"C-{n}", customer=customers[n]) for n in numbers)
    Contact.objects.bulk_create(Contact(contract=c, email=f"c{n}@customer.example") for n, c in enumerate(contracts))
    addresses = [f"192.0.{n // 250}.{n % 250 + 1}" for n in numbers]
    Assignment.objects.bulk_create(
        Assignment(contract=c, key=prefix_key(f"{a}/32"), valid_from=long_ago)
        for c, a in zip(contracts, addresses, strict=True)
    )
    return addresses


def forget() -> None:
    """Empty the tables that a round fills, so that every round starts alike."""
    from django.db import connection

    from complaints.models import Case, CaseEvent, Complaint, Message, Reading, Reporter

    with connection.cursor() as cursor:
        for model in (Complaint, CaseEvent, Case, Reading, Message, Reporter):
            cursor.execute(f"DELETE FROM {model._meta.db_table}")
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE")


def ours(batch: int) -> Callable[[list[bytes]], None]:
    from complaints.intake import Arrival, store_messages
    from complaints.pipeline import process_messages

    def run(raws: list[bytes]) -> None:
        for start in range(0, len(raws), batch):
            stored = store_messages([Arrival(raw=raw, channel="lmtp") for raw in raws[start : start + batch]])
            process_messages([one.message_id for one in stored])

    return run


def naive(policy: email.policy.Policy) -> Callable[[list[bytes]], None]:
    from django.db import transaction
    from django.db.models import F
    from django.utils import timezone

    from complaints.addresses import address_key, prefix_key
    from complaints.models import Assignment, Case, CaseEvent, Complaint, Message, Reading, Reporter
    from complaints.models.compression import pack

    def one(raw: bytes) -> None:
        now = timezone.now()
        message, _ = Message.objects.get_or_create(
            sha256=hashlib.sha256(raw).digest(),
            defaults={"packed": pack(raw), "size": len(raw), "channel": "lmtp", "received_at": now},
        )
        reading = Reading.objects.create(message=message)
        mail = email.message_from_bytes(raw, policy=policy)
        report = {}
        original = None
        for part in mail.walk():
            if part.get_content_type() == "message/feedback-report":
                inner = part.get_payload(0) if part.is_multipart() else email.message_from_string(part.get_payload())
                report = {name.lower(): str(value) for name, value in inner.items()}
            elif part.get_content_type() == "message/rfc822":
                original = part.get_payload(0)
        address, seen_at = report["source-ip"], parsedate_to_datetime(report["arrival-date"])
        with transaction.atomic():
            reporter, _ = Reporter.objects.get_or_create(
                address=parseaddr(str(mail["from"]))[1], defaults={"first_seen_at": now}
            )
            held = Assignment.objects.select_related("contract__customer").get(key=prefix_key(f"{address}/32"))
            case, opened = Case.objects.get_or_create(
                contract=held.contract,
                category="spam",
                state="investigating",
                defaults={
                    "address": address_key(address),
                    "state_since": now,
                    "opened_at": now,
                    "first_seen_at": seen_at,
                    "last_seen_at": seen_at,
                    "owner": held.contract.owner_record(),
                },
            )
            if opened:
                CaseEvent.objects.create(case=case, at=now, kind="opened", actor="machine")
            Case.objects.filter(pk=case.pk).update(complaint_count=F("complaint_count") + 1, last_seen_at=seen_at)
            Complaint.objects.create(
                message=message,
                address=address_key(address),
                seen_at=seen_at,
                received_at=now,
                category="spam",
                format="arf",
                feedback_type=report["feedback-type"],
                subject=str(original["subject"]),
                original_message_id=str(original["message-id"]),
                evidence={"received": [str(line) for line in original.get_all("received")], **report},
                reporter=reporter,
                answer="owner",
                contract=held.contract,
                method="static",
                confidence=0.95,
                case=case,
            )
            reading.state, reading.read_at = "read", now
            reading.save()

    def run(raws: list[bytes]) -> None:
        for raw in raws:
            one(raw)

    return run


@dataclasses.dataclass
class Contestant:
    name: str
    run: Callable[[list[bytes]], None]
    mails: int
    cpu_us: list[float] = dataclasses.field(default_factory=list)
    wall_us: list[float] = dataclasses.field(default_factory=list)


def measure(vendor: str, count: int, rounds: int) -> None:
    import django

    django.setup()
    from django.core.management import call_command
    from django.db import connection

    from bench.arf_mails import mails
    from complaints.models import Complaint

    call_command("migrate", verbosity=0)
    addresses = prepare()
    raws = list(mails(count, addresses))
    contestants = [
        Contestant("batches of 500", ours(500), count),
        Contestant("batches of 50", ours(50), count),
        Contestant("batches of 1", ours(1), min(count, 300)),
        Contestant("naive ORM, email compat32", naive(email.policy.compat32), min(count, 300)),
        Contestant("naive ORM, email policy.default", naive(email.policy.default), min(count, 300)),
    ]
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            backend = cursor.fetchone()[0]
    else:
        backend = None
    for number in range(rounds + 1):
        for contestant in contestants:
            forget()
            batch = raws[: contestant.mails]
            before, began = time.process_time() + server_cpu(backend), time.perf_counter()
            contestant.run(batch)
            spent = time.process_time() + server_cpu(backend) - before
            took = time.perf_counter() - began
            assert Complaint.objects.exclude(case=None).count() == len(batch)
            if number:  # the first round warms up
                contestant.cpu_us.append(spent / len(batch) * 1e6)
                contestant.wall_us.append(took / len(batch) * 1e6)
    show(vendor, contestants, raws)


def server_cpu(backend: int | None) -> float:
    """Seconds of CPU of the PostgreSQL process that serves us."""
    if backend is None:
        return 0.0
    fields = Path(f"/proc/{backend}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def show(vendor: str, contestants: list[Contestant], raws: list[bytes]) -> None:
    size = statistics.mean(len(raw) for raw in raws)
    print(f"\n{vendor}: {len(raws)} mails of {size / 1000:.1f} KB, {CONTRACTS} contracts, median of rounds")
    best = statistics.median(contestants[0].cpu_us)
    print(f"{'':34}{'CPU µs':>9}{'wall µs':>9}{'per core·s':>12}{'× best':>8}")
    for c in contestants:
        cpu, wall = statistics.median(c.cpu_us), statistics.median(c.wall_us)
        print(f"{c.name:34}{cpu:9.0f}{wall:9.0f}{1e6 / cpu:12.0f}{cpu / best:8.1f}")
    naive_cpu = statistics.median(contestants[-1].cpu_us)
    print(f"goal ≤ {GOALS_US[vendor]} µs: {'reached' if best <= GOALS_US[vendor] else 'MISSED'} ({best:.0f} µs)")
    ratio = naive_cpu / best
    reached = "reached" if ratio >= GOAL_RATIO else "MISSED"
    print(f"goal ≥ {GOAL_RATIO} × naive (policy.default): {reached} ({ratio:.1f} ×)")


def child(vendor: str, url: str, options: argparse.Namespace) -> None:
    words = [
        sys.executable,
        "-m",
        "bench.ingest",
        "--one",
        vendor,
        "--mails",
        str(options.mails),
        "--rounds",
        str(options.rounds),
    ]
    with tempfile.TemporaryDirectory() as scratch:
        environment = {
            "DATABASE_URL": url or f"sqlite:///{scratch}/bench.sqlite3",
            "ABUSEDESK_DATA_DIR": scratch,
            "ABUSEDESK_SECRET_KEY": "bench",
            "ABUSEDESK_FLOOD_PER_MINUTE": "0",  # all of it comes from few senders at once: that is the point
            "ABUSEDESK_FLOOD_PER_HOUR": "0",
            "DJANGO_SETTINGS_MODULE": "abusedesk.settings",
        }
        subprocess.run(words, env={**os.environ, **environment}, check=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mails", type=int, default=5_000)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--one", choices=["sqlite", "postgresql"], help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        measure(options.one, options.mails, options.rounds)
        return
    from tests.services.postgres import postgres_server

    child("sqlite", "", options)
    with postgres_server() as url:
        child("postgresql", url, options)


if __name__ == "__main__":
    main()
