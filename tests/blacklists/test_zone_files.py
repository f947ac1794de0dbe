"""Zone files against rbldnsd itself: whatever it would answer about our addresses, the import must find."""

from __future__ import annotations

import gzip
import ipaddress
import json
import random
from io import StringIO
from pathlib import Path

import dns.message
import dns.query
import dns.rdatatype
import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from complaints.blacklists import BadZoneFile, import_zone_file
from complaints.blacklists.zone_format import Entry, Value, read_entries
from complaints.blacklists.zone_merge import OurSpace, TooMany, named_among
from complaints.models import Case, Complaint, DeskTask, Listing, ListSweep, Message, Reading
from tests.blacklists.rows import make_blacklist
from tests.factories import make_assignment, make_network
from tests.services.rbldnsd import rbldnsd

ZONE = "file.example.org"
OURS = ipaddress.ip_network("192.0.2.0/24")
SIX = ipaddress.ip_network("2001:db8::/32")
FIRST, LAST = int(OURS[0]), int(OURS[-1])

IP4SET = """\
$SOA 3000 ns.example.org desk.example.org 1 600 300 86400 300
$1 see https://bl.example.org/
:127.0.0.2:listed $
192.0.2.1
192.0.2.2 :4:infected, $1?$
192.0.2.2 :3
192.0.2.3 :5:
192.0.2.4 # a comment
192.0.2.16-192.0.2.19 :127.0.0.6:range
192.0.2.32-35
192.0.2.48/29 :7:network
!192.0.2.50
192.0.2.49 :8:inside a network
192.0/16 :9:the whole block
!192.0.2.200/31
198.51.100.7
"""
IP4TRIE = """\
:127.0.0.2:listed $
192.0.2.0/25 :9:half
192.0.2.16/28 :4:part
!192.0.2.20
192.0.2.21 :5:one
"""


def answers_of_rbldnsd(kind: str, text: str) -> dict[str, tuple[list[str], list[str]]]:
    """Codes and texts of every address of ours that is listed."""
    found = {}
    with rbldnsd({ZONE: [(kind, text)]}) as server:
        for address in OURS:
            name = ".".join(str(address).split(".")[::-1]) + f".{ZONE}"
            records: dict[int, list[str]] = {}
            for wanted in ("A", "TXT"):
                reply = dns.query.udp(dns.message.make_query(name, wanted), server.host, port=server.port, timeout=10)
                for rrset in reply.answer:
                    records[rrset.rdtype] = sorted(
                        r.address if wanted == "A" else b"".join(r.strings).decode() for r in rrset
                    )
            if dns.rdatatype.A in records:
                found[str(address)] = (records[dns.rdatatype.A], records.get(dns.rdatatype.TXT, []))
    return found


def answers_of_ours(kind: str, text: str) -> dict[str, tuple[list[str], list[str]]]:
    from complaints.blacklists.zone_format import text_for

    space = OurSpace([(FIRST, LAST)])
    found = {}
    for named in named_among(space, read_entries(text.splitlines(), kind), family=4, is_set=kind == "ip4set"):
        for address in named.network:
            codes = sorted({value.code for value in named.values})
            texts = sorted({text_for(value, str(address)) for value in named.values} - {""})
            found[str(address)] = (codes, texts)
    return found


@pytest.mark.parametrize(("kind", "text"), [("ip4set", IP4SET), ("ip4trie", IP4TRIE)])
def test_file_is_understood_as_rbldnsd_understands_it(kind, text):
    assert answers_of_ours(kind, text) == answers_of_rbldnsd(kind, text)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("kind", ["ip4set", "ip4trie"])
def test_random_file_is_understood_as_rbldnsd_understands_it(kind, seed):
    text = random_file(kind, random.Random(seed))
    assert answers_of_ours(kind, text) == answers_of_rbldnsd(kind, text)


def random_file(kind: str, rng: random.Random) -> str:
    lines, seen = [":2:default $"], set()
    for _ in range(60):
        length = rng.choice([32, 32, 32, 31, 30, 28, 26, 25, 24, 22])
        network = ipaddress.ip_network((FIRST + rng.randrange(256), length), strict=False)
        if network in seen:
            continue  # a trie may keep either of two values
        seen.add(network)
        code = rng.randrange(2, 12)
        lines.append(f"!{network}" if rng.random() < 0.15 else f"{network} :{code}:text {code} about $")
        if kind == "ip4set" and rng.random() < 0.3:
            low, high = sorted(rng.sample(range(256), 2))
            lines.append(f"192.0.2.{low}-{high} :{rng.randrange(20, 30)}:range $")
    return "\n".join(lines) + "\n"


def test_ipv6_networks_are_found_with_their_exclusions():
    text = "2001:db8:c000/36 :3\n2001:db8:1:2 :4:smells\n!2001:db8:1:2::9\n2001:db9::1\n"
    space = OurSpace([(int(SIX[0]), int(SIX[-1]))])
    named = named_among(space, read_entries(text.splitlines(), "ip6trie"), family=6, is_set=False)
    places = {str(each.network): each.values[0].code for each in named}
    assert places["2001:db8:c000::/36"] == "127.0.0.3"
    assert "2001:db8:1:2::9/128" not in places
    assert sum(each.network.num_addresses for each in named if each.values[0].code == "127.0.0.4") == 2**64 - 1


def test_ip6tset_lists_networks_of_64_bits():
    (entry,) = read_entries(["2001:20fe:23:41ed"], "ip6tset")
    assert entry == Entry(
        int(ipaddress.ip_address("2001:20fe:23:41ed::")), int(ipaddress.ip_address("2001:20fe:23:41ed::")) + 2**64 - 1,
        Value(),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("192.0.2.300", "line 1: no IPv4 address: '192.0.2.300'"),
        ("192.0.2.9-3", "line 1: the range runs backwards"),
        ("192.0.2.1/24", "line 1: no IPv4 network, or host bits are set"),
        ("example.org", "line 1: no IPv4 address"),
        ("192.0.2.1 :300:x", "line 1: Octet 300"),
        ("$DATASET ip4set:one @", "line 1: a combined file holds several lists"),
        ("1" * 5000, "line 1: longer than 4000 characters"),
    ],
)
def test_line_that_cannot_be_read_is_named(line, complaint):
    with pytest.raises(BadZoneFile) as caught:
        list(read_entries([line], "ip4set"))
    assert str(caught.value).startswith(complaint)


def test_kind_that_lists_no_addresses_is_refused():
    with pytest.raises(BadZoneFile, match="'dnset' is none of ip4set"):
        list(read_entries([], "dnset"))


def test_file_that_names_all_of_a_large_space_is_refused(monkeypatch):
    monkeypatch.setattr("complaints.blacklists.zone_merge.MOST_FOUND", 100)
    entries = [Entry(n, n, Value(f"127.0.0.{2 + n % 2}")) for n in range(200)]
    with pytest.raises(TooMany):
        named_among(OurSpace([(0, 1000)]), entries, family=4, is_set=True)


# --- with the rows


@pytest.fixture
def file(tmp_path: Path):
    def write(text: str, *, packed: bool = False) -> Path:
        path = tmp_path / "zone"
        path.write_bytes(gzip.compress(text.encode()) if packed else text.encode())
        return path

    return write


def import_it(path: Path, *, kind: str = "ip4set", name: str = "example", now=None, **options):
    from complaints.models import Blacklist

    return import_zone_file(Blacklist.objects.get(name=name), path, kind=kind, now=now or timezone.now(), **options)


@pytest.fixture
def held():
    make_network(str(OURS))
    make_blacklist()
    return make_assignment("C-1", "192.0.2.7/32")


@pytest.mark.django_db
def test_new_listing_opens_a_case_before_the_first_complaint(held, file):
    found = import_it(file("127.0.0.2\n192.0.2.7 :4:infected $\n198.51.100.9\n"))
    assert (found.entries, found.ours, found.new, found.complaints) == (3, 1, 1, 1)
    case, complaint = Case.objects.get(), Complaint.objects.get()
    assert (case.contract, case.category, case.pk) == (held.contract, "spam", found.cases[0])
    assert (complaint.format, complaint.reporter.address, complaint.seen_exactly) == ("listing", "list:example", False)
    assert complaint.subject == "example lists 192.0.2.7: infected"
    assert Listing.objects.get().case == case


@pytest.mark.django_db
def test_what_the_list_said_is_kept_as_a_message_that_nobody_reads_as_mail(held, file):
    import_it(file("192.0.2.7 :4:infected $\n"))
    message = Message.objects.get()
    assert (message.channel, message.reading.state, message.reading.format) == ("listing", "read", "listing")
    assert b"Its own words: infected 192.0.2.7" in message.raw
    assert not Reading.objects.filter(state="waiting").exists()


@pytest.mark.django_db
def test_same_file_twice_changes_nothing(held, file):
    path = file("192.0.2.7 :4:infected\n")
    import_it(path)
    again = import_it(path)
    assert (again.ours, again.new, again.gone, again.complaints, Complaint.objects.count()) == (1, 0, 0, 0, 1)


@pytest.mark.django_db
def test_what_the_next_file_leaves_out_is_gone(held, file):
    import_it(file("192.0.2.7 :4:infected\n"))
    assert import_it(file("198.51.100.9\n")).gone == 1
    assert Listing.objects.get().gone_at is not None


@pytest.mark.django_db
def test_policy_is_history_and_never_a_case(held, file):
    found = import_it(file("192.0.2.7 :10:dynamic\n"))
    assert (found.ours, found.new, found.complaints, Case.objects.count()) == (1, 1, 0, 0)
    assert Listing.objects.get().status == "policy"


@pytest.mark.django_db
def test_listing_of_a_network_accuses_only_who_holds_all_of_it(held, file):
    make_assignment("C-2", "192.0.2.64/28")
    found = import_it(file("192.0.2.0/24 :4:bad neighbourhood\n"))
    assert sorted(str(complaint.contract) for complaint in Complaint.objects.all()) == ["C-1", "C-2"]
    assert (found.unsure, sorted(each.prefix for each in Listing.objects.all())) == (
        0,
        ["192.0.2.64/28", "192.0.2.7"],
    )


@pytest.mark.django_db
def test_holder_who_came_lately_is_not_accused_of_an_old_listing(file):
    make_network(str(OURS))
    make_blacklist()
    now = timezone.now()
    change = now - timezone.timedelta(days=3)
    make_assignment("C-1", "192.0.2.7/32", valid_until=change)
    make_assignment("C-2", "192.0.2.7/32", valid_from=change)
    found = import_it(file("192.0.2.7 :4:infected\n"), now=now)
    assert (found.unsure, found.complaints, Case.objects.count()) == (1, 0, 0)

    ListSweep.objects.update(file_at=now - timezone.timedelta(hours=6))  # a file of this morning did not name it
    Listing.objects.all().delete()
    assert import_it(file("192.0.2.7 :4:infected\n"), now=now).complaints == 1
    assert Case.objects.get().contract.reference == "C-2"


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("0.0.0.0/1 :2\n", "lists even 127.0.0.1: it lists the world"),
        ("# nothing\n", "no entry at all"),
        ("192.0.2.7\nnonsense here\n", "line 2: no IPv4 address: 'nonsense here'"),
    ],
)
def test_file_that_cannot_be_believed_changes_nothing(held, file, text, complaint):
    import_it(file("192.0.2.7 :4:infected\n"))
    with pytest.raises(BadZoneFile, match=complaint):
        import_it(file(text))
    assert Listing.objects.get().gone_at is None


@pytest.mark.django_db
def test_list_that_suddenly_names_very_many_of_us_is_held_for_a_person(file):
    make_network(str(OURS))
    make_blacklist()
    make_assignment("C-1", "192.0.2.0/25")
    found = import_it(file("".join(f"192.0.2.{n} :4:infected\n" for n in range(100))))
    assert (found.new, found.complaints, Case.objects.count()) == (100, 0, 0)
    assert found.held == "began to name 100 of the 128 addresses asked at once"
    assert DeskTask.objects.get().title == "The blacklist example began to name 100 of the 128 addresses asked at once"


@pytest.mark.django_db
def test_command_prints_what_it_found(held, file):
    out = StringIO()
    call_command("import_zone_file", "example", str(file("192.0.2.7 :4:infected\n", packed=True)), stdout=out)
    found = json.loads(out.getvalue())
    assert (found["list"], found["entries"], found["new"], found["cases"]) == (
        "example",
        1,
        1,
        [Case.objects.get().pk],
    )


@pytest.mark.django_db
def test_history_only_opens_no_case(held, file):
    assert import_it(file("192.0.2.7 :4:infected\n"), history_only=True).complaints == 0
    assert Listing.objects.count() == 1


@pytest.mark.django_db
@pytest.mark.parametrize(("arguments", "complaint"), [(["nobody"], "no blacklist is called"), (["example"], "zone")])
def test_command_says_what_is_wrong(held, tmp_path, arguments, complaint):
    with pytest.raises(CommandError, match=complaint):
        call_command("import_zone_file", *arguments, str(tmp_path / "zone"))
