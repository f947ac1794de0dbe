"""One abuse as it happened: what a complaint is about, and its Received lines where it was a mail. Pure."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from datetime import datetime, timedelta
from email.utils import format_datetime

from complaints.demo.simulation.sources import Source


@dataclasses.dataclass(frozen=True, slots=True)
class Abuse:
    """path: a key of PATHS, how its mail went. contract: who really did it; None: nobody of ours.

    stranger: where it came from before the accused machine, if it did. forged: one of our addresses that stands only in
    lines which the sender made up. quirk: 0 to 1, the manner of that machine: the same in all of its mails, as servers
    differ in what they write. url: the page that is complained about.
    """

    number: int
    contract: str | None
    trouble: int | None
    category: str
    path: str
    address: str
    port: int | None
    at: datetime
    name: str
    helo: str
    stranger: str
    subject: str
    sender: str
    forged: str = ""
    quirk: float = 0.0
    url: str = ""

    @property
    def sender_domain(self) -> str:
        return self.sender.rpartition("@")[2]

    @property
    def message_id(self) -> str:
        return f"{self.number:08x}.run@{self.sender_domain}"


def handed_over(abuse: Abuse, source: Source, recipient: str, helo: str) -> str:
    """The line that the victim's own server wrote, by the source's clock."""
    return (
        f"Received: from {helo} ({abuse.name} [{abuse.address}])\r\n"
        f"\tby {source.mx} (Postfix) with ESMTP id {abuse.number:08X}\r\n"
        f"\tfor <{recipient}>; {format_datetime(source.clock(abuse.at))}\r\n"
    )


def older(abuse: Abuse, sender: str, by: str, protocol: str, seconds: int = 2, meant: str = "") -> str:
    """A line of the accused machine (or of whoever made it up), by the right time."""
    at = (abuse.at - timedelta(seconds=seconds)).replace(microsecond=0)
    return (
        f"Received: from {sender}\r\n\tby {by} with {protocol} id {abuse.number:06X}{meant}; {format_datetime(at)}\r\n"
    )


def relayed(abuse: Abuse, source: Source, recipient: str) -> str:
    """Some servers name the recipient in their line, and a few write no line at all."""
    first = handed_over(abuse, source, recipient, abuse.name)
    if abuse.quirk > 0.93:
        return first
    meant = f"\r\n\tfor <{recipient}>" if abuse.quirk < 0.35 else ""
    return first + older(abuse, f"{abuse.helo} (unknown [{abuse.stranger}])", abuse.name, "ESMTP", meant=meant)


def direct(abuse: Abuse, source: Source, recipient: str) -> str:
    """A few bots look their own name up first."""
    return handed_over(abuse, source, recipient, abuse.name if abuse.quirk > 0.94 else abuse.helo)


def logged_in(abuse: Abuse, source: Source, recipient: str) -> str:
    """Some servers hide from where their users send, or do not say that they had logged in."""
    first = handed_over(abuse, source, recipient, abuse.name)
    if abuse.quirk > 0.93:
        return first
    return first + older(abuse, f"[10.0.0.7] (unknown [{abuse.stranger}])", abuse.name, "ESMTPSA")


def scripted(abuse: Abuse, source: Source, recipient: str) -> str:
    """PHP names its script only where that is switched on; Postfix names the user who handed the mail in."""
    first, at = handed_over(abuse, source, recipient, abuse.name), abuse.at - timedelta(seconds=2)
    if abuse.quirk > 0.93:
        return first + older(abuse, "localhost (localhost [127.0.0.1])", abuse.name, "ESMTP")
    local = f"Received: by {abuse.name} (Postfix, from userid 33)\r\n\tid {abuse.number:06X}; {format_datetime(at)}\r\n"
    named = "X-PHP-Originating-Script: 33:class-contact.php\r\n" if abuse.quirk < 0.45 else ""
    return first + local + named


def mailing(abuse: Abuse, source: Source, recipient: str) -> str:
    """What mailing software writes; not all of it is as polite."""
    lines = handed_over(abuse, source, recipient, abuse.name)
    lines += older(abuse, "app (localhost [127.0.0.1])", abuse.name, "ESMTP")
    if abuse.quirk < 0.8:
        lines += f"List-Unsubscribe: <https://news.{abuse.sender_domain}/u/{abuse.number}>\r\nPrecedence: bulk\r\n"
    if 0.3 < abuse.quirk < 0.95:
        lines += f"DKIM-Signature: v=1; a=rsa-sha256; d={abuse.sender_domain}; s=k1; h=from:to:subject; b=dGVzdA==\r\n"
    verp = recipient.replace("@", "=")
    path = f"bounces+{verp}@{abuse.sender_domain}" if abuse.quirk < 0.6 else abuse.sender
    return f"{lines}Return-Path: <{path}>\r\n"


def forwarded(abuse: Abuse, source: Source, recipient: str) -> str:
    """The customer's own user has mail sent on to the reporter's provider, and spam among it. Servers note that in one
    way or another, and some not at all."""
    own = f"info@{abuse.name.partition('.')[2]}"
    meant = f"\r\n\tfor <{own}>" if abuse.quirk < 0.6 else ""
    field = f"Delivered-To: {own}\r\n" if 0.4 < abuse.quirk < 0.93 else ""
    first = handed_over(abuse, source, recipient, abuse.name)
    return first + older(abuse, f"{abuse.helo} (unknown [{abuse.stranger}])", abuse.name, "ESMTP", meant=meant) + field


def made_up(abuse: Abuse, source: Source, recipient: str) -> str:
    return handed_over(abuse, source, recipient, abuse.helo) + older(
        abuse, f"mail (unknown [{abuse.forged}])", f"relay{abuse.number % 7}.{abuse.sender_domain}", "ESMTP", 9
    )


PATHS: dict[str, Callable[[Abuse, Source, str], str]] = {
    "relay": relayed,
    "bot": direct,
    "stolen": logged_in,
    "script": scripted,
    "bulk": mailing,
    "forwarded": forwarded,
    "forged": made_up,
}


def original(abuse: Abuse, source: Source) -> str:
    """The whole mail as it lay in the victim's mailbox, CRLF."""
    recipient = victim(abuse, source)
    return_path = "" if abuse.path == "bulk" else f"Return-Path: <{abuse.sender}>\r\n"
    return (
        f"{PATHS[abuse.path](abuse, source, recipient)}{return_path}"
        f"From: <{abuse.sender}>\r\n"
        f"To: <{recipient}>\r\n"
        f"Subject: {abuse.subject}\r\n"
        f"Date: {format_datetime(abuse.at - timedelta(seconds=4))}\r\n"
        f"Message-ID: <{abuse.message_id}>\r\n"
        "MIME-Version: 1.0\r\n"
        "Content-Type: text/plain; charset=us-ascii\r\n"
        f"\r\nYou have been selected. Read more at http://win.{abuse.sender_domain}/offer?id={abuse.number % 977}\r\n"
    )


def victim(abuse: Abuse, source: Source) -> str:
    return f"user{abuse.number % 97}@{source.domain}"
