"""A notice as a mail, and what the mail server's answers mean. Who may send it when is delivery.py."""

from __future__ import annotations

import smtplib
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.core.mail import EmailMessage, EmailMultiAlternatives
from django.core.mail.backends.base import BaseEmailBackend

from complaints.models import Notice
from complaints.notices.backend import AnswerLost
from complaints.notices.letter import fill_link
from complaints.notices.returned import status_in
from complaints.notices.senders import sender_of_notice
from complaints.notices.verp import bounce_address

BY_HAND = "message"  # by_hand.py: a person wrote it, and may hear that its reader is away
BY_MACHINE = {
    "Auto-Submitted": "auto-generated",  # RFC 3834 section 5: nobody's machine should answer it
    "X-Auto-Response-Suppress": "OOF, AutoReply",  # Exchange does not look at Auto-Submitted
}
MAY_HAVE_GONE = "it may have gone or not"
ENOUGH = "waits for tomorrow's digest: this address got as many mails today as one may"
Waiting = tuple[Any, datetime, str]  # a mail that is due and may not go: until when, and why ("": it is night)
OUTAGE = (smtplib.SMTPException, OSError)


class Undeliverable(Exception):
    """Trying this mail again would not help; the text says why."""


class Refused(Undeliverable):
    """The recipient's server said no. status: its code (RFC 3463), or "" where it gave none."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.status = status_in(text)


class Unsure(Undeliverable):
    """It may have gone. Sending it again could deliver it twice, so a person decides."""

    def __init__(self, why: str) -> None:
        super().__init__(f"{MAY_HAVE_GONE}: {why}. Ask the customer, or look into the mail server's log")


def notice_mail(notice: Notice, *, url: str, thread: Sequence[str] = ()) -> EmailMultiAlternatives:
    """thread: Message-IDs of the case's earlier letters to this address, the oldest first (RFC 5322 section 3.6.4)."""
    threading = {"In-Reply-To": thread[-1], "References": " ".join(thread)} if thread else {}
    text, html = fill_link(notice.text, url), fill_link(notice.html, url)
    return letter_mail(notice, notice.subject, text, html, numbers=[notice.case.number], headers=threading)


def letter_mail(
    notice: Notice, subject: str, text: str, html: str, *, numbers: Sequence[str], headers: Mapping[str, str]
) -> EmailMultiAlternatives:
    """No List-Unsubscribe: this is mail about a contract, and nobody subscribed to it."""
    sender = sender_of_notice(notice)
    mail = EmailMultiAlternatives(
        subject=subject,
        body=text,
        from_email=bounce_address(notice.pk, domain=sender.domain),  # the envelope's; the reader sees the header below
        to=[recipient(notice)],
        reply_to=[sender.email],
        headers={
            "From": sender.header,
            "Message-ID": notice.message_id,
            **({} if notice.step == BY_HAND else BY_MACHINE),
            "X-Abuse-Case": ", ".join(numbers),
            "Content-Language": notice.language,
            **headers,
        },
    )
    mail.attach_alternative(html, "text/html")
    return mail


def recipient(notice: Notice) -> str:
    """`"Name" <address>`: quoted here, for a name is data and may hold commas, quotes or an address of its own."""
    name = notice.to_name.replace("\\", "").replace('"', "'").strip()
    return f'"{name}" <{notice.to_email}>' if name else notice.to_email


def send(mail: EmailMessage, connection: BaseEmailBackend) -> None:
    """Raises Undeliverable when the answer is final for this mail (RFC 5321 section 4.2.1), else what SMTP raised."""
    try:
        connection.send_messages([mail])
    except AnswerLost as exc:
        raise Unsure(str(exc)) from exc
    except smtplib.SMTPRecipientsRefused as exc:
        code, text = next(iter(exc.recipients.values()))
        if is_final(code):
            raise Refused(f"the recipient's server refused the address: {answer(code, text)}") from exc
        raise
    except smtplib.SMTPDataError as exc:
        if is_final(exc.smtp_code):
            raise Undeliverable(f"the mail server refused the mail: {answer(exc.smtp_code, exc.smtp_error)}") from exc
        raise
    except ValueError as exc:  # Django found a header or an address that cannot be written
        raise Undeliverable(f"the mail cannot be written: {exc}") from exc


def is_final(code: int) -> bool:
    return 500 <= code < 600


def describe(exc: Exception) -> str:
    if isinstance(exc, smtplib.SMTPRecipientsRefused):
        return answer(*next(iter(exc.recipients.values())))
    if isinstance(exc, smtplib.SMTPResponseException):
        return answer(exc.smtp_code, exc.smtp_error)
    return str(exc) if isinstance(exc, smtplib.SMTPException) else f"no mail server: {exc}"


def answer(code: int, text: bytes | str) -> str:
    said = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
    return f"{code} {said}"[:500]
