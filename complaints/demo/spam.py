"""The mails that leave the customers' lines, and what the receiving side wrote on top of them. Pure.

A relay's mail shows two steps: from a stranger into the customer's server, and from there to the reporter. A bot's
shows one: straight from the line, under a made-up name. Nothing here is real spam, and every name is under .example.
"""

from __future__ import annotations

import dataclasses
import random
from datetime import UTC, datetime
from email.utils import format_datetime

from complaints.demo.world import Host

STRANGERS = "203.0.113."  # where the spammers sit
SUBJECTS = (
    ("Your parcel is waiting at the depot", "depot@parcel-notice.example"),
    ("Invoice 84413 overdue, final reminder", "billing@invoices-now.example"),
    ("You were chosen: 10 000 coins inside", "lucky@coin-fountain.example"),
    ("=?UTF-8?Q?Sie_haben_gewonnen=21_=E2=82=AC_10=2E000?=", "gewinn@lotterie-gross.example"),
    ("Pharmacy prices that make you smile", "offers@smile-pharmacy.example"),
    ("Re: the document you asked for", "office@shared-papers.example"),
    ("Lose weight while you sleep", "team@sleep-slim.example"),
    ("Your mailbox is almost full", "support@mailbox-team.example"),
)
MADE_UP_NAMES = ("DESKTOP-8841K2", "localhost", "WIN-PC", "friend", "HOME-7F3A")
BODY = "You have been selected. Read more at http://win.{domain}/offer?id={number}\r\nThis offer ends today.\r\n"


@dataclasses.dataclass(frozen=True, slots=True)
class Spam:
    """One mail of a run, as one reporter got it. Times to the second: mail dates know no less."""

    address: str
    name: str
    path: str
    seen_at: datetime
    port: int | None
    stranger: str
    helo: str
    subject: str
    sender: str
    number: int

    @property
    def message_id(self) -> str:
        return f"{self.number:08x}.run@{self.sender.rpartition('@')[2]}"


def spam_from(host: Host, rng: random.Random, *, seen_at: datetime, number: int) -> Spam:
    subject, sender = rng.choice(SUBJECTS)
    return Spam(
        address=host.address,
        name=host.name,
        path=host.trouble.path,
        seen_at=seen_at.astimezone(UTC).replace(microsecond=0),
        port=host.port,
        stranger=f"{STRANGERS}{rng.randint(2, 250)}",
        helo=rng.choice(MADE_UP_NAMES),
        subject=subject,
        sender=sender,
        number=number,
    )


def received_lines(spam: Spam, *, by: str, recipient: str) -> str:
    date = format_datetime(spam.seen_at)
    helo = spam.name if spam.path == "relay" else spam.helo
    lines = (
        f"Received: from {helo} ({spam.name} [{spam.address}])\r\n"
        f"\tby {by} (Postfix) with ESMTP id {spam.number:08X}\r\n"
        f"\tfor <{recipient}>; {date}\r\n"
    )
    if spam.path == "relay":
        lines += (
            f"Received: from {spam.helo} (unknown [{spam.stranger}])\r\n"
            f"\tby {spam.name} with ESMTP id {spam.number:06X}; {date}\r\n"
        )
    return lines


def original(spam: Spam, *, by: str, recipient: str) -> str:
    """The whole mail as it lay in the reporter's mailbox, CRLF."""
    return (
        f"{received_lines(spam, by=by, recipient=recipient)}"
        f"Return-Path: <{spam.sender}>\r\n"
        f"From: <{spam.sender}>\r\n"
        f"To: <{recipient}>\r\n"
        f"Subject: {spam.subject}\r\n"
        f"Date: {format_datetime(spam.seen_at)}\r\n"
        f"Message-ID: <{spam.message_id}>\r\n"
        "MIME-Version: 1.0\r\n"
        "Content-Type: text/plain; charset=us-ascii\r\n"
        "\r\n" + BODY.format(domain=spam.sender.rpartition("@")[2], number=spam.number)
    )
