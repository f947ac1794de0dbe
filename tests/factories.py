"""Rows for tests. Give what the fact is about; the rest is filled in. Times: NOON is "now" of most tests."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from django.db import connection

from complaints.addresses import address_key, prefix_key
from complaints.cases.rule_documents import CONDITIONS
from complaints.desk.people import give_role
from complaints.models import (
    Assignment,
    Case,
    CheckRun,
    Complaint,
    Contact,
    Contract,
    Customer,
    Message,
    Network,
    PrefixLength,
    Reading,
    Reporter,
    Rule,
    SharedMachine,
    User,
)
from complaints.models.assignments import ALL_PORTS
from complaints.models.compression import pack
from complaints.vocabulary import Category

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


def make_user(username: str = "ada", role: str = "analyst", **columns: Any) -> User:
    """Log in with the user's name as password; role="" for none. is_staff and is_superuser as for Django."""
    user = User.objects.create_user(username=username, password=username, **columns)
    if role:
        give_role(user, role)
    return user


def make_customer(reference: str = "K-1", **columns: Any) -> Customer:
    return Customer.objects.get_or_create(reference=reference, defaults={"name": f"Customer {reference}", **columns})[0]


def make_contract(
    reference: str = "C-1", *, customer: Customer | str = "K-1", email: str | None = None, **columns: Any
) -> Contract:
    """The contract `reference`, with a contract holder to write to; email="" makes one without any contact."""
    if isinstance(customer, str):
        customer = make_customer(customer)
    contract, is_new = Contract.objects.get_or_create(reference=reference, defaults={"customer": customer, **columns})
    if is_new and email != "":
        make_contact(contract, email=email or f"{reference.lower()}@customer.example")
    return contract


def make_contact(contract: Contract, *, email: str = "holder@customer.example", **columns: Any) -> Contact:
    return Contact.objects.create(contract=contract, email=email, **{"name": "Chris Holder", **columns})


def make_network(prefix: str = "192.0.2.0/24", name: str = "") -> Network:
    return Network.objects.get_or_create(key=prefix_key(prefix), defaults={"name": name})[0]


def make_assignment(
    contract: Contract | str = "C-1",
    prefix: str = "192.0.2.10/32",
    *,
    kind: str = Assignment.Kind.STATIC,
    valid_from: datetime = LONG_AGO,
    valid_until: datetime | None = None,
    port_first: int = ALL_PORTS[0],
    port_last: int = ALL_PORTS[1],
) -> Assignment:
    """Also says that the prefix's length is in use. It makes no Network: what is ours, the test says."""
    key = prefix_key(prefix)
    PrefixLength.objects.get_or_create(family=4 if len(key) == 5 else 6, length=key[0])
    return Assignment.objects.create(
        contract=make_contract(contract) if isinstance(contract, str) else contract,
        key=key,
        kind=kind,
        valid_from=valid_from,
        valid_until=valid_until,
        port_first=port_first,
        port_last=port_last,
    )


@contextmanager
def overlaps_allowed() -> Iterator[None]:
    """Rows of before the database refused two holders: old sites may have some, and attribution must not guess."""
    if connection.vendor == "postgresql":
        switch = "SET CONSTRAINTS ALL IMMEDIATE; ALTER TABLE complaints_assignment {0} TRIGGER one_holder_inserted"
        switch += ", {0} TRIGGER one_holder_updated"
        before, after = [switch.format("DISABLE")], [switch.format("ENABLE"), "SET CONSTRAINTS ALL DEFERRED"]
    else:
        named = "type = 'trigger' AND name LIKE 'complaints_assignment_one_holder%'"
        with connection.cursor() as cursor:
            triggers = cursor.execute(f"SELECT name, sql FROM sqlite_master WHERE {named}").fetchall()
        before, after = [f"DROP TRIGGER {name}" for name, _ in triggers], [sql for _, sql in triggers]
    run_all(before)
    yield
    run_all(after)


def run_all(statements: list[str]) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def make_message(raw: bytes = b"Subject: hello\r\n\r\nhello\r\n", *, state: str = "waiting", **columns: Any) -> Message:
    message = Message.objects.create(
        sha256=hashlib.sha256(raw).digest(),
        packed=pack(raw),
        size=len(raw),
        **{"channel": Message.Channel.LMTP, "received_at": NOON, **columns},
    )
    Reading.objects.create(message=message, state=state)
    return message


def make_case(
    contract: Contract | str = "C-1",
    *,
    category: Category = Category.SPAM,
    address: str = "192.0.2.10",
    opened_at: datetime = NOON,
    **columns: Any,
) -> Case:
    """An active case as filing opens it: investigating, owner frozen. Any column may be named."""
    if isinstance(contract, str):
        contract = make_contract(contract)
    filled: dict[str, Any] = {
        "state_since": opened_at,
        "first_seen_at": opened_at,
        "last_seen_at": opened_at,
        "complaint_count": 1,
        "reporter_count": 1,
        "confidence": 0.95,
        "owner": contract.owner_record(),
    }
    return Case.objects.create(
        contract=contract,
        category=category,
        address=address_key(address),
        opened_at=opened_at,
        **(filled | columns),
    )


def make_complaint(
    case: Case | None = None, *, address: str = "192.0.2.10", reporter: str = "", **columns: Any
) -> Complaint:
    """A complaint of `case`, or of none: then answer="nobody" unless another is named. Its message is made with it."""
    message = columns.pop("message", None) or make_message(
        f"Subject: c\r\n\r\n{Complaint.objects.count()}".encode(), state="read"
    )
    filled: dict[str, Any] = {
        "seen_at": NOON,
        "category": case.category if case else Category.SPAM,
        "received_at": NOON,
        "format": "arf",
        "subject": "Cheap watches",
        "answer": "owner" if case else "nobody",
        "contract": case.contract if case else None,
        "method": "static" if case else "",
        "confidence": 0.95 if case else 0,
    }
    if reporter:
        filled["reporter"] = Reporter.objects.get_or_create(address=reporter, defaults={"first_seen_at": NOON})[0]
    return Complaint.objects.create(message=message, address=address_key(address), case=case, **(filled | columns))


def make_run(
    case: Case, check: str = "relay", verdict: str = "bad", *, occasion: str = "investigate.1", **columns: Any
) -> CheckRun:
    """A finished check of the case's address; verdict="" makes a queued one."""
    filled: dict[str, Any] = {
        "queued_at": NOON,
        "state": "done" if verdict else "queued",
        "finished_at": NOON if verdict else None,
    }
    return CheckRun.objects.create(
        case=case, check_name=check, address=case.address, verdict=verdict, occasion=occasion, **(filled | columns)
    )


def make_shared_machine(prefix: str = "192.0.2.25/32", what: str = "mail", **columns: Any) -> SharedMachine:
    return SharedMachine.objects.create(key=prefix_key(prefix), what=what, **columns)


def make_reporter(address: str = "reporter@x.example", **columns: Any) -> Reporter:
    return Reporter.objects.create(address=address, **{"first_seen_at": NOON, **columns})


def make_rule(kind: str = "ignore", **columns: Any) -> Rule:
    """An active rule behind the others. Conditions are named as they are: reporter=["noise.example"]."""
    asked = {name: columns.pop(name) for name in CONDITIONS if name in columns}
    filled = {"name": f"{kind} rule", "reason": "because", "created_at": NOON, "created_by": "carla", "active": True}
    position = Rule.objects.count() + 1
    return Rule.objects.create(kind=kind, conditions=asked, **({"position": position} | filled | columns))
