"""import_contracts: customers, their contracts and the contacts of each, one line a contact.

A contract without a contact is one line with the four contact columns empty. What belongs to the
customer or the contract stands on each of its lines, and must be the same on all of them.
"""

from __future__ import annotations

from collections.abc import Iterable

from django.db import transaction

from complaints.attribution.importing.cells import email, language, one_of, text
from complaints.attribution.importing.reading import Progress, Row, Sheet
from complaints.attribution.importing.upsert import (
    ROWS_A_CHUNK,
    Summary,
    Table,
    ids_by_reference,
    keep_other_writers_out,
    remove_others,
    upsert,
)
from complaints.models import Contact, Contract, Customer

CONTRACT_COLUMNS = ("contract", "customer", "customer_name", "product", "brand")
CONTACT_COLUMNS = ("contact_name", "contact_email", "contact_role", "language")
COLUMNS = CONTRACT_COLUMNS + CONTACT_COLUMNS
CELLS = {
    "contract": text(100, may_be_empty=False),
    "customer": text(100, may_be_empty=False),
    "customer_name": text(200, may_be_empty=False),
    "product": text(100),
    "brand": text(100),
    "contact_name": text(200),
    "contact_email": email,
    "contact_role": one_of(Contact.Role.values),
    "language": language,
}

CUSTOMERS = Table(Customer, ("reference",), ("name",))
CONTRACTS = Table(Contract, ("reference",), ("customer_id", "product", "brand"))
CONTACTS = Table(Contact, ("contract_id", "role", "email"), ("name", "language"))


class Book:
    """What the file says, by the ISP's references, with the line that said it first."""

    def __init__(self) -> None:
        self.customers: dict[str, str] = {}  # name
        self.contracts: dict[str, tuple[str, str, str]] = {}  # customer, product, brand
        self.contacts: dict[tuple[str, str, str], tuple[str, str]] = {}  # contract, role, email: name, language
        self.lines: dict[tuple[str, ...], int] = {}


def import_contracts(
    stream: Iterable[str], *, name: str, dry_run: bool = False, progress: Progress | None = None
) -> Summary:
    """Make customers, contracts and contacts what the file says. The summary counts all three.

    A contact that the file no longer lists for one of its contracts is removed; contracts and customers
    that the file does not name stay as they are.

    Raises:
        ImportRefused: with every fault; nothing was changed.
    """
    sheet = Sheet(stream, COLUMNS, name=name, progress=progress)
    book = read_book(sheet)
    sheet.seal()
    summary = Summary(name, sheet.lines)
    with transaction.atomic():
        keep_other_writers_out(Customer, Contract, Contact)
        write_book(book, summary)
        if dry_run:
            transaction.set_rollback(True)
    return summary


def read_book(sheet: Sheet) -> Book:
    book = Book()
    for row in sheet.rows():
        cells = {column: row.read(column, CELLS[column]) or "" for column in CONTRACT_COLUMNS}
        if row.good:
            note_contract(book, row, cells)
        if any(row.read(column, str) for column in CONTACT_COLUMNS):
            note_contact(book, row, cells["contract"])
    return book


def note_contract(book: Book, row: Row, cells: dict[str, str]) -> None:
    customer, contract = cells["customer"], cells["contract"]
    line = book.lines.setdefault(("customer", customer), row.line)
    name = book.customers.setdefault(customer, cells["customer_name"])
    refuse_another(row, "customer_name", cells["customer_name"], name, line)
    line = book.lines.setdefault(("contract", contract), row.line)
    first = book.contracts.setdefault(contract, (customer, cells["product"], cells["brand"]))
    for column, said in zip(("customer", "product", "brand"), first, strict=True):
        refuse_another(row, column, cells[column], said, line)


def refuse_another(row: Row, column: str, here: str, there: str, line: int) -> None:
    if here != there:
        row.refuse(column, f"{here!r} here, but {there!r} in line {line}")


def note_contact(book: Book, row: Row, contract: str) -> None:
    name, address, role, spoken = (row.read(column, CELLS[column]) or "" for column in CONTACT_COLUMNS)
    identity = (contract, role, address)
    if row.good and identity in book.contacts:
        row.refuse("contact_email", f"{address!r} is also in line {book.lines[('contact', *identity)]} with that role")
    if row.good:
        book.contacts[identity] = (name, spoken)
        book.lines["contact", *identity] = row.line


def write_book(book: Book, summary: Summary) -> None:
    upsert(CUSTOMERS, book.customers.items(), summary)
    customers = ids_by_reference(Customer, book.customers)
    upsert(CONTRACTS, [(ref, customers[c], *rest) for ref, (c, *rest) in book.contracts.items()], summary)
    contracts = ids_by_reference(Contract, book.contracts)
    contacts = [(contracts[ref], role, address, *values) for (ref, role, address), values in book.contacts.items()]
    upsert(CONTACTS, contacts, summary)
    remove_others(CONTACTS, list(contracts.values()), contacts, summary)
    note_reachable(list(contracts.values()))


def note_reachable(contracts: list[int]) -> None:
    for start in range(0, len(contracts), ROWS_A_CHUNK):
        Contract.objects.filter(pk__in=contracts[start : start + ROWS_A_CHUNK]).note_reachable()
