"""A complaint as a XARF v4 report, and what of a report a complaint keeps aside so that it can be given back whole.

Both ways rest on one function: `derived` says which fields follow from the complaint itself. The reader keeps in
`extra` the fields that do not follow, or not in the same words; the writer puts the two together again.
"""

from __future__ import annotations

import dataclasses
import re
import uuid
from collections.abc import Mapping
from typing import Any

from ..vocabulary import Category, ParsedComplaint
from .xarf_names import WRITTEN

VERSION = "4.2.0"
VERSIONS = re.compile(r"4\.\d{1,4}\.\d{1,4}")
ABSENT = "_absent"  # in extra: fields that would follow from the complaint, but that its report does not have
INTERNAL = "_internal"  # the schema: never transmitted between systems
NAMESPACE = uuid.UUID("5f0c6c8e-7f0b-5d6a-9d5a-0f6b3c1f2a77")


class NotWritable(ValueError):
    """The complaint has no form in XARF; says what is missing."""


def as_xarf4(
    complaint: ParsedComplaint, *, sender: Mapping[str, str] | None = None, with_internal: bool = False
) -> dict[str, Any]:
    """The report. Every field of a report that the complaint was read from is in it, but _internal unless asked for.

    sender: org, contact and domain of who transmits it; without it, the one of the report.
    The report id of a complaint that came without one follows from its content: writing it twice gives the same.

    Raises:
        NotWritable: the category has no type in XARF, or neither an address, a domain nor a URL is known.
    """
    absent = complaint.extra.get(ABSENT) or ()
    report = {name: value for name, value in derived(complaint).items() if name not in absent}
    report |= {name: value for name, value in complaint.extra.items() if name != ABSENT}
    if sender is not None:
        report["sender"] = dict(sender)
    if not with_internal:
        report.pop(INTERNAL, None)
    if "type" not in report and "type" not in absent:
        raise NotWritable(f"{complaint.category}: XARF has no type for it")
    if "source_identifier" not in report and "source_identifier" not in absent:
        raise NotWritable("neither an address nor a domain nor a URL to report")
    if "report_id" not in report and "report_id" not in absent:
        report["report_id"] = str(uuid.uuid5(NAMESPACE, repr(sorted(report.items()))))
    return report


def derived(complaint: ParsedComplaint) -> dict[str, Any]:
    """The fields that follow from the complaint, `extra` left out."""
    category, kind = WRITTEN.get(complaint.category, (None, None))
    sources = (complaint.source_ip, *complaint.reported_domains[:1], *complaint.reported_uris[:1])
    reporter = contact_of(complaint.reporter)
    fields: dict[str, Any] = {
        "xarf_version": complaint.version if VERSIONS.fullmatch(complaint.version or "") else VERSION,
        "timestamp": complaint.arrival_date.isoformat().replace("+00:00", "Z") if complaint.arrival_date else None,
        "reporter": reporter,
        "sender": reporter,
        "source_identifier": next(filter(None, sources), None),
        "source_port": complaint.source_port,
        "category": category,
        "type": kind,
    }
    if category == "messaging":
        fields |= {
            "protocol": "smtp",
            "smtp_from": complaint.original_mail_from,
            "smtp_to": next(iter(complaint.original_rcpt_to), None),
            "subject": complaint.original_subject,
            "message_id": complaint.original_message_id,
        }
    if complaint.reported_uris and category in ("content", "copyright"):
        fields["url" if category == "content" else "infringing_url"] = complaint.reported_uris[0]
    if category == "connection":
        fields["first_seen"] = fields["timestamp"]
    return {name: value for name, value in fields.items() if value is not None}


def contact_of(address: str | None) -> dict[str, str] | None:
    domain = (address or "").rpartition("@")[2]
    return {"org": domain, "contact": str(address), "domain": domain} if domain and "@" in str(address) else None


def not_in(complaint: ParsedComplaint, report: Mapping[str, Any]) -> ParsedComplaint:
    """The complaint with everything in `extra` that it does not say itself, in the report's own words."""
    follows = derived(complaint)
    extra = {name: value for name, value in report.items() if name not in follows or not same(follows[name], value)}
    absent = [name for name in follows if name not in report]
    extra |= {ABSENT: absent} if absent else {}
    return dataclasses.replace(complaint, extra=extra)


def same(one: Any, other: Any) -> bool:
    return type(one) is type(other) and one == other


def from_record(columns: Mapping[str, Any], evidence: Mapping[str, Any]) -> ParsedComplaint:
    """A filed complaint as it was read: `evidence` is its JSON column, `columns` what has a column of its own."""
    names = {field.name for field in dataclasses.fields(ParsedComplaint)}
    both: dict[str, Any] = {**evidence, **columns}
    known = {name: value for name, value in both.items() if name in names and value not in ("", None)}
    values: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in known.items()}
    values["category"] = Category(values.get("category", Category.OTHER))
    return ParsedComplaint(**values)
