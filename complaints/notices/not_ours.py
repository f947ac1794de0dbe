"""Tell a reporter, politely and once, that an address is not ours, and whose it seems to be."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from complaints.models import Complaint, NetworkContact, ReporterMail
from complaints.notices.network_contacts import contacts_of
from complaints.notices.reported import line_of, source_of
from complaints.notices.reporter_mail import NoAnswer, answerable, queue_reporter_mail
from complaints.vocabulary import Answer


def tell_not_ours(complaints: Sequence[Complaint], *, by: str, now: datetime) -> ReporterMail:
    """`complaints`: of one message, with their reporter.

    Raises:
        NoAnswer: the mail must not be answered, or all of it is about ours.
    """
    facts = facts_to_tell(complaints, now=now)
    about = answerable(*source_of(complaints), format=complaints[0].format, by=by)
    return queue_reporter_mail(about, ReporterMail.Kind.NOT_OURS, facts=facts, now=now)


def facts_to_tell(complaints: Sequence[Complaint], *, now: datetime) -> dict[str, Any]:
    """Each address once, with the contact that is known for it. Raises NoAnswer when there is none to tell of."""
    found = {bytes(each.address): each for each in complaints if each.answer == Answer.NOT_OURS and each.address}
    if not found:
        raise NoAnswer("No complaint of this mail is about an address that is not ours.")
    contacts = contacts_of(found, now=now)
    lines = [line_of(each) | contact_in(contacts.get(address)) for address, each in found.items()]
    return {"complaints": lines, "has_contact": bool(contacts)}


def contact_in(contact: NetworkContact | None) -> dict[str, str]:
    return {"contact": contact.email, "network": contact.name or contact.handle} if contact else {}
