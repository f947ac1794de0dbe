"""What is special about sending a forwarded complaint: the report as its own part, and the case's history."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from email.message import EmailMessage as Written
from email.policy import SMTP
from typing import Any

from django.conf import settings
from django.core.mail import EmailMessage

from complaints.cases.transitions import MACHINE, record
from complaints.models import Case, Contact, Forward
from complaints.notices.letter import fill_link
from complaints.notices.links import make_link, portal_url
from complaints.notices.mail import ENOUGH, Undeliverable, Waiting
from complaints.notices.senders import sender_of
from complaints.notices.timing import day_began, next_digest
from complaints.notices.verp import forward_bounce_address
from complaints.notices.when_due import rules
from complaints.vocabulary import CaseState, CustomerStatus, EventKind

RELATED: tuple[str, ...] = ("case", "complaint")


def refuse(mail: Forward) -> None:
    state = Case.objects.values_list("state", flat=True).get(pk=mail.case_id)
    if state == CaseState.CLOSED:
        raise Undeliverable("not sent: the case was closed before it could go out")
    if mail.complaint.case_id != mail.case_id:
        raise Undeliverable("not sent: the complaint turned out to be another contract's")


def in_mails(mails: Sequence[Forward], *, now: datetime) -> tuple[list[list[Forward]], Sequence[Waiting]]:
    """One mail a complaint, and no more than ABUSEDESK_FORWARDS_A_DAY to one desk."""
    room: dict[str, int] = {}
    going, waiting = list[list[Forward]](), list[Waiting]()
    for mail in mails:
        if mail.to_email not in room:
            sent = Forward.objects.filter(to_email=mail.to_email, sent_at__gte=day_began(now, rules())).count()
            room[mail.to_email] = settings.FORWARDS_A_DAY - sent
        room[mail.to_email] -= 1
        if room[mail.to_email] >= 0:
            going.append([mail])
        else:
            waiting.append((mail, next_digest(now, rules()), ENOUGH))
    return going, waiting


class Parts(Written):
    """Django asks for the line ends by a name of its own; the policy has them already."""

    def as_bytes(self, unixfrom: bool = False, policy: Any = None, linesep: str = "") -> bytes:
        return super().as_bytes(unixfrom, policy or SMTP)


class Report(EmailMessage):
    """A mail whose MIME parts are made here: Django knows no multipart/report."""

    content: Parts

    def message(self, *, policy: Any = None) -> Any:
        return self.content


def mail_of(mails: Sequence[Forward], *, now: datetime) -> EmailMessage:
    (mail,) = mails
    text = fill_link(mail.text, link_of(mail.case, now=now))
    sender = sender_of(mail.case)
    envelope = forward_bounce_address(mail.pk, domain=sender.domain)
    report = Report(subject=mail.subject, body=text, from_email=envelope, to=[mail.to_email])
    report.content = arf(mail, text) if mail.format == Contact.Forwarding.ARF else xarf(mail, text)
    headers = {
        "Subject": mail.subject,
        "From": sender.header,
        "To": mail.to_email,
        "Reply-To": sender.email,
        "Date": now,
        "Message-ID": mail.message_id,
        "Auto-Submitted": "auto-generated",
        "X-Auto-Response-Suppress": "OOF, AutoReply",
        "X-Abuse-Case": mail.case.number,
    }
    for name, value in headers.items():
        report.content[name] = value
    return report


def xarf(mail: Forward, text: str) -> Parts:
    content = Parts(policy=SMTP)
    content.set_content(text)
    content.add_attachment(mail.report.encode(), "application", "json", filename="xarf.json")
    content["X-XARF"] = "PLAIN"
    return content


def arf(mail: Forward, text: str) -> Parts:
    """RFC 5965 section 2: words, the machine's part, and of the original no more than its redacted header."""
    content = Parts(policy=SMTP)
    content.set_content(text)
    content.make_mixed()
    content.set_type("multipart/report")
    content.set_param("report-type", "feedback-report")
    fields, _, header = mail.report.partition("\n\n")
    for kind, body in (("message/feedback-report", fields + "\n"), ("text/rfc822-headers", header)):
        part = Parts(policy=SMTP)
        part.set_content(body)
        del part["MIME-Version"]
        part.replace_header("Content-Type", kind)
        content.attach(part)
    return content


def link_of(case: Case, *, now: datetime) -> str:
    held = case.links.filter(revoked_at=None, expires_at__gt=now).order_by("-pk").first()
    return (held and portal_url(held)) or portal_url(make_link(case, now=now)) or ""


def finish(mail: Forward, *, now: datetime, refused: str | None = None) -> None:
    if mail.state == Forward.State.SENT:
        Case.objects.filter(pk=mail.case_id, customer_status=CustomerStatus.NONE).update(
            customer_status=CustomerStatus.NOTIFIED
        )
        return
    record(
        mail.case, EventKind.FORWARDED, actor=MACHINE, now=now,
        forward=mail.pk, to=mail.to_email, problem=mail.problem,
    )  # fmt: skip
