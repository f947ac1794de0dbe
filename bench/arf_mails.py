"""ARF mails as feedback loops send them, about 6 KB each, every one different. For benches only."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

BEGIN = datetime(2026, 3, 1, tzinfo=UTC)
WORDS = [
    "offer",
    "pills",
    "watch",
    "invoice",
    "lottery",
    "account",
    "cheap",
    "winner",
    "update",
    "click",
    "rolex",
    "loan",
]

TEMPLATE = """From: <feedback@{loop}>\r
Date: {date}\r
Subject: FW: {subject}\r
To: <abuse@isp.example>\r
Message-ID: <{number}@{loop}>\r
MIME-Version: 1.0\r
Content-Type: multipart/report; report-type=feedback-report;\r
     boundary="part1_{number}"\r
\r
--part1_{number}\r
Content-Type: text/plain; charset="US-ASCII"\r
Content-Transfer-Encoding: 7bit\r
\r
This is an email abuse report for an email message received from IP\r
{address} on {date}. For more information about this format please see\r
http://www.mipassoc.org/arf/.\r
\r
--part1_{number}\r
Content-Type: message/feedback-report\r
\r
Feedback-Type: abuse\r
User-Agent: {agent}\r
Version: 1\r
Original-Mail-From: <sender{number}@spam.example>\r
Original-Rcpt-To: <user{number}@{loop}>\r
Arrival-Date: {date}\r
Source-IP: {address}\r
Reported-Domain: spam{group}.example\r
Reported-URI: http://spam{group}.example/earn_money.html\r
\r
--part1_{number}\r
Content-Type: message/rfc822\r
Content-Disposition: inline\r
\r
Received: from mail{group}.customer.example (mail{group}.customer.example [{address}])\r
\tby mx.{loop} (Postfix) with ESMTP id {number:x}\r
\tfor <user{number}@{loop}>; {date}\r
Received: from unknown (HELO pc{group}) (198.51.100.{low})\r
\tby mail{group}.customer.example with SMTP; {date}\r
From: "Sender {number}" <sender{number}@spam.example>\r
To: <user{number}@{loop}>\r
Subject: {subject}\r
Date: {date}\r
Message-ID: <8787KJKJ3K4J3K4J3K4J3.{number}@spam.example>\r
MIME-Version: 1.0\r
Content-Type: text/plain; charset=utf-8\r
\r
{body}\r
\r
--part1_{number}--\r
"""


def mails(count: int, addresses: list[str], *, seed: int = 1) -> Iterator[bytes]:
    """`count` mails about addresses drawn from `addresses`, from eight feedback loops over ten days."""
    chance = random.Random(seed)
    for number in range(count):
        subject = " ".join(chance.choices(WORDS, k=5))
        if number % 5 == 0:
            subject = "=?utf-8?Q?G=C3=BCnstig:_" + subject.replace(" ", "_") + "?="
        yield TEMPLATE.format(
            number=number,
            group=number % 97,
            low=number % 250 + 1,
            loop=f"loop{number % 8}.example",
            agent=f"Loop/{number % 8}.0",
            address=chance.choice(addresses),
            date=format_datetime(BEGIN + timedelta(seconds=chance.randrange(864_000))),
            subject=subject,
            body="\r\n".join(" ".join(chance.choices(WORDS, k=11)) for _ in range(58)),
        ).encode()
