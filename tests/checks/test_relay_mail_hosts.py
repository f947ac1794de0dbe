"""A host that rightly takes mail for the probe domain would deliver every probe: it must not look open."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import dns.message
import dns.rcode
import dns.rrset
import pytest

from complaints.checks import _mail_hosts, relay
from complaints.demo.smtp_hosts import SmtpHost
from complaints.vocabulary import CheckOutcome, CheckTarget
from tests.checks.settings import NONCE, make_config

Zone = Mapping[tuple[str, str], list[str]]


class Resolver(asyncio.DatagramProtocol):
    def __init__(self, zone: Zone) -> None:
        self.zone, self.asked = zone, 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def datagram_received(self, data: bytes, peer: tuple[str, int]) -> None:
        self.asked += 1
        question = dns.message.from_wire(data)
        answer = dns.message.make_response(question)
        name, kind = question.question[0].name, question.question[0].rdtype
        records = self.zone.get((name.to_text(omit_final_dot=True), kind.name), [])
        if records:
            answer.answer.append(dns.rrset.from_text(name, 60, "IN", kind.name, *records))
        else:
            answer.set_rcode(dns.rcode.NXDOMAIN)
        self.transport.sendto(answer.to_wire(), peer)  # type: ignore[attr-defined]


def check_beside(zone: Zone, times: int = 1, behaviour: str = "open") -> tuple[CheckOutcome, int, int]:
    """Outcome, connections that the host saw, questions that the resolver got."""

    async def both() -> tuple[CheckOutcome, int, int]:
        loop = asyncio.get_running_loop()
        transport, resolver = await loop.create_datagram_endpoint(lambda: Resolver(zone), ("127.0.0.1", 0))
        async with SmtpHost(behaviour=behaviour) as host:
            config = make_config(resolvers=(transport.get_extra_info("sockname")[:2],))
            target = CheckTarget(address=host.address, port=host.port, nonce=NONCE)
            for _ in range(times):
                outcome = await relay.run(target, config)
            transport.close()
            return outcome, host.connections, resolver.asked

    _mail_hosts.known.clear()
    return asyncio.run(both())


@pytest.mark.parametrize(
    "zone",
    [
        {("probe.isp.example", "MX"): ["10 mx.isp.example."], ("mx.isp.example", "A"): ["127.0.0.1"]},
        {("probe.isp.example", "A"): ["127.0.0.1"]},  # no MX: the domain's own address, RFC 5321 section 5.1
    ],
)
def test_mail_host_of_the_probe_domain_is_not_connected_to(zone):
    outcome, connections, _ = check_beside(zone)
    assert (outcome.verdict, outcome.waiting, connections) == ("unknown", False, 0)
    assert outcome.reason == (
        "127.0.0.1 takes mail for probe.isp.example by its MX record: what it delivers proves nothing"
    )


def test_any_other_host_is_checked():
    zone = {("probe.isp.example", "MX"): ["10 mx.isp.example."], ("mx.isp.example", "A"): ["192.0.2.25"]}
    assert check_beside(zone)[0].waiting


def test_nobody_asks_twice_within_minutes():
    zone = {("probe.isp.example", "MX"): ["10 mx.isp.example."], ("mx.isp.example", "A"): ["192.0.2.25"]}
    assert check_beside(zone, times=3)[2] == 6  # MX, A and AAAA, of the probe domain and of the server's own name


def test_without_an_answer_the_check_goes_on():
    assert check_beside({})[0].waiting


HOST = "mail.customer.example"  # what our SMTP host calls itself


@pytest.mark.parametrize(
    ("zone", "is_tried"),
    [
        ({(HOST, "A"): ["127.0.0.1"]}, True),
        ({}, True),  # no such name: nobody takes mail for it
        ({(HOST, "A"): ["127.0.0.1", "192.0.2.77"]}, False),
        ({(HOST, "A"): ["127.0.0.1"], (HOST, "MX"): ["10 mx.bank.example."], ("mx.bank.example", "A"): ["192.0.2.77"]},
         False),
    ],
)  # fmt: skip
def test_no_probe_is_written_to_a_name_that_others_take_mail_for(zone, is_tried):
    forms = {form["form"] for form in check_beside(zone, behaviour="closed")[0].details["forms"]}
    assert ("pct-host" in forms) is is_tried
