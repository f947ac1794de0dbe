"""Pass complaints on to a reseller's own abuse desk: each as a report that a program can read, once.

Decided here as rows; forward_post.py says how such a mail looks, delivery.py sends it.
"""

from __future__ import annotations

import json
from datetime import datetime
from email.utils import format_datetime

from django.db import IntegrityError, transaction
from django.utils.crypto import salted_hmac

from complaints.cases.protection import contract_kind
from complaints.cases.transitions import MACHINE, record
from complaints.formats.xarf_schema import schema_problems
from complaints.formats.xarf_write import NotWritable, as_xarf4, from_record
from complaints.models import Case, Complaint, Contact, Forward
from complaints.notices.compose import new_message_id, with_mark
from complaints.notices.letter import LINK_MARK
from complaints.notices.redaction import Redactor
from complaints.notices.senders import Sender, sender_of
from complaints.notices.when_due import rules
from complaints.vocabulary import Category, ContractKind, EventKind, ParsedComplaint

Format = Contact.Forwarding
MOST_AT_ONCE = 500  # of a case; the rest when the case is looked at next
# RFC 5965 section 7.3; what has no word of its own there is "other".
FEEDBACK_TYPES = {
    Category.SPAM: "abuse",
    Category.PHISHING: "fraud",
    Category.FRAUD: "fraud",
    Category.MALWARE: "virus",
}
TEXT = """This is a complaint about {address}, of {at} UTC, passed on by {desk}.
The attached report is made for programs ({format}). Who complained is replaced by marks (RFC 6590):
equal marks are equal addresses.

Case {number}, with everything we know and a place to answer:
{link}

Please answer this mail, or on that page, when the cause is removed.
"""


def desk_contact(case: Case) -> Contact | None:
    """The contact of a reseller's abuse desk that wants reports in the place of letters."""
    if contract_kind(case) is not ContractKind.RESELLER:
        return None
    wanted = case.contract.contacts.filter(role=Contact.Role.ABUSE, problem="").exclude(forwarding=Format.NONE)
    return wanted.order_by("pk").first()


def forward_complaints(case: Case, *, now: datetime) -> list[Forward]:
    """Decide a mail for each complaint of the case that was not passed on yet. Safe to repeat."""
    contact = desk_contact(case)
    if contact is None:
        return []
    waiting = Complaint.objects.filter(case=case).exclude(forwards__case=case).order_by("pk")[:MOST_AT_ONCE]
    made = [forward(case, complaint, contact, now=now) for complaint in waiting]
    return [each for each in made if each is not None]


def forward(case: Case, complaint: Complaint, contact: Contact, *, now: datetime) -> Forward | None:
    parsed, sender = redactor().complaint(as_parsed(complaint)), sender_of(case)
    form, report = write_report(parsed, contact.forwarding, sender)
    where = complaint.address_text or "your customer"
    try:
        with transaction.atomic():
            made = Forward.objects.create(
                case=case,
                complaint=complaint,
                format=form,
                report=report,
                to_email=contact.email,
                subject=with_mark(f"Abuse report: {parsed.category.replace('_', ' ')} from {where}", case.number),
                text=TEXT.format(
                    address=where,
                    at=f"{complaint.seen_at:%Y-%m-%d %H:%M:%S}",
                    desk=sender.name,
                    format="XARF 4" if form == Format.XARF else "ARF, RFC 5965",
                    number=case.number,
                    link=LINK_MARK,
                ),
                message_id=new_message_id(case, "forward", complaint.pk, domain=sender.domain),
                queued_at=now,
                due_at=now + rules().undo,
            )
            record(case, EventKind.FORWARDED, actor=MACHINE, now=now, forward=made.pk, to=contact.email)
    except IntegrityError:  # another worker decided the same at the same moment
        return None
    return made


def write_report(parsed: ParsedComplaint, wanted: str, sender: Sender) -> tuple[str, str]:
    """The form and the report. What XARF cannot say validly goes as ARF, which always can."""
    if wanted == Format.XARF:
        desk = {"org": sender.name, "contact": sender.email, "domain": sender.domain}
        try:
            report = as_xarf4(parsed, sender=desk) | {"reporter": desk}
        except NotWritable:
            report = {}
        if report and not schema_problems(report):
            return Format.XARF.value, json.dumps(report, indent=2, ensure_ascii=False)
    return Format.ARF.value, as_arf(parsed)


def as_arf(parsed: ParsedComplaint) -> str:
    """RFC 5965 sections 3.1 and 3.2: the machine's part; after a blank line the original's header as far as we know."""
    at = format_datetime(parsed.arrival_date) if parsed.arrival_date else ""
    fields = [
        ("Feedback-Type", FEEDBACK_TYPES.get(parsed.category, "other")),
        ("User-Agent", "abusedesk/1.0"),
        ("Version", "1"),
        ("Source-IP", parsed.source_ip or ""),
        ("Source-Port", str(parsed.source_port or "")),  # RFC 6692
        ("Arrival-Date", at),
        ("Original-Mail-From", f"<{parsed.original_mail_from}>" if parsed.original_mail_from else ""),
        *(("Original-Rcpt-To", f"<{each}>") for each in parsed.original_rcpt_to),
        *(("Reported-Domain", each) for each in parsed.reported_domains),
        *(("Reported-URI", each) for each in parsed.reported_uris),
    ]
    header = [
        ("Date", at),
        ("Subject", parsed.original_subject or ""),
        ("Message-ID", f"<{parsed.original_message_id}>" if parsed.original_message_id else ""),
    ]
    return "\n\n".join(
        "".join(f"{name}: {one_field(value)}\n" for name, value in part if value) for part in (fields, header)
    )


def one_field(value: str) -> str:
    """A line of a report is not the place for another line."""
    return " ".join(value.split())[:900]


def as_parsed(complaint: Complaint) -> ParsedComplaint:
    """The filed complaint as it was read, at the time and port that count by now."""
    columns = {
        "category": complaint.category,
        "feedback_type": complaint.feedback_type,
        "source_ip": complaint.address_text,
        "source_port": complaint.port or None,
        "arrival_date": complaint.seen_at,
        "original_subject": complaint.subject,
        "original_message_id": complaint.original_message_id,
    }
    return from_record(columns, complaint.evidence)


def redactor() -> Redactor:
    return Redactor(salted_hmac("complaints.redaction", "key", algorithm="sha256").digest())
