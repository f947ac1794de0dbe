from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from complaints.desk.together import together
from complaints.models import Blacklist, Case, CaseEvent, Customer, Listing, ProbeArrival
from tests.factories import NOON, make_case, make_contract, make_customer, make_message, make_run

SqlOf = Callable[[Callable[[], object]], list[str]]


def as_rows(found: list[object]) -> list[dict[str, object]]:
    return [{name: value for name, value in vars(each).items() if name != "_state"} for each in found]


def test_rows_come_back_as_the_database_has_them(db: None, sql_of: SqlOf) -> None:
    case = make_case(
        make_contract(customer=make_customer(name="Å “Böhm”", protected=True)), priority_reasons=[["41", 2]]
    )
    run = make_run(case)
    for n in range(3):
        at = NOON + timedelta(microseconds=n)
        message = make_message(b"%d" % n)
        ProbeArrival.objects.create(
            run=run, form=f"f{n}", message=message, peer="192.0.2.1:25", arrived_at=at, received=["from x"]
        )
    looks = {
        "customers": Customer.objects.all(),
        "nothing": Customer.objects.none(),
        "case": Case.objects.all(),
        "arrivals": ProbeArrival.objects.order_by("-arrived_at")[:2],
        "few": Case.objects.only("state"),
        "no_history": CaseEvent.objects.all(),
    }

    found: dict[str, list[Any]] = {}
    statements = sql_of(lambda: found.update(together(looks)))

    assert len(statements) == 1
    assert {name: as_rows(rows) for name, rows in found.items()} == {
        name: as_rows(list(rows)) for name, rows in looks.items()
    }
    assert found["customers"][0].protected is True
    assert found["few"][0].opened_at == found["case"][0].opened_at  # what was deferred is read when it is asked for


def test_bytes_and_times_survive(db: None) -> None:
    lists = Blacklist.objects.create(name="some-list", zone="list.example")
    at = datetime(2026, 11, 22, 4, 5, 6, tzinfo=UTC)
    Listing.objects.create(
        blacklist=lists, key=b"\x20\xc0\x00\x02\x0a", status="listed", first_seen_at=at, last_seen_at=at
    )

    (found,) = together({"listings": Listing.objects.all()})["listings"]

    assert (found.key, found.first_seen_at, found.gone_at) == (b"\x20\xc0\x00\x02\x0a", at, None)


def test_nothing_is_asked_where_nothing_can_be_found(db: None, sql_of: SqlOf) -> None:
    assert sql_of(lambda: together({"nobody": Customer.objects.none()})) == []
