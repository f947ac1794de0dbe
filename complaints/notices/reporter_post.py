"""What is special about sending to a reporter: threading, and an envelope that starts no talk of machines."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.conf import settings
from django.core.mail import EmailMessage

from complaints.models import ReporterMail
from complaints.notices.mail import Undeliverable, Waiting
from complaints.notices.reporter_mail import is_still_wanted, stop_waiting
from complaints.notices.verp import reporter_bounce_address

RELATED: tuple[str, ...] = ("reporter",)


def refuse(mail: ReporterMail) -> None:
    if not is_still_wanted(mail):
        raise Undeliverable("not sent: what it asks for was answered before it could go out")


def in_mails(mails: Sequence[ReporterMail], *, now: datetime) -> tuple[list[list[ReporterMail]], Sequence[Waiting]]:
    """Each alone and at once: the limits of a reporter's day are kept when a mail is decided."""
    return [[each] for each in mails], []


def mail_of(mails: Sequence[ReporterMail], *, now: datetime) -> EmailMessage:
    """RFC 3834 section 3: plain text, threaded, marked as automatic, and nothing of the mail that it answers.

    The envelope's sender (section 3.3) is an address of which bounces are recorded and nothing is ever answered.
    """
    (mail,) = mails
    answered = mail.references.split()[-1:]
    threading: dict[str, str] = {"In-Reply-To": answered[0], "References": mail.references} if answered else {}
    return EmailMessage(
        subject=mail.subject,
        body=mail.text,
        from_email=reporter_bounce_address(mail.pk),
        to=[mail.to_email],
        reply_to=[settings.DESK_EMAIL],
        headers={
            "From": settings.DEFAULT_FROM_EMAIL,
            "Message-ID": mail.message_id,
            "Auto-Submitted": "auto-replied",  # section 5
            "X-Auto-Response-Suppress": "All",  # Exchange does not look at Auto-Submitted
            "Content-Language": mail.language,
            "X-Abuse-Answer": str(mail.kind),  # our own mark: what bears it is never answered (mail_loops.py)
            **threading,
        },
    )


def finish(mail: ReporterMail, *, now: datetime, refused: str | None = None) -> None:
    """The row says all there is; of one that failed no answer will come."""
    if mail.state == ReporterMail.State.FAILED:
        stop_waiting(mail, now=now)
