"""A DNS server on loopback that plays blacklists: living, dead and lying ones (RFC 5782; UDP and TCP).

It is part of the simulated outside world; the blacklist check asks it as it would ask a resolver.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import struct
from collections.abc import Mapping, Sequence
from typing import cast

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.rrset

from complaints.demo.loopback import LoopbackPeer

TTL = 60
BIND_TRIES = 20
Listing = tuple[Sequence[str], str]  # the A records and the TXT, which may be ""
TEST_POINTS = ("127.0.0.2", "::ffff:7f00:2")
TEST_ENTRIES: Mapping[str, Listing] = {
    str(ipaddress.ip_address(point)): (("127.0.0.2",), "RFC 5782 test entry")
    for point in ("127.0.0.2", "::ffff:7f00:2")
}
# The same answer to every question about a zone.
FIXED_ANSWERS: Mapping[str, Listing] = {
    "lists_the_world": (("127.0.0.2",), "this domain is for sale"),
    "refuses": (("127.255.255.254",), "query from a public resolver"),
    "outside": (("192.0.2.1",), "parked"),
}
FAILURES = {"servfail": dns.rcode.SERVFAIL, "refused": dns.rcode.REFUSED}
MODES = frozenset({"healthy", "empty", "silent", *FIXED_ANSWERS, *FAILURES})


class DnsServer(LoopbackPeer):
    """`listings[zone][address] = (codes, txt)` and `modes[zone]` may change while it runs, from any thread.

    A zone without a mode is healthy; "empty" has lost its test entry. Names outside all zones are REFUSED.
    """

    def __init__(self, address: str = "127.0.0.1", port: int = 0, *, zones: Sequence[str] = (), ttl: int = TTL) -> None:
        super().__init__(address, port)
        self.ttl = ttl
        self.listings: dict[str, dict[str, Listing]] = {zone: {} for zone in zones}
        self.modes: dict[str, str] = {}
        self.questions: list[tuple[str, str]] = []  # name without the last dot, and type

    def list_address(self, zone: str, address: str, codes: Sequence[str] = ("127.0.0.2",), txt: str = "") -> None:
        """Put an address on a blacklist; the zone is made when it is new."""
        self.listings.setdefault(zone, {})[canonical(address)] = (tuple(codes), txt)

    def unlist_address(self, zone: str, address: str) -> None:
        self.listings.get(zone, {}).pop(canonical(address), None)

    def set_mode(self, zone: str, mode: str) -> None:
        if mode not in MODES:
            raise ValueError(f"zone {zone}: mode {mode!r} is none of {', '.join(sorted(MODES))}")
        self.listings.setdefault(zone, {})
        self.modes[zone] = mode

    async def start(self) -> None:
        loop = asyncio.get_running_loop()
        for tries_left in reversed(range(BIND_TRIES)):
            self._udp, _ = await loop.create_datagram_endpoint(lambda: Udp(self), (self.address, self.port))
            port = self._udp.get_extra_info("sockname")[1]
            try:
                self._tcp = await asyncio.start_server(self.serve_tcp, self.address, port)
            except OSError:  # the port that UDP found free is taken for TCP
                self._udp.close()
                if self.port or not tries_left:
                    raise
                continue
            self.port = port
            return

    async def stop(self) -> None:
        self._udp.close()
        self._tcp.close()
        await asyncio.sleep(0)

    async def serve_tcp(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            (length,) = struct.unpack("!H", await reader.readexactly(2))
            if reply := self.answer(await reader.readexactly(length), max_size=65535):
                writer.write(struct.pack("!H", len(reply)) + reply)
                await writer.drain()
        writer.close()

    def answer(self, wire: bytes, max_size: int) -> bytes | None:
        """The reply, truncated to `max_size`; None when the server keeps silent."""
        try:
            query = dns.message.from_wire(wire)
        except dns.exception.DNSException:
            return None
        question = query.question[0]
        name = question.name.to_text(omit_final_dot=True).lower()
        self.questions.append((name, dns.rdatatype.to_text(question.rdtype)))
        response = dns.message.make_response(query)
        zone = self.zone_of(name)
        mode = self.modes.get(zone, "healthy") if zone else "refused"
        if mode == "silent":
            return None
        if mode in FAILURES:
            response.set_rcode(FAILURES[mode])
        elif zone:
            self.fill(response, question, zone, mode, name)
        try:
            return response.to_wire(max_size=max_size)
        except dns.exception.TooBig:
            response.answer.clear()
            response.flags |= dns.flags.TC
            return response.to_wire()

    def zone_of(self, name: str) -> str | None:
        zones = [zone for zone in list(self.listings) if name == zone or name.endswith(f".{zone}")]
        return max(zones, key=len, default=None)

    def fill(self, response: dns.message.Message, question: dns.rrset.RRset, zone: str, mode: str, name: str) -> None:
        response.flags |= dns.flags.AA
        listing = self.listing_of(zone, mode, name)
        if listing is None:
            response.set_rcode(dns.rcode.NXDOMAIN)
            return
        codes, txt = listing
        records = {"A": list(codes), "TXT": [quoted(txt)] if txt else []}
        kind = dns.rdatatype.to_text(question.rdtype)
        if wanted := records.get(kind):
            response.answer.append(dns.rrset.from_text_list(question.name, self.ttl, "IN", kind, wanted))

    def listing_of(self, zone: str, mode: str, name: str) -> Listing | None:
        if mode in FIXED_ANSWERS:
            return FIXED_ANSWERS[mode]
        address = address_in(name.removesuffix(zone).removesuffix("."))
        if address is None:
            return None
        entries = self.listings[zone]
        return entries.get(address) or (TEST_ENTRIES.get(address) if mode != "empty" else None)


class Udp(asyncio.DatagramProtocol):
    def __init__(self, server: DnsServer) -> None:
        self.server = server

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.DatagramTransport, transport)  # asyncio's own class does not derive from it

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        if reply := self.server.answer(data, max_size=1232):
            self.transport.sendto(reply, addr)


def canonical(address: str) -> str:
    return str(ipaddress.ip_address(address))


def address_in(reversed_labels: str) -> str | None:
    """The address of `2.0.0.127` or of 32 reversed nibbles, or None."""
    labels = reversed_labels.split(".")[::-1]
    text = ".".join(labels) if len(labels) == 4 else ":".join("".join(labels[n : n + 4]) for n in range(0, 32, 4))
    try:
        return canonical(text) if len(labels) in (4, 32) else None
    except ValueError:
        return None


def quoted(txt: str) -> str:
    """Presentation form; strings of at most 255 octets (RFC 1035 section 3.3.14)."""
    safe = txt.encode("ascii", "replace").decode().replace("\\", "\\\\").replace('"', '\\"')
    return " ".join(f'"{safe[n : n + 200]}"' for n in range(0, len(safe), 200))
