"""Those who complain: feedback loops (RFC 5965) and people who write by hand, each in the same way every time. Pure.

A reporter's mail about one spam is the same to the byte however often it is made, so a repeated sending is one mail.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from datetime import datetime
from email.utils import format_datetime

from complaints.demo.spam import Spam, original


@dataclasses.dataclass(frozen=True, slots=True)
class Reporter:
    """mx: the server that took the spam. peer: the loopback address its mail to us comes from."""

    name: str
    address: str
    mx: str
    peer: str
    style: str = "arf"
    agent: str = ""
    names_port: bool = False

    @property
    def domain(self) -> str:
        return self.address.rpartition("@")[2]


REPORTERS = (
    Reporter("Postbox Feedback", "feedback@postbox.example", "mx2.postbox.example", "127.20.0.2",
             agent="Postbox-FBL/2.1"),
    Reporter("Lena Hoff", "lena@studio-hoff.example", "mail.studio-hoff.example", "127.20.0.3", "words"),
    Reporter("Mailhaus Abuse Feedback", "fbl@mailhaus.example", "mx.mailhaus.example", "127.20.0.4",
             agent="Mailhaus-Loop/5", names_port=True),
    Reporter("Trap Watch", "reports@trapwatch.example", "trap7.trapwatch.example", "127.20.0.5",
             agent="TrapWatch/1.4", names_port=True),
    Reporter("Tobias Lund, postmaster", "postmaster@lund-timber.example", "mx.lund-timber.example", "127.20.0.6",
             "pasted"),
    Reporter("Colibri Mail", "complaints@colibri-mail.example", "in1.colibri-mail.example", "127.20.0.7",
             agent="colibri-arf/0.9"),
)  # fmt: skip
# Whose own counter is stuck: tells one run again and again.
STUCK = Reporter("Amberline Feedback", "fbl@amberline-mail.example", "mx1.amberline-mail.example", "127.20.0.8",
                 agent="Amberline/0.3")  # fmt: skip
BY_ADDRESS = {reporter.address: reporter for reporter in (*REPORTERS, STUCK)}

WORDS = """\
Hello abuse team,

please stop the spam from your customer. This came today, and it is not the first one:

Source IP: {address}
Time: {at:%Y-%m-%d %H:%M:%S} UTC

Subject: {subject}

Thanks, Lena Hoff
"""
PASTED = """\
Dear colleagues,

we received unsolicited bulk mail from the host {address} in your network. The full header is below.
Please look into it.

Tobias Lund

"""


def complaint_mail(reporter: Reporter, spam: Spam, *, written_at: datetime, to: str) -> bytes:
    """What `reporter` sends to the desk about `spam`, ready for SMTP."""
    subject, content_type, body = STYLES[reporter.style](reporter, spam)
    head = (
        f"From: {quoted(reporter.name)} <{reporter.address}>\r\n"
        f"To: <{to}>\r\n"
        f"Subject: {subject}\r\n"
        f"Date: {format_datetime(written_at.replace(microsecond=0))}\r\n"
        f"Message-ID: <{spam.number:08x}.complaint@{reporter.domain}>\r\n"
        "MIME-Version: 1.0\r\n"
        f"Content-Type: {content_type}\r\n"
        "\r\n"
    )
    return (head + body).encode("ascii")


def arf(reporter: Reporter, spam: Spam) -> tuple[str, str, str]:
    """RFC 5965; Source-Port as RFC 6692 has it, where the reporter knows why it matters."""
    boundary = f"=_fbl_{spam.number:08x}"
    recipient = victim(reporter, spam)
    port = f"Source-Port: {spam.port}\r\n" if reporter.names_port and spam.port else ""
    parts = (
        "Content-Type: text/plain; charset=us-ascii\r\n\r\n"
        f"This is an email abuse report for an email message received from IP {spam.address}\r\n"
        f"on {format_datetime(spam.seen_at)}. For more information see RFC 5965.\r\n",
        "Content-Type: message/feedback-report\r\n\r\n"
        "Feedback-Type: abuse\r\n"
        f"User-Agent: {reporter.agent}\r\n"
        "Version: 1\r\n"
        f"Original-Mail-From: <{spam.sender}>\r\n"
        f"Original-Rcpt-To: <{recipient}>\r\n"
        f"Arrival-Date: {format_datetime(spam.seen_at)}\r\n"
        f"Reporting-MTA: dns; {reporter.mx}\r\n"
        f"Source-IP: {spam.address}\r\n{port}"
        f"Reported-Domain: {spam.sender.rpartition('@')[2]}\r\n",
        "Content-Type: message/rfc822\r\nContent-Disposition: inline\r\n\r\n"
        + original(spam, by=reporter.mx, recipient=recipient),
    )
    body = "".join(f"--{boundary}\r\n{part}\r\n" for part in parts) + f"--{boundary}--\r\n"
    kind = f'multipart/report; report-type=feedback-report;\r\n\tboundary="{boundary}"'
    return f"Email abuse report for {spam.address}", kind, body


def words(reporter: Reporter, spam: Spam) -> tuple[str, str, str]:
    subject = spam.subject if spam.subject.isascii() and "=?" not in spam.subject else "(in a foreign language)"
    text = WORDS.format(address=spam.address, at=spam.seen_at, subject=subject)
    return "Spam from your network", "text/plain; charset=us-ascii", crlf(text)


def pasted(reporter: Reporter, spam: Spam) -> tuple[str, str, str]:
    mail = original(spam, by=reporter.mx, recipient=victim(reporter, spam))
    text = crlf(PASTED.format(address=spam.address)) + mail
    return f"UBE from {spam.address}", "text/plain; charset=us-ascii", text


STYLES: dict[str, Callable[[Reporter, Spam], tuple[str, str, str]]] = {"arf": arf, "words": words, "pasted": pasted}


def victim(reporter: Reporter, spam: Spam) -> str:
    return f"user{spam.number % 9973}@{reporter.domain}"


def quoted(name: str) -> str:
    return f'"{name}"' if "," in name else name


def crlf(text: str) -> str:
    return text.replace("\n", "\r\n")
