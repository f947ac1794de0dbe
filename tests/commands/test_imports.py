"""The three import commands: files in, JSON out, refusals word for word, and nothing half done."""

from __future__ import annotations

import pytest

from complaints.attribution.importing import ImportRefused, import_assignments, import_networks
from complaints.models import Assignment, Contact, Contract, Customer, Network, PrefixLength
from tests.commands.import_files import ASSIGNMENT_HEADER, counts, errors_of
from tests.factories import make_assignment, make_contract, make_network, overlaps_allowed

pytestmark = pytest.mark.django_db

# --- the file as such


def test_networks_are_created_then_unchanged_then_renamed(load):
    assert load("networks", "192.0.2.0/24,Office", "2001:db8::/32,") == counts(2, created=2)
    assert load("networks", "192.0.2.0/24,Office", "2001:db8::/32,") == counts(2, unchanged=2)
    assert load("networks", "192.0.2.0/24,Lines") == counts(1, updated=1)
    assert sorted(str(network) for network in Network.objects.all()) == ["192.0.2.0/24 Lines", "2001:db8::/32"]


def test_a_dry_run_tells_what_it_would_do_and_does_nothing(load):
    assert load("networks", "192.0.2.0/24,Office", dry_run=True) == counts(1, created=1)
    assert Network.objects.count() == 0


def test_byte_order_mark_spaces_blank_lines_quotes_and_order_of_columns_do_not_matter(load):
    lines = (b"\xef\xbb\xbfname, prefix", b"", b'"Office, first\nfloor", 192.0.2.0/24 ', "Büro,198.51.100.0/24", b"")

    assert load("networks", *lines) == counts(2, created=2)
    assert set(Network.objects.values_list("name", flat=True)) == {"Office, first\nfloor", "Büro"}


@pytest.mark.parametrize(
    ("lines", "problems"),
    [
        ((b"",), ["F.csv:1: the header line is missing: prefix,name"]),
        ((b"prefix",), ["F.csv:1: name: is missing"]),
        ((b"prefix,name,vlan",), ["F.csv:1: vlan: is not a column of this file"]),
        ((b"prefix,name,name",), ["F.csv:1: name: is there twice"]),
        ((b"Prefix,name",), ["F.csv:1: prefix: is missing", "F.csv:1: Prefix: is not a column of this file"]),
        ((b"prefix;name",), ["F.csv:1: the columns are parted by semicolons: part them by commas"]),
        (("192.0.2.0/24",), ["F.csv:2: 1 cells, but the header has 2"]),
        (("192.0.2.0/24,a,b",), ["F.csv:2: 3 cells, but the header has 2"]),
        ((b"prefix,name", b"192.0.2.0/24,B\xfcro"), ["F.csv:2: byte 0xfc at character 15 is no UTF-8"]),
        ((b"prefix,name", b"192.0.2.0/24,a\0"), ["F.csv:2: holds a NUL byte: is it UTF-16? Save it as UTF-8"]),
        (('192.0.2.0/24,"open',), ["F.csv:2: is no CSV: unexpected end of data"]),
    ],
)
def test_a_file_that_is_no_such_csv_is_refused(refused, lines, problems):
    assert refused("networks", *lines) == problems
    assert Network.objects.count() == 0


def test_a_file_that_is_not_there_is_named(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    assert errors_of("networks") == ["F.csv: cannot be read: No such file or directory"]


@pytest.mark.parametrize(
    ("prefix", "problem"),
    [
        ("192.0.2.1/24", "'192.0.2.1/24' has host bits set: did you mean 192.0.2.0/24?"),
        ("2001:db8::1/64", "'2001:db8::1/64' has host bits set: did you mean 2001:db8::/64?"),
        ("192.0.2.0/33", "'192.0.2.0/33' is not a prefix, such as 192.0.2.0/24 or 2001:db8::/48"),
        ("office", "'office' is not a prefix, such as 192.0.2.0/24 or 2001:db8::/48"),
        ("", "'' is not a prefix, such as 192.0.2.0/24 or 2001:db8::/48"),
        ("::ffff:192.0.2.0/120", "'::ffff:192.0.2.0/120': write an IPv4-mapped prefix as IPv4"),
    ],
)
def test_a_bad_prefix_is_refused(refused, prefix, problem):
    assert refused("networks", "198.51.100.0/24,good", f"{prefix},bad") == [f"F.csv:3: prefix: {problem}"]
    assert Network.objects.count() == 0


def test_a_network_named_twice_is_refused_with_both_lines(refused):
    lines = ("192.0.2.0/24,a", "198.51.100.0/24,b", "192.0.2.0/24,c")

    assert refused("networks", *lines) == ["F.csv:4: prefix: is also in line 2"]


def test_all_faults_are_told_up_to_50(refused):
    fault = "prefix: 'x' is not a prefix, such as 192.0.2.0/24 or 2001:db8::/48"

    assert refused("networks", *["x,"] * 49) == [f"F.csv:{n}: {fault}" for n in range(2, 51)]
    assert refused("networks", *["x,"] * 60) == [
        *(f"F.csv:{n}: {fault}" for n in range(2, 52)),
        "F.csv: stopped after 50 faults",
    ]


def test_the_verb_takes_any_lines_of_text_and_tells_its_progress():
    told: list[int] = []
    lines = ["prefix,name\n", *(f"10.{n // 256}.{n % 256}.0/24,n\n" for n in range(4000))]

    summary = import_networks(iter(lines), name="plan", progress=told.append)

    assert (summary.created, told) == (4000, [2000, 4000])


# --- contracts

ANNA = "C-1,K-1,Anna Ltd,Fibre,Brand,Anna,anna@customer.example,holder,de"
TECH = "C-1,K-1,Anna Ltd,Fibre,Brand,Theo,theo@customer.example,technical,"


def test_contracts_come_with_customer_and_contacts(load):
    assert load("contracts", ANNA, TECH, "C-2,K-1,Anna Ltd,,,,,,") == counts(3, created=5)

    assert list(Customer.objects.values_list("reference", "name")) == [("K-1", "Anna Ltd")]
    assert sorted(Contract.objects.values_list("reference", "customer__reference", "product", "brand")) == [
        ("C-1", "K-1", "Fibre", "Brand"),
        ("C-2", "K-1", "", ""),
    ]
    assert sorted(Contact.objects.values_list("contract__reference", "role", "email", "name", "language")) == [
        ("C-1", "holder", "anna@customer.example", "Anna", "de"),
        ("C-1", "technical", "theo@customer.example", "Theo", "en"),
    ]


def test_contracts_again_are_unchanged_and_keep_their_rows(load):
    load("contracts", ANNA, TECH)
    before = list(Contact.objects.order_by("pk").values_list("pk", flat=True))

    assert load("contracts", ANNA, TECH) == counts(2, unchanged=4)
    assert list(Contact.objects.order_by("pk").values_list("pk", flat=True)) == before


def test_a_contact_no_longer_listed_is_removed_but_other_contracts_are_left_alone(load):
    load("contracts", ANNA, TECH, "C-2,K-2,Bruno,,,Bruno,bruno@customer.example,holder,en")

    assert load("contracts", ANNA) == counts(1, unchanged=3, removed=1)
    assert load("contracts", "C-1,K-1,Anna Ltd,Fibre,Brand,,,,") == counts(1, unchanged=2, removed=1)
    assert list(Contact.objects.values_list("email", flat=True)) == ["bruno@customer.example"]


def test_a_contract_may_move_to_another_customer(load):
    load("contracts", ANNA)

    assert load("contracts", ANNA.replace("K-1,Anna Ltd", "K-9,Zoe Ltd")) == counts(
        1, created=1, updated=1, unchanged=1
    )
    assert Contract.objects.get(reference="C-1").customer.name == "Zoe Ltd"


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        (",K-1,Anna Ltd,,,,,,", "contract: is empty"),
        ("C-1,,Anna Ltd,,,,,,", "customer: is empty"),
        ("C-1,K-1,,,,,,,", "customer_name: is empty"),
        ("C-1,K-1,Anna Ltd,,,Anna,,holder,", "contact_email: is empty"),
        (
            "C-1,K-1,Anna Ltd,,,Anna,anna@,holder,",
            "contact_email: 'anna@' is not a mail address: There must be something after the @-sign",
        ),
        (
            "C-1,K-1,Anna Ltd,,,Anna,anna@customer.example,boss,",
            "contact_role: 'boss' is not one of holder, technical, abuse",
        ),
        (
            "C-1,K-1,Anna Ltd,,,Anna,anna@customer.example,holder,German",
            "language: 'German' is not a short language code, such as en or pt-BR",
        ),
        (f"{'C' * 101},K-1,Anna Ltd,,,,,,", f"contract: '{'C' * 20}'… has 101 characters, more than 100"),
    ],
)
def test_a_bad_contract_line_is_refused(refused, line, problem):
    assert refused("contracts", line) == [f"F.csv:2: {problem}"]
    assert (Customer.objects.count(), Contract.objects.count()) == (0, 0)


def test_every_fault_of_a_line_is_told(refused):
    assert refused("contracts", ",,Anna,,,Anna,anna,boss,en") == [
        "F.csv:2: contract: is empty",
        "F.csv:2: customer: is empty",
        "F.csv:2: contact_email: 'anna' is not a mail address: An email address must have an @-sign",
        "F.csv:2: contact_role: 'boss' is not one of holder, technical, abuse",
    ]


def test_lines_of_one_contract_that_contradict_each_other_are_refused(refused):
    lines = (ANNA, TECH.replace("Anna Ltd", "Anne Ltd"), TECH.replace("Fibre", "DSL"), ANNA)

    assert refused("contracts", *lines) == [
        "F.csv:3: customer_name: 'Anne Ltd' here, but 'Anna Ltd' in line 2",
        "F.csv:4: product: 'DSL' here, but 'Fibre' in line 2",
        "F.csv:5: contact_email: 'anna@customer.example' is also in line 2 with that role",
    ]


# --- assignments

OPEN = "C-1,192.0.2.8/29,static,2026-01-01T00:00:00Z,,,"


@pytest.fixture
def plan() -> None:
    make_network("192.0.2.0/24")
    make_network("2001:db8::/32")
    make_contract("C-1")
    make_contract("C-2")


def held() -> list[tuple[str, str, str, str | None, int, int]]:
    rows = Assignment.objects.order_by("key", "valid_from", "port_first").select_related("contract")
    return [
        (
            row.contract.reference,
            row.prefix,
            row.valid_from.isoformat(),
            row.valid_until.isoformat() if row.valid_until else None,
            row.port_first,
            row.port_last,
        )
        for row in rows
    ]


@pytest.mark.usefixtures("plan")
def test_assignments_are_created_then_unchanged(load):
    lines = (OPEN, "C-2,192.0.2.1,cgnat,2026-01-01T01:00:00+01:00,2026-02-01T00:00:00Z,1024,2047")

    assert load("assignments", *lines) == counts(2, created=2)
    assert load("assignments", *lines) == counts(2, unchanged=2)
    assert held() == [
        ("C-1", "192.0.2.8/29", "2026-01-01T00:00:00+00:00", None, 0, 65535),
        ("C-2", "192.0.2.1/32", "2026-01-01T00:00:00+00:00", "2026-02-01T00:00:00+00:00", 1024, 2047),
    ]


@pytest.mark.usefixtures("plan")
def test_lengths_in_use_are_noted_once(load):
    for _ in range(2):
        load("assignments", OPEN, "C-1,2001:db8::/56,static,2026-01-01T00:00:00Z,,,")

    assert sorted(PrefixLength.objects.values_list("family", "length")) == [(4, 29), (6, 56)]


@pytest.mark.usefixtures("plan")
def test_an_assignment_is_closed_by_importing_it_with_its_end_and_handed_over_in_the_same_file(load):
    load("assignments", OPEN)
    closed = OPEN.replace("Z,,,", "Z,2026-03-01T00:00:00Z,,")
    handed_over = "C-2,192.0.2.8/29,static,2026-03-01T00:00:00Z,,,"

    assert load("assignments", handed_over, closed) == counts(2, created=1, updated=1)
    assert [(row[0], row[3]) for row in held()] == [("C-1", "2026-03-01T00:00:00+00:00"), ("C-2", None)]


@pytest.mark.usefixtures("plan")
@pytest.mark.parametrize(
    ("line", "problem"),
    [
        (OPEN.replace("C-1", "C-9"), "contract: 'C-9' is not known: import the contracts first"),
        (OPEN.replace("C-1", ""), "contract: is empty"),
        (
            OPEN.replace("192.0.2.8", "192.0.2.9"),
            "prefix: '192.0.2.9/29' has host bits set: did you mean 192.0.2.8/29?",
        ),
        (OPEN.replace("192.0.2.8", "192.0.3.8"), "prefix: '192.0.3.8/29' is not inside any of our networks"),
        (OPEN.replace("8/29", "0/23"), "prefix: '192.0.2.0/23' is not inside any of our networks"),
        (OPEN.replace("static", "dhcp"), "kind: 'dhcp' is not one of static, lease, cgnat"),
        (
            OPEN.replace("00Z", "00"),
            "valid_from: '2026-01-01T00:00:00' has no time zone: write 2026-01-01T00:00:00Z,"
            " or an offset such as +01:00 for Z",
        ),
        (
            OPEN.replace("2026-01-01T00:00:00Z", "01.01.2026"),
            "valid_from: '01.01.2026' is not an ISO 8601 time, such as 2026-03-10T12:00:00Z",
        ),
        (OPEN.replace("2026-01-01T00:00:00Z", ""), "valid_from: is empty"),
        (
            OPEN.replace("Z,,,", "Z,2026-01-01T00:00:00Z,,"),
            "valid_until: 2026-01-01 00:00:00 UTC is not after valid_from, 2026-01-01 00:00:00 UTC",
        ),
        (
            OPEN.replace("2026-01-01T00:00:00Z", "0001-01-01T00:00:00+02:00"),
            "valid_from: '0001-01-01T00:00:00+02:00' is not a time in the years 1 to 9999 in UTC",
        ),
        (OPEN.replace(",,,", ",,2048,2047"), "port_last: 2047 is before port_first, 2048"),
        (OPEN.replace(",,,", ",,,65536"), "port_last: '65536' is not a port from 0 to 65535"),
        (OPEN.replace(",,,", ",,-1,"), "port_first: '-1' is not a port from 0 to 65535"),
    ],
)
def test_a_bad_assignment_line_is_refused(refused, line, problem):
    assert refused("assignments", "C-1,192.0.2.64/29,static,2026-01-01T00:00:00Z,,,", line) == [f"F.csv:3: {problem}"]
    assert held() == []


@pytest.mark.usefixtures("plan")
def test_an_assignment_named_twice_is_refused(refused):
    assert refused("assignments", OPEN, OPEN) == [
        "F.csv:3: contract: 'C-1' has this prefix, valid_from and port_first also in line 2"
    ]


@pytest.mark.usefixtures("plan")
def test_two_contracts_on_one_prefix_at_once_are_refused_in_the_file(refused):
    assert refused("assignments", "C-2,192.0.2.8/29,static,2026-02-01T00:00:00Z,,,", OPEN) == [
        "F.csv:3: prefix: C-1 (here) and C-2 (line 2) would both hold 192.0.2.8/29 at 2026-02-01 00:00:00 UTC"
    ]
    assert held() == []


@pytest.mark.usefixtures("plan")
def test_two_contracts_on_one_prefix_at_once_are_refused_with_the_database(load, refused):
    load("assignments", OPEN.replace(",,,", ",,1000,1999"))

    assert refused("assignments", "C-2,192.0.2.8/29,cgnat,2026-02-01T00:00:00Z,,1999,2999") == [
        "F.csv:2: prefix: C-2 (here) and C-1 (stored) would both hold 192.0.2.8/29"
        " at 2026-02-01 00:00:00 UTC, port 1999"
    ]
    assert load("assignments", "C-2,192.0.2.8/29,cgnat,2026-02-01T00:00:00Z,,2000,2999") == counts(1, created=1)


@pytest.mark.usefixtures("plan")
def test_reopening_what_was_handed_over_is_refused(load, refused):
    load("assignments", OPEN.replace("Z,,,", "Z,2026-03-01T00:00:00Z,,"))
    load("assignments", "C-2,192.0.2.8/29,static,2026-03-01T00:00:00Z,,,")

    assert refused("assignments", OPEN) == [
        "F.csv:2: prefix: C-1 (here) and C-2 (stored) would both hold 192.0.2.8/29 at 2026-03-01 00:00:00 UTC"
    ]
    assert held()[0][3] == "2026-03-01T00:00:00+00:00"


@pytest.mark.usefixtures("plan")
def test_nested_prefixes_do_not_overlap(load):
    lines = (OPEN, "C-2,192.0.2.8/32,static,2026-01-01T00:00:00Z,,,", "C-2,192.0.2.0/24,static,2026-01-01T00:00:00Z,,,")

    assert load("assignments", *lines) == counts(3, created=3)


@pytest.mark.usefixtures("plan")
def test_one_contract_may_overlap_itself(load):
    assert load("assignments", OPEN, OPEN.replace("2026-01", "2026-02")) == counts(2, created=2)


def test_an_overlap_that_is_stored_already_does_not_stop_another_line(load):
    make_network()
    make_assignment("C-1", "192.0.2.8/29")
    with overlaps_allowed():
        make_assignment("C-2", "192.0.2.8/29")

    closed = "C-1,192.0.2.8/29,static,2010-01-01T00:00:00Z,2011-01-01T00:00:00Z,,"
    assert load("assignments", closed) == counts(1, created=1)


@pytest.mark.usefixtures("plan")
def test_a_fault_far_down_the_file_undoes_everything():
    lines = [ASSIGNMENT_HEADER, *(f"C-1,192.0.2.{n}/32,static,2026-01-01T00:00:00Z,,," for n in range(200))]
    stacked = [f"C-2,192.0.2.{n}/32,static,2026-01-01T00:00:00Z,,," for n in (198, 199)]

    with pytest.raises(ImportRefused) as refusal:
        import_assignments([*lines, *stacked], name="F.csv")

    assert refusal.value.faults == [
        f"F.csv:{line}: prefix: C-2 (here) and C-1 (line {first}) would both hold 192.0.2.{n}/32"
        " at 2026-01-01 00:00:00 UTC"
        for line, first, n in ((202, 200, 198), (203, 201, 199))
    ]
    assert (held(), PrefixLength.objects.count()) == ([], 0)
