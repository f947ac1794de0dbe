"""A reporter who is asked by the desk for the port that she forgot, and answers by mail. Pure."""

from __future__ import annotations

import dataclasses
import email
import email.policy
from datetime import datetime
from email.utils import format_datetime

from complaints.demo.reporters import BY_ADDRESS, Reporter, crlf
from complaints.demo.world import Host, World

ANSWER = """\
Hello,

sorry, I had cut that off. From our log:

{address}  source port {port}  TCP

Lena Hoff

On {day:%a, %d %b %Y}, {desk} wrote:
{quote}
"""


@dataclasses.dataclass(frozen=True, slots=True)
class Question:
    """A mail of the desk to one of our reporters that asks for what is missing, as she sees it."""

    reporter: Reporter
    message_id: str
    subject: str
    text: str


def read_question(raw: bytes, *, to: str) -> Question | None:
    """None for every other mail."""
    mail = email.message_from_bytes(raw, policy=email.policy.default)
    body = mail.get_body(("plain",))
    reporter = BY_ADDRESS.get(to.lower())
    if reporter is None or body is None or mail.get("X-Abuse-Answer") != "ask_missing":
        return None
    return Question(reporter, str(mail["Message-ID"]), str(mail["Subject"]), body.get_content())


def host_behind_port(world: World) -> Host:
    """The host at the shared address whose spam she got: only its port tells it from its neighbours."""
    return next(host for host in world.hosts if host.port)


def answer_mail(question: Question, host: Host, *, written_at: datetime, number: int, to: str) -> bytes:
    quote = "".join(f"> {line}\n" for line in question.text.splitlines())
    text = ANSWER.format(address=host.address, port=host.port, day=written_at, desk=to, quote=quote)
    head = (
        f"From: {question.reporter.name} <{question.reporter.address}>\r\n"
        f"To: <{to}>\r\n"
        f"Subject: Re: {question.subject}\r\n"
        f"Date: {format_datetime(written_at.replace(microsecond=0))}\r\n"
        f"Message-ID: <{number:08x}.answer@{question.reporter.domain}>\r\n"
        f"In-Reply-To: {question.message_id}\r\n"
        f"References: {question.message_id}\r\n"
        "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n"
    )
    return (head + crlf(text)).encode()
