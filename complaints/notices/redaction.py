"""What leaves the desk in a forwarded complaint: RFC 6590's keyed hash in the place of who complained. Pure.

The same address gives the same mark each time, so the receiver still sees that two complaints are about one mailing;
without the key nobody finds the address. Beyond section 2 of the RFC the domain goes too: a trap's is its secret.
Fields that we do not know to be harmless are left out.
"""

from __future__ import annotations

import dataclasses
import hashlib
import hmac
import re
from base64 import b32encode

from complaints.vocabulary import ParsedComplaint

NOWHERE = "redacted.invalid"
ADDRESS = re.compile(r"[^\s<>,;:\"'()\[\]@]{1,64}@[^\s<>,;:\"'()\[\]@]{1,255}")
HARMLESS = frozenset({"protocol", "service", "service_port", "source_port", "first_seen", "last_seen", "attack_type",
                      "attack_vector", "packet_count", "peak_pps", "peak_bps", "duration_seconds", "work_category",
                      "rights_holder", "cve_id", "cvss_score", "severity", "scan_type", "login_attempts"})  # fmt: skip
FOR_URLS = frozenset({"content", "copyright"})


class Redactor:
    """key: a secret of the desk; another one gives other marks."""

    def __init__(self, key: bytes) -> None:
        self.key = key

    def mark(self, text: str) -> str:
        digest = hmac.new(self.key, text.strip().lower().encode(), hashlib.sha256).digest()
        return b32encode(digest)[:20].decode().lower()

    def address(self, address: str) -> str:
        return f"{self.mark(address)}@{NOWHERE}"

    def text(self, text: str) -> str:
        return ADDRESS.sub(lambda found: self.address(found[0]), text)

    def complaint(self, complaint: ParsedComplaint) -> ParsedComplaint:
        """Without reporter, recipients and message-ids, and with nothing of the original report but what is listed."""
        recipients = complaint.original_rcpt_to
        sender = complaint.original_mail_from
        return dataclasses.replace(
            complaint,
            reporter=None,
            original_rcpt_to=tuple(self.address(each) for each in recipients),
            original_message_id=complaint.original_message_id and self.address(complaint.original_message_id),
            original_mail_from=self.address(sender) if sender and names_one(sender, recipients) else sender,
            original_subject=complaint.original_subject and self.text(complaint.original_subject),
            reported_uris=tuple(uri for uri in complaint.reported_uris if not ADDRESS.search(uri)),
            received=(),
            accounts=(),
            user_agent=None,
            delivery_result=None,
            extra={name: value for name, value in complaint.extra.items() if name in HARMLESS and is_plain(value)},
        )


def names_one(sender: str, recipients: tuple[str, ...]) -> bool:
    """A sender made for one recipient (VERP) names that recipient."""
    lowered = sender.lower()
    return "=" in lowered or any(each.partition("@")[0].lower() in lowered for each in recipients if "@" in each)


def is_plain(value: object) -> bool:
    """Numbers, and short words without an address in them."""
    if isinstance(value, str):
        return len(value) <= 100 and not ADDRESS.search(value)
    return isinstance(value, int | float)
