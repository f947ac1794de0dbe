"""The simulated world's servers, asked by other people's clients: smtplib and dnspython."""

from __future__ import annotations

import asyncio
import smtplib
import socket
import time
from collections.abc import Callable, Iterator

import dns.message
import dns.name
import dns.query
import dns.rcode
import pytest
from aiosmtpd.controller import Controller

from complaints.demo.dns_server import DnsServer
from complaints.demo.smtp_hosts import SmtpHost
from tests.services.smtp import Sink

ZONE = "bl.example.org"
MAIL = b"Subject: hello\r\n\r\n.one dot\r\n"


class AnyPort(Controller):
    """aiosmtpd's controller knocks at the port it was given; with port 0 that is not the one it got."""

    def _trigger_server(self) -> None:
        assert isinstance(self.server, asyncio.Server)
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()


@pytest.fixture
def next_server() -> Iterator[Sink]:
    found = Sink()
    controller = AnyPort(found, hostname=found.host, port=0)
    controller.start()
    found.port = controller.port
    yield found
    controller.stop()


def replies(host: SmtpHost, recipient: str, sender: str = "reporter@isp.example") -> list[int]:
    """The codes of greeting to message end, until the first that is not 2xx or 354."""
    codes = []
    with smtplib.SMTP(timeout=5) as client:
        codes.append(client.connect(host.address, host.port)[0])
        for command in ("EHLO us.example", f"MAIL FROM:<{sender}>", f"RCPT TO:<{recipient}>"):
            if codes[-1] < 400:
                codes.append(client.docmd(command)[0])
        if codes[-1] < 400:
            try:
                codes.append(client.data(MAIL)[0])
            except smtplib.SMTPDataError as exc:
                codes.append(exc.smtp_code)
    return codes


def wait_until(true: Callable[[], object]) -> None:
    deadline = time.monotonic() + 20
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.mark.parametrize(
    ("behaviour", "recipient", "codes"),
    [
        ("closed", "a@other.example", [220, 250, 250, 554]),
        ("open", "a@other.example", [220, 250, 250, 250, 250]),
        ("open_percent", "a@other.example", [220, 250, 250, 554]),
        ("open_percent", "a%other.example@third.example", [220, 250, 250, 554]),
        ("open_percent", "a%other.example@mail.customer.example", [220, 250, 250, 250, 250]),
        ("open_percent", "a%other.example@[127.0.0.1]", [220, 250, 250, 250, 250]),
        ("open_own_sender", "a@other.example", [220, 250, 250, 554]),
        ("accept_and_drop", "a@other.example", [220, 250, 250, 250, 250]),
        ("catch_all", "a@other.example", [220, 250, 250, 554]),
        ("catch_all", "a@customer.example", [220, 250, 250, 250, 250]),
        ("bounce_back", "a@other.example", [220, 250, 250, 250, 250]),
        ("rcpt_then_refuse_data", "a@other.example", [220, 250, 250, 250, 554]),
        ("greylist", "a@other.example", [220, 250, 250, 450]),
        ("auth_required", "a@other.example", [220, 250, 530]),
        ("banner_554", "a@other.example", [554]),
    ],
)
def test_behaviour_answers_a_foreign_recipient(behaviour, recipient, codes):
    with SmtpHost(behaviour=behaviour) as host:
        assert replies(host, recipient) == codes


def test_own_sender_opens_the_host_that_trusts_it():
    with SmtpHost(behaviour="open_own_sender") as host:
        assert replies(host, "a@other.example", sender="x@customer.example") == [220, 250, 250, 250, 250]


def test_relay_hands_on_the_envelope_and_adds_its_received_line(next_server: Sink):
    with SmtpHost(behaviour="open", deliver_to=(next_server.host, next_server.port)) as host:
        replies(host, "a@other.example")
        wait_until(lambda: next_server.messages)
    (caught,) = next_server.messages
    assert (caught.mail_from, caught.rcpt_tos) == ("reporter@isp.example", ["a@other.example"])
    assert caught.mail["Received"].startswith("from us.example ([127.0.0.1])")
    assert caught.raw.endswith(MAIL)


@pytest.mark.parametrize(
    "recipient",
    [
        "a%other.example@mail.customer.example",
        "other.example!a@[127.0.0.1]",
        "other.example!a",
        "@mail.customer.example:a@other.example",
        '"a@other.example"',
        "a@other.example@mail.customer.example",
        "a@other.example",
    ],
)
def test_an_address_inside_the_own_name_is_resolved_before_relaying(next_server: Sink, recipient: str):
    with SmtpHost(behaviour="open", deliver_to=(next_server.host, next_server.port)) as host:
        replies(host, recipient)
        wait_until(lambda: next_server.messages)
    assert next_server.messages[0].rcpt_tos == ["a@other.example"]


def test_a_recipient_of_the_host_itself_stays_as_it_is(next_server: Sink):
    with SmtpHost(behaviour="open", deliver_to=(next_server.host, next_server.port)) as host:
        replies(host, "clerk@mail.customer.example")
        wait_until(lambda: next_server.messages)
    assert next_server.messages[0].rcpt_tos == ["clerk@mail.customer.example"]


def test_relay_tries_again_when_the_next_server_says_later(next_server: Sink):
    next_server.data_answer = "451 4.3.0 not now"
    with SmtpHost(behaviour="open", deliver_to=(next_server.host, next_server.port)) as host:
        host.retry_s = 0.05
        replies(host, "a@other.example")
        next_server.data_answer = "250 2.0.0 caught"
        wait_until(lambda: next_server.messages)
    assert host.undelivered == []


def test_message_that_the_next_server_refuses_is_noted(next_server: Sink):
    next_server.rcpt_answers["a@other.example"] = "550 5.1.1 no such user"
    with SmtpHost(behaviour="open", deliver_to=(next_server.host, next_server.port)) as host:
        replies(host, "a@other.example")
        wait_until(lambda: host.undelivered)
    assert host.undelivered == ["<reporter@isp.example> to ['a@other.example']: 550 b'5.1.1 no such user'"]


def test_relay_reaches_no_further_than_loopback():
    with SmtpHost(behaviour="open", deliver_to=("192.0.2.1", 25)) as host:
        replies(host, "a@other.example")
        wait_until(lambda: host.undelivered)
    assert "no next server on loopback" in host.undelivered[0]


def test_bounce_is_a_report_from_the_null_sender(next_server: Sink):
    with SmtpHost(behaviour="bounce_back", deliver_to=(next_server.host, next_server.port)) as host:
        replies(host, "a@other.example")
        wait_until(lambda: next_server.messages)
    (caught,) = next_server.messages
    assert (caught.mail_from.strip("<>"), caught.rcpt_tos) == ("", ["reporter@isp.example"])
    assert caught.mail.get_content_type() == "multipart/report"
    assert [part.get_content_type() for part in caught.mail.iter_parts()] == [
        "text/plain",
        "message/delivery-status",
        "text/rfc822-headers",
    ]


def test_message_with_null_sender_is_not_bounced(next_server: Sink):
    with SmtpHost(behaviour="bounce_back", deliver_to=(next_server.host, next_server.port)) as host:
        replies(host, "a@other.example", sender="")
        replies(host, "b@other.example", sender="second@isp.example")
        wait_until(lambda: next_server.messages)
    assert [caught.rcpt_tos for caught in next_server.messages] == [["second@isp.example"]]


def test_greylist_lets_the_same_triple_through_later_and_then_decides():
    with SmtpHost(behaviour="greylist") as host:
        first = replies(host, "a@other.example")[-1]
        host.greylist_s = 0
        assert [first, replies(host, "a@other.example")[-1]] == [450, 554]


def test_tarpit_waits_before_every_reply():
    with SmtpHost(behaviour="tarpit") as host:
        host.delay_s = 0.2
        started = time.monotonic()
        assert replies(host, "a@other.example") == [220, 250, 250, 554]
    assert time.monotonic() - started > 0.8


def test_behaviour_changes_while_the_host_runs():
    with SmtpHost(behaviour="open") as host:
        before = replies(host, "a@other.example")[-1]
        host.behaviour = "closed"
        assert [before, replies(host, "a@other.example")[-1]] == [250, 554]


def test_behaviour_that_does_not_exist_is_named():
    with pytest.raises(ValueError, match="behaviour 'ajar' is none of accept_and_drop, auth_required"):
        SmtpHost(behaviour="ajar")


@pytest.mark.parametrize("peer", [SmtpHost, DnsServer])
def test_peer_does_not_leave_loopback(peer):
    with pytest.raises(ValueError, match=r"0\.0\.0\.0 is no loopback address"):
        peer("0.0.0.0")


@pytest.mark.parametrize("peer", [SmtpHost, DnsServer])
def test_peer_starts_again_on_its_port_and_stops_twice(peer):
    server = peer()
    with server:
        port = server.port
    with server:
        assert server.port == port
    server.stop_in_thread()


@pytest.mark.parametrize("peer", [SmtpHost, DnsServer])
def test_port_in_use_is_an_error(peer):
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(OSError, match="in use"):
        peer("127.0.0.1", taken.getsockname()[1]).start_in_thread()


def test_hosts_of_one_world_share_a_port_on_different_addresses(free_port):
    with SmtpHost("127.0.0.1", free_port), SmtpHost("127.0.0.2", free_port, "open") as other:
        assert replies(other, "a@other.example")[-1] == 250


def ask(server: DnsServer, name: str, kind: str = "A", by=dns.query.udp) -> tuple[str, list[str]]:
    response = by(dns.message.make_query(name, kind), server.address, port=server.port, timeout=10)
    return dns.rcode.to_text(response.rcode()), sorted(
        record.to_text() for rrset in response.answer for record in rrset
    )


@pytest.mark.parametrize("by", [dns.query.udp, dns.query.tcp])
def test_listing_is_answered_with_all_codes_and_the_text(by):
    with DnsServer(zones=[ZONE]) as server:
        server.list_address(ZONE, "192.0.2.7", ("127.0.0.2", "127.0.0.4"), 'why: "trap"')
        assert ask(server, f"7.2.0.192.{ZONE}", by=by) == ("NOERROR", ["127.0.0.2", "127.0.0.4"])
        assert ask(server, f"7.2.0.192.{ZONE}", "TXT", by=by) == ("NOERROR", ['"why: \\"trap\\""'])
        server.unlist_address(ZONE, "192.0.2.7")
        assert ask(server, f"7.2.0.192.{ZONE}", by=by) == ("NXDOMAIN", [])


def test_ipv6_address_is_listed_by_its_nibbles():
    name = "7" + ".0" * 23 + ".8.b.d.0.1.0.0.2." + ZONE
    with DnsServer("::1", zones=[ZONE]) as server:
        server.list_address(ZONE, "2001:db8::7")
        assert ask(server, name) == ("NOERROR", ["127.0.0.2"])


@pytest.mark.parametrize(
    ("mode", "test_entry", "control"),
    [
        ("healthy", ("NOERROR", ["127.0.0.2"]), ("NXDOMAIN", [])),
        ("empty", ("NXDOMAIN", []), ("NXDOMAIN", [])),
        ("lists_the_world", ("NOERROR", ["127.0.0.2"]), ("NOERROR", ["127.0.0.2"])),
        ("refuses", ("NOERROR", ["127.255.255.254"]), ("NOERROR", ["127.255.255.254"])),
        ("outside", ("NOERROR", ["192.0.2.1"]), ("NOERROR", ["192.0.2.1"])),
        ("servfail", ("SERVFAIL", []), ("SERVFAIL", [])),
        ("refused", ("REFUSED", []), ("REFUSED", [])),
    ],
)
def test_mode_of_a_zone_answers_the_test_points(mode, test_entry, control):
    with DnsServer() as server:
        server.set_mode(ZONE, mode)
        assert ask(server, f"2.0.0.127.{ZONE}") == test_entry
        assert ask(server, f"1.0.0.127.{ZONE}") == control


def test_silent_zone_leaves_the_others_answering():
    with DnsServer(zones=["alive.example.org"]) as server:
        server.set_mode(ZONE, "silent")
        with pytest.raises(dns.exception.Timeout):
            dns.query.udp(dns.message.make_query(f"2.0.0.127.{ZONE}", "A"), "127.0.0.1", port=server.port, timeout=0.2)
        assert ask(server, "2.0.0.127.alive.example.org") == ("NOERROR", ["127.0.0.2"])


def test_name_outside_all_zones_is_refused():
    with DnsServer(zones=[ZONE]) as server:
        assert ask(server, "www.example.net") == ("REFUSED", [])


def test_mode_that_does_not_exist_is_named():
    with pytest.raises(ValueError, match=r"zone bl\.example\.org: mode 'ill' is none of empty, healthy"):
        DnsServer().set_mode(ZONE, "ill")


def test_long_text_goes_by_tcp():
    with DnsServer(zones=[ZONE]) as server:
        server.list_address(ZONE, "192.0.2.7", txt="a" * 3000)
        query = dns.message.make_query(f"7.2.0.192.{ZONE}", "TXT")
        _, by_tcp = dns.query.udp_with_fallback(query, "127.0.0.1", port=server.port, timeout=10)
    assert by_tcp


def test_rubbish_does_not_stop_the_server():
    with DnsServer(zones=[ZONE]) as server:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.sendto(b"\0" * 5, (server.address, server.port))
            client.sendto(b"\0" * 12, (server.address, server.port))
        assert ask(server, f"2.0.0.127.{ZONE}") == ("NOERROR", ["127.0.0.2"])


def test_peers_serve_in_a_running_loop_too():
    async def both() -> bool:
        async with SmtpHost() as host, DnsServer() as server:
            _, writer = await asyncio.open_connection(host.address, host.port)
            writer.close()
            return host.port != server.port

    assert asyncio.run(both())
