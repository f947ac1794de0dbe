"""A street of customers around a real desk: their mail servers, their mailbox, the blacklists, and who complains.

All of it is loopback and real protocols. A customer is a Life: what is wrong there, and what they do about it.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import smtplib
import time
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

from complaints.checks import load_lists
from complaints.demo.browser import Browser
from complaints.demo.customers import Notice, read_notice
from complaints.demo.dns_server import DnsServer
from complaints.demo.people import Resident
from complaints.demo.places import Mailboxes, listings, zones_of
from complaints.demo.smtp_hosts import SmtpHost
from complaints.demo.world import Host
from tests.services.desk import Desk

SEEN = timedelta(minutes=5)  # so long before it is told


@dataclasses.dataclass(frozen=True, slots=True)
class Life:
    """One customer. wrong: a key of COMPLAINTS. answers: "at once", or "late": when the whole ladder has been climbed.

    open: their mail server lets strangers through. listed: what blacklists say of it.
    """

    contract: str
    playbook: str
    wrong: str
    answers: str
    product: str = "Business line"
    open: bool = False
    listed: str = ""
    voices: int = 2

    @property
    def address(self) -> str:
        return f"127.77.9.{int(self.contract.partition('-')[2])}"

    @property
    def email(self) -> str:
        return f"{self.contract.lower()}@customers.example"


class Street:
    """The world around `desk`. `with Street(desk, lives) as street:` its servers run, in threads."""

    def __init__(self, desk: Desk, lives: Sequence[Life]) -> None:
        self.desk, self.lives = desk, lives
        self.mails: list[Notice] = []
        self.lists = load_lists()
        zones = [zone for each in self.lists for zone in zones_of(each)]
        self.dns = DnsServer("127.0.0.1", desk.port["dns"], zones=zones)
        self.mailbox = Mailboxes("127.0.0.1", desk.port["mailbox"], self.receive)
        listener = ("127.0.0.1", desk.port["smtp"])
        self.servers = {
            life.contract: SmtpHost(
                life.address, desk.port["relay"], "open", listener, name=f"mail.{life.contract}.example"
            )
            for life in lives
            if life.open
        }
        self.stack = contextlib.ExitStack()

    def __enter__(self) -> Street:
        for server in (self.dns, self.mailbox, *self.servers.values()):
            self.stack.enter_context(server)
        for life in self.lives:
            for zone, code, words in self.listed(life):
                self.dns.list_address(zone, life.address, [code], words)
        return self

    def __exit__(self, *_: object) -> None:
        self.stack.close()

    def listed(self, life: Life) -> list[tuple[str, str, str]]:
        person = Resident(life.contract, "K", "n", "n", life.email, "static", life.listed)
        return listings(self.lists, Host(person, life.address, "n")) if life.listed else []

    def receive(self, recipient: str, raw: bytes) -> None:
        notice = read_notice(raw, to=recipient, site=self.desk.site)
        if notice is not None:
            self.mails.append(notice)

    def letters(self, life: Life) -> list[str]:
        return [each.step for each in self.mails if each.to == life.email]

    def complain(self, life: Life) -> None:
        """Every other reporter by LMTP, as through a mail server in front of the desk."""
        for number in range(life.voices):
            self.tell(life, number)

    def tell(self, life: Life, number: int = 0) -> None:
        """What goes on is seen again."""
        door, protocol = (("lmtp", smtplib.LMTP), ("smtp", smtplib.SMTP))[number % 2]
        self.hand_in(protocol, self.desk.port[door], f"mx@watch{number}.example", COMPLAINTS[life.wrong](life, number))

    def hand_in(self, protocol: type[smtplib.SMTP], port: int, sender: str, mail: bytes) -> None:
        """As a mail server does: where nobody takes it, it is tried again."""
        for tries_left in reversed(range(40)):
            try:
                with protocol("127.0.0.1", port) as post:
                    post.sendmail(sender, ["abuse@isp.example"], mail)
                return
            except OSError:
                if not tries_left:
                    raise
                time.sleep(0.5)

    def mend(self, life: Life) -> None:
        if life.open:
            self.servers[life.contract].behaviour = "closed"
        for zone, *_ in self.listed(life):
            self.dns.unlist_address(zone, life.address)

    def press(self, life: Life) -> None:
        """The customer has mended it, opens the page that their youngest mail names, and says so."""
        self.mend(life)
        link = [each.link for each in self.mails if each.to == life.email][-1]
        Browser(self.desk.site).answer(link, "fixed", "We found it and put it right.")


# --- what reporters write


def head(subject: str, number: int) -> str:
    return (
        f"From: <reporter@watch{number}.example>\r\nTo: <abuse@isp.example>\r\nSubject: {subject}\r\n"
        f"Date: {format_datetime(datetime.now(UTC))}\r\nMessage-ID: <{uuid.uuid4()}@watch{number}.example>\r\n"
        "MIME-Version: 1.0\r\n"
    )


def seen_at() -> datetime:
    return datetime.now(UTC).replace(microsecond=0) - SEEN


def spam(life: Life, number: int, received: str, sender: str = "offers@parcels.example") -> bytes:
    """ARF, RFC 5965. `received`: the lines below the one in which the reporter's server took the mail."""
    at = seen_at()
    domain = f"watch{number}.example"
    helo = f"mail.{life.contract.lower()}.example" if received else "DESKTOP-88"
    sender = sender.format(number=number)
    return (
        head("complaint", number) + 'Content-Type: multipart/report; report-type=feedback-report; boundary="b"\r\n\r\n'
        "--b\r\nContent-Type: text/plain\r\n\r\nAn abuse report.\r\n"
        "--b\r\nContent-Type: message/feedback-report\r\n\r\n"
        f"Feedback-Type: abuse\r\nUser-Agent: Loop/1\r\nVersion: 1\r\nSource-IP: {life.address}\r\n"
        f"Original-Mail-From: <{sender}>\r\nArrival-Date: {format_datetime(at)}\r\n"
        "--b\r\nContent-Type: message/rfc822\r\n\r\n"
        f"Received: from {helo} (dyn-{life.address.replace('.', '-')}.isp.example [{life.address}])\r\n"
        f"\tby mx.{domain} with ESMTP id A{number}; {format_datetime(at)}\r\n{received.format(at=format_datetime(at))}"
        f"From: <{sender}>\r\nTo: <user{number}@{domain}>\r\nSubject: Parcel {number}\r\n"
        f"Date: {format_datetime(at)}\r\nMessage-ID: <{life.contract}.{number}@parcels.example>\r\n"
        "\r\nOpen it now.\r\n--b--\r\n"
    ).encode()


def relayed(life: Life, number: int) -> bytes:
    name = f"mail.{life.contract.lower()}.example"
    return spam(
        life, number, f"Received: from friend (unknown [203.0.113.9])\r\n\tby {name} with ESMTP id B; {{at}}\r\n"
    )


def logged_in(life: Life, number: int) -> bytes:
    name = f"mail.{life.contract.lower()}.example"
    line = f"Received: from [10.0.0.7] (unknown [203.0.113.9])\r\n\tby {name} with ESMTPSA id B; {{at}}\r\n"
    return spam(life, number, line)


def mailing(life: Life, number: int) -> bytes:
    name = f"mail.{life.contract.lower()}.example"
    lines = (
        f"Received: from app (localhost [127.0.0.1])\r\n\tby {name} with ESMTP id B; {{at}}\r\n"
        "List-Unsubscribe: <https://news.parcels.example/u>\r\nPrecedence: bulk\r\n"
    )
    return spam(life, number, lines, sender=f"bounces+user{number}=watch{number}.example@parcels.example")


def direct(life: Life, number: int) -> bytes:
    return spam(life, number, "")


def in_words(life: Life, number: int) -> bytes:
    """Nothing in it says what is behind it."""
    at = seen_at()
    return (
        head("Spam from your network", number)
        + f"\r\nHello abuse team,\r\n\r\nplease stop the spam from your customer.\r\n\r\nSource IP: {life.address}\r\n"
        f"Time: {at:%Y-%m-%d %H:%M:%S} UTC\r\n\r\nThanks\r\n"
    ).encode()


def xarf(life: Life, number: int, category: str, kind: str, **more: Any) -> bytes:
    at = seen_at()
    who = {"org": f"Watch {number}", "contact": f"reporter@watch{number}.example", "domain": f"watch{number}.example"}
    document = {
        "xarf_version": "4.2.0", "report_id": str(uuid.uuid4()), "timestamp": at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "reporter": who, "sender": who, "source_identifier": life.address, "category": category, "type": kind, **more,
    }  # fmt: skip
    return (head("Abuse report", number) + f"Content-Type: application/json\r\n\r\n{json.dumps(document)}\r\n").encode()


COMPLAINTS = {
    "relayed": relayed,
    "direct": direct,
    "logged in": logged_in,
    "mailing": mailing,
    "in words": in_words,
    "scan": lambda life, number: xarf(life, number, "connection", "port_scan", protocol="tcp", destination_port=22),
    "phishing": lambda life, number: xarf(life, number, "content", "phishing", url=f"http://{life.address}/bank/login"),
    "open service": lambda life, number: xarf(life, number, "vulnerability", "open_service", service="redis"),
}
