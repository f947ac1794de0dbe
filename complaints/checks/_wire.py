"""DNS questions and answers as bytes (RFC 1035 section 4). Pure.

Blacklist look-ups come by the ten thousand and their answers are nearly all alike, so these few shapes are read here;
whatever else a server sends is read by dnspython, the oracle that the tests compare this file with.
"""

from __future__ import annotations

import dataclasses
import ipaddress
import struct

import dns.exception
import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype

TYPES = {"A": 1, "TXT": 16}
CNAME, SOA, IN = 5, 6, 1
HEADER = struct.Struct("!HHHHHH")
RECORD = struct.Struct("!HHIH")
RECURSION_DESIRED, RESPONSE, TRUNCATED = 0x0100, 0x8000, 0x0200
TO_THE_QUESTION = b"\xc0\x0c"  # a compressed name: the one that was asked for (section 4.1.4)
MAX_RECORDS = 64
MAX_TXT = 512


class Unreadable(ValueError):
    """The bytes are no DNS message; the text says what is wrong with them."""


@dataclasses.dataclass(frozen=True, slots=True)
class Reply:
    """ttl_s: how long it may be kept (RFC 2308 section 5 where there is no record); 0: not at all."""

    rcode: int
    truncated: bool = False
    addresses: frozenset[ipaddress.IPv4Address] = frozenset()
    texts: tuple[bytes, ...] = ()
    ttl_s: int = 0


def question(name: str, kind: str, number: int) -> bytes:
    """`name` in ASCII, with or without last dot. Raises ValueError for a label that no name can have."""
    labels = [label.encode("ascii") for label in name.rstrip(".").split(".")]
    if any(not 0 < len(label) < 64 for label in labels):
        raise ValueError(f"{name!r} is no domain name")
    wire = b"".join([bytes((len(label),)) + label for label in labels])
    return HEADER.pack(number, RECURSION_DESIRED, 1, 0, 0, 0) + wire + struct.pack("!BHH", 0, TYPES[kind], IN)


def answers(asked: bytes, reply: bytes) -> bool:
    """Whether `reply` is about this question: a number alone can be guessed."""
    if len(reply) < 12 or reply[:2] != asked[:2] or not reply[2] & 0x80:
        return False
    if reply[12 : len(asked)].lower() == asked[12:].lower() and reply[4:6] == b"\0\1":
        return True
    return reply[4:6] == b"\0\0" and reply[3] & 15 not in (0, 3)  # some refuse without repeating the question


def read_reply(asked: bytes, reply: bytes) -> Reply:
    """Raises Unreadable. `answers` was true of both."""
    try:
        quick = read_quickly(asked, reply)
    except (IndexError, struct.error):
        quick = None
    return read_by_dnspython(reply) if quick is None else quick


def read_quickly(asked: bytes, reply: bytes) -> Reply | None:
    """None: another shape than those that lists send. Only A and TXT records of the very name asked for."""
    _, flags, _, records, authorities, _ = HEADER.unpack_from(reply)
    rcode = flags & 15
    if flags & TRUNCATED or rcode not in (0, 3):
        return Reply(rcode, truncated=bool(flags & TRUNCATED))
    if records > MAX_RECORDS:
        return None
    at, wanted = len(asked), int.from_bytes(asked[-4:-2], "big")
    addresses, texts, ttls = [], [], []
    for _ in range(records):
        if reply[at : at + 2] != TO_THE_QUESTION:
            return None
        kind, family, ttl, length = RECORD.unpack_from(reply, at + 2)
        data = reply[at + 12 : at + 12 + length]
        at += 12 + length
        if kind != wanted or family != IN or len(data) != length:
            return None
        if kind == TYPES["A"] and length != 4:
            return None
        if kind == TYPES["A"]:
            addresses.append(ipaddress.IPv4Address(data))
        else:
            texts.append(join_strings(data))
        ttls.append(ttl)
    if ttls:
        return Reply(rcode, addresses=frozenset(addresses), texts=tuple(texts), ttl_s=seconds(min(ttls)))
    return Reply(rcode, ttl_s=negative_ttl(reply, at) if authorities else 0)


def join_strings(data: bytes) -> bytes:
    """The strings of a TXT record, one after the other. Raises IndexError where they do not fill it exactly."""
    parts, at = [], 0
    while at < len(data):
        end = at + 1 + data[at]
        if end > len(data):
            raise IndexError("a string beyond its record")
        parts.append(data[at + 1 : end])
        at = end
    return b"".join(parts)


def negative_ttl(reply: bytes, at: int) -> int:
    """Of the SOA record at `at`: the lesser of its own TTL and its last field (RFC 2308 section 3)."""
    while reply[at] and reply[at] < 64:
        at += 1 + reply[at]
    at += 2 if reply[at] else 1
    kind, _, ttl, length = RECORD.unpack_from(reply, at)
    (minimum,) = struct.unpack_from("!I", reply, at + 10 + length - 4)
    return seconds(min(ttl, minimum)) if kind == SOA else 0


def seconds(ttl: int) -> int:
    """RFC 2181 section 8: with the highest bit set it means 0."""
    return ttl if ttl < 1 << 31 else 0


def read_by_dnspython(reply: bytes) -> Reply:
    """CNAMEs are followed by taking all A and TXT records of the answer section."""
    try:
        message = dns.message.from_wire(reply)
    except (dns.exception.DNSException, ValueError) as exc:
        raise Unreadable(f"the answer cannot be read: {exc or type(exc).__name__}") from exc
    answer = [rrset for rrset in message.answer if rrset.rdclass == IN]
    rrsets = [rrset for rrset in answer if rrset.rdtype in (CNAME, *TYPES.values())]
    records = [record for rrset in rrsets for record in rrset][:MAX_RECORDS]
    found = [rrset.ttl for rrset in rrsets]
    soa = [
        min(rrset.ttl, rrset[0].minimum) for rrset in message.authority if (rrset.rdclass, rrset.rdtype) == (IN, SOA)
    ]
    return Reply(
        int(message.rcode()),
        truncated=bool(message.flags & dns.flags.TC),
        addresses=frozenset(ipaddress.IPv4Address(r.address) for r in records if r.rdtype == dns.rdatatype.A),
        texts=tuple(b"".join(r.strings) for r in records if r.rdtype == dns.rdatatype.TXT),
        ttl_s=seconds(min(found or soa, default=0)),
    )
