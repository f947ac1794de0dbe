"""Amazon SES: a complaint notification by way of SNS, as a mail to the desk or as the bare JSON of the topic.

The fields are those of the "SNS notification contents" page of SES, and of its event publishing (eventType instead of
notificationType). Bounces and deliveries that come the same way are no complaints.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from ..vocabulary import Category, ParsedComplaint
from .accounts import accounts_in_header
from .addresses import read_address
from .arf import CATEGORIES, read_reporter
from .dates import read_mail_date
from .header_text import Headers, bare_address, bare_addresses, bare_id, readable
from .json_documents import dict_of, documents, list_of, sorted_out, text_of
from .mail import Mail
from .originals import received_lines, source_from_received
from .traces import traces_of

NAME: Final = "sesnotify"
RANK: Final = 40

LONGEST_MESSAGE = 512 * 2**10
MOST_HEADERS = 500


def recognises(mail: Mail) -> bool:
    return any(notification_of(document) is not None for document in documents(mail))


def notification_of(document: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The notification itself, out of the envelope in which SNS posts it."""
    if document.get("Type") == "Notification" and isinstance(document.get("Message"), str):
        try:
            document = dict_of(json.loads(document["Message"][:LONGEST_MESSAGE], strict=False))
        except (ValueError, RecursionError):
            return None
    kind = document.get("notificationType") or document.get("eventType")
    return document if kind == "Complaint" and isinstance(document.get("complaint"), dict) else None


def parse(mail: Mail) -> list[ParsedComplaint]:
    found = (notification_of(document) for document in documents(mail))
    return [read_notification(each, mail) for each in found if each is not None]


def read_notification(notification: Mapping[str, Any], mail: Mail) -> ParsedComplaint:
    complaint, sent = dict_of(notification.get("complaint")), dict_of(notification.get("mail"))
    common = dict_of(sent.get("commonHeaders"))
    headers = original_headers(sent)
    received = received_lines(headers)
    feedback_type = (text_of(complaint.get("complaintFeedbackType")) or "").lower() or None
    address, reason = read_address(text_of(sent.get("sourceIp"))), "mail.sourceIp"
    if address is None:
        address, reason, _ = source_from_received(received, mail.is_ours)
    recipients = [text_of(dict_of(each).get("emailAddress")) for each in list_of(complaint.get("complainedRecipients"))]
    times = (complaint.get("arrivalDate"), complaint.get("timestamp"), sent.get("timestamp"))
    return ParsedComplaint(
        category=CATEGORIES.get(feedback_type, Category.OTHER) if feedback_type else Category.SPAM,
        feedback_type=feedback_type,
        source_ip=address,
        arrival_date=next(filter(None, (read_mail_date(text_of(each)) for each in times)), None),
        original_mail_from=bare_address(text_of(sent.get("source"))),
        original_rcpt_to=bare_addresses([each for each in recipients if each]),
        original_message_id=bare_id(headers.first("message-id") or text_of(common.get("messageId"))),
        original_subject=headers.readable("subject") or readable(text_of(common.get("subject")) or ""),
        reporter=read_reporter(mail),
        user_agent=text_of(complaint.get("userAgent")),
        received=received,
        traces=traces_of(headers),
        accounts=accounts_in_header(headers, mail.account_headers),
        source_reason=reason,
        extra=read_extra(complaint, sent),
    )


def original_headers(sent: Mapping[str, Any]) -> Headers:
    """`headers` is a list of names and values; topics that leave it out have only commonHeaders."""
    rows = (dict_of(each) for each in list_of(sent.get("headers"))[:MOST_HEADERS])
    lines = (f"{row.get('name')}: {' '.join(str(row.get('value')).split())}" for row in rows)
    return Headers("\n".join(lines).encode("utf-8", "replace"))


def read_extra(complaint: Mapping[str, Any], sent: Mapping[str, Any]) -> dict[str, Any]:
    said = {name: text_of(complaint.get(name)) for name in ("feedbackId", "complaintSubType")}
    said |= {name: text_of(sent.get(name)) for name in ("messageId", "sendingAccountId", "sourceArn")}
    return sorted_out(said, {}, "ses")
