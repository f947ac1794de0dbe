"""Two imports at the same time: each is right alone, together they would store two holders of one address."""

from __future__ import annotations

import threading
import time

import pytest
from django.db import connection, transaction

from complaints.attribution.importing import ImportRefused, import_assignments
from complaints.models import Assignment, PrefixLength
from tests.factories import make_contract, make_network

HEADER = "contract,prefix,kind,valid_from,valid_until,port_first,port_last"


@pytest.mark.django_db(transaction=True)
def test_an_import_waits_for_one_that_is_not_committed_yet_and_is_compared_with_it():
    make_network()
    for reference in ("C-1", "C-2"):
        make_contract(reference)
    PrefixLength.objects.create(family=4, length=28)  # else its unique row would make the second one wait
    written = threading.Event()
    faults: list[str] = []

    def first() -> None:
        with transaction.atomic():
            import_assignments([HEADER, "C-1,192.0.2.0/28,static,2026-01-01T00:00:00Z,,,"], name="first")
            written.set()
            time.sleep(0.3)  # the other one runs into us now
        connection.close()

    def second() -> None:
        assert written.wait(timeout=10)
        try:
            import_assignments([HEADER, "C-2,192.0.2.0/28,static,2026-02-01T00:00:00Z,,,"], name="second")
        except ImportRefused as exc:
            faults.extend(exc.faults)
        connection.close()

    threads = [threading.Thread(target=run) for run in (first, second)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)

    assert faults == [
        "second:2: prefix: C-2 (here) and C-1 (stored) would both hold 192.0.2.0/28 at 2026-02-01 00:00:00 UTC"
    ]
    assert [a.contract.reference for a in Assignment.objects.select_related("contract")] == ["C-1"]
