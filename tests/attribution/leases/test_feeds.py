"""Lease feeds as the systems write them, through the database: who held it, who waits, and what cannot be read."""

from __future__ import annotations

import io
import random
from datetime import UTC, datetime, timedelta
from itertools import pairwise, permutations

import pytest

from complaints.attribution.importing import ImportRefused
from complaints.attribution.importing.leases.feeds import import_feed, import_leases, place_waiting
from complaints.attribution.importing.leases.placing import LeaseSummary
from complaints.attribution.importing.leases.sessions import forget_stops
from complaints.models import Assignment, FeedFault, LineIdentifier, OpenSession, PrefixLength, WaitingLease
from tests.factories import NOON, make_assignment, make_contract, make_network

pytestmark = pytest.mark.django_db
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
MAC = {"anna": "00:11:22:aa:bb:01", "bruno": "00:11:22:aa:bb:02"}


@pytest.fixture(autouse=True)
def _plan() -> None:
    make_network("192.0.2.0/24")
    make_network("2001:db8::/32")
    for name, mac in MAC.items():
        know("mac", mac, name)
        know("radius_user", f"{name}@isp.example", name)
        know("duid", f"00:01:00:01:{mac}", name)


def know(kind: str, value: str, contract: str, **columns) -> None:
    LineIdentifier.objects.create(contract=make_contract(contract), kind=kind, value=value, **columns)


def load(reader: str, text: str, **options) -> LeaseSummary:
    return import_feed(io.BytesIO(text.encode()), reader=reader, name="feed", **options)


def minutes(at: datetime | None) -> float | None:
    return None if at is None else (at - NOON) / MINUTE


def held() -> list[tuple[str, str, float | None, float | None]]:
    """Contract, prefix, from minute after noon, until before minute."""
    rows = Assignment.objects.select_related("contract").order_by("key", "port_first", "valid_from")
    return [(row.contract.reference, row.prefix, minutes(row.valid_from), minutes(row.valid_until)) for row in rows]


def waiting() -> list[tuple[str, str, float | None, float | None]]:
    rows = WaitingLease.objects.order_by("key", "valid_from")
    return [(row.value, row.prefix, minutes(row.valid_from), minutes(row.valid_until)) for row in rows]


# --- RADIUS


def record(status: str, at: float, user: str = "anna", session: str = "1", **attributes: str) -> str:
    epoch = int((NOON + at * MINUTE).timestamp())
    filled = {
        "User-Name": f'"{user}@isp.example"',
        "NAS-IP-Address": "198.51.100.1",
        "Acct-Status-Type": status,
        "Acct-Session-Id": f'"{session}"',
        "Framed-IP-Address": "192.0.2.10",
        "Timestamp": str(epoch),
    }
    values = {name: value for name, value in (filled | attributes).items() if value}
    return "Tue Mar 10 12:00:00 2026\n" + "".join(f"\t{name} = {value}\n" for name, value in values.items()) + "\n"


def test_start_and_stop_are_a_lease():
    assert load("radius", record("Start", 0)).created == 1
    assert held() == [("anna", "192.0.2.10/32", 0, None)]

    assert load("radius", record("Stop", 30)).updated == 1
    assert held() == [("anna", "192.0.2.10/32", 0, 30)]
    assert list(PrefixLength.objects.values_list("family", "length")) == [(4, 32)]


def test_reading_it_again_changes_nothing():
    text = record("Start", 0) + record("Interim-Update", 10) + record("Stop", 30) + record("Start", 40, "bruno", "2")
    load("radius", text)

    again = load("radius", text)

    assert (again.created, again.updated, again.removed, again.waiting) == (0, 0, 0, 0)
    assert held() == [("anna", "192.0.2.10/32", 0, 30), ("bruno", "192.0.2.10/32", 40, None)]


def test_any_order_of_records_makes_the_same_history():
    records = [
        record("Start", 0),
        record("Interim-Update", 10),
        record("Stop", 30, **{"Acct-Session-Time": "1800"}),
        record("Start", 40, "bruno", "2"),
        record("Start", 80, session="3"),
        record("Stop", 90, session="3", **{"Acct-Session-Time": "600"}),
    ]
    expected = [("anna", "192.0.2.10/32", 0, 30), ("bruno", "192.0.2.10/32", 40, 80), ("anna", "192.0.2.10/32", 80, 90)]
    for seed in range(20):
        Assignment.objects.all().delete()
        OpenSession.objects.all().delete()
        random.Random(seed).shuffle(records)
        for one in records:  # each in a file of its own
            load("radius", one)
        assert held() == expected, seed


@pytest.mark.parametrize("told", [{}, {"Framed-IP-Address": "", "Acct-Session-Time": "1800"}])
def test_a_stop_that_does_not_say_enough_waits_for_its_start(told):
    records = [record("Start", 0), record("Interim-Update", 10), record("Stop", 30, **told)]
    for order in permutations(records):
        Assignment.objects.all().delete()
        OpenSession.objects.all().delete()
        for one in order:
            load("radius", one)
        assert {held()[0][2], held()[-1][3]} == {0, 30}, order
        assert all(one[3] == two[2] for one, two in pairwise(held())), order


def test_an_access_server_may_use_the_name_of_a_session_again():
    load("radius", record("Stop", 30))
    load("radius", record("Start", 40))

    assert held() == [("anna", "192.0.2.10/32", 40, None)]


def test_a_stop_waits_a_month_and_a_restart_does_not_touch_it():
    load("radius", record("Stop", 30) + record("Accounting-On", 60))

    assert forget_stops(now=NOON + timedelta(days=30)) == 0
    assert forget_stops(now=NOON + timedelta(days=31)) == 1


def test_a_stop_that_names_no_address_ends_what_its_session_held():
    delegated = {"Delegated-IPv6-Prefix": "2001:db8:100::/56"}
    load("radius", record("Start", 0, **delegated))
    load("radius", record("Stop", 30, **{"Framed-IP-Address": ""}))

    assert held() == [("anna", "192.0.2.10/32", 0, 30), ("anna", "2001:db8:100::/56", 0, 30)]
    assert OpenSession.objects.count() == 0


def test_a_record_in_the_middle_tells_since_when():
    load("radius", record("Interim-Update", 30, **{"Acct-Session-Time": "1800"}))

    assert held() == [("anna", "192.0.2.10/32", 0, None)]


def test_an_access_server_that_begins_anew_has_lost_its_sessions():
    load("radius", record("Start", 0) + record("Start", 5, "bruno", "2", **{"Framed-IP-Address": "192.0.2.11"}))
    load(
        "radius",
        record("Start", 6, "anna", "9", **{"NAS-IP-Address": "198.51.100.2", "Framed-IP-Address": "192.0.2.12"}),
    )
    load("radius", record("Accounting-On", 20))

    assert held() == [
        ("anna", "192.0.2.10/32", 0, 20),
        ("bruno", "192.0.2.11/32", 5, 20),
        ("anna", "192.0.2.12/32", 6, None),
    ]


@pytest.mark.parametrize(
    ("attributes", "minute"),
    [
        ({"Event-Timestamp": '"Mar 10 2026 11:59:00 UTC"'}, -1),
        ({"Event-Timestamp": '"Mar 10 2026 12:59:00 CET"', "Acct-Delay-Time": "120"}, -2),
        ({"Event-Timestamp": '"Jan  1 1970 00:00:05 UTC"'}, 0),
        ({"Event-Timestamp": '"Mar 10 2026 11:59:00 UTC"', "Timestamp": ""}, -1),
    ],
)
def test_when_it_happened(attributes, minute):
    load("radius", record("Start", 0, **attributes))

    assert held() == [("anna", "192.0.2.10/32", minute, None)]


def test_who_has_no_known_name_may_have_a_known_hardware_address():
    load("radius", record("Start", 0, "zoe", **{"Calling-Station-Id": '"00-11-22-AA-BB-02"'}))

    assert held() == [("bruno", "192.0.2.10/32", 0, None)]


def test_records_that_cannot_be_read_are_told_and_kept_and_hold_nothing_up():
    told: list[str] = []
    nameless = record("Start", 0, **{"User-Name": ""})
    summary = load(
        "radius",
        nameless + record("Start", 5, **{"Framed-IP-Address": "192.0.2.300"}) + record("Start", 9),
        tell=told.append,
    )

    assert told == [
        "feed:1: names nobody: User-Name and Calling-Station-Id are missing",
        "feed:8: Framed-IP-Address: '192.0.2.300' is not a prefix, such as 192.0.2.0/24 or 2001:db8::/48",
    ]
    assert (summary.records, summary.faults, summary.created) == (3, 2, 1)
    assert FeedFault.objects.get(source="feed:1").text.splitlines()[1] == "\tNAS-IP-Address = 198.51.100.1"


def test_what_is_not_ours_is_counted_and_no_more():
    assert load("radius", record("Start", 0, **{"Framed-IP-Address": "10.0.0.1"})).outside == 1
    assert (held(), waiting()) == ([], [])


# --- who is not known


def test_an_unknown_user_waits_and_is_placed_once_known():
    summary = load("radius", record("Start", 0, "zoe") + record("Stop", 30, "zoe"))
    assert (summary.created, summary.waiting) == (0, 1)
    assert waiting() == [("zoe@isp.example", "192.0.2.10/32", 0, 30)]

    know("radius_user", "zoe@isp.example", "zoe")
    placed = place_waiting()

    assert (placed.placed, placed.created, waiting()) == (1, 1, [])
    assert held() == [("zoe", "192.0.2.10/32", 0, 30)]


def test_an_unknown_user_ends_the_lease_of_the_one_before():
    load("radius", record("Start", 0) + record("Start", 30, "zoe", "2"))

    assert held() == [("anna", "192.0.2.10/32", 0, 30)]
    assert waiting() == [("zoe@isp.example", "192.0.2.10/32", 30, None)]


def test_a_name_that_went_to_another_contract_parts_the_lease():
    LineIdentifier.objects.filter(kind="radius_user", value="anna@isp.example").update(valid_until=NOON + 20 * MINUTE)
    know("radius_user", "anna@isp.example", "bruno", valid_from=NOON + 20 * MINUTE)
    load("radius", record("Start", 0))
    assert held() == [("anna", "192.0.2.10/32", 0, 20)]

    load("radius", record("Stop", 30))

    assert held() == [("anna", "192.0.2.10/32", 0, 20), ("bruno", "192.0.2.10/32", 20, 30)]


def test_a_lease_of_what_is_a_static_line_waits_and_takes_it_from_nobody():
    make_assignment("bruno", "192.0.2.10/32")

    assert load("radius", record("Start", 0)).waiting == 1
    assert [row[0] for row in held()] == ["bruno"]
    assert WaitingLease.objects.get().why == "held"


def test_a_lease_that_waits_for_a_static_line_to_end_waits_on_until_it_does():
    line = make_assignment("bruno", "192.0.2.10/32")
    load("radius", record("Start", 0) + record("Stop", 30))
    assert place_waiting().placed == 0
    assert waiting() == [("anna@isp.example", "192.0.2.10/32", 0, 30)]

    Assignment.objects.filter(pk=line.pk).update(valid_until=NOON)

    assert place_waiting().placed == 1
    assert (held()[-1], waiting()) == (("anna", "192.0.2.10/32", 0, 30), [])


def test_a_dry_run_tells_what_it_would_do():
    summary = load("radius", record("Start", 0) + record("Start", 1, "zoe", "2"), dry_run=True)

    assert (summary.created, summary.waiting, held(), waiting()) == (1, 1, [], [])


def test_what_was_touched_is_told():
    load("radius", record("Start", 0))

    summary = load("radius", record("Stop", 30))

    assert [(span.key[0], minutes(span.since), span.until) for span in summary.spans] == [(32, 30, None)]


# --- Kea

V4 = "address,hwaddr,client_id,valid_lifetime,expire,subnet_id,fqdn_fwd,fqdn_rev,hostname,state,user_context,pool_id\n"
V6 = (
    "address,duid,valid_lifetime,expire,subnet_id,pref_lifetime,lease_type,iaid,prefix_len,fqdn_fwd,fqdn_rev,"
    "hostname,hwaddr,state,user_context,hwtype,hwaddr_source,pool_id\n"
)


def kea4(at: float, name: str = "anna", lifetime: int = 3600, state: int = 0, address: str = "192.0.2.10") -> str:
    expire = int((NOON + at * MINUTE).timestamp()) + lifetime
    return f"{address},{MAC.get(name, name)},,{lifetime},{expire},1,0,0,host&#x2cone,{state},,0\n"


def kea6(at: float, address: str, kind: int, length: int, lifetime: int = 3600) -> str:
    expire = int((NOON + at * MINUTE).timestamp()) + lifetime
    return f"{address},00:01:00:01:{MAC['anna']},{lifetime},{expire},1,1800,{kind},7,{length},0,0,,,0,,,,0\n"


def test_kea_lease_renewal_and_release():
    assert load("kea", V4 + kea4(0) + kea4(30)).created == 1
    assert held() == [("anna", "192.0.2.10/32", 0, 90)]

    # Deleted some time after another client was seen: no line says when, so what was seen before it counts.
    load("kea", V4 + kea4(40, "bruno", address="192.0.2.11") + kea4(30, lifetime=0))

    assert held() == [("anna", "192.0.2.10/32", 0, 40), ("bruno", "192.0.2.11/32", 40, 100)]


def test_kea_next_client_of_an_address():
    load("kea", V4 + kea4(0) + kea4(0, state=2) + kea4(70, "bruno"))

    assert held() == [("anna", "192.0.2.10/32", 0, 60), ("bruno", "192.0.2.10/32", 70, 130)]


def test_kea_declined_is_nobodys():
    load("kea", V4 + kea4(0) + kea4(10, "", state=1))

    assert held() == [("anna", "192.0.2.10/32", 0, 10)]
    assert waiting() == [("declined 192.0.2.10", "192.0.2.10/32", 10, 70)]


def test_kea_addresses_and_delegated_prefixes_of_ipv6():
    load("kea", V6 + kea6(0, "2001:db8::10", 0, 128) + kea6(0, "2001:db8:100::", 2, 56))

    assert held() == [("anna", "2001:db8:100::/56", 0, 60), ("anna", "2001:db8::10/128", 0, 60)]


def test_kea_lease_for_ever_is_open():
    load("kea", V4 + kea4(0, lifetime=0xFFFFFFFF))

    assert held() == [("anna", "192.0.2.10/32", 0, None)]


def test_kea_lines_that_cannot_be_read():
    told: list[str] = []
    load(
        "kea",
        "192.0.2.10,x\n" + V4 + "192.0.2.10,x\n" + kea4(0, "") + kea4(0).replace("3600", "an hour"),
        tell=told.append,
    )

    assert told == [
        "feed:1: there is no header line before it that names the columns",
        "feed:3: 2 cells, but the header has 12",
        "feed:4: names no client: hwaddr, client_id and duid are empty",
        "feed:5: valid_lifetime: 'an hour' is not a number",
    ]


# --- ISC dhcpd

DHCPD = """\
# The format of this file is documented in the dhcpd.leases(5) manual page.
authoring-byte-order little-endian;
server-duid "\\000\\001\\000\\001";

lease 192.0.2.10 {
  starts 2 2026/03/10 12:00:00;
  ends 2 2026/03/10 13:00:00;
  cltt 2 2026/03/10 12:00:00;
  binding state active;
  next binding state free;
  rewind binding state free;
  hardware ethernet 00:11:22:aa:bb:01;
  uid "\\001\\000\\021\\"\\252\\273\\001";
  set vendor-class-identifier = "a { brace; and a semicolon";
  client-hostname "anna";
}
failover peer "two" state {
  my state normal at 2 2026/03/10 12:00:00;
}
"""
RENEWED = """\
lease 192.0.2.10 {
  starts 2 2026/03/10 12:30:00;
  ends 2 2026/03/10 13:30:00;
  binding state active;
  hardware ethernet 00:11:22:aa:bb:01;
}
"""
RELEASED = """\
lease 192.0.2.10 {
  starts 2 2026/03/10 12:30:00;
  ends 2 2026/03/10 12:40:00;
  tstp 2 2026/03/10 12:40:00;
  cltt 2 2026/03/10 12:30:00;
  binding state free;
  hardware ethernet 00:11:22:aa:bb:01;
}
lease 192.0.2.11 {
  starts epoch 1773144000; # Tue Mar 10 12:00:00 2026
  ends never;
  binding state active;
  uid "\\001\\000\\021\\042\\252\\273\\002";
}
"""
DHCPD6 = """\
ia-pd "\\001\\000\\000\\000\\000\\001\\000\\001\\000\\021\\042\\252\\273\\001" {
  cltt 2 2026/03/10 12:00:00;
  iaprefix 2001:db8:100::/56 {
    binding state active;
    preferred-life 375;
    max-life 600;
    ends 2 2026/03/10 12:10:00;
  }
}
ia-na "\\001\\000\\000\\000\\000\\001\\000\\001\\000\\021\\042\\252\\273\\001" {
  cltt 2 2026/03/10 12:00:00;
  iaaddr 2001:db8::10 {
    binding state active;
    ends 2 2026/03/10 12:10:00;
  }
}
"""


def test_dhcpd_lease_renewal_and_release_again_and_again():
    know("client_id", "01:00:11:22:aa:bb:02", "bruno")
    for _ in range(2):
        load("dhcpd", DHCPD + RENEWED + RELEASED)

        assert held() == [("anna", "192.0.2.10/32", 0, 40), ("bruno", "192.0.2.11/32", 0, None)]
    assert FeedFault.objects.count() == 0


def test_dhcpd_delegated_prefixes_and_addresses_of_ipv6():
    load("dhcpd", DHCPD6)

    assert held() == [("anna", "2001:db8:100::/56", 0, 10), ("anna", "2001:db8::10/128", 0, 10)]


def test_dhcpd_declarations_that_cannot_be_read():
    told: list[str] = []
    load(
        "dhcpd",
        RENEWED.replace("12:30", "noon") + RENEWED.replace("ethernet 00", "ethernet zz") + "lease 192.0.2.9 {\n",
        tell=told.append,
    )

    assert told == [
        "feed:1: starts: '2 2026/03/10 noon:00' is not a time such as 2 2026/03/10 12:00:00",
        "feed:7: 'zz:11:22:aa:bb:01' is not 6 octets in hexadecimal, such as 00:11:22:aa:bb:cc",
        "feed:13: the closing brace is missing",
    ]


# --- CSV

HEADER = "identifier_kind,identifier,prefix,start,stop,port_first,port_last\n"


def load_csv(*lines: str, **options) -> LeaseSummary:
    return import_leases(lambda: [HEADER, *(line + "\n" for line in lines)], name="F.csv", **options)


def test_leases_as_csv():
    summary = load_csv(
        "mac,00-11-22-AA-BB-01,192.0.2.10,2026-03-10T12:00:00Z,2026-03-10T12:30:00Z,,",
        "radius_user,bruno@isp.example,192.0.2.10,2026-03-10T13:00:00+00:00,,,",
        "duid,00:01:00:01:00:11:22:aa:bb:01,2001:db8:100::/56,2026-03-10T12:00:00Z,,,",
    )

    assert (summary.records, summary.created) == (3, 3)
    assert held() == [
        ("anna", "192.0.2.10/32", 0, 30),
        ("bruno", "192.0.2.10/32", 60, None),
        ("anna", "2001:db8:100::/56", 0, None),
    ]


def test_port_blocks_of_a_cgnat_log_go_to_who_had_the_address_inside():
    make_network("100.64.0.0/10")
    make_assignment("provider", "100.64.0.0/24")
    make_assignment("anna", "100.64.0.5/32", valid_from=NOON - HOUR, valid_until=NOON + HOUR)
    load_csv("inside,100.64.0.5,192.0.2.1,2026-03-10T12:00:00Z,2026-03-10T14:00:00Z,1024,2047")

    blocks = Assignment.objects.filter(kind="cgnat").select_related("contract").order_by("valid_from")
    assert [
        (b.contract.reference, minutes(b.valid_from), minutes(b.valid_until), b.port_first, b.port_last) for b in blocks
    ] == [
        ("anna", 0, 60, 1024, 2047),
        ("provider", 60, 120, 1024, 2047),
    ]


def test_a_fault_in_a_csv_refuses_all_of_it():
    with pytest.raises(ImportRefused) as refusal:
        load_csv(
            "mac,00-11-22-AA-BB-01,192.0.2.10,2026-03-10T12:00:00Z,,,",
            "mac,zz,192.0.3.10,2026-03-10T12:00:00Z,2026-03-10T12:00:00Z,,",
            "name,zz,192.0.2.10,2026-03-10T12:00:00Z,,,",
            "inside,zz,192.0.3.10,2026-03-10T12:00:00Z,2026-03-10T12:00:00Z,9,8",
            "mac,00-11-22-AA-BB-01,192.0.3.10,2026-03-10T12:00:00Z,2026-03-10T12:00:00Z,9,8",
        )

    kinds = ", ".join((*LineIdentifier.Kind.values, "inside"))
    assert refusal.value.faults == [
        "F.csv:3: identifier: 'zz' is not 6 octets in hexadecimal, such as 00:11:22:aa:bb:cc",
        f"F.csv:4: identifier_kind: 'name' is not one of {kinds}",
        "F.csv:5: identifier: 'zz' is not an IP address",
        "F.csv:6: prefix: '192.0.3.10/32' is not inside any of our networks",
        "F.csv:6: stop: 2026-03-10 12:00:00 UTC is not after start, 2026-03-10 12:00:00 UTC",
        "F.csv:6: port_last: 8 is before port_first, 9",
    ]
    assert held() == []


def test_times_are_kept_in_utc():
    load_csv("mac,00-11-22-AA-BB-01,192.0.2.10,2026-03-10T13:00:00+01:00,,,")

    assert Assignment.objects.get().valid_from == datetime(2026, 3, 10, 12, tzinfo=UTC)


def test_a_record_from_the_middle_that_comes_after_the_stop_is_no_new_session():
    for late in (10, 30):
        Assignment.objects.all().delete()
        OpenSession.objects.all().delete()
        load("radius", record("Start", 0) + record("Stop", 30) + record("Interim-Update", late))
        assert held() == [("anna", "192.0.2.10/32", 0, 30)], late


@pytest.mark.parametrize("seconds", ["", "600"])
def test_a_server_that_starts_anew_does_not_bring_back_what_had_ended(seconds):
    late = record("Interim-Update", 10, **{"Acct-Session-Time": seconds})
    load("radius", record("Start", 0) + record("Stop", 30) + late)

    load("radius", record("Accounting-On", 300))

    assert held() == [("anna", "192.0.2.10/32", 0, 30)]


def test_a_session_that_begins_in_the_second_in_which_the_last_one_ended_is_one():
    load("radius", record("Start", 0) + record("Stop", 30) + record("Start", 30, session="2"))
    load("radius", record("Interim-Update", 40, session="2"))
    load("radius", record("Accounting-On", 300))

    assert held() == [("anna", "192.0.2.10/32", 0, 30), ("anna", "192.0.2.10/32", 30, 300)]


def test_a_stop_that_stands_before_its_start_in_the_file_ends_it_all_the_same():
    load("radius", record("Stop", 30) + record("Interim-Update", 10) + record("Start", 0))

    assert held() == [("anna", "192.0.2.10/32", 0, 30)]
