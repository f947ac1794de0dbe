"""Mail that every abuse desk gets beside its true complaints: wrong addresses, machines' replies, broken mail. Pure."""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Callable
from datetime import datetime, timedelta
from email.utils import format_datetime

from complaints.demo.reporters import BY_ADDRESS, REPORTERS, complaint_mail, crlf
from complaints.demo.spam import Spam, spam_from
from complaints.demo.world import LEASE, SHARED_ADDRESS, UNASSIGNED, World

POSTBOX, LENA = REPORTERS[0], REPORTERS[1]
SELLER = "alerts@scan-beacon.example"  # a rule of set_up.py ignores them
OWN_FORMAT = "noc@oldham-telecom.example"


@dataclasses.dataclass(frozen=True, slots=True)
class Stray:
    """sender: of the envelope, "" is the null sender. about: the truth in plain words, for the log."""

    mail: bytes
    sender: str
    peer: str
    about: str


@dataclasses.dataclass(frozen=True, slots=True)
class Occasion:
    world: World
    rng: random.Random
    at: datetime
    number: int
    to: str

    @property
    def spam(self) -> Spam:
        """A relay's mail of a minute ago, to be told of another address."""
        return spam_from(self.world.hosts[0], self.rng, seen_at=self.at - timedelta(minutes=1), number=self.number)


def about_address(now: Occasion, address: str, about: str, *, reporter: str, seen_at: datetime | None = None) -> Stray:
    spam = dataclasses.replace(
        now.spam, address=address, name=f"host.{address.replace(':', '-').replace('.', '-')}.example",
        path="bot", port=None, seen_at=(seen_at or now.at - timedelta(minutes=1)).replace(microsecond=0),
    )  # fmt: skip
    who = BY_ADDRESS[reporter]
    return Stray(complaint_mail(who, spam, written_at=now.at, to=now.to), who.address, who.peer, about)


def not_ours(now: Occasion) -> Stray:
    address = f"198.51.100.{now.rng.randint(2, 250)}"
    return about_address(now, address, f"{address} is not ours at all", reporter=LENA.address)


def nobody(now: Occasion) -> Stray:
    return about_address(now, UNASSIGNED, f"nobody holds {UNASSIGNED}", reporter=POSTBOX.address)


def port_missing(now: Occasion) -> Stray:
    about = f"{SHARED_ADDRESS} is shared, and the complaint names no port"
    return about_address(now, SHARED_ADDRESS, about, reporter=POSTBOX.address)


def port_forgotten(now: Occasion) -> Stray:
    """From a person: the desk asks her for it, and she answers (asked.py)."""
    about = f"{SHARED_ADDRESS} is shared, and Lena forgot the port"
    return about_address(now, SHARED_ADDRESS, about, reporter=LENA.address)


def former_holder(now: Occasion) -> Stray:
    """The abuse is older than the day the address changed hands."""
    line = next(each for each in now.world.lines if each.valid_until and ":" not in each.prefix)
    assert line.valid_until is not None
    address = line.prefix.partition("/")[0]
    about = f"old abuse from {address}, of {line.contract} who held it then"
    return about_address(now, address, about, reporter=POSTBOX.address, seen_at=line.valid_until - timedelta(hours=3))


def ended_ipv6(now: Occasion) -> Stray:
    line = next(each for each in now.world.lines if ":" in each.prefix)
    address = line.prefix.partition("/")[0] + "a5"
    about = f"{address} today: the IPv6 lease ended {LEASE.total_seconds() / 3600:.0f} hours ago"
    return about_address(now, address, about, reporter="complaints@colibri-mail.example")


def login_attack(now: Occasion) -> Stray:
    """Log lines of a break-in attempt, from a line with a bot: another category, so a case of its own."""
    host = next(each for each in now.world.hosts if each.resident.trouble == "bot" and each.port is None)
    lines = "".join(
        f"{now.at - timedelta(seconds=90 - n * 7):%Y-%m-%d %H:%M:%S} UTC sshd: "
        f"Failed password for invalid user admin{n} from {host.address} port {40100 + n} ssh2\n"
        for n in range(6)
    )
    text = f"Hello,\n\nbrute force login attempts from {host.address} against our server, log below (UTC).\n\n{lines}"
    return plain(now, f"SSH brute force attack from {host.address}", text, f"log-in attacks from {host.address}")


def auto_reply(now: Occasion) -> Stray:
    text = "I am out of the office until Monday. In urgent cases call my colleague.\n"
    extra = "Auto-Submitted: auto-replied\r\nPrecedence: bulk\r\n"
    return plain(now, "Out of office: your message", text, "somebody is on holiday", extra=extra)


def bounce(now: Occasion) -> Stray:
    boundary = f"=_dsn_{now.number}"
    text = (
        f"--{boundary}\nContent-Type: text/plain\n\n"
        "This is the mail system at mx.postbox.example. Your message could not be delivered.\n\n"
        f"--{boundary}\nContent-Type: message/delivery-status\n\n"
        "Reporting-MTA: dns; mx.postbox.example\n\n"
        "Final-Recipient: rfc822; nobody@postbox.example\nAction: failed\nStatus: 5.1.1\n\n"
        f"--{boundary}--\n"
    )
    kind = f'multipart/report; report-type=delivery-status;\r\n\tboundary="{boundary}"'
    about = "a mail of somebody came back"
    return plain(now, "Undelivered Mail Returned to Sender", text, about, kind=kind, sender="")


def broken(now: Occasion) -> Stray:
    """A report whose parts were lost on the way: nothing can be read from it, so a human must."""
    text = "This is an email abuse report.\n"
    kind = 'multipart/report; report-type=feedback-report;\r\n\tboundary="=_lost"'
    return plain(now, "Email abuse report", text, "a report whose parts were lost on the way", kind=kind)


def own_format(now: Occasion) -> Stray:
    """A report in a form of the sender's own, in which the parts of an ARF report are missing: to be taught."""
    host = now.world.host_of("C-2033")
    boundary = f"=_ot_{now.number}"
    text = (
        f"--{boundary}\nContent-Type: text/plain; charset=us-ascii\n\n"
        f"OLDHAM TELECOM NETWORK OPERATIONS\ncase ........: {48000 + now.number}\n"
        f"customer host: {host.address}\nfirst noticed: {now.at - timedelta(minutes=2):%Y-%m-%d %H:%M:%S} UTC\n"
        f"class .......: unwanted bulk mail\naction wanted: stop\n\n--{boundary}--\n"
    )
    kind = f'multipart/report; report-type=feedback-report;\r\n\tboundary="{boundary}"'
    about = "a report in a form of the sender's own"
    return plain(now, f"OT-NOC case {48000 + now.number}", text, about, kind=kind, sender=OWN_FORMAT)


def seller(now: Occasion) -> Stray:
    line = next(each for each in now.world.lines if each.contract == "C-2061")
    address = line.prefix.partition("/")[0]
    text = (
        f"Dear operator,\n\nwe saw spam from your customer.\n\nSource IP: {address}\n"
        f"Time: {now.at:%Y-%m-%d %H:%M:%S} UTC\n\n"
        "Order a full scan today and save half of the price.\n\nScan Beacon sales\n"
    )
    return plain(now, f"Spam report for {address}", text, "somebody sells scans as complaints", sender=SELLER)


def question(now: Occasion) -> Stray:
    text = "Good morning,\n\nwhere do I find the opening hours of your shop?\n\nRegards, A. Reader\n"
    return plain(now, "Opening hours", text, "a question that is no complaint")


def plain(
    now: Occasion, subject: str, text: str, about: str, *,
    kind: str = "text/plain; charset=us-ascii", extra: str = "", sender: str = "reader@letters.example",
) -> Stray:  # fmt: skip
    head = (
        f"From: <{sender or 'MAILER-DAEMON@postbox.example'}>\r\n"
        f"To: <{now.to}>\r\n"
        f"Subject: {subject}\r\n"
        f"Date: {format_datetime(now.at.replace(microsecond=0))}\r\n"
        f"Message-ID: <{now.number:08x}.letter@letters.example>\r\n"
        f"{extra}MIME-Version: 1.0\r\nContent-Type: {kind}\r\n\r\n"
    )
    return Stray((head + crlf(text)).encode("ascii"), sender, "127.20.0.20", about)


STRAYS: dict[str, Callable[[Occasion], Stray]] = {
    "not_ours": not_ours,
    "nobody": nobody,
    "port_missing": port_missing,
    "port_forgotten": port_forgotten,
    "former_holder": former_holder,
    "ended_ipv6": ended_ipv6,
    "login_attack": login_attack,
    "auto_reply": auto_reply,
    "bounce": bounce,
    "broken": broken,
    "question": question,
    "own_format": own_format,
    "seller": seller,
}
