"""XARF v4 (https://xarf.org, schema 4.2): JSON in a mail, attached to one, or bare. One document, one complaint.

A report that breaks the schema is read as far as it goes, and the breaches are told. What has no place in
ParsedComplaint is kept in `extra` under its own name, so that xarf_write gives the report back whole.
"""

from __future__ import annotations

import binascii
import re
from binascii import a2b_base64
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from ..vocabulary import ParsedComplaint
from .accounts import accounts_in_header
from .addresses import read_address
from .arf import read_reporter
from .arf_fast import MOST_ORIGINAL_HEADER
from .dates import read_mail_date
from .errors import MalformedComplaint
from .header_text import Headers, bare_address, bare_id
from .json_documents import dict_of, documents, list_of, port_of, text_of
from .mail import Mail
from .originals import read_headers_of, received_lines
from .traces import traces_of
from .xarf_names import our_category
from .xarf_schema import schema_problems
from .xarf_write import not_in

NAME: Final = "xarf4"
RANK: Final = 22

MOST_CHECKED = 100  # reports of one mail that are held against the schema
URL_FIELDS = ("url", "infringing_url")
DOMAIN = re.compile(r"[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)+\.?")


def recognises(mail: Mail) -> bool:
    return any("xarf_version" in document for document in documents(mail))


def parse(mail: Mail) -> list[ParsedComplaint]:
    reports = [document for document in documents(mail) if "xarf_version" in document]
    found = [read_report(report, mail) for report in reports]
    for number, report in enumerate(reports[:MOST_CHECKED], start=1):
        place = f"XARF report {number}: " if len(reports) > 1 else "XARF: "
        mail.problems += [place + problem for problem in schema_problems(report)]
    if not any(names_somebody(complaint) for complaint in found):
        raise MalformedComplaint("; ".join(mail.problems[:3]) or "XARF: source_identifier names nobody")
    return found


def names_somebody(complaint: ParsedComplaint) -> bool:
    return bool(complaint.source_ip or complaint.reported_domains or complaint.reported_uris)


def read_report(report: Mapping[str, Any], mail: Mail) -> ParsedComplaint:
    source = text_of(report.get("source_identifier")) or ""
    uris = [uri for name in URL_FIELDS if (uri := text_of(report.get(name)))]
    if "://" in source and source not in uris:
        uris.insert(0, source)
    address, reason = read_source(source, uris)
    original = original_of(report)
    complaint = ParsedComplaint(
        category=our_category(text_of(report.get("category")), text_of(report.get("type"))),
        feedback_type=feedback_type_of(mail),
        source_ip=address,
        source_port=port_of(report.get("source_port")),
        arrival_date=read_mail_date((text_of(report.get("timestamp")) or "").upper()),
        reported_domains=read_domains(report, source),
        reported_uris=tuple(dict.fromkeys(uris)),
        original_mail_from=bare_address(text_of(report.get("smtp_from"))),
        original_rcpt_to=tuple(filter(None, [bare_address(text_of(report.get("smtp_to")))])),
        original_message_id=bare_id(text_of(report.get("message_id")) or in_header("message-id", original)),
        original_subject=text_of(report.get("subject")) or in_header("subject", original),
        reporter=read_reporter(mail) or contact_of(dict_of(report.get("reporter")).get("contact")),
        version=text_of(report.get("xarf_version")),
        received=received_lines(original),
        traces=traces_of(original),
        accounts=accounts_in_header(original, mail.account_headers),
        source_reason=reason,
    )
    return not_in(complaint, report)


def contact_of(value: Any) -> str | None:
    text = text_of(value)
    return bare_address(text) if text and "@" in text else None


def read_source(source: str, uris: list[str]) -> tuple[str | None, str]:
    """source_identifier, or the host of the URL where that is an address."""
    if address := read_address(source):
        return address, "source_identifier"
    for uri in uris:
        if address := address_of_url(uri):
            return address, "host of the reported URL"
    return None, "source_identifier names no address"


def address_of_url(uri: str) -> str | None:
    return read_address(host_of(uri))


def host_of(uri: str) -> str | None:
    try:
        return urlsplit(uri[:2_000]).hostname
    except ValueError:  # http://[broken/
        return None


def read_domains(report: Mapping[str, Any], source: str) -> tuple[str, ...]:
    named = [source, text_of(report.get("domain")) or ""]
    if "://" in source:
        named[0] = host_of(source) or ""
    return tuple(dict.fromkeys(each.lower().rstrip(".") for each in named if is_domain(each)))


def is_domain(text: str) -> bool:
    return len(text) < 255 and DOMAIN.fullmatch(text) is not None and read_address(text) is None


def original_of(report: Mapping[str, Any]) -> Headers | None:
    """The header of the mail in the evidence."""
    for item in list_of(report.get("evidence"))[:50]:
        kind = text_of(dict_of(item).get("content_type")) or ""
        if kind.lower().startswith(("message/rfc822", "text/rfc822-headers", "text/email")):
            payload = str(dict_of(item).get("payload") or "")
            return read_headers_of(undo_base64(payload)[:MOST_ORIGINAL_HEADER])
    return None


def in_header(name: str, original: Headers | None) -> str | None:
    return original.readable(name) if original is not None else None


def undo_base64(payload: str) -> bytes:
    """Its beginning, enough for a header; what is no base64 is the text itself."""
    begin = payload[: MOST_ORIGINAL_HEADER * 2]
    try:
        return a2b_base64(begin[: len(begin) // 4 * 4], strict_mode=True)
    except (binascii.Error, ValueError):
        return begin.encode("utf-8", "replace")


def feedback_type_of(mail: Mail) -> str | None:
    """Where a feedback-report part travels along (RFC 9477 section 3.5.1), what it calls itself."""
    for part in mail.parts:
        if part.content_type == "message/feedback-report":
            return (Headers(part.payload[:MOST_ORIGINAL_HEADER]).readable("feedback-type") or "").lower() or None
    return None
