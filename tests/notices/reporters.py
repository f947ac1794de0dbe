"""Reporters' mails as rows: a person who forgot the port, read by the pipeline as every mail is."""

from __future__ import annotations

from datetime import datetime, timedelta
from email.utils import format_datetime

from complaints.intake import Arrival, store_messages
from complaints.models import Complaint, Message, Reporter, ReporterMail
from complaints.pipeline import process_messages
from tests.factories import NOON, make_assignment, make_network

LENA = "lena@studio-hoff.example"
SHARED, ELSEWHERE = "203.0.113.7", "198.51.100.20"
SEEN = NOON - timedelta(minutes=10)


def make_shared_address() -> None:
    """203.0.113.7 is shared by anna (ports 1024 to 2047) and bruno (2048 to 3071)."""
    make_network("203.0.113.0/24")
    for name, first in (("anna", 1024), ("bruno", 2048)):
        make_assignment(name, f"{SHARED}/32", kind="cgnat", port_first=first, port_last=first + 1023)


def vouch_for(address: str = LENA) -> Reporter:
    return Reporter.objects.update_or_create(
        address=address,
        defaults={"authenticated": True},
        create_defaults={"authenticated": True, "first_seen_at": NOON},
    )[0]


def written(
    text: str, *, sender: str = LENA, number: int = 1, subject: str = "Spam from your network", more: str = "",
    at: datetime = NOON,
) -> bytes:  # fmt: skip
    head = (
        f"From: Lena Hoff <{sender}>\nTo: abuse@isp.example\nSubject: {subject}\n"
        f"Date: {format_datetime(at)}\nMessage-ID: <{number}.lena@studio-hoff.example>\n{more}"
        "MIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\n\n"
    )
    return (head + text).replace("\n", "\r\n").encode()


def spam_from(*addresses: str, seen: str = f"{SEEN:%Y-%m-%d %H:%M:%S} UTC") -> str:
    lines = "".join(f"Source IP: {address}\n" for address in addresses)
    return f"Hello abuse team,\n\nplease stop the spam from your customer.\n\n{lines}Time: {seen}\n\nThanks, Lena\n"


def spam_number(number: int) -> str:
    """Each is about an event of its own."""
    return spam_from(SHARED, seen=f"{SEEN - timedelta(seconds=number):%Y-%m-%d %H:%M:%S} UTC")


def receive(*mails: bytes, sender: str = LENA, now: datetime = NOON, to: str = "abuse@isp.example") -> list[Message]:
    """Through the door and the pipeline."""
    arrivals = [Arrival(raw, "smtp", peer="192.0.2.99", envelope_from=sender, envelope_to=(to,)) for raw in mails]
    ids = [stored.message_id for stored in store_messages(arrivals, now=now)]
    process_messages(ids, now=now)
    return list(Message.objects.filter(pk__in=ids).order_by("pk"))


def ask_lena(text: str | None = None, **columns: str) -> ReporterMail:
    """Lena forgot the port, and the machine has decided to ask her."""
    make_shared_address()
    vouch_for()
    receive(written(text or spam_from(SHARED), **columns))  # type: ignore[arg-type]
    return ReporterMail.objects.get()


def answer_to(mail: ReporterMail, text: str, *, sender: str = LENA, number: int = 2) -> bytes:
    quote = f"\nOn Tue, 10 Mar 2026 at 12:00, Abuse <abuse@isp.example> wrote:\n> {SHARED} port missing\n"
    return written(
        text + quote, sender=sender, number=number, subject=f"Re: {mail.subject}",
        more=f"In-Reply-To: {mail.message_id}\nReferences: {mail.references} {mail.message_id}\n",
    )  # fmt: skip


def the_complaint() -> Complaint:
    return Complaint.objects.get()
