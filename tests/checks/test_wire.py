"""The quick reader against dnspython: whatever a server sends, both read the same or refuse the same."""

from __future__ import annotations

from collections.abc import Callable

import dns.flags
import dns.message
import dns.rcode
import dns.rrset
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from complaints.checks._wire import Reply, Unreadable, answers, question, read_by_dnspython, read_quickly, read_reply

NAME = "7.2.0.192.bl.example.org"
SOA = ("bl.example.org.", 3000, "IN", "SOA", "ns.example.org. desk.example.org. 1 3600 600 86400 900")
RECORDS = {
    "A": [(f"{NAME}.", 60, "IN", "A", "127.0.0.2"), (f"{NAME}.", 60, "IN", "A", "127.0.0.4")],
    "TXT": [(f"{NAME}.", 90, "IN", "TXT", '"see https://bl.example.org/" " ?192.0.2.7"')],
    "CNAME": [(f"{NAME}.", 50, "IN", "CNAME", "parked.example."), ("parked.example.", 40, "IN", "A", "192.0.2.1")],
}


def reply(kind: str, *records: tuple, authority: tuple = (), rcode: int = 0, flags: int = 0) -> tuple[bytes, bytes]:
    asked = question(NAME, kind, 4711)
    message = dns.message.make_response(dns.message.from_wire(asked))
    message.flags |= flags
    message.set_rcode(rcode)
    for record in records:
        message.answer.append(dns.rrset.from_text(*record))
    for record in authority:
        message.authority.append(dns.rrset.from_text(*record))
    return asked, message.to_wire()


def test_question_is_what_dnspython_would_ask():
    ours = dns.message.from_wire(question(NAME, "TXT", 4711))
    theirs = dns.message.make_query(NAME, "TXT", id=4711, use_edns=False)
    assert ours.to_wire() == theirs.to_wire()


@pytest.mark.parametrize("name", ["", "a..example", f"{'a' * 64}.example"])
def test_name_that_cannot_be_is_refused(name):
    with pytest.raises(ValueError, match="is no domain name"):
        question(name, "A", 1)


@pytest.mark.parametrize(
    ("kind", "records", "authority", "rcode"),
    [
        ("A", RECORDS["A"][:1], (), 0),
        ("A", RECORDS["A"], (), 0),
        ("TXT", RECORDS["TXT"], (), 0),
        ("A", (), (SOA,), 3),
        ("A", (), (SOA,), 0),
        ("A", (), (), 3),
    ],
)
def test_usual_answers_are_read_quickly_and_as_dnspython_reads_them(kind, records, authority, rcode):
    asked, wire = reply(kind, *records, authority=authority, rcode=rcode)
    assert read_quickly(asked, wire) == read_by_dnspython(wire)


def test_answer_without_records_is_kept_as_long_as_the_soa_says():
    asked, wire = reply("A", authority=(SOA,), rcode=dns.rcode.NXDOMAIN)
    assert read_reply(asked, wire) == Reply(dns.rcode.NXDOMAIN, ttl_s=900)


def test_alias_is_followed():
    asked, wire = reply("A", *RECORDS["CNAME"])
    found = read_reply(asked, wire)
    assert ([str(address) for address in found.addresses], found.ttl_s) == (["192.0.2.1"], 40)


def test_truncated_answer_says_so():
    asked, wire = reply("A", flags=dns.flags.TC)
    assert read_reply(asked, wire).truncated


def test_answer_to_another_question_is_none_of_ours():
    asked, _ = reply("A")
    _, other = reply("TXT", *RECORDS["TXT"])
    shouted = asked[:12] + asked[12:].upper()
    assert not answers(asked, other)
    assert not answers(asked, asked)  # our own question, thrown back
    assert answers(asked, bytes([shouted[0], shouted[1], 0x81]) + shouted[3:])


@hypothesis_settings(max_examples=3000)
@given(st.sampled_from(["A", "TXT", "CNAME"]), st.integers(0, 200), st.binary(max_size=4), st.integers(0, 200))
def test_damaged_answer_is_read_as_dnspython_reads_it_or_refused(kind, at, damage, end):
    asked, wire = reply("TXT" if kind == "TXT" else "A", *RECORDS[kind], authority=(SOA,))
    at = 12 + at % len(wire)
    damaged = (wire[:at] + damage + wire[at + len(damage) :])[: len(wire) - (end % 40 if end > 150 else 0)]
    if not answers(asked, damaged):
        return
    ours = read_or_refuse(read_reply, asked, damaged)  # never an exception of another kind
    theirs = read_or_refuse(lambda _, wire: read_by_dnspython(wire), asked, damaged)
    if ours and theirs and not ours.truncated and ours.rcode in (0, 3):
        assert (ours.addresses, ours.texts) == (theirs.addresses, theirs.texts)


def read_or_refuse(read: Callable[[bytes, bytes], Reply], asked: bytes, wire: bytes) -> Reply | None:
    try:
        return read(asked, wire)
    except Unreadable:
        return None
